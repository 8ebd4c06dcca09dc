"""A market in a folder of its own: written while it runs, verified when it is brought back."""
