"""The comparison as literally as it can be said: dictionaries, one record at a time."""

from collections import defaultdict
from collections.abc import Sequence

from ledger.domain.breaks import BreakKind
from ledger.reconciliation.records import ISSUED, REDEEMED, Layout, Records
from ledger.reconciliation.three_way import Dissenter

Row = tuple[int, ...]
"""All fields of a record in the order of the layout, the block it is from, and its own number."""
Found = tuple[Row | None, Row | None, BreakKind | None]
"""A record of ours, one of theirs, and how they differ."""
Difference = tuple[Row | None, Row | None, Row | None, BreakKind, Dissenter]


def rows_of(records: Records, layout: Layout) -> list[Row]:
    """The records as tuples."""
    columns = [column.tolist() for column in records.table(layout.names)]
    made_at = [0] * len(records) if records.made_at is None else records.made_at.tolist()
    rows = sorted(zip(*columns, made_at, strict=True))
    return [(*row, number) for number, row in enumerate(rows)]


def pair(
    ours: Sequence[Row], theirs: Sequence[Row], layout: Layout, marks: tuple[int, int]
) -> list[Found]:
    """Everything that is in one set or the other, each record once."""
    width = len(layout.identity)
    groups: dict[Row, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
    for side, rows in enumerate((ours, theirs)):
        for row in sorted(rows):
            groups[row[:width]][side].append(row)
    found: list[Found] = []
    alone: tuple[list[Row], list[Row]] = ([], [])
    for left, right in groups.values():
        is_shared = bool(left and right)
        for row in list(left):
            equal = next((each for each in right if each[:-2] == row[:-2]), None)
            if equal is not None:
                left.remove(row)
                right.remove(equal)
                found.append((row, equal, None))
        while left and right:
            one, other = left.pop(0), right.pop(0)
            found.append((one, other, _differs(one, other, layout)))
        for side, rest in enumerate((left, right)):
            for place, row in enumerate(rest):
                if place or is_shared:
                    found.append(_lone(row, side, BreakKind.DUPLICATE))
                else:
                    alone[side].append(row)
    found += _misnamed(alone, layout)
    return [(a, b, _in_flight(a, b, kind, marks)) for a, b, kind in found]


def _misnamed(alone: tuple[list[Row], list[Row]], layout: Layout) -> list[Found]:
    edges = []
    for i, one in enumerate(alone[0]):
        for j, other in enumerate(alone[1]):
            places = [k for k in range(len(layout.names)) if one[k] != other[k]]
            if len(places) == 1 and places[0] < len(layout.identity):
                kind = layout.identity[places[0]].kind
                if kind is not None:
                    edges.append((i, j, kind))
    sure = [
        (i, j, kind)
        for i, j, kind in edges
        if sum(i == other for other, _, _ in edges) == 1
        and sum(j == other for _, other, _ in edges) == 1
    ]
    found: list[Found] = [(alone[0][i], alone[1][j], kind) for i, j, kind in sure]
    taken = {i for i, _, _ in sure}, {j for _, j, _ in sure}
    kinds = (BreakKind.MISSING_THEIRS, BreakKind.MISSING_OURS)
    for side in (0, 1):
        found += [
            _lone(row, side, kinds[side])
            for i, row in enumerate(alone[side])
            if i not in taken[side]
        ]
    return found


def _lone(row: Row, side: int, kind: BreakKind) -> Found:
    return (None, row, kind) if side else (row, None, kind)


def _differs(one: Row, other: Row, layout: Layout) -> BreakKind | None:
    for place, field in enumerate(layout.terms, start=len(layout.identity)):
        if one[place] != other[place]:
            return field.kind
    return None


def _in_flight(
    one: Row | None, other: Row | None, kind: BreakKind | None, marks: tuple[int, int]
) -> BreakKind | None:
    late = (one is not None and one[-2] > marks[1]) or (other is not None and other[-2] > marks[0])
    return BreakKind.TIMING if late and kind not in (None, BreakKind.DUPLICATE) else kind


def undue(kind: BreakKind, row: Row, layout: Layout) -> BreakKind:
    """What the other side alone has, by its cause."""
    if kind is not BreakKind.MISSING_OURS or not layout.cause:
        return kind
    kinds = {ISSUED: BreakKind.UNDUE_ISSUE, REDEEMED: BreakKind.UNDUE_REDEMPTION}
    return kinds.get(row[layout.names.index(layout.cause)], kind)


def compare(
    sets: Sequence[Sequence[Row]], layout: Layout, marks: Sequence[int]
) -> list[Difference]:
    """What three sets do not agree on."""
    own = pair(sets[0], sets[1], layout, (marks[0], marks[1]))
    stated = pair(sets[2], sets[1], layout, (marks[2], marks[1]))
    found: list[Difference] = []
    ours_by_ledger = {row: (one, kind) for one, row, kind in own if row is not None}
    stated_by_ledger = {row: (one, kind) for one, row, kind in stated if row is not None}
    for row in sets[1]:
        (ours, our_kind), (statement, kind) = ours_by_ledger[row], stated_by_ledger[row]
        found += _of_ledger((ours, row, statement), our_kind, kind, layout)
    ours_left = [(row[0], row[2]) for row in own if row[1] is None]
    stated_left = [(row[0], row[2]) for row in stated if row[1] is None]
    for one, other, kind in pair(
        [row for row, _ in ours_left if row],
        [row for row, _ in stated_left if row],
        layout,
        (marks[0], marks[2]),
    ):
        if one is None:
            assert other is not None
            stands = dict(stated_left)[other]
            found.append((None, None, other, _turned(stands), Dissenter.STATEMENT))
            continue
        stands = dict(ours_left)[one]
        assert stands is not None
        if other is None:
            found.append((one, None, None, stands, Dissenter.OURS))
        elif kind is None:
            found.append((one, None, other, stands, Dissenter.LEDGER))
        else:
            found.append((one, None, other, kind, Dissenter.EVERYBODY))
    return found


def _of_ledger(
    rows: tuple[Row | None, Row, Row | None],
    our_kind: BreakKind | None,
    kind: BreakKind | None,
    layout: Layout,
) -> list[Difference]:
    ours, row, statement = rows
    if our_kind is None:
        return [] if kind is None else [(*rows, _turned(kind), Dissenter.STATEMENT)]
    if kind is None:
        return [(*rows, our_kind, Dissenter.OURS)]
    if ours is None and statement is None:
        return [(*rows, undue(our_kind, row, layout), Dissenter.LEDGER)]
    agree = ours is not None and statement is not None and ours[:-2] == statement[:-2]
    return [(*rows, our_kind, Dissenter.LEDGER if agree else Dissenter.EVERYBODY)]


def _turned(kind: BreakKind | None) -> BreakKind:
    assert kind is not None
    turned = {
        BreakKind.MISSING_OURS: BreakKind.MISSING_THEIRS,
        BreakKind.MISSING_THEIRS: BreakKind.MISSING_OURS,
    }
    return turned.get(kind, kind)
