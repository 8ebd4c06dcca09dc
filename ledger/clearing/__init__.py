"""Clearing, vectorised: columns of integers in, net lines and commitments out. No I/O."""
