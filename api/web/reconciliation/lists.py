"""The list of breaks that somebody asks for in the address of the page, and positions then."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from api.access.owning import check_reads
from api.break_lists import breaks_seen_by
from api.break_schemas import Break as BreakView
from api.break_views import break_view
from api.errors import refuse
from api.participants import require_participant
from api.web.reconciliation.versions import Side, sides_of
from ledger.books.break_life import Break
from ledger.books.breaks import BreakFilter
from ledger.books.postings import Register
from ledger.domain.amounts import format_amount, grouped
from ledger.domain.breaks import STANDING, AgeBucket, BreakKind, BreakState
from ledger.domain.key_holders import KeyHolder
from ledger.domain.participants import Role
from ledger.domain.reasons import Reason
from nodes.bus import UnreachableError
from nodes.consortium import Consortium
from nodes.statements.model import Period, StatementKind, StatementRow

BREAKS_A_PAGE: Final = 25
POSITIONS_SHOWN: Final = 60
NOBODY: Final = "-"
"""Asked for as the assignee: what nobody looks after."""
ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class AskedBreaks:
    """Which breaks the address asks for, as its query has it; empty: whatever it is."""

    state: str = ""
    kind: str = ""
    owner: str = ""
    assignee: str = ""
    bucket: str = ""
    asset: str = ""
    text: str = ""
    block: int | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether it leaves anything out that is there by default."""
        return any(
            (self.state, self.kind, self.owner, self.assignee, self.bucket, self.asset, self.text)
        )

    def query(self, **changed: object) -> dict[str, object]:
        """The query of the same with something changed; None leaves it out."""
        given: dict[str, object] = {
            "state": self.state,
            "kind": self.kind,
            "owner": self.owner,
            "assignee": self.assignee,
            "bucket": self.bucket,
            "asset": self.asset,
            "text": self.text,
            "block": self.block,
        }
        return {name: value or None for name, value in given.items()} | changed

    @property
    def interface_path(self) -> str:
        """Where the interface has the same list."""
        asked = {
            "state": None if self.block is not None else self.state or BreakState.OPEN.value,
            "kind": self.kind,
            "owner": self.owner,
            "bucket": self.bucket,
            "asset": self.asset,
            "subject": self.text,
            "as_of_block": self.block,
        }
        given = {name: value for name, value in asked.items() if value not in (None, "")}
        if self.assignee:
            given["assignee"] = "" if self.assignee == NOBODY else self.assignee
        return f"/v1/breaks?{urlencode(given)}"

    def filter(self) -> BreakFilter:
        """What is asked of a node."""
        return BreakFilter(
            states=self._states(),
            kind=BreakKind(self.kind) if self.kind else None,
            assignee={"": None, NOBODY: ""}.get(self.assignee, self.assignee),
            contains=self.text,
            asset=self.asset or None,
            as_of_block=self.block,
        )

    def _states(self) -> tuple[BreakState, ...]:
        if self.state == ALL:
            return ()
        if self.state:
            return (BreakState(self.state),)
        return (BreakState.OPEN,) if self.block is None else STANDING


@dataclass(frozen=True, slots=True)
class ShownBreak:
    """A break as the list shows it."""

    view: BreakView
    sides: list[Side]


@dataclass(frozen=True, slots=True)
class BreakPage:
    """A page of the list. ``first`` is the place of its first break among ``total``."""

    breaks: list[ShownBreak]
    first: int
    total: int
    away: list[str]

    @property
    def previous(self) -> int | None:
        """Where the page before begins."""
        return max(self.first - BREAKS_A_PAGE, 0) if self.first else None

    @property
    def next(self) -> int | None:
        """Where the page after begins."""
        following = self.first + BREAKS_A_PAGE
        return following if following < self.total else None


def page_of_breaks(
    consortium: Consortium, holder: KeyHolder, asked: AskedBreaks, first: int
) -> BreakPage:
    """The breaks from a place on, of those that are asked for, oldest first."""
    bucket = AgeBucket(asked.bucket) if asked.bucket else None
    seen = breaks_seen_by(consortium, holder, asked.filter(), asked.owner or None, bucket)
    shown = seen.breaks[first : first + BREAKS_A_PAGE]
    return BreakPage(list(map(shown_break, shown)), first, len(seen.breaks), seen.away)


def shown_break(found: Break) -> ShownBreak:
    """A break as it is shown."""
    return ShownBreak(break_view(found), sides_of(found))


@dataclass(frozen=True, slots=True)
class PastPosition:
    """A position as of a block. Where nothing differed, all three records said ``ledger``."""

    account: str
    asset: str
    symbol: str
    ledger: str
    broken: ShownBreak | None


@dataclass(frozen=True, slots=True)
class PastPositions:
    """The positions of one participant as of a block. ``total`` may be more than are shown."""

    participant: str
    choices: list[str]
    rows: list[PastPosition]
    total: int
    is_away: bool = False


def positions_then(
    consortium: Consortium, holder: KeyHolder, block: int, participant: str | None
) -> PastPositions:
    """What somebody had as of a block, beside the breaks of its positions that stood then."""
    trading = (Role.BROKER, Role.BANK)
    choices = [
        each.id
        for each in consortium.network.participants
        if each.role in trading and holder.may_see(each.id)
    ]
    if participant is not None:
        require_participant(consortium, participant)
        check_reads(holder, participant)
    shown = participant or next(iter(choices), "")
    if not shown:
        return PastPositions("", choices, [], 0)
    node = consortium.nodes[shown]
    wanted = BreakFilter(states=STANDING, as_of_block=block)
    try:
        stated = node.statement(StatementKind.POSITIONS, Period(last_block=block)).rows
        breaks = [each for each in node.breaks(wanted) if each.id.startswith("position:own:")]
    except UnreachableError:
        return PastPositions(shown, choices, [], 0, is_away=True)
    by_subject = {each.subject: shown_break(each) for each in breaks}
    rows = [_past(row, by_subject.pop(f"{row.account} {row.asset}", None)) for row in stated]
    # What the ledger had nothing of, and somebody else did.
    rows += [
        PastPosition(*subject.rpartition(" ")[::2], "", "0", each)
        for subject, each in by_subject.items()
    ]
    rows.sort(key=lambda row: row.broken is None)
    return PastPositions(shown, choices, rows[:POSITIONS_SHOWN], len(rows))


def _past(row: StatementRow, broken: ShownBreak | None) -> PastPosition:
    is_cash = row.register == Register.CASH.value
    amount = format_amount(row.amount, row.asset) if is_cash else str(row.amount)
    return PastPosition(row.account, row.asset, row.symbol, grouped(amount), broken)


def known_block(consortium: Consortium, block: int) -> int:
    """A block that is final. Refused when it is not."""
    height = consortium.clearing_house.projection.height
    if block > height:
        raise refuse(Reason.UNKNOWN, f"block {block} is not final: the last one is {height}")
    return block
