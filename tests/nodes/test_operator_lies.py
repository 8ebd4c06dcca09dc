"""Twelve lies of the clearing house: each is tried, and none moves anyone's money.

Every lie is first told to the parties, then carried to the chain with whatever signatures it got
and forged ones for the rest. Afterwards the honest cycle of the same trades settles.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pytest

from contracts.lines import Lines
from contracts.typed_data import CycleMessage
from ledger.books.cycles import SETTLED
from ledger.books.postings import Register
from ledger.clearing.columns import TradeColumns
from ledger.clearing.commitment import leaf_hashes, root_hash, top_of
from ledger.clearing.netting import net
from nodes.clearing_house.committed import salt_secret_of
from nodes.clearing_house.cycle import Cut, CycleTerms, Proposal, cut, cycle_id
from nodes.messages import Attestation, CycleProposal, Disagreement
from nodes.network import RULE_VERSION
from tests.support.consortia import capture, small_consortium, states, trades_of

TRADES = (
    ("T1", "A", "B", 10, 1_000),
    ("T2", "B", "C", 7, 700),
    ("T3", "C", "A", 4, 450),
    ("T4", "A", "C", 3, 330),
)
NOBODY = bytes(64)


class Operator:
    """A clearing house that says what it likes, over honestly captured trades."""

    def __init__(self, consortium):
        self.consortium, self.house = consortium, consortium.clearing_house
        self.number = consortium.network.participant_number

    def cut(self) -> Cut:
        """The honest cut of all that was captured."""
        end = self.house.intake.stream.end_position
        return cut(self.house.intake.window(0, end), {}, self.house.net.available())

    def propose(self, of: Cut, salt: int = 1, **terms) -> Proposal:
        """A proposal with a tree and lines of its own making."""
        contracts, engine = self.house.around.contracts, self.house.around.engine
        honest = CycleTerms(
            id=cycle_id(self.house.network.chain_id, contracts.addresses.settlement, salt),
            rule_version=RULE_VERSION,
            deadline=engine.chain_time() + 60,
            salt_secret=salt_secret_of(self.house.key),
        )
        return Proposal(of, replace(honest, **terms))

    def ask(self, party: str, proposal: CycleProposal) -> bytes | None:
        """The party's signature, if it gives one."""
        answer = self.consortium.bus.request(self.house.id, party, proposal)
        return answer.signature if isinstance(answer, Attestation) else None

    def settle(self, cycle: CycleMessage, signatures: Mapping[str, bytes | None]) -> str:
        """What the chain says of a cycle with these signatures, forged where there is none."""
        settlement = self.house.around.contracts.settlement
        digest = self.house.settlement_domain().digest(cycle.struct_hash())
        forged = self.house.key.sign(digest)
        given = {self.number(party): signed for party, signed in signatures.items()}
        signed = [given.get(number) or forged for number in cycle.party_numbers()]
        data = settlement.settle_cycle_data(cycle, signed)
        outcome = self.house.outbox.send(f"lie {digest.hex()}", settlement.address, data)
        return "" if outcome.succeeded else outcome.revert or "reverted"


@dataclass
class Lie:
    """What each party is shown, and what is carried to the chain."""

    shown: dict[str, CycleProposal]
    carried: CycleMessage
    believed_by: set[str] = field(default_factory=set)
    """Who has no way of noticing: the lie is not about its trades."""


def lines_of(trades: TradeColumns) -> tuple[Lines, Lines]:
    result = net(trades)
    return tuple(Lines(part.keys, part.amounts) for part in (result.securities, result.cash))


def of_trades(honest: Cut, trades: TradeColumns) -> Cut:
    """A cut of other trades, with their lines."""
    securities, cash = lines_of(trades)
    positions = honest.window.first + np.arange(len(trades))
    window = replace(honest.window, end=honest.window.first + len(trades))
    return Cut(window, {}, positions, trades, securities, cash)


def with_cash(honest: Cut, change: Callable[[dict[int, int]], None]) -> Cut:
    """The same trades with other cash lines."""
    amounts = dict(zip(honest.cash.keys.tolist(), honest.cash.amounts.tolist(), strict=True))
    change(amounts)
    keys = sorted(key for key, amount in amounts.items() if amount)
    return replace(honest, cash=Lines(np.array(keys), np.array([amounts[key] for key in keys])))


def told(operator: Operator, proposal: Proposal, believed_by: str = "") -> Lie:
    """Everybody is shown the same proposal."""
    shown = {party: proposal.for_party(operator.number(party)) for party in "ABC"}
    return Lie(shown, proposal.cycle, set(believed_by))


