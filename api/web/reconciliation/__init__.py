"""The screen of reconciliation: what does not agree, since when, and what settles just now."""
