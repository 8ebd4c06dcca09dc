"""A market day: from a file of exchange trades to settled, reconciled books."""
