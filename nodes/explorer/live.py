"""The explorer of a running consortium."""

from nodes.consortium import Consortium
from nodes.explorer.explorer import Explorer
from nodes.explorer.finality import finality_of


def explorer_of(consortium: Consortium) -> Explorer:
    """Looks at the chain that a consortium runs on, whatever engine that is."""
    return Explorer(
        consortium.network,
        consortium.engine.w3,
        consortium.contracts.addresses,
        finality_of(consortium.engine),
    )
