"""Trimming: which trades leave a cycle when some account cannot cover its net debit.

While some account is short of some asset, the trade captured last in which a short account owes the
asset it is short of leaves. Queue order is not kept: keeping it would let one missing share empty a
whole market's cycle.
"""

import heapq
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from ledger.clearing.columns import Column, Mask, TradeColumns, holding_keys
from ledger.clearing.netting import NetResult, net
from ledger.domain.reasons import Reason

_CASH: Final = 1 << 62
"""Set in a holding key of the cash register, to tell it from one of the securities register."""


@dataclass(frozen=True, slots=True)
class Available:
    """What accounts have available, by holding key, in each register."""

    securities: Callable[[Column], Column]
    cash: Callable[[Column], Column]


@dataclass(frozen=True, slots=True)
class Trimmed:
    """What is left of a cycle: which trades stay, their net, and why each of the others left."""

    stays: Mask
    result: NetResult
    reason_by_row: dict[int, Reason]


def trim(trades: TradeColumns, available: Available) -> Trimmed:
    """Nets trades after removing, by the rule, those that cannot be covered."""
    result = net(trades)
    if _is_covered(result, available):
        return Trimmed(np.ones(len(trades), dtype=bool), result, {})
    reason_by_row = _Cover(trades, available).leavers()
    stays = np.ones(len(trades), dtype=bool)
    stays[list(reason_by_row)] = False
    return Trimmed(stays, net(trades.take(stays)), reason_by_row)


def _is_covered(result: NetResult, available: Available) -> bool:
    securities, cash = result.securities, result.cash
    # Compared, not added: a balance near the cap and a large credit would leave 63 bits.
    return bool(
        (securities.amounts >= -available.securities(securities.keys)).all()
        and (cash.amounts >= -available.cash(cash.keys)).all()
    )


class _Cover:
    """Balances as the cycle would leave them, and the trades that make each account owe."""

    def __init__(self, trades: TradeColumns, available: Available) -> None:
        trades = trades.as_delivered()
        self._delivered = holding_keys(trades.instruments, trades.sellers)
        self._received = holding_keys(trades.instruments, trades.buyers)
        self._paid = holding_keys(trades.currencies, trades.buyers) | _CASH
        self._earned = holding_keys(trades.currencies, trades.sellers) | _CASH
        self._quantities, self._amounts = trades.quantities, trades.amounts
        self._balance_by_key = self._balances(available)
        owed = np.concatenate([self._delivered, self._paid])
        order = np.argsort(owed, kind="stable")
        self._owed_keys, self._owing_rows = owed[order], order % max(len(trades), 1)
        self._end_by_key: dict[int, int] = {}

    def leavers(self) -> dict[int, Reason]:
        """The rows that leave, in the order in which they do, each with its reason."""
        reason_by_row: dict[int, Reason] = {}
        heap: list[tuple[int, int]] = []
        for key, balance in self._balance_by_key.items():
            if balance < 0:
                self._push_last(heap, key, reason_by_row)
        while heap:
            negative_row, key = heapq.heappop(heap)
            row = -negative_row
            if self._balance_by_key[key] >= 0:
                continue
            if row not in reason_by_row:
                reason_by_row[row] = Reason.LACK if key < _CASH else Reason.MONY
                for shortened in self._remove(row):
                    self._push_last(heap, shortened, reason_by_row)
            if self._balance_by_key[key] < 0:
                self._push_last(heap, key, reason_by_row)
        return reason_by_row

    def _remove(self, row: int) -> list[int]:
        """Takes a trade out of the balances; returns the keys that are short without its credit."""
        quantity, amount = int(self._quantities[row]), int(self._amounts[row])
        self._balance_by_key[int(self._delivered[row])] += quantity
        self._balance_by_key[int(self._paid[row])] += amount
        received, earned = int(self._received[row]), int(self._earned[row])
        self._balance_by_key[received] -= quantity
        self._balance_by_key[earned] -= amount
        return [key for key in (received, earned) if self._balance_by_key[key] < 0]

    def _push_last(self, heap: list[tuple[int, int]], key: int, left: dict[int, Reason]) -> None:
        """Queues the last trade still in the cycle in which this key owes."""
        end = self._end_by_key.get(key)
        if end is None:
            end = int(np.searchsorted(self._owed_keys, key, side="right"))
        while int(self._owing_rows[end - 1]) in left:
            end -= 1
        assert end > 0, f"holding {key} is short without owing anything"
        assert self._owed_keys[end - 1] == key, f"holding {key} is short without owing anything"
        self._end_by_key[key] = end
        heapq.heappush(heap, (-int(self._owing_rows[end - 1]), key))

    def _balances(self, available: Available) -> dict[int, int]:
        keys, places = np.unique(
            np.concatenate([self._delivered, self._received, self._paid, self._earned]),
            return_inverse=True,
        )
        changes = np.zeros(len(keys), dtype=np.int64)
        amounts = [-self._quantities, self._quantities, -self._amounts, self._amounts]
        np.add.at(changes, places, np.concatenate(amounts))
        is_cash = keys >= _CASH
        before = np.empty(len(keys), dtype=np.int64)
        before[~is_cash] = available.securities(keys[~is_cash])
        before[is_cash] = available.cash(keys[is_cash] & ~_CASH)
        # Added as Python's numbers, since a balance may pass 63 bits until trades have left.
        balances = map(operator.add, before.tolist(), changes.tolist())
        return dict(zip(keys.tolist(), balances, strict=True))
