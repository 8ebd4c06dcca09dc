"""The pages of the chain: blocks, transactions, and the way from a trade to its transaction."""
