"""Events of instructions and their sides, from what the clearing house notes as it changes them."""

from collections.abc import Iterator
from typing import Any, Final

from ledger.books.changes import (
    ChangeLog,
    InstructionChange,
    SideChange,
    Standing,
    TradesChange,
)
from ledger.books.entered_sides import SideState
from ledger.domain.identifiers import owner_of
from ledger.domain.instructions import Priority, State
from nodes.clearing_house.node import ClearingHouse
from nodes.journal.event import Draft
from nodes.journal.trades import of_change, participant_ids

COMMITS_A_LOOK_MAX: Final = 1_000
FORGOTTEN_EVERY: Final = 1_000
PENDING_A_LOOK_MAX: Final = 1_000
"""For so many that stay in the queue it is found out why they wait."""


class BookChanges:
    """What the clearing house has noted. The cursor is the number of the last commit."""

    name = "changes"

    def __init__(self, house: ClearingHouse) -> None:
        self._house = house
        self._log = ChangeLog(house.database)
        self._log.follow()
        self._forgotten = 0

    def present(self) -> int:
        """The last commit."""
        return self._log.last()

    def since(self, cursor: int) -> tuple[list[Draft], int]:
        """What was noted after it; and why instructions that came in or were released wait."""
        self._forget(cursor)
        drafts: list[Draft] = []
        waiting: dict[str, None] = {}
        for number, changes in self._log.after(cursor, COMMITS_A_LOOK_MAX):
            cursor = number
            for change in changes:
                if isinstance(change, TradesChange):
                    drafts += of_change(self._house, change)
                elif isinstance(change, SideChange):
                    drafts += self._of_side(change)
                else:
                    drafts += self._of_instruction(change)
                    if change.before is None or change.before.state != change.after.state:
                        waiting[change.label] = None
        drafts += self._pending([*waiting][:PENDING_A_LOOK_MAX])
        return drafts, cursor

    def _forget(self, cursor: int) -> None:
        """What has been told, and is on disk as told, is not needed any more."""
        if cursor - self._forgotten >= FORGOTTEN_EVERY:
            self._log.forget(cursor)
            self._forgotten = cursor

    def _of_instruction(self, change: InstructionChange) -> Iterator[Draft]:
        after, house = change.after, self._house
        values: dict[str, Any] = {"state": after.state}
        if after.reason:
            values["reason"] = after.reason
        sides = participant_ids(house, change.sides)
        for act in _acts(change.before, after):
            data = values | self._said_of(act, after)
            yield Draft(
                kind=f"instruction.{act}",
                subject=change.label,
                data=data,
                participants=sides,
                block=after.block if act in _ON_THE_CHAIN else None,
            )

    def _said_of(self, act: str, after: Standing) -> dict[str, Any]:
        network = self._house.network
        match act:
            case "held" | "released":
                return {"held_by": [network.participant_id(each) for each in after.held_by]}
            case "cancellation_requested":
                names = [network.participant_id(each) for each in after.cancelled_by]
                return {"cancelled_by": names}
            case "prioritised":
                return {"priority": Priority(after.priority).name.lower()}
            case "settled" | "partially_settled":
                return {
                    "settled_quantity": str(after.settled_quantity),
                    "settled_amount_minor": str(after.settled_amount),
                    "parts": after.parts,
                }
            case _:
                return {}

    def _of_side(self, change: SideChange) -> Iterator[Draft]:
        values: dict[str, Any] = {
            "participant": change.participant,
            "reference": change.reference,
            "state": change.state,
        }
        if change.label:
            values["instruction"] = change.label
        acts = [] if change.before else ["entered"]
        if change.state not in (change.before, SideState.UNMATCHED.value):
            is_in_queue = change.state == SideState.ENTERED.value
            acts.append("queued" if is_in_queue else change.state)
        elif change.before and change.has_asked_out:
            acts.append("cancellation_requested")
        for act in acts:
            yield Draft(
                kind=f"side.{act}",
                subject=f"{change.participant}/{change.reference}",
                data=values,
                participants=frozenset({change.participant}),
            )

    def _pending(self, labels: list[str]) -> Iterator[Draft]:
        """Why they wait, as of now: reasons are worked out, not kept."""
        for label in labels:
            live = self._house.desk.book.get(label)
            if live is None or not live.state.is_live or live.reason is None:
                continue
            sides = {self._owner(live.deliverer), self._owner(live.receiver)}
            yield Draft(
                kind="instruction.pending",
                subject=label,
                data={"state": live.state.value, "reason": live.reason.name},
                participants=frozenset(sides),
            )

    def _owner(self, account: int) -> str:
        return owner_of(self._house.network.account_id(account))


_ON_THE_CHAIN: Final = frozenset({"settled", "partially_settled"})
_ACT_BY_STATE: Final = {
    State.HELD.value: "held",
    State.PARTIALLY_SETTLED.value: "partially_settled",
    State.SETTLED.value: "settled",
    State.CANCELLED.value: "cancelled",
    State.FAILED.value: "failed",
}


def _acts(before: Standing | None, after: Standing) -> list[str]:
    """What has been done, from what has changed."""
    if before is None:
        act = _ACT_BY_STATE.get(after.state)
        return ["entered", act] if act else ["entered"]
    acts: list[str] = []
    if after.parts > before.parts and after.state != State.SETTLED.value:
        acts.append("partially_settled")
    elif after.state != before.state:
        was_held = before.state == State.HELD.value and State(after.state).is_live
        acts.append("released" if was_held else _ACT_BY_STATE.get(after.state, "queued"))
    elif after.held_by != before.held_by:
        acts.append("held" if len(after.held_by) > len(before.held_by) else "released")
    if after.cancelled_by != before.cancelled_by and after.state != State.CANCELLED.value:
        acts.append("cancellation_requested")
    if after.priority != before.priority:
        acts.append("prioritised")
    if after.reason != before.reason and after.reason and not acts:
        acts.append("pending")
    return acts
