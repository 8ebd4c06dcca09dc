"""What is ordered in a story: trades at the exchange, instructions at the clearing house."""

from contextlib import suppress
from typing import assert_never

from contracts.typed_data import InstructionMessage
from ledger.clearing.columns import TradeColumns
from ledger.domain.amounts import trade_amount
from ledger.domain.identifiers import owner_of
from ledger.domain.reasons import Reason, Rejected
from nodes.bus import UnreachableError
from nodes.clearing_house.desk import Entry
from nodes.clock import SECONDS_A_DAY
from nodes.desks import Feed, take_in
from nodes.entering import Entered, cancel, enter, hold, release
from nodes.instruction_terms import instruction_id
from nodes.scenario.faults import desk_feed
from nodes.scenario.scene import Scene
from nodes.scenario.sides import SideOrders
from nodes.scenario.story import (
    CancelEvent,
    HoldEvent,
    InstructEvent,
    MessageEvent,
    PrioritiseEvent,
    ReleaseEvent,
    SettleEvent,
    TradeEvent,
)


class Orders:
    """Brings trades and instructions in, and says things about them.

    Attributes:
        sides: the same, where each side enters its own.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._played = scene.played
        self.sides = SideOrders(scene)

    def trade(self, event: TradeEvent, place: int) -> None:
        """A trade is captured, reported by both desks, affirmed and handed over."""
        if self._scene.refuses(event.id, [event.seller, event.buyer], event.isin):
            return
        try:
            refusal = self._refusal_of_trade(event) or self._capture(event, place)
        except UnreachableError:
            refusal = Reason.SILENT
        self._scene.note(event.id, refusal)
        self.take_in()

    def take_in(self) -> None:
        """Whatever was captured and has not got there goes to desks and clearing house."""
        # Where the exchange or the clearing house does not answer, it goes with a later one.
        with suppress(UnreachableError):
            take_in(self._scene.consortium, self._as_reported)

    def _capture(self, event: TradeEvent, place: int) -> Reason | None:
        name, trade = f"event {place} {event.id}", self._columns(event)
        [verdict] = self._scene.consortium.exchange.capture_group([(name, trade)])
        return next((each.reason for each in verdict.refused.values()), None)

    def heal_desk(self, participant: str) -> None:
        """A participant's desk reports what it withheld, and from now on as it should."""
        faults = self._scene.faults
        healed = [each for each in faults if each.participant == participant and not each.trade]
        for fault in healed:
            faults.remove(fault)
        if healed:
            self._scene.consortium.reported_to.pop(participant, None)
            self.take_in()
            self._scene.consortium.reconcile()
            self._scene.consortium.affirm_late()

    def _as_reported(self, participant: str, feed: Feed) -> Feed | None:
        """Trades as a participant's own desk reports them."""
        names = {number: id for id, number in self._played.number_by_trade.items()}
        ids = [names[number] for number in feed[1].numbers.tolist()]
        return desk_feed(self._scene.faults, participant, ids, feed)

    def instruct(self, event: InstructEvent) -> None:
        """An instruction is entered, and the desks of both sides agree to it."""
        if self._scene.refuses(event.id, [event.deliverer, event.receiver], event.isin):
            return
        if event.deliverer == event.receiver:
            self._scene.note(event.id, Reason.INVALID)
            return
        if not self._played.is_instruction(event.id):
            self._scene.note(event.id, Reason.DUPLICATE)
            return
        entry = self._entry(event)
        answer = self._said_to_house() or enter(self._scene.consortium, entry)
        self._scene.note(event.id, None if isinstance(answer, Entered) else answer)

    def say(self, event: MessageEvent) -> None:
        """Something is said about an instruction that was entered before."""
        is_of_side = event.instruction in self._played.sides
        if isinstance(event, CancelEvent) and is_of_side:
            refusal = self.sides.withdraw(event)
        else:
            refusal = self._said_to_house() or self._answer(event)
        self._scene.note(event.instruction, refusal)

    def _refusal_of_trade(self, event: TradeEvent) -> Reason | None:
        """Why the exchange does not even look at a trade."""
        first = self._played.trades.get(event.id)
        if self._scene.consortium.exchange.id in self._scene.silent:
            return Reason.SILENT
        if not self._played.is_captured(event):
            owners = (owner_of(event.seller), owner_of(event.buyer))
            if any(map(self._scene.is_suspended, owners)):
                return Reason.SUSPENDED
        # The identity of a trade has its instrument in it: the id of the story stands for one.
        if first is None or first.isin != event.isin:
            return Reason.DUPLICATE
        return None

    def _columns(self, event: TradeEvent) -> TradeColumns:
        network = self._scene.network
        isin_number = network.instrument_number(event.isin)
        currency = network.instrument(isin_number).currency
        row = (
            network.business_date.toordinal(),
            isin_number,
            self._played.number_by_trade[event.id],
            network.account_number(event.seller),
            network.account_number(event.buyer),
            event.quantity,
            event.price,
            network.currency_number(currency),
            trade_amount(event.quantity, event.price, currency),
            0,
            0,
        )
        return TradeColumns.of_rows([row])

    def _entry(self, event: InstructEvent) -> Entry:
        network = self._scene.network
        message = InstructionMessage(
            id=instruction_id(event.id),
            deliverer=network.account_number(event.deliverer),
            receiver=network.account_number(event.receiver),
            instrument=network.instrument_number(event.isin) if event.quantity else 0,
            quantity=event.quantity,
            currency=network.currency_number(event.currency) if event.amount else 0,
            amount=event.amount,
            rule_version=0,
            deadline=0,
        )
        return Entry(
            label=event.id,
            message=message,
            priority=event.priority,
            is_held=event.is_held,
            may_be_partial=event.may_be_partial,
            expires_at=None if event.expires is None else self._moment(event.expires),
            linked_to=tuple(map(self._played.label, event.linked_to)),
        )

    def _answer(self, event: MessageEvent) -> Rejected | None:
        consortium, label = self._scene.consortium, self._played.label(event.instruction)
        desk = consortium.clearing_house.desk
        if isinstance(event, CancelEvent | PrioritiseEvent) and not self._scene.is_participant(
            event.by
        ):
            unknown = desk.get(label) is None
            return Rejected(Reason.UNKNOWN if unknown else Reason.UNAUTHORISED, event.by)
        match event:
            case HoldEvent():
                return hold(consortium, label)
            case ReleaseEvent():
                return release(consortium, label)
            case CancelEvent():
                return cancel(consortium, label, event.by)
            case PrioritiseEvent():
                return desk.prioritise(label, event.priority, event.by)
            case SettleEvent():
                reason = desk.settle(label)
                # What keeps it waiting, or has failed it, is its own reason and no refusal.
                is_refused = reason in (Reason.UNKNOWN, Reason.FINAL)
                return Rejected(reason) if reason and is_refused else None
            case _:
                assert_never(event)

    def _moment(self, second: int) -> int:
        """A second of the business day in seconds since 1970."""
        opened = int(self._scene.consortium.clock.business_time().timestamp())
        return opened - opened % SECONDS_A_DAY + second

    def _said_to_house(self) -> Rejected | None:
        """Nothing can be said to a clearing house that does not answer."""
        return Rejected(Reason.SILENT) if self._scene.house.id in self._scene.silent else None
