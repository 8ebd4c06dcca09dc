"""What the REST interface keeps: keys, answers given, requests seen, events, webhooks.

One database beside the nodes' own; a table and its store a file.
"""
