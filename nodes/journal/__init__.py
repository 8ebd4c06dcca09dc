"""The journal: what has happened in a sandbox, as numbered events that anybody may follow.

Events are derived from what the nodes keep, after the fact: nothing announces what was not done.
"""
