"""The faces: REST interface, command line, pages."""
