"""The chain of the clearing house, as the processes of other nodes reach it."""

from typing import Final

from nodes.engine import EngineError
from nodes.external_engine import ExternalEngine

PATIENCE_SECONDS: Final = 3.0


class HouseEngine(ExternalEngine):
    """Looks whenever it is asked how far the chain is final: a node has its process to itself.

    Block times are those of this machine's clock, as in the process that has the chain.
    """

    def __init__(self, url: str, finality_patience_seconds: float = 60.0) -> None:
        super().__init__(
            url,
            patience_seconds=PATIENCE_SECONDS,
            finality_patience_seconds=finality_patience_seconds,
        )

    def final_height(self) -> int:
        """The last final block now; as of the last look when the chain does not answer."""
        try:
            return self.look()
        except EngineError:
            return super().final_height()

    def passed_time(self) -> int:
        """The next block is stamped with the clock's time, and never before the last one."""
        return self.chain_time()
