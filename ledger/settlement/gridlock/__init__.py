"""Gridlock resolution: which queued instructions settle together, as one all-or-nothing set.

Three algorithms over one queue of several assets: ``fifo`` keeps every account's order, ``bypass``
settles whatever can settle by itself, ``optimum`` looks for the greatest value. All are pure.
"""
