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
from ledger.domain.accounts import asset_of
from nodes.bootstrap import parts
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
    for register, contract in _contracts(consortium):
        projection = consortium.clearing_house.projection
        for part in parts(list(projection.holdings(register)), LINES_PER_CALL_MAX):
            keys = np.array([key for key, _, _ in part], dtype=np.int64)
            available, held = contract.holdings_of(keys)
            for row, (key, own_available, own_held) in enumerate(part):
                if (own_available, own_held) != (available[row], held[row]):
                    name = consortium.clearing_house.name_holding(register, key)
                    yield Violation(
                        9, f"{name}: events say {own_available}, the contract {available[row]}"
                    )
                if own_available < 0 or own_held < 0:
                    yield Violation(4, f"{key} is below zero")


def _conservation(consortium: Consortium) -> Iterator[Violation]:
    for register, contract in _contracts(consortium):
        totals: dict[int, int] = {}
        for key, available, held in consortium.clearing_house.projection.holdings(register):
            totals[asset_of(key)] = totals.get(asset_of(key), 0) + available + held
        for asset, total in sorted(totals.items()):
            issued = contract.issued_of(asset)
            if issued != total:
                detail = f"{register.value} asset {asset}: {total} held, {issued} issued"
                yield Violation(1, detail)


def _unreconciled(consortium: Consortium) -> Iterator[Violation]:
    head = consortium.feed.height()
    for node in consortium.nodes.values():
        if node.reconciled_block != head:
            yield Violation(
                10, f"{node.id} is reconciled to block {node.reconciled_block} of {head}"
            )


def _contracts(consortium: Consortium) -> list[tuple[Register, RegisterContract]]:
    return [
        (Register.SECURITIES, consortium.contracts.securities),
        (Register.CASH, consortium.contracts.cash),
    ]
