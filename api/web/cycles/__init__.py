"""The pages of netting cycles: the list of them, one, and the one that comes next."""
