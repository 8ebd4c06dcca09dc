"""Whether a day came out right: counted once more from the trades as they are made again.

Nothing of what the product kept goes into the recount; what it kept, and what the contracts have,
is held against it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from contracts.lines import LINES_PER_CALL_MAX
from ledger.books import cycles as records
from ledger.books.postings import Register
from ledger.clearing.columns import COLUMN_NAMES, Column, holding_keys
from ledger.clearing.proof import verify
from loadtests.benchmarks.day_market import BATCH_TRADES, DAY, PRICE_UNIT, MadeTrades, Market
from loadtests.benchmarks.day_parties import DistantBroker
from nodes.consortium import Consortium
from nodes.invariants import violations

PROOFS: Final = 1_000
FAULTS_MAX: Final = 10
_RECONCILED: Final = 10


@dataclass(frozen=True, slots=True)
class Changes:
    """What a day changes: units by account and instrument, and minor units by account."""

    securities: "np.ndarray[tuple[int, int], np.dtype[np.int64]]"
    cash: Column


CountAgain = Callable[[Market], Changes]


def count_again(market: Market) -> Changes:
    """What the day changes, trade by trade."""
    accounts = len(market.accounts)
    securities = np.zeros(accounts * market.instruments, dtype=np.int64)
    cash = np.zeros(accounts, dtype=np.int64)
    for trades in market.batches():
        amounts = trades.quantities * trades.prices
        sold = trades.sellers * market.instruments + trades.instruments
        bought = trades.buyers * market.instruments + trades.instruments
        np.subtract.at(securities, sold, trades.quantities)
        np.add.at(securities, bought, trades.quantities)
        np.add.at(cash, trades.sellers, amounts)
        np.subtract.at(cash, trades.buyers, amounts)
    return Changes(securities.reshape(accounts, market.instruments), cash)


def day_faults(
    market: Market, consortium: Consortium, changes: Changes, *, timed: bool, breaks: int
) -> list[str]:
    """What is wrong with a day that has ended; nothing when it is right.

    ``timed`` says whether the trades travelled with the venue's time, ``breaks`` how many were
    left open.
    """
    found = [
        *_count_faults(market, consortium, breaks),
        *_book_faults(consortium),
        *_holding_faults(market, consortium, changes),
        *_proof_faults(market, consortium, timed=timed),
    ]
    return found[:FAULTS_MAX]


def _count_faults(market: Market, consortium: Consortium, breaks: int) -> Iterator[str]:
    house, exchange = consortium.clearing_house, consortium.exchange
    rows = house.cycles.all()
    for what, count, expected in (
        ("trades are captured", exchange.captured.end_position, market.trades),
        ("trades are refused", exchange.refusal_count(), 0),
        ("trades are settled in cycles", sum(row.trade_count for row in rows), market.trades),
        ("cycles have not settled", sum(row.state != records.SETTLED for row in rows), 0),
        ("trades left their cycle", len(house.intake.exceptions()), 0),
        ("breaks are open", breaks, 0),
    ):
        if count != expected:
            yield f"{count:,} {what}, not {expected:,}"
    if consortium.chain.final != consortium.chain.head:
        yield "the last block is not final"


def _book_faults(consortium: Consortium) -> Iterator[str]:
    """Conservation, no balance below zero, books as the contracts have it, all reconciled."""
    for violation in violations(consortium):
        # Stand-ins reconcile elsewhere: who does it here is looked at below.
        if violation.invariant != _RECONCILED:
            yield f"invariant {violation.invariant}: {violation.detail}"
    head = consortium.feed.height()
    for node in consortium.nodes.values():
        if not isinstance(node, DistantBroker) and node.reconciled_block != head:
            yield f"{node.id} is reconciled to block {node.reconciled_block} of {head}"


def _holding_faults(market: Market, consortium: Consortium, changes: Changes) -> Iterator[str]:
    """Where the contracts have something else than opening and recount come to."""
    accounts = market.account_numbers
    assets = np.arange(1, market.instruments + 1, dtype=np.int64)
    securities = holding_keys(np.tile(assets, len(accounts)), np.repeat(accounts, len(assets)))
    cash = holding_keys(np.ones(len(accounts), dtype=np.int64), accounts)
    for register, keys, expected in (
        (Register.SECURITIES, securities, market.shares_each + changes.securities.ravel()),
        (Register.CASH, cash, market.cash_each + changes.cash),
    ):
        held = _held(consortium, register, keys)
        wrong = np.flatnonzero(held != expected)
        if len(wrong):
            row = int(wrong[0])
            name = consortium.clearing_house.name_holding(register, int(keys[row]))
            yield (
                f"{len(wrong):,} holdings are not those of the recount; the first is {name}:"
                f" {held[row]:,} on the chain, {expected[row]:,} counted again"
            )


def _held(consortium: Consortium, register: Register, keys: Column) -> Column:
    contract = consortium.clearing_house.register_contract(register)
    parts = []
    for first in range(0, len(keys), LINES_PER_CALL_MAX):
        available, held = contract.holdings_of(keys[first : first + LINES_PER_CALL_MAX])
        parts.append(available + held)
    return np.concatenate(parts)


def _proof_faults(market: Market, consortium: Consortium, *, timed: bool) -> Iterator[str]:
    """Of a sample of trades, those that are not proven to be in a cycle of the chain."""
    cycle_of = consortium.contracts.settlement.cycle_of
    on_chain: dict[bytes, tuple[bytes, int]] = {}
    for position, record in sorted(sample(market, consortium, timed=timed)):
        proof = consortium.proofs.proof(position)
        if proof is None:
            yield f"the trade at {position} has no proof"
            continue
        if proof.cycle_id not in on_chain:
            on_chain[proof.cycle_id] = cycle_of(proof.cycle_id)
        wrong = verify(proof)
        if wrong:
            yield f"the proof of the trade at {position} does not hold: {wrong}"
        elif (proof.root, proof.path.trade_count) != on_chain[proof.cycle_id]:
            yield f"the proof of the trade at {position} is of another cycle than the chain's"
        elif proof.record != record:
            yield f"the proof of the trade at {position} is of other terms than were made"


def sample(
    market: Market, consortium: Consortium, *, timed: bool
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Trades all over the day: where each was captured, and its record as it was made."""
    chance = np.random.default_rng([market.seed, market.trades])
    count = min(PROOFS, market.trades)
    ordinals = np.sort(chance.choice(market.trades, count, replace=False, shuffle=False))
    place, trades = -1, market.batch(0)
    for ordinal in ordinals.tolist():
        if ordinal // BATCH_TRADES != place:
            place = ordinal // BATCH_TRADES
            trades = market.batch(place)
        record = _record(market, trades, ordinal % BATCH_TRADES, timed=timed)
        identity = dict(zip(COLUMN_NAMES, record, strict=True))
        yield (
            consortium.exchange.position_of(
                identity["dates"], identity["instruments"], identity["numbers"]
            ),
            record,
        )


def _record(market: Market, trades: MadeTrades, row: int, *, timed: bool) -> tuple[int, ...]:
    """A made trade as it is hashed, a number a column."""
    values = {
        "dates": DAY.toordinal(),
        "instruments": trades.instruments[row] + 1,
        "numbers": trades.numbers[row],
        "sellers": market.account_numbers[trades.sellers[row]],
        "buyers": market.account_numbers[trades.buyers[row]],
        "quantities": trades.quantities[row],
        "prices": trades.prices[row] * PRICE_UNIT,
        "currencies": 1,
        "amounts": trades.quantities[row] * trades.prices[row],
        "times": trades.times[row] if timed else 0,
        "cancels": 0,
    }
    return tuple(int(values[name]) for name in COLUMN_NAMES)
