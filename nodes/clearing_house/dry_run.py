"""What the clearing house says of something before it happens; nothing is kept, nobody is asked."""

from collections.abc import Sequence
from dataclasses import replace

from ledger.domain.instructions import State
from ledger.domain.reasons import Reason, Rejected
from ledger.settlement.dry_run import Forecast, Surroundings, forecast
from nodes.clearing_house.desk import Entry
from nodes.clearing_house.node import ClearingHouse


def dry_run(
    house: ClearingHouse, labels: Sequence[str], entries: Sequence[Entry] = ()
) -> Forecast | Rejected:
    """What would become of instructions that are tried now, several of them together.

    Of those in ``entries``, as if they had just come in: what has come in already is taken as it
    stands. Refuses what the desk would not take in, what is not known and what has ended.
    """
    desk = house.desk
    new = [entry for entry in entries if desk.book.as_kept(entry.label) is None]
    wanted = list(dict.fromkeys([*labels, *(entry.label for entry in entries)]))
    refusal = next((why for entry in entries if (why := desk.refusal_of(entry))), None)
    refusal = refusal or _not_live(house, set(wanted) - {entry.label for entry in new})
    if refusal:
        return refusal
    first = desk.book.next_arrival
    entered = [
        replace(desk.instruction_of(entry), arrival=first + place)
        for place, entry in enumerate(new)
    ]
    around = Surroundings(
        now=int(house.around.clock.business_time().timestamp()),
        rules=house.rules,
        available=desk.book.available_of_many,
        instrument=house.network.instrument,
    )
    return forecast(desk.book.queue, wanted, around, entered)


def _not_live(house: ClearingHouse, labels: set[str]) -> Rejected | None:
    """The refusal of something that was never entered, or has ended."""
    for label in sorted(labels):
        known = house.desk.book.as_kept(label)
        if known is None:
            return Rejected(Reason.UNKNOWN, f"there is no instruction {label}")
        if not known.state.is_live:
            detail = f"{label} is {known.state.value}"
            is_settled = known.state is State.SETTLED
            return Rejected(Reason.FINAL if is_settled else known.reason or Reason.FINAL, detail)
    return None
