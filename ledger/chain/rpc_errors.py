"""JSON-RPC errors with their standard codes."""

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

_REVERT_SELECTOR = bytes.fromhex("08c379a0")


class RpcError(Exception):
    """A request that was answered with an error. Nothing has changed."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


def invalid_params(message: str) -> RpcError:
    """The error for parameters of the wrong form."""
    return RpcError(-32602, message)


def reverted(output: bytes) -> RpcError:
    """The error for a call that reverted, with its revert data kept."""
    text = revert_text(output)
    message = f"execution reverted: {text}" if text else "execution reverted"
    return RpcError(3, message, "0x" + output.hex())


def revert_text(output: bytes) -> str:
    """The text of a standard revert; empty when there is none."""
    if output[:4] != _REVERT_SELECTOR:
        return ""
    try:
        return str(decode(["string"], output[4:])[0])
    except (DecodingError, UnicodeDecodeError):
        return ""
