"""What a trader signs of instructions: what its own records bear out, and nothing else.

A trade must stand open in its blotter with these terms. Anything else must have been agreed to by
its desk; a part must be the next one of a whole that was, with its share of the cash.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from contracts.typed_data import InstructionMessage
from ledger.books.blotter import Blotter
from ledger.books.database import UnitOfWork
from ledger.books.mandates import Mandate, Mandates, PartConsent
from ledger.books.own_book import Entry
from ledger.books.postings import Register
from ledger.books.trade_index import NOT_FOUND
from ledger.clearing.columns import (
    Column,
    TradeColumns,
    accounts_of,
    holding_keys,
    participants_of,
)
from ledger.domain.accounts import participant_of
from ledger.domain.reasons import Reason, Rejected
from ledger.settlement.lifecycle import debtors_of
from ledger.settlement.parts import may_be_part, share_of_cash
from nodes.instruction_terms import instruction_id, part_id
from nodes.messages import (
    Accepted,
    Attestation,
    Disagreement,
    SetProposal,
    ShownInstruction,
    SignedSet,
)
from nodes.network import RULE_VERSION
from nodes.node import Node, cause_of_instruction
from nodes.trade_words import describe_trade_id

BOUND_SECONDS_MAX = 86_400
"""For how long, in chain time, a party lets itself be bound by what it signs."""


class Consents:
    """The signatures of one trader under sets of instructions."""

    def __init__(self, trader: Node, blotter: Blotter, mandates: Mandates) -> None:
        self._trader = trader
        self._blotter = blotter
        self._mandates = mandates

    def answer(self, message: SetProposal | SignedSet) -> Attestation | Disagreement | Accepted:
        """Answers what the clearing house proposes, and takes note of what others signed."""
        if isinstance(message, SetProposal):
            return self.consent(message)
        return self.take_note(message)

    def consent(self, proposal: SetProposal) -> Attestation | Disagreement:
        """Signs a set, or names the instructions that it does not owe as they are shown."""
        flaw = self._flaw_of_set(proposal)
        if flaw:
            return _disagree(flaw)
        flaws = self._flaws_of(proposal.own)
        if flaws:
            return _disagree(next(iter(flaws.values())), flaws)
        self._remember(proposal.own)
        digest = self._trader.settlement_domain().digest(proposal.set.struct_hash())
        return Attestation(self._trader.key.sign(digest))

    def take_note(self, message: SignedSet) -> Accepted:
        """A set that others signed and that reaches own accounts."""
        self._trader.require_set_signed(message)
        reaching = [each for each in message.set.instructions if self._reaches_own(each)]
        with self._trader.database.transaction() as session:
            self._book(session, reaching)
        return Accepted()

    def _flaw_of_set(self, proposal: SetProposal) -> str:
        message, own = proposal.set, [each.instruction for each in proposal.own]
        number = self._trader.number
        owed = [each for each in message.instructions if number in debtors_of(each)]
        if not owed or owed != own:
            return "what is shown is not what it owes in the set"
        # What is remembered of each is its own deadline: it must be the one that is signed.
        if any(each.deadline != message.deadline for each in own):
            return "an instruction has another deadline than the set"
        if len({_whole_of(each).id for each in proposal.own}) < len(own):
            return "an instruction is in the set twice"
        if message.rule_version != RULE_VERSION:
            return f"rule version {RULE_VERSION} is in force"
        left = message.deadline - self._trader.around.engine.passed_time()
        if not 0 <= left <= BOUND_SECONDS_MAX:
            return f"the deadline is not within {BOUND_SECONDS_MAX} seconds"
        return ""

    def _flaws_of(self, proposals: Sequence[ShownInstruction]) -> dict[str, str]:
        """What own records have against instructions, by label: all of it, in one answer."""
        # What has settled since decides what may still be signed for.
        self._trader.catch_up()
        flaws, trades, others = dict[str, str](), [], []
        for each in proposals:
            if self._mandates.is_withheld(_whole_of(each).id):
                flaws[each.label] = f"{each.label} is withheld by the desk"
            elif each.trade is None:
                others.append(each)
            elif len(each.trade) == 1:
                trades.append(each)
            else:
                flaws[each.label] = f"{each.label} is not of one trade"
        return flaws | self._flaws_of_trades(trades) | self._flaws_of_mandated(others)

    def _flaws_of_trades(self, proposals: Sequence[ShownInstruction]) -> dict[str, str]:
        """What the blotter has against instructions of one trade each."""
        if not proposals:
            return {}
        positions = self._positions(proposals)
        is_known = positions != NOT_FOUND
        flaws = {
            each.label: f"{each.label} is not an open trade of the blotter"
            for each, known in zip(proposals, is_known.tolist(), strict=True)
            if not known
        }
        positions = positions[is_known]
        own, seen = self._blotter.at(positions), set[int]()
        for row, place in enumerate(np.flatnonzero(is_known).tolist()):
            each, position = proposals[place], int(positions[row])
            flaw = self._flaw_of_trade(each, own, positions, row)
            if position in seen:
                flaw = f"{each.label}: its trade is in it twice"
            seen.add(position)
            if flaw:
                flaws[each.label] = flaw
        return flaws

    def _flaw_of_trade(
        self, shown: ShownInstruction, own: TradeColumns, positions: Column, row: int
    ) -> str:
        """The same of one trade that is in the blotter: a row of its trades, and their places."""
        now = self._trader.around.engine.passed_time()
        cause = cause_of_instruction(shown.instruction)
        if not self._blotter.is_free(positions[row : row + 1], cause, now).all():
            return f"{shown.label} is not an open trade of the blotter"
        if shown.whole is not None or not _is_of_trade(shown.instruction, own, row):
            return f"{shown.label} has other terms in the blotter"
        name = describe_trade_id(self._trader.network, own, row)
        if shown.instruction.id != instruction_id(name):
            return f"{shown.label} is not the name of its trade"
        return ""

    def _flaws_of_mandated(self, proposals: Sequence[ShownInstruction]) -> dict[str, str]:
        """What the desk has against instructions that are not of trades."""
        contract = self._trader.around.contracts.addresses.settlement
        given = self._mandates.given(contract, [_whole_of(each).id for each in proposals])
        flaws = {}
        for each in proposals:
            flaw = self._flaw_of_one_mandated(each, given.get(_whole_of(each).id))
            if flaw:
                flaws[each.label] = flaw
        return flaws

    def _flaw_of_one_mandated(self, shown: ShownInstruction, known: Mandate | None) -> str:
        """The same of one, given what was agreed to under its id."""
        whole = _whole_of(shown)
        if known is None or known.terms != whole.terms_words():
            return f"{shown.label} was not agreed to by the desk"
        if known.may_be_partial:
            return self._flaw_of_part(shown, whole)
        return f"{shown.label} was not agreed to in parts" if shown.whole is not None else ""

    def _flaw_of_part(self, proposal: ShownInstruction, whole: InstructionMessage) -> str:
        """What earlier parts have against the next one, or against all at once."""
        instruction, in_part = proposal.instruction, proposal.whole is not None
        now = self._trader.around.engine.passed_time()
        signed = self._mandates.signed_of(whole.id, instruction.terms_hash(), now)
        if signed.may_still_settle:
            return f"{proposal.label}: another part was signed for and may still settle"
        if not in_part:
            return f"{proposal.label} has settled in parts" if signed.parts else ""
        if _what_moves(instruction) != _what_moves(whole):
            return f"{proposal.label}: not between the accounts, or of the assets, of the whole"
        is_next = instruction.id == part_id(whole.id, signed.parts + 1)
        rest = whole.quantity - signed.quantity, whole.amount - signed.amount
        fits = self._may_be_part(instruction, rest[0]) and instruction.amount == share_of_cash(
            *rest, instruction.quantity
        )
        return "" if is_next and fits else f"{proposal.label}: not the next part of what was agreed"

    def _may_be_part(self, part: InstructionMessage, rest: int) -> bool:
        """Whether so many units may settle of those that are left: all of them, or whole lots."""
        if part.quantity == rest:
            return rest > 0
        return may_be_part(part.quantity, rest, self._trader.network.instrument(part.instrument))

    def _remember(self, proposals: Sequence[ShownInstruction]) -> None:
        """Keeps what is signed for, before it is."""
        trades = [each for each in proposals if each.trade is not None]
        positions = self._positions(trades) if trades else np.zeros(0, dtype=np.int64)
        with self._trader.database.transaction() as session:
            for row, each in enumerate(trades):
                instruction = each.instruction
                self._blotter.promise(
                    session,
                    cause_of_instruction(instruction),
                    positions[row : row + 1],
                    instruction.deadline,
                )
            self._mandates.sign(session, map(_part_of, (e for e in proposals if not e.trade)))
            self._book(session, [each.instruction for each in proposals])

    def _book(self, session: UnitOfWork, instructions: Sequence[InstructionMessage]) -> None:
        entries = [(cause_of_instruction(each), self._own_legs(each)) for each in instructions]
        refusal = self._trader.own_book.expect_each(session, entries)
        assert refusal is None, "what was signed once has one content"

    def _positions(self, proposals: Sequence[ShownInstruction]) -> Column:
        """The own record of each trade, or NOT_FOUND."""
        trades = [each.trade for each in proposals if each.trade is not None]
        return self._blotter.find(TradeColumns.concatenate(trades))

    def _reaches_own(self, instruction: InstructionMessage) -> bool:
        accounts = (instruction.deliverer, instruction.receiver)
        return self._trader.number in map(participant_of, accounts)

    def _own_legs(self, instruction: InstructionMessage) -> Entry:
        """What an instruction does to own accounts."""
        legs = {
            Register.SECURITIES: (
                instruction.instrument,
                (-instruction.quantity, instruction.quantity),
            ),
            Register.CASH: (instruction.currency, (instruction.amount, -instruction.amount)),
        }
        accounts = np.array([instruction.deliverer, instruction.receiver], dtype=np.int64)
        return {
            register: self._only_own(
                holding_keys(np.full(2, asset), accounts), np.array(amounts, dtype=np.int64)
            )
            for register, (asset, amounts) in legs.items()
            if any(amounts)
        }

    def _only_own(self, keys: Column, amounts: Column) -> tuple[Column, Column]:
        own = participants_of(accounts_of(keys)) == self._trader.number
        return keys[own], amounts[own]


def _what_moves(instruction: InstructionMessage) -> tuple[int, int, int, int]:
    """The accounts and assets of an instruction: those of its parts too."""
    return (
        instruction.deliverer,
        instruction.receiver,
        instruction.instrument,
        instruction.currency,
    )


def _whole_of(proposal: ShownInstruction) -> InstructionMessage:
    return proposal.whole or proposal.instruction


def _part_of(proposal: ShownInstruction) -> PartConsent:
    instruction = proposal.instruction
    return PartConsent(
        instruction=_whole_of(proposal).id,
        id=instruction.id,
        terms=instruction.terms_hash(),
        quantity=instruction.quantity,
        amount=instruction.amount,
        deadline=instruction.deadline,
    )


def _is_of_trade(instruction: InstructionMessage, trades: TradeColumns, row: int) -> bool:
    """Whether an instruction does what one own trade, as delivered, says."""
    delivered = trades.take(slice(row, row + 1)).as_delivered()
    terms = (
        delivered.sellers,
        delivered.buyers,
        delivered.instruments,
        delivered.quantities,
        delivered.currencies,
        delivered.amounts,
    )
    return tuple(int(column[0]) for column in terms) == (
        instruction.deliverer,
        instruction.receiver,
        instruction.instrument,
        instruction.quantity,
        instruction.currency,
        instruction.amount,
    )


def _disagree(detail: str, named: Iterable[str] = ()) -> Disagreement:
    return Disagreement(Rejected(Reason.DISPUTED, detail), tuple(named))
