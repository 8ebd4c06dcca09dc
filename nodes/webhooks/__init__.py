"""Webhooks: events sent to addresses outside, signed, at least once, in order for each address."""
