"""Events of the market as a whole: final blocks, standing of participants, the business clock."""

from typing import Any, Final

import msgspec

from nodes.business_clock import BusinessClock, Setting
from nodes.clearing_house.node import ClearingHouse
from nodes.clock import Clock
from nodes.journal.event import Draft

CLOCK: Final = "clock"


class FinalBlocks:
    """Blocks that the clearing house has projected. The cursor is their height."""

    name = "blocks"

    def __init__(self, house: ClearingHouse) -> None:
        self._house = house

    def present(self) -> int:
        """The height of the books."""
        return self._house.projection.height

    def since(self, cursor: int) -> tuple[list[Draft], int]:
        """The blocks above a height."""
        height = self.present()
        if cursor >= height:
            return [], cursor
        drafts = [
            Draft(
                kind="chain.block_final",
                subject=str(block.number),
                data={
                    "number": block.number,
                    "hash": f"0x{block.hash.hex()}",
                    "timestamp": block.timestamp,
                    "settled": len(block.settled),
                },
                block=block.number,
            )
            for blocks in self._house.around.feed.blocks_after(cursor)
            for block in blocks
            if block.number <= height
        ]
        return drafts, height


class Standings:
    """Who is suspended. The cursor lists them."""

    name = "standings"

    def __init__(self, house: ClearingHouse) -> None:
        self._house = house

    def present(self) -> list[str]:
        """The suspended participants."""
        network = self._house.network
        return sorted(map(network.participant_id, self._house.desk.book.queue.suspended))

    def since(self, cursor: list[str]) -> tuple[list[Draft], list[str]]:
        """Whoever was suspended or reinstated."""
        suspended = self.present()
        changed = [("suspended", each) for each in sorted(set(suspended) - set(cursor))]
        changed += [("reinstated", each) for each in sorted(set(cursor) - set(suspended))]
        height = self._house.projection.height
        drafts = [
            Draft(kind=f"participant.{act}", subject=each, block=height) for act, each in changed
        ]
        return drafts, suspended


class BusinessTime:
    """How the business clock is set. The cursor is its setting."""

    name = CLOCK

    def __init__(self, clock: Clock) -> None:
        self._clock = clock if isinstance(clock, BusinessClock) else None

    def present(self) -> dict[str, Any] | None:
        """The setting; None for a clock that is not set."""
        if self._clock is None:
            return None
        setting: dict[str, Any] = msgspec.to_builtins(self._clock.setting)
        return setting

    def since(self, cursor: dict[str, Any] | None) -> tuple[list[Draft], dict[str, Any] | None]:
        """The clock was moved, frozen or let go; a business date has ended."""
        setting = self.present()
        if self._clock is None or setting is None or cursor is None or setting == cursor:
            return [], setting
        before, after = msgspec.convert(cursor, Setting), self._clock.setting
        drafts: list[Draft] = []
        if (before.ahead, before.frozen_at) != (after.ahead, after.frozen_at):
            now = self._clock.business_time().isoformat(timespec="seconds")
            data = {"business_time": now, "is_frozen": self._clock.is_frozen}
            drafts.append(Draft(kind="clock.moved", subject=CLOCK, data=data))
        if before.ended != after.ended:
            data = {"business_date": after.ended.isoformat()}
            drafts.append(Draft(kind="clock.day_ended", subject=CLOCK, data=data))
        return drafts, setting
