"""The interface's own books, as they are open now."""

from starlette.types import Scope

from nodes.sandbox.interface_books import InterfaceBooks
from nodes.sandbox.sandbox import Sandbox


def books_of(scope: Scope) -> InterfaceBooks:
    """The books of who serves a request; after a reset they are open anew, in the next sandbox."""
    state = scope["app"].state
    hosting = getattr(state, "hosting", None)
    sandbox = hosting.sandbox if hosting else state.sandbox
    assert isinstance(sandbox, Sandbox)
    return sandbox.interface
