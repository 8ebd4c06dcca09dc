"""Access: whose key a request carries, what it may call, and how often."""
