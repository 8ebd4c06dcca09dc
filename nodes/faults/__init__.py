"""Faults of nodes: killed, restarted, slowed, cut off, spoken to twice."""
