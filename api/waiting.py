"""Waiting for finality: an answer that is held back until a trade has settled, or cannot any more.

Nobody holds a thread meanwhile. When the time is over, too many wait already, the client has gone,
the server stops, or the market is about to be replaced by another, the answer says how the trade
stands then.
"""

import asyncio
from typing import Annotated, Final, Literal

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from api.access.admission import leave_place
from api.dependencies import RunningSandbox
from api.event_stream import EventStreams
from api.said import in_query
from ledger.books.intake import CANCELLED, SETTLED
from ledger.domain.instructions import State

SECONDS_MAX: Final = 30
WAITERS_MAX: Final = 200
LOOK_SECONDS: Final = 0.025
_OVER: Final = frozenset({SETTLED, CANCELLED, State.FAILED.value})
"""Not UNAFFIRMED: a trade that a desk reports late settles after all."""


class FinalityWait:
    """What a request says of waiting."""

    def __init__(
        self,
        request: Request,
        sandbox: RunningSandbox,
        wait: Annotated[
            Literal["final"] | None,
            in_query(
                "final: answer once the trade has settled, or cannot any more.",
                "final：待成交已交收或已无法交收时再应答。",
                "final",
            ),
        ] = None,
        timeout: Annotated[
            float,
            in_query("Seconds to wait for it at most.", "最长等待秒数。", 5, ge=0, le=SECONDS_MAX),
        ] = 5,
    ) -> None:
        self._request = request
        self._sandbox = sandbox
        self._seconds = timeout if wait else 0
        self._places: asyncio.Semaphore = request.app.state.waiters
        self._streams: EventStreams = request.app.state.event_streams

    @property
    def is_asked_for(self) -> bool:
        """Whether the caller wants to wait at all."""
        return self._seconds > 0

    async def over(self, position: int) -> None:
        """Returns once the trade at a position is over, or the time is."""
        if not self._seconds or self._places.locked():
            return
        async with self._places:
            leave_place(self._request.scope)
            try:
                async with asyncio.timeout(self._seconds):
                    # Settlement goes on in threads that know of no event loop.
                    while not await run_in_threadpool(self._is_over, position):
                        if self._streams.is_closing or await self._request.is_disconnected():
                            return
                        await asyncio.sleep(LOOK_SECONDS)
            except TimeoutError:
                return

    def _is_over(self, position: int) -> bool:
        house = self._sandbox.consortium.clearing_house
        return house.standing_of(position).state in _OVER or not self._sandbox.is_ready


Waited = Annotated[FinalityWait, Depends()]