def key_of(operator: Operator, party: str) -> int:
    return 1 << 32 | operator.consortium.network.account_number(party)


def shave(operator: Operator) -> Lie:
    """A gets one less than it should, and C the difference."""

    def change(amounts):
        amounts[key_of(operator, "A")] -= 1
        amounts[key_of(operator, "C")] += 1

    return told(operator, operator.propose(with_cash(operator.cut(), change)), "B")


def swap(operator: Operator) -> Lie:
    """A and C get each other's cash."""

    def change(amounts):
        a, c = key_of(operator, "A"), key_of(operator, "C")
        amounts[a], amounts[c] = amounts[c], amounts[a]

    return told(operator, operator.propose(with_cash(operator.cut(), change)), "B")


def omit_a_line(operator: Operator) -> Lie:
    """A's credit is left out, and whoever paid it pays less."""

    def change(amounts):
        a = key_of(operator, "A")
        amounts[key_of(operator, "B")] += amounts.pop(a)

    return told(operator, operator.propose(with_cash(operator.cut(), change)), "C")


def omit_a_trade(operator: Operator) -> Lie:
    """A trade is in the tree and in nobody's lines."""
    honest = operator.cut()
    securities, cash = lines_of(honest.trades.take(slice(1, None)))
    return told(operator, operator.propose(replace(honest, securities=securities, cash=cash)), "C")


def invent(operator: Operator) -> Lie:
    """A trade between A and B that was never made."""
    honest = operator.cut()
    made = trades_of(operator.consortium.network, ("T9", "A", "B", 5, 1))
    trades = TradeColumns.concatenate([honest.trades, made])
    return told(operator, operator.propose(of_trades(honest, trades)), "C")


def duplicate(operator: Operator) -> Lie:
    """A's sale to B counts twice."""
    honest = operator.cut()
    trades = TradeColumns.concatenate([honest.trades, honest.trades.take(slice(0, 1))])
    return told(operator, operator.propose(of_trades(honest, trades)), "C")


def wrong_root(operator: Operator) -> Lie:
    """The root is not that of the chunks."""
    lie = told(operator, operator.propose(operator.cut()))
    carried = replace(lie.carried, root=b"r" * 32)
    shown = {party: replace(each, cycle=carried) for party, each in lie.shown.items()}
    return Lie(shown, carried)


def wrong_count(operator: Operator) -> Lie:
    """More trades than are under the root."""
    lie = told(operator, operator.propose(operator.cut()))
    carried = replace(lie.carried, count=lie.carried.count + 1)
    shown = {party: replace(each, cycle=carried) for party, each in lie.shown.items()}
    return Lie(shown, carried)


def stale_rules(operator: Operator) -> Lie:
    """The cycle is struck under rules that are not in force."""
    return told(operator, operator.propose(operator.cut(), rule_version=RULE_VERSION - 1))


def replay(operator: Operator) -> Lie:
    """What has settled in one cycle is proposed again in another."""
    assert operator.house.net.close().state == SETTLED
    return told(operator, operator.propose(operator.cut(), salt=99))


def withhold_chunks(operator: Operator) -> Lie:
    """A is not shown its trades with C, which cost it money."""
    proposal = operator.propose(operator.cut())
    lie = told(operator, proposal, "BC")
    chunks = proposal.commitment.chunks
    with_b = np.flatnonzero(
        (chunks.low == operator.number("A")) & (chunks.high == operator.number("B"))
    )
    shown = replace(lie.shown["A"], chunks=lambda: proposal.commitment.show(with_b))
    return Lie({**lie.shown, "A": shown}, lie.carried, lie.believed_by)


def equivocate(operator: Operator) -> Lie:
    """A and B sign one version, C another, and a third goes to the chain, in A's favour."""
    honest = operator.cut()
    far = operator.house.around.engine.chain_time() + 3_600
    one, other = operator.propose(honest), operator.propose(honest, deadline=far)
    shown = {party: one.for_party(operator.number(party)) for party in "AB"}
    shown["C"] = other.for_party(operator.number("C"))

    def change(amounts):
        amounts[key_of(operator, "A")] += 100
        amounts[key_of(operator, "B")] -= 100

    return Lie(shown, operator.propose(with_cash(honest, change)).cycle, set("ABC"))


