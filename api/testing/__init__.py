"""A settlement network for each test of somebody else's project (docs/testing.md)."""
