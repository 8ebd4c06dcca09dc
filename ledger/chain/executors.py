"""The executors that a replica can be configured with, by name.

A third is one file with a class of the shape of ``ledger.chain.executor.Executor``, and one line in
the table below.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final

from ledger.chain.executor import Executor

DEFAULT_EXECUTOR: Final = "revm"
# Modules are imported when they are asked for: py-evm takes 0.7 s.
_CLASS_BY_NAME: Final[Mapping[str, tuple[str, str]]] = {
    "revm": ("ledger.chain.revm", "RevmExecutor"),
    "py-evm": ("ledger.chain.py_evm", "PyEvmExecutor"),
}
EXECUTOR_NAMES: Final = tuple(_CLASS_BY_NAME)


def new_executor(name: str, chain_id: int) -> Executor:
    """An executor without state. Raises KeyError for a name that is none of EXECUTOR_NAMES."""
    module, class_name = _CLASS_BY_NAME[name]
    create: Callable[[int], Executor] = getattr(import_module(module), class_name)
    return create(chain_id)
