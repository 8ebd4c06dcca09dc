"""Durable books: what each institution keeps in its own database file."""
