"""One webhook: a POST to a checked address, in bounded time, that follows no redirect."""

import asyncio
from dataclasses import dataclass
from typing import Final

import aiohttp

from nodes.clock import Clock
from nodes.webhooks.addresses import AddressRules
from nodes.webhooks.signing import signed_headers

TIMEOUT_SECONDS: Final = 5
ANSWER_BYTES_MAX: Final = 1_024
USER_AGENT: Final = "Novate-Webhooks/1"
_NS_A_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status and the beginning of the body, or why nothing did."""

    status: int | None
    body: str
    error: str
    duration_ms: int

    @property
    def is_success(self) -> bool:
        """Whether the receiver has taken it: any 2xx."""
        return self.status is not None and 200 <= self.status < 300


class Sender:
    """Sends webhooks. For use inside one event loop; ``close`` when done."""

    def __init__(self, rules: AddressRules, clock: Clock) -> None:
        self._rules = rules
        self._clock = clock
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(socket_factory=rules.socket_of, use_dns_cache=False),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"user-agent": USER_AGENT},
            # What is compressed is shown as it came: it could unpack to anything.
            auto_decompress=False,
        )

    async def send(self, url: str, secret: str, id: str, body: bytes) -> Answer:
        """Sends a signed event; never raises."""
        signed = signed_headers(secret, id, self._clock.chain_time(), body)
        headers = {"content-type": "application/json", **signed}
        started = self._clock.stopwatch_ns()
        status, content, error = None, "", ""
        try:
            self._rules.check_url(url)
            async with self._session.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                status = answer.status
                content = await _beginning(answer)
            if 300 <= status < 400:
                error = "redirects are not followed"
        except aiohttp.ClientConnectorError as failure:
            error = str(failure.os_error) or str(failure)
        except TimeoutError:
            error = f"no answer within {TIMEOUT_SECONDS} s"
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as failure:
            error = f"{type(failure).__name__}: {failure}"[:300]
        duration_ms = (self._clock.stopwatch_ns() - started) // _NS_A_MS
        return Answer(status, content, error, duration_ms)

    async def close(self) -> None:
        """Releases the connections."""
        await self._session.close()
        await asyncio.sleep(0)


async def _beginning(answer: aiohttp.ClientResponse) -> str:
    content = b""
    while len(content) < ANSWER_BYTES_MAX:
        part = await answer.content.read(ANSWER_BYTES_MAX - len(content))
        if not part:
            break
        content += part
    return content.decode("utf-8", "replace")
