"""Statements: what a participant's node says of its holdings, and what others say of them."""
