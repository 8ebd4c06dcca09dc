"""A JSON-RPC endpoint over HTTP, asked again for a while when it does not answer.

Every request that the product makes may be made twice: reading changes nothing, and a signed
transaction is in the chain once however often it is sent.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit, urlunsplit

from web3 import HTTPProvider
from web3.types import RPCEndpoint, RPCResponse

from nodes.clock import NS, Clock, pause
from nodes.engine import EngineError

CONNECT_SECONDS_MAX: Final = 3.05
READ_SECONDS_MAX: Final = 30.0
FIRST_PAUSE_SECONDS: Final = 0.05
PAUSE_SECONDS_MAX: Final = 2.0

T = TypeVar("T")


class Endpoint(HTTPProvider):
    """Answers web3.py from a JSON-RPC endpoint. ``patience_seconds`` is how long it may be down."""

    def __init__(self, url: str, clock: Clock, patience_seconds: float) -> None:
        super().__init__(
            url,
            request_kwargs={"timeout": (CONNECT_SECONDS_MAX, READ_SECONDS_MAX)},
            exception_retry_configuration=None,  # one place retries: this one
        )
        # Else a contract's revert could make web3.py fetch an address of the contract's choice.
        self.global_ccip_read_enabled = False
        self.name = shown(url)
        self.patience_seconds = patience_seconds
        self._clock = clock

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:  # noqa: ANN401 # web3's signature
        """The JSON-RPC answer to one request. Raises EngineError when there is none."""
        ask = super().make_request
        return self._patiently(lambda: ask(method, params))

    def make_batch_request(
        self, batch_requests: list[tuple[RPCEndpoint, Any]]
    ) -> list[RPCResponse] | RPCResponse:
        """The answers to several requests, or one error for all. Raises EngineError."""
        ask = super().make_batch_request
        return self._patiently(lambda: ask(batch_requests))

    def _patiently(self, ask: Callable[[], T]) -> T:
        began, wait = self._clock.stopwatch_ns(), FIRST_PAUSE_SECONDS
        while True:
            try:
                return ask()
            except OSError as error:  # refused, reset, timed out, or an HTTP status
                _fail_if_hopeless(self.name, error)
                waited = (self._clock.stopwatch_ns() - began) / NS
                if waited + wait > self.patience_seconds:
                    raise EngineError(
                        f"{self.name} does not answer ({_cause(error)}; waited {waited:.0f} s):"
                        " start the node, or name another with --engine"
                    ) from error
            except (ValueError, KeyError, TypeError) as error:
                raise EngineError(
                    f"{self.name} does not speak JSON-RPC: name an Ethereum node's HTTP address"
                    " with --engine"
                ) from error
            pause(wait)
            wait = min(2 * wait, PAUSE_SECONDS_MAX)


def shown(url: str) -> str:
    """A URL as it may be printed: without user and password."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2]))


def _fail_if_hopeless(name: str, error: OSError) -> None:
    """An HTTP status below 500 (other than 429) will be the same the next time."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None and status < 500 and status != 429:
        raise EngineError(
            f"{name} answers with HTTP status {status}: name an Ethereum node's HTTP address with"
            " --engine"
        ) from error
    if isinstance(error, ValueError):
        raise EngineError(f"{name} is not an HTTP address") from error


def _cause(error: OSError) -> str:
    """The innermost cause in a word or two; the outer ones repeat addresses of objects."""
    inner: BaseException = error
    while inner.__cause__ or inner.__context__:
        inner = inner.__cause__ or inner.__context__ or inner
    return inner.strerror or str(inner) if isinstance(inner, OSError) else type(error).__name__
