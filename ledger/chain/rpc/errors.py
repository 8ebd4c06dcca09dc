"""JSON-RPC errors with the codes of JSON-RPC 2.0 and EIP-1474, and else of geth."""

from typing import Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

REVERTED: Final = 3
PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
SERVER_ERROR: Final = -32000
RESPONSE_TOO_LARGE: Final = -32003
NOT_SUPPORTED: Final = -32004
LIMIT_EXCEEDED: Final = -32005

_REVERT_SELECTOR: Final = bytes.fromhex("08c379a0")


class RpcError(Exception):
    """A request that was answered with an error. Nothing has changed."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


def invalid_params(message: str) -> RpcError:
    """The error for parameters of the wrong form."""
    return RpcError(INVALID_PARAMS, message)


def reverted(output: bytes) -> RpcError:
    """The error for a call that reverted, with its revert data kept."""
    text = revert_text(output)
    message = f"execution reverted: {text}" if text else "execution reverted"
    return RpcError(REVERTED, message, "0x" + output.hex())


def revert_text(output: bytes) -> str:
    """The text of a standard revert; empty when there is none."""
    if output[:4] != _REVERT_SELECTOR:
        return ""
    try:
        return str(decode(["string"], output[4:])[0])
    except (DecodingError, UnicodeDecodeError):
        return ""
