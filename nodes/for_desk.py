"""What an institution's own people may ask of its node, as against what other nodes may.

In one process such a method is called; where the node is a process of its own, the call is a signed
message of the institution's desk to its node. Arguments and answers are therefore plain data: what
messages are made of.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

_MARK: Final = "is_for_desk"

Method = TypeVar("Method", bound=Callable[..., Any])


def for_desk(method: Method) -> Method:
    """Declares a method of a node as one that its own desk may call."""
    setattr(method, _MARK, True)
    return method


def is_for_desk(method: object) -> bool:
    """Whether a method was declared as one for the desk."""
    return getattr(method, _MARK, False) is True
