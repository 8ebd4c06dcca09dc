"""The pages of trades: the list of them, and the way of one from capture to finality."""
