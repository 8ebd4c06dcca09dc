"""Secrets in bodies: shown once to whoever asked for them, and never kept."""

import re
from typing import Final

MASK: Final = "***"
_NAMES: Final = "secret|api_key|token|password|signing_key"
# A body may have been cut off in the middle of the secret.
_IN_JSON: Final = re.compile(rf'("(?:{_NAMES})"\s*:\s*")(?:[^"\\]|\\.)*("?)', re.IGNORECASE)
_IN_QUERY: Final = re.compile(rf"((?:^|&)(?:{_NAMES})=)[^&]*", re.IGNORECASE)


def masked(text: str) -> str:
    """JSON without what stands under the name of a secret."""
    return _IN_JSON.sub(rf"\g<1>{MASK}\g<2>", text)


def masked_query(query: str) -> str:
    """A query string without them."""
    return _IN_QUERY.sub(rf"\g<1>{MASK}", query)
