"""The same trades under DvP models 1, 2 and 3, side by side."""
