"""Integrity of issues: what the ledger shows as issued or redeemed is what its keeper has made.

The registrar answers for securities, each bank for the cash it keeps. An issue or redemption that
their own records do not know is a break at once. What is not solved by the end of the next business
day suspends the instrument, until it is: the clearing house takes nothing new in it and settles
nothing of it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from ledger.books.already_final import UnexpectedIssue, UnexpectedIssues
from ledger.books.reconciliation import Comparison, Difference
from ledger.domain.accounts import asset_of
from ledger.domain.breaks import OF_INTEGRITY, BreakKind
from ledger.domain.participants import Role
from nodes.bus import NO_ANSWER
from nodes.messages import UnsoundAssets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.books.break_life import Break
    from ledger.books.postings import Register
    from nodes.node import Node

NAMED_MAX: Final = 3
"""Issues that are named in words; of more there is the count."""
REFERENCE_DIGITS: Final = 12

_Amount = tuple[int, int, bytes]
"""The block of an issue, what it did to one holding, and its reference."""


class IssueIntegrity:
    """What one keeper finds in one register, and has the clearing house suspend."""

    def __init__(self, node: Node, register: Register, unexpected: UnexpectedIssues) -> None:
        self._node = node
        self._register = register
        self._unexpected = unexpected
        self._scope = f"issue:{register.value}:"
        self._told: tuple[int, ...] | None = None

    def comparison(self) -> Comparison:
        """Issues and redemptions on the ledger that the keeper's own records do not know.

        What was issued unduly and then redeemed in the same way is no difference.
        """
        issues: dict[int, list[_Amount]] = defaultdict(list)
        with self._node.database.reading() as session:
            for issue in self._unexpected.all(session, self._register):
                for key, amount in zip(issue.keys.tolist(), issue.amounts.tolist(), strict=True):
                    issues[key].append((issue.block, amount, issue.reference))
        found = [self._difference(key, issues[key]) for key in sorted(issues)]
        return Comparison(self._scope, [each for each in found if each], is_complete=True)

    def find(self, reference: bytes) -> UnexpectedIssue | None:
        """What is not known under a reference."""
        with self._node.database.reading() as session:
            return self._unexpected.find(session, self._register, reference)

    def tell(self) -> None:
        """Has the clearing house suspend what is overdue, and nothing else.

        It is told when that has changed, and after a start; when it is away, the next time.
        """
        overdue = self.overdue()
        if overdue == self._told:
            return
        node = self._node
        try:
            house = node.network.sole(Role.CLEARING_HOUSE)
            node.around.bus.request(node.id, house, UnsoundAssets(self._register, overdue))
        except NO_ANSWER:
            return
        self._told = overdue

    def overdue(self) -> tuple[int, ...]:
        """The assets whose integrity has been in doubt for too long, by number."""
        standing = self._node.break_book.standing()
        found = {
            asset_of(int(id.removeprefix(self._scope)))
            for id, each in standing.items()
            if id.startswith(self._scope) and each.kind in OF_INTEGRITY and self._is_late(each)
        }
        return tuple(sorted(found))

    def _is_late(self, found: Break) -> bool:
        """Whether the business day after the one on which it was seen is over."""
        clock = self._node.around.clock
        return clock.has_ended(clock.next_business_date(found.first_seen_on.date()))

    def _difference(self, key: int, issues: list[_Amount]) -> Difference | None:
        node, register = self._node, self._register
        net = sum(amount for _, amount, _ in issues)
        if not net:
            return None
        asset, at_risk, currency = node.comparing.value_of(register, key, abs(net))
        return Difference(
            id=f"{self._scope}{key}",
            kind=BreakKind.UNDUE_ISSUE if net > 0 else BreakKind.UNDUE_REDEMPTION,
            subject=node.name_holding(register, key),
            ours="-",
            theirs=", ".join(self._in_words(key, issues)),
            asset=asset,
            at_risk=at_risk,
            currency=currency,
        )

    def _in_words(self, key: int, issues: list[_Amount]) -> Iterable[str]:
        for block, amount, reference in issues[:NAMED_MAX]:
            words = self._node.describe_holding(self._register, key, abs(amount))
            act = "issued" if amount > 0 else "redeemed"
            yield f"{words} {act} in block {block} as 0x{reference.hex()[:REFERENCE_DIGITS]}"
        if len(issues) > NAMED_MAX:
            yield f"and {len(issues) - NAMED_MAX} more"
