"""Playing a story on a consortium: the real contracts, the real engine, all nodes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

import msgspec
import numpy as np

from contracts.lines import Lines, line_key
from contracts.typed_data import InstructionMessage, RedemptionMessage
from ledger.books.postings import Register
from ledger.clearing.columns import TradeColumns
from ledger.domain.amounts import trade_amount
from ledger.domain.identifiers import encode_trade_number, owner_of
from ledger.domain.reasons import Reason, Rejected
from nodes.bus import UnreachableError
from nodes.clearing_house.desk import Entry
from nodes.clock import SimulatedClock
from nodes.consortium import Consortium, open_consortium
from nodes.engine import Engine
from nodes.instruction_terms import instruction_id
from nodes.keys import fresh_seed
from nodes.scenario.story import (
    CycleEvent,
    Event,
    InstructEvent,
    MoveEvent,
    RepeatEvent,
    SilentEvent,
    Story,
    TradeEvent,
)
from nodes.validators import ALONE


@dataclass(slots=True)
class Played:
    """A story that has been played, and what is only known from playing it.

    Attributes:
        number_by_trade: the venue's identifier that a trade of the story was given.
        refusals: id and reason, in order.
    """

    story: Story
    consortium: Consortium
    number_by_trade: dict[str, int] = field(default_factory=dict)
    refusals: list[tuple[str, Reason]] = field(default_factory=list)


def play(story: Story, engine: Engine | None = None) -> Played:
    """Plays a story to its end, in memory. The caller closes the consortium.

    On an engine that outlives the story, the story is a network of its own: its keys come from
    chance, so that the same story can be played there again.
    """
    clock = SimulatedClock.at(story.business_date)
    network = story.network
    if engine is not None and engine.identity is not None:
        network = msgspec.structs.replace(network, seed=fresh_seed())
    consortium = open_consortium(network, story.rules, clock, None, engine, ALONE)
    player = _Player(Played(story, consortium), clock)
    player.open_positions()
    for place, timed in enumerate(story.events):
        if timed.second is not None:
            clock.set(story.business_date, timed.second)
        player.take(timed.event, place)
    consortium.reconcile()
    return player.played


class _Player:
    def __init__(self, played: Played, clock: SimulatedClock) -> None:
        self.played = played
        self._consortium = played.consortium
        self._network = played.story.network
        self._clock = clock

    def open_positions(self) -> None:
        """Issues the opening positions."""
        story = self.played.story
        for (account, currency), amount in story.opening_cash.items():
            if amount:
                name = f"opening {account} {currency}"
                self._note(name, self._issue(name, account, currency, amount, is_cash=True))
        for (account, isin), quantity in story.opening_securities.items():
            if quantity:
                name = f"opening {account} {isin}"
                self._note(name, self._issue(name, account, isin, quantity, is_cash=False))

    def take(self, event: Event, place: int) -> None:
        """Plays one event."""
        match event:
            case TradeEvent():
                self._trade(event, place)
            case InstructEvent():
                self._instruct(event)
            case CycleEvent():
                self._consortium.clearing_house.net.close()
            case MoveEvent():
                self._move(event, place)
            case SilentEvent():
                self._consortium.bus.silence(event.participant)
            case RepeatEvent():
                self.take(event.event, self._place_of(event.event, place))
            case _:
                assert_never(event)
        self._consortium.catch_up()
        self._consortium.clearing_house.desk.work()
        self._consortium.catch_up()

    def _place_of(self, repeated: Event, place: int) -> int:
        """Where an event that is repeated stood first: it keeps the name it was given there."""
        events = [timed.event for timed in self.played.story.events]
        return events.index(repeated) if repeated in events else place

    def _trade(self, event: TradeEvent, place: int) -> None:
        if self._refuse_unknown(event.id, [event.seller, event.buyer], event.isin):
            return
        trade = self._columns(event)
        verdict = self._consortium.exchange.capture(f"event {place} {event.id}", trade)
        for refusal in verdict.refused.values():
            self.played.refusals.append((event.id, refusal.reason))
        if not len(verdict.accepted):
            return
        for owner in {owner_of(event.seller), owner_of(event.buyer)}:
            self._consortium.trader(owner).record_trades(np.array([place]), trade)
        taken = self._consortium.clearing_house.intake.stream.end_position
        self._consortium.exchange.pass_on(taken, self._consortium.exchange.captured.end_position)

    def _columns(self, event: TradeEvent) -> TradeColumns:
        network = self._network
        isin_number = network.instrument_number(event.isin)
        currency = network.instrument(isin_number).currency
        numbers = self.played.number_by_trade
        number = numbers.setdefault(event.id, encode_trade_number(f"S{len(numbers) + 1}"))
        row = (
            network.business_date.toordinal(),
            isin_number,
            number,
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

    def _instruct(self, event: InstructEvent) -> None:
        if self._refuse_unknown(event.id, [event.deliverer, event.receiver], event.isin):
            return
        network = self._network
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
        refusal = self._consortium.clearing_house.desk.enter(Entry(label=event.id, message=message))
        if refusal is not None:
            self.played.refusals.append((event.id, refusal.reason))
            return
        for owner in {owner_of(event.deliverer), owner_of(event.receiver)}:
            # The house refuses an id with other terms, so no desk has agreed to others under it.
            refusal = self._consortium.trader(owner).mandate_instruction(message)
            assert refusal is None, f"{event.id}: {refusal}"

    def _move(self, event: MoveEvent, place: int) -> None:
        name = event.id or f"event {place}"
        isin = "" if event.is_cash else event.asset
        if self._refuse_unknown(name, [event.account], isin):
            return
        if event.amount > 0:
            refusal = self._issue(
                name, event.account, event.asset, event.amount, is_cash=event.is_cash
            )
        else:
            refusal = self._redeem(name, event)
        self._note(name, refusal)

    def _note(self, name: str, refusal: Rejected | None) -> None:
        if refusal is not None:
            self.played.refusals.append((name, refusal.reason))

    def _issue(
        self, name: str, account: str, asset: str, amount: int, *, is_cash: bool
    ) -> Rejected | None:
        register, number = self._asset(asset, is_cash=is_cash)
        key = line_key(number, self._network.account_number(account))
        lines = Lines(np.array([key], dtype=np.int64), np.array([amount], dtype=np.int64))
        reference = _reference(name)
        trader = self._consortium.trader(owner_of(account))
        return trader.expect_deposit(reference, register, lines) or self._consortium.keeper(
            register, account
        ).issue(reference, lines)

    def _redeem(self, name: str, event: MoveEvent) -> Rejected | None:
        register, number = self._asset(event.asset, is_cash=event.is_cash)
        account = self._network.account_number(event.account)
        redemption = RedemptionMessage(_reference(name), number, account, -event.amount)
        trader = self._consortium.trader(owner_of(event.account))
        refusal = trader.mandate_redemption(register, redemption)
        if refusal:
            return refusal
        try:
            return self._consortium.keeper(register, event.account).redeem(redemption)
        except UnreachableError as error:
            return Rejected(Reason.SILENT, str(error))

    def _asset(self, asset: str, *, is_cash: bool) -> tuple[Register, int]:
        if is_cash:
            return Register.CASH, self._network.currency_number(asset)
        return Register.SECURITIES, self._network.instrument_number(asset)

    def _refuse_unknown(self, name: str, accounts: list[str], isin: str) -> bool:
        """Refuses accounts and instruments that the network lacks, and who does not trade."""
        known = self._network.account_ids()
        isins = {instrument.isin for instrument in self._network.instruments}
        if not all(account in known for account in accounts) or (isin and isin not in isins):
            reason = Reason.UNKNOWN
        elif not all(self._network.trades(account) for account in accounts):
            reason = Reason.INVALID
        else:
            return False
        self.played.refusals.append((name, reason))
        return True


def _reference(name: str) -> bytes:
    return hashlib.sha256(f"novate scenario|{name}".encode()).digest()


def by_name(story: Story, isin: str) -> str:
    """What the story calls an instrument."""
    names: Mapping[str, str] = story.name_by_isin
    return names.get(isin, isin)
