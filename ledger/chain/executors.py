"""The executors by name. Another one is a file of the shape in ``executor`` and a line here."""

from collections.abc import Callable, Mapping
from typing import Final

from ledger.chain.executor import Executor
from ledger.chain.revm import RevmExecutor

_EXECUTORS: Final[Mapping[str, Callable[[int], Executor]]] = {"revm": RevmExecutor}


def new_executor(name: str, chain_id: int) -> Executor:
    """An executor with an empty state. Raises ValueError for an unknown name."""
    if name not in _EXECUTORS:
        raise ValueError(f"expected an executor, {' or '.join(_EXECUTORS)}, found {name!r}")
    return _EXECUTORS[name](chain_id)
