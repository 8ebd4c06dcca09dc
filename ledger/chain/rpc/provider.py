"""A web3.py provider that speaks to a chain in the same process, through the JSON-RPC table."""

from typing import Any

from web3 import Web3
from web3.providers.base import BaseProvider
from web3.types import RPCEndpoint, RPCResponse

from ledger.chain.chain import Chain
from ledger.chain.rpc.backend import in_process_backend
from ledger.chain.rpc.errors import RpcError
from ledger.chain.rpc.request import error_form
from ledger.chain.rpc.table import handle


class InProcessProvider(BaseProvider):
    """Answers web3.py from a chain object, without a socket."""

    def __init__(self, chain: Chain) -> None:
        super().__init__()
        self._backend = in_process_backend(chain)
        # Else a contract's revert could make web3.py fetch an address of the contract's choice.
        self.global_ccip_read_enabled = False

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:  # noqa: ANN401 # web3's signature
        """The JSON-RPC response to one request."""
        try:
            return {"jsonrpc": "2.0", "id": 1, "result": handle(self._backend, method, params)}
        except RpcError as error:
            body: Any = error_form(error)
            return {"jsonrpc": "2.0", "id": 1, "error": body}

    def is_connected(self, show_traceback: bool = False) -> bool:  # noqa: ARG002, FBT001, FBT002 # web3's signature
        """Always: the chain is in this process."""
        return True


def web3_of(chain: Chain) -> Web3:
    """A web3.py interface to a chain in the same process."""
    return Web3(InProcessProvider(chain))
