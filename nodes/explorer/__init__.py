"""The explorer: blocks, transactions and events of a chain, in the words of its network.

Everything is read through web3, so that any engine that speaks JSON-RPC can be looked at; the names
come from the network, the meaning from the ABIs.
"""

from nodes.explorer.explorer import Explorer
from nodes.explorer.finality import FinalityView, one_replica

__all__ = ["Explorer", "FinalityView", "one_replica"]
