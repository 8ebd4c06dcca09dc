"""Scenarios: settlement stories in plain data, played on the real contracts and the real engine."""