def garbled(operator: Operator) -> Iterator[tuple[str, CycleProposal]]:
    """Proposals to A that say two things at once, or nothing that can be read."""
    proposal = operator.propose(operator.cut())
    honest = proposal.for_party(operator.number("A"))
    chunks, cycle = honest.chunks(), honest.cycle

    def shown(**changed):
        return replace(honest, chunks=lambda: replace(chunks, **changed))

    def fails():
        raise RuntimeError("no chunks today")

    top = replace(chunks.proof, trade_count=1)
    yield "read in another byte order", shown(records=chunks.records.view("<i8"))
    yield "unsigned indices, descending", shown(indices=chunks.indices[::-1].astype(np.uint64))
    yield "indices that are no numbers", shown(indices=chunks.indices.astype(float))
    yield "sizes in two dimensions", shown(counts=chunks.counts[:, None])
    yield "records of other widths", shown(records=chunks.records.reshape(-1, 1))
    yield "fewer trades than are shown", shown(proof=top)
    yield "siblings of 33 bytes", shown(proof=replace(chunks.proof, siblings=(b"x" * 33,)))
    yield "siblings that are none", shown(proof=replace(chunks.proof, siblings=(None,)))
    yield "no chunks", replace(honest, chunks=lambda: None)
    yield "chunks that fail", replace(honest, chunks=fails)
    yield "a deadline for ever", replace(honest, cycle=replace(cycle, deadline=2**62))
    yield "a deadline that no book holds", replace(honest, cycle=replace(cycle, deadline=2**80))
    words = replace(cycle.cash_lines, words=cycle.cash_lines.words + b"x")
    yield "lines that are not whole", replace(honest, cycle=replace(cycle, cash_lines=words))


def test_whatever_cannot_be_read_is_disagreed_with(operator):
    for what, proposal in garbled(operator):
        answer = operator.consortium.bus.request(operator.house.id, "A", proposal)
        assert isinstance(answer, Disagreement), what


def test_invented_trade_in_an_unknown_instrument_is_disagreed_with(operator):
    honest = operator.cut()
    made = trades_of(operator.consortium.network, ("T9", "A", "B", 5, 1))
    made.instruments[:] = 77
    lie = operator.propose(of_trades(honest, TradeColumns.concatenate([honest.trades, made])))

    assert operator.ask("A", lie.for_party(operator.number("A"))) is None


def test_count_that_the_tree_cannot_hold_is_disagreed_with(operator):
    proposal = operator.propose(operator.cut())
    honest = proposal.for_party(operator.number("A"))
    chunks = honest.chunks()
    leaves = leaf_hashes(
        chunks.indices.tolist(),
        [chunks.salts[i : i + 32] for i in range(0, len(chunks.salts), 32)],
        chunks.counts,
        chunks.records,
    )
    top = top_of(zip(chunks.indices.tolist(), leaves, strict=True), chunks.proof)
    for count in (1, 10**6):
        proof = replace(chunks.proof, trade_count=count)
        root = root_hash(honest.cycle.id, proof, top)
        cycle = replace(honest.cycle, root=root, count=count)
        lie = replace(honest, cycle=cycle, chunks=partial(replace, chunks, proof=proof))
        assert operator.ask("A", lie) is None


LIES = (
    shave,
    swap,
    omit_a_line,
    omit_a_trade,
    invent,
    duplicate,
    wrong_root,
    wrong_count,
    stale_rules,
    replay,
    withhold_chunks,
    equivocate,
)


@pytest.fixture
def operator():
    consortium = small_consortium()
    capture(consortium, trades_of(consortium.network, *TRADES))
    yield Operator(consortium)
    consortium.close()


def holdings(consortium):
    """What everybody has on the chain."""
    consortium.catch_up()
    projection = consortium.clearing_house.projection
    return {
        register: sorted(line for line in projection.holdings(register) if line[1] or line[2])
        for register in Register
    }


def test_there_are_twelve():
    assert len(LIES) == 12


@pytest.mark.parametrize("tell", LIES, ids=lambda lie: lie.__name__.replace("_", " "))
def test_lie_moves_nobodys_money(operator, tell):
    consortium = operator.consortium
    lie = tell(operator)
    before = holdings(consortium)

    signatures = {party: operator.ask(party, shown) for party, shown in lie.shown.items()}
    refusal = operator.settle(lie.carried, signatures)

    assert {party for party, signed in signatures.items() if signed} == lie.believed_by
    assert refusal.startswith("settlement: ")
    assert holdings(consortium) == before
    if tell is not replay:
        row = operator.house.net.close()
        assert (row.state, row.trade_count) == (SETTLED, len(TRADES))
    assert states(consortium) == ["settled"] * len(TRADES)
    assert consortium.reconcile() == 0


def test_honest_cycle_is_believed_and_settles(operator):
    proposal = operator.propose(operator.cut())
    lie = told(operator, proposal, "ABC")

    signatures = {party: operator.ask(party, shown) for party, shown in lie.shown.items()}

    assert all(signatures.values())
    assert operator.settle(proposal.cycle, signatures) == ""
