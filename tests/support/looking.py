"""How long properties that are costly to try are looked at: short in each run, longer deep."""

import os

from hypothesis import settings

IS_DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"


def examples(few: int, deep: int | None = None) -> settings:
    """So many examples; in the deep profile ``deep`` of them, or as many as the profile has."""
    if not IS_DEEP:
        return settings(max_examples=few)
    return settings() if deep is None else settings(max_examples=deep)
