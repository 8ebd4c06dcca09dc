"""Secrets in bodies: shown once to whoever asked for them, and never kept."""

import re
from typing import Final

MASK: Final = "***"
_NAMES: Final = "secret|api_key|token|password|signing_key"
# A body may have been cut off in the middle of the secret.
_IN_JSON: Final = re.compile(rf'("(?:{_NAMES})"\s*:\s*")(?:[^"\\]|\\.)*("?)', re.IGNORECASE)
_KEY: Final = re.compile(r"\bnvk_([A-Za-z0-9-]+)_[0-9a-f]*")
_IN_QUERY: Final = re.compile(rf"((?:^|&)(?:{_NAMES})=)[^&]*", re.IGNORECASE)


def masked(text: str) -> str:
    """JSON without keys of the interface, and what stands under the name of a secret."""
    return _KEY.sub(rf"nvk_\g<1>_{MASK}", _IN_JSON.sub(rf"\g<1>{MASK}\g<2>", text))


def masked_query(query: str) -> str:
    """A query string without them."""
    return _IN_QUERY.sub(rf"\g<1>{MASK}", query)
