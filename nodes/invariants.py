"""Invariants that can be checked on a running consortium, by their numbers.

 1  conservation: available and held over all accounts add up to what was issued
 4  no balance below zero
 9  folding the events gives what the contracts have in storage
10  ledger, own books and statements agree, or a break names the difference
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from contracts.clients.registers import Register as RegisterContract
from contracts.lines import LINES_PER_CALL_MAX
from ledger.books.postings import Register
from ledger.clearing.columns import assets_of
from nodes.bus import UnreachableError
from nodes.consortium import Consortium


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold, and how."""

    invariant: int
    detail: str


def violations(consortium: Consortium) -> list[Violation]:
    """Every violation of invariants 1, 4, 9 and 10 as of the last block; none is the rule."""
    return [
        *_against_the_contracts(consortium),
        *_conservation(consortium),
        *_unreconciled(consortium),
    ]


def _against_the_contracts(consortium: Consortium) -> Iterator[Violation]:
    house = consortium.clearing_house
    for register, contract in _contracts(consortium):
        holdings = house.projection.columns(register)
        for first in range(0, len(holdings), LINES_PER_CALL_MAX):
            keys = holdings.keys.column[first : first + LINES_PER_CALL_MAX]
            own, stored = holdings.of(keys), np.stack(contract.holdings_of(keys))
            for row in np.flatnonzero((own != stored).any(axis=0)).tolist():
                name = house.name_holding(register, int(keys[row]))
                detail = f"{name}: events say {own[0, row]}, the contract {stored[0, row]}"
                yield Violation(9, detail)
            for key in keys[(own < 0).any(axis=0)].tolist():
                yield Violation(4, f"{key} is below zero")


def _conservation(consortium: Consortium) -> Iterator[Violation]:
    for register, contract in _contracts(consortium):
        holdings = consortium.clearing_house.projection.columns(register).summed()
        assets, firsts = np.unique(assets_of(holdings.keys.column), return_index=True)
        totals = np.add.reduceat(holdings.values[0], firsts) if len(firsts) else firsts
        for asset, total in zip(assets.tolist(), totals.tolist(), strict=True):
            issued = contract.issued_of(asset)
            if issued != total:
                detail = f"{register.value} asset {asset}: {total} held, {issued} issued"
                yield Violation(1, detail)


def _unreconciled(consortium: Consortium) -> Iterator[Violation]:
    head = consortium.feed.height()
    for node in consortium.nodes.values():
        try:
            block = node.standing().reconciled_block
        except UnreachableError:
            # Nothing can be said of a node that is away, and nothing is.
            continue
        if block != head:
            yield Violation(10, f"{node.id} is reconciled to block {block} of {head}")


def _contracts(consortium: Consortium) -> list[tuple[Register, RegisterContract]]:
    return [
        (Register.SECURITIES, consortium.contracts.securities),
        (Register.CASH, consortium.contracts.cash),
    ]
