"""A settled day once more, from the segments and the chain: every root, net line and balance.

The chain says which cycles settled, with which roots, and everything that moved outside of cycles.
Each cycle's trades are read from its segment: their root and net lines are computed again and
compared with the chain's. The balances that follow, with the recomputed lines instead of the booked
ones, are compared with the books of every node, as of the block that those books are at.

However long the day, a few cycles are in memory at a time (derived_cycles.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from contracts.deployment import Contracts
from ledger.books.books_reader import StoredHoldings, holdings_in, stored_holdings
from ledger.books.database_url import DatabaseUrl
from ledger.books.postings import FinalBlock, Origin, Posting, PostingKind, Register
from ledger.books.segments import SegmentStore
from ledger.clearing.columns import Column, accounts_of, participants_of
from ledger.clearing.netting import NetLines
from ledger.domain.accounts import account_of, asset_of
from ledger.domain.participants import Role
from nodes.books_place import books_server
from nodes.clock import SimulatedClock
from nodes.derived_cycles import DerivedCycle, DifferenceError, derived_cycles, hex_text
from nodes.engine import EmbeddedEngine
from nodes.explorer.cycle_roots import SettledCycle, settled_cycles
from nodes.explorer.folder import founded_chain
from nodes.folder_meta import Meta, read_meta
from nodes.ledger_feed import LedgerFeed
from nodes.network import Network
from nodes.state_folder import books_file, segments_folder

_KEEPERS: Final = (Role.CLEARING_HOUSE, Role.REGISTRAR, Role.BANK)
"""Whose books hold what everybody has."""

Named = tuple[bytes, Register]
"""The lines of a cycle in a register."""

Balances = dict[int, tuple[int, int]]
"""Available and held, by holding key."""


@dataclass(slots=True)
class Verified:
    """What was found right so far."""

    cycles_in_all: int
    blocks: int = 0
    cycles: int = 0
    trades: int = 0
    net_lines: int = 0
    balances: int = 0
    books: int = 0


@dataclass(slots=True)
class _Day:
    """What is known while the blocks are gone through."""

    network: Network
    store: SegmentStore
    cycles: Sequence[SettledCycle]
    derived: Iterator[DerivedCycle]
    books: Mapping[str, StoredHoldings]
    verified: Verified
    intake_end: int = 0
    staged: dict[Named, list[Posting]] = field(default_factory=dict)
    balances: dict[Register, Balances] = field(
        default_factory=lambda: {register: {} for register in Register}
    )


def verify_day(path: Path, database: DatabaseUrl | None = None) -> Iterator[Verified]:
    """Verifies the state folder of a day, and says after each block how far it has come.

    Raises DifferenceError for the first thing that is not right, StateFolderError when there is no
    day or its chain is elsewhere. ``database``: how its books are reached when they are on a
    server; None: as the folder names it.
    """
    meta = read_meta(path)
    # Read before the chain is opened, so that no books are ahead of it.
    books = _books(path, meta, database) if meta and meta.seats else {}
    with founded_chain(path) as (network, chain, w3, addresses):
        cycles, store = settled_cycles(w3, addresses), SegmentStore(segments_folder(path))
        engine = EmbeddedEngine(chain, SimulatedClock.at(network.business_date))
        feed = LedgerFeed(engine, Contracts(w3, addresses))
        with closing(derived_cycles(store, cycles)) as derived:
            day = _Day(
                network=network,
                store=store,
                cycles=cycles,
                derived=derived,
                books=books,
                verified=Verified(cycles_in_all=len(cycles)),
            )
            for blocks in feed.blocks_after(-1):
                for block in blocks:
                    _check_block(day, block)
                    yield day.verified
    _check_rest(day)
    yield day.verified


def _books(path: Path, meta: Meta, database: DatabaseUrl | None) -> dict[str, StoredHoldings]:
    if meta.books:
        return _books_on_server(path, meta, database)
    network, found = meta.network, {}
    for participant in network.participants:
        file = books_file(path, participant.id)
        if not file.exists():
            raise DifferenceError(participant.id, "books", f"a file {file}", "none")
        found[participant.id] = stored_holdings(file)
    return found


def _books_on_server(
    path: Path, meta: Meta, database: DatabaseUrl | None
) -> dict[str, StoredHoldings]:
    _, server = books_server(path, meta, database, is_watched=False)
    assert server is not None
    found = {}
    with closing(server):
        for participant in meta.network.participants:
            schema = server.schema(participant.id, None)
            if not schema.exists():
                raise DifferenceError(participant.id, "books", f"a schema {schema.name}", "none")
            found[participant.id] = holdings_in(schema.look())
    return found


def _check_block(day: _Day, block: FinalBlock) -> None:
    booked: dict[Named, list[Posting]] = {}
    sets = {cause.reference for cause in block.settled if cause.origin is Origin.SET}
    for posting in block.postings:
        if posting.kind is PostingKind.MOVED and posting.reference in sets:
            _post(day, f"block {block.number}", posting)
        else:
            _take(day, f"block {block.number}", posting, booked)
    for cause in block.settled:
        if cause.origin is Origin.CYCLE:
            _check_cycle(day, cause.reference, block.number, booked)
    for reference, register in booked:
        where = f"block {block.number}"
        what = f"{register.value} lines of {hex_text(reference)}"
        raise DifferenceError(where, what, "a cycle that settles with them", "none")
    day.verified.blocks += 1
    for node, books in day.books.items():
        if books.block == block.number:
            _check_books(day, node, books)


def _take(day: _Day, where: str, posting: Posting, booked: dict[Named, list[Posting]]) -> None:
    """Posts what moves outside of cycles; lines of cycles are put aside until one settles."""
    name = posting.reference, posting.register
    match posting.kind:
        case PostingKind.BOOKED | PostingKind.MOVED:
            booked.setdefault(name, []).append(posting)
        case PostingKind.STAGED:
            day.staged.setdefault(name, []).append(posting)
            _post(day, where, _earmarked(posting, 1))
        case PostingKind.STAGED_BOOKED | PostingKind.STAGED_DROPPED:
            parts = day.staged.pop(name, [])
            for part in parts:
                _post(day, where, _earmarked(part, -1))
            if posting.kind is PostingKind.STAGED_BOOKED:
                booked.setdefault(name, []).extend(parts)
        case _:
            _post(day, where, posting)


def _earmarked(part: Posting, sign: int) -> Posting:
    """Staged debits on their way from available to held, or back."""
    debits = part.available < 0
    amounts = sign * part.available[debits]
    return replace(part, keys=part.keys[debits], available=amounts, held=-amounts)


def _check_cycle(
    day: _Day, cycle_id: bytes, block: int, booked: dict[Named, list[Posting]]
) -> None:
    derived = next(day.derived)
    assert derived.id == cycle_id, "the events come in the order of the blocks"
    _check_places(day, derived)
    where = derived.name
    for register, lines in (
        (Register.SECURITIES, derived.net.securities),
        (Register.CASH, derived.net.cash),
    ):
        postings = booked.pop((cycle_id, register), [])
        _check_lines(day, where, register, lines, postings)
        zeros = np.zeros(len(lines), dtype=np.int64)
        again = Posting(register, PostingKind.BOOKED, cycle_id, lines.keys, lines.amounts, zeros)
        _post(day, f"{where} in block {block}", again)
        day.verified.net_lines += len(lines)
    day.verified.cycles += 1
    day.verified.trades += derived.count


def _check_places(day: _Day, derived: DerivedCycle) -> None:
    window = range(max(derived.first_position, day.intake_end), derived.end_position)
    first, last = derived.first, derived.last
    if not derived.is_ascending or first not in window or last not in window:
        expected = f"ascending, from {window.start} and below {window.stop}"
        raise DifferenceError(derived.name, "positions", expected, f"{first} to {last}")
    day.intake_end = derived.end_position
    if not derived.is_indexed:
        raise DifferenceError(derived.name, "index", "an entry for every trade", "some without")


def _check_lines(
    day: _Day, where: str, register: Register, lines: NetLines, postings: list[Posting]
) -> None:
    keys, amounts = (
        np.concatenate([getattr(posting, name) for posting in postings] or [lines.keys[:0]])
        for name in ("keys", "available")
    )
    order = np.argsort(keys, kind="stable")
    if np.array_equal(keys[order], lines.keys) and np.array_equal(amounts[order], lines.amounts):
        return
    booked: dict[int, int] = {}
    for posting in postings:
        for key, amount in zip(posting.keys.tolist(), posting.available.tolist(), strict=True):
            booked[key] = booked.get(key, 0) + amount
    expected = dict(zip(lines.keys.tolist(), lines.amounts.tolist(), strict=True))
    for key in sorted(booked.keys() | expected.keys()):
        if booked.get(key, 0) != expected.get(key, 0):
            what = f"net line {_holding(day.network, register, key)}"
            raise DifferenceError(where, what, expected.get(key, 0), booked.get(key, 0))


def _post(day: _Day, where: str, posting: Posting) -> None:
    balances = day.balances[posting.register]
    columns = (posting.keys, posting.available, posting.held)
    for key, available, held in zip(*(column.tolist() for column in columns), strict=True):
        before = balances.get(key, (0, 0))
        after = before[0] + available, before[1] + held
        if min(after) < 0:
            what = f"balance {_holding(day.network, posting.register, key)}"
            raise DifferenceError(where, what, "0 or above", min(after))
        balances[key] = after


def _check_books(day: _Day, node: str, books: StoredHoldings) -> None:
    """The books of a node hold what follows; a keeper's, of everybody."""
    for register in Register:
        expected, found = day.balances[register], books.holdings[register.value]
        keys = np.array(sorted(expected.keys() | found.keys()), dtype=np.int64)
        if day.network.participant(node).role not in _KEEPERS:
            keys = _of_participant(keys, day.network.participant_number(node))
        for key in keys.tolist():
            if expected.get(key, (0, 0)) != found.get(key, (0, 0)):
                what = f"balance {_holding(day.network, register, key)} (available, held)"
                where = f"the books of {node} at block {books.block}"
                raise DifferenceError(
                    where, what, expected.get(key, (0, 0)), found.get(key, (0, 0))
                )
        day.verified.balances += len(keys)
    day.verified.books += 1


def _of_participant(keys: Column, participant: int) -> Column:
    own: Column = keys[participants_of(accounts_of(keys)) == participant]
    return own


def _check_rest(day: _Day) -> None:
    """What nothing on the chain has asked for."""
    roots = {cycle.root for cycle in day.cycles}
    for root in sorted(day.store.roots() - roots):
        raise DifferenceError("the segments", hex_text(root), "a cycle of the chain", "none")
    for node, books in day.books.items():
        if books.block >= day.verified.blocks:
            last = day.verified.blocks - 1
            raise DifferenceError(f"the books of {node}", "block", f"at most {last}", books.block)


def _holding(network: Network, register: Register, key: int) -> str:
    account, asset = network.account_id(account_of(key)), asset_of(key)
    is_cash = register is Register.CASH
    return f"{account} {network.currency(asset) if is_cash else network.instrument(asset).isin}"
