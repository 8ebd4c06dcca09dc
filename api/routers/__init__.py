"""The REST interface, version 1: one file a resource."""
