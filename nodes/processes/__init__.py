"""Nodes as processes of their own: each with its key, its database and its port."""
