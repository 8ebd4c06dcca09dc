"""Files of exchange trades: read as a stream, checked to the last column, never half-loaded."""
