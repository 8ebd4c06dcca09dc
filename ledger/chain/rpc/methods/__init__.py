"""The methods by topic; each is a function of the backend and the positional parameters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger.chain.rpc.backend import Backend
from ledger.chain.rpc.values import Json


@dataclass(frozen=True, slots=True)
class Method:
    """What answers a request, and how many parameters it cannot do without."""

    run: Callable[[Backend, Sequence[Json]], Json]
    needs: int = 0
