"""The page of liquidity: who owes whom, what waits for what, and what a resolution would settle."""
