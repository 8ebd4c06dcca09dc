"""The comparison in columns finds what the literal one finds, however the rows are ordered."""

from collections import Counter
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy, composite

from ledger.domain.breaks import BreakKind
from ledger.reconciliation.codes import NOBODY, codes_of
from ledger.reconciliation.records import (
    CASH_POSITIONS,
    ISSUED,
    SECURITIES_MOVEMENTS,
    TRADES,
    Layout,
    Records,
)
from ledger.reconciliation.three_way import Differences, Dissenter, compare, compare_two
from tests.ledger.reconciliation.literal import Row, pair, rows_of, undue
from tests.ledger.reconciliation.literal import compare as literal_compare

LAYOUTS = st.sampled_from([TRADES, CASH_POSITIONS, SECURITIES_MOVEMENTS])
WORDS = st.integers(-(2**63), 2**63 - 1)


@composite
def _sets(draw: DrawFn, layout: Layout, count: int) -> list[Records]:
    """Sets with much in common, of few values, so that everything that can happen does."""
    width = len(layout.names)
    value = st.integers(0, draw(st.integers(1, 3)))
    row = st.tuples(*([value] * width), st.integers(0, 3))
    common = draw(st.lists(row, max_size=6))
    sets = []
    for _ in range(count):
        rows = [each for each in common if draw(st.integers(0, 5))]
        rows += draw(st.lists(row, max_size=2))
        sets.append(records_of(rows, layout, draw(st.sampled_from([1, 2, 9]))))
    return sets


def records_of(rows: list[Row], layout: Layout, watermark: int) -> Records:
    table = np.array(rows, dtype=np.int64).reshape(-1, len(layout.names) + 1).T
    return Records(dict(zip(layout.names, table, strict=False)), table[-1], watermark)


def _pairs(count: int) -> SearchStrategy[tuple[Layout, list[Records]]]:
    return LAYOUTS.flatmap(lambda layout: st.tuples(st.just(layout), _sets(layout, count)))


def _content(
    found: Differences, layout: Layout, sets: list[Records]
) -> Counter[tuple[Row | None, ...]]:
    """The differences by content, without the blocks, which do not decide who is whose partner."""
    sides = [
        list(zip(*(column.tolist() for column in records.table(layout.names)), strict=True))
        for records in sets
    ]
    sides += [[]] * (3 - len(sides))
    counted: Counter[tuple[Row | None, ...]] = Counter()
    for *rows, kind, dissenter in found:
        named = [
            None if row == NOBODY else side[row] for side, row in zip(sides, rows, strict=True)
        ]
        counted[(*named, kind, dissenter)] += 1
    return counted


@given(_pairs(2))
def test_two_sets_differ_as_the_literal_comparison_says(case: tuple[Layout, list[Records]]) -> None:
    layout, (ours, theirs) = case
    expected: Counter[tuple[Row | None, ...]] = Counter()
    marks = ours.watermark, theirs.watermark
    for one, other, kind in pair(rows_of(ours, layout), rows_of(theirs, layout), layout, marks):
        if kind is not None:
            is_theirs = one is None and other is not None
            seen = undue(kind, other, layout) if is_theirs and other else kind
            expected[one and one[:-2], other and other[:-2], seen] += 1
    found = _content(compare_two(ours, theirs, layout), layout, [ours, theirs])
    assert Counter({(a, b, kind): n for (a, b, _, kind, _), n in found.items()}) == expected


@given(_pairs(3))
def test_three_sets_differ_as_the_literal_comparison_says(
    case: tuple[Layout, list[Records]],
) -> None:
    layout, sets = case
    marks = [records.watermark for records in sets]
    expected = Counter(
        (*(row and row[:-2] for row in rows), kind, dissenter)
        for *rows, kind, dissenter in literal_compare(
            [rows_of(records, layout) for records in sets], layout, marks
        )
    )
    assert _content(compare(*sets, layout), layout, sets) == expected


@given(_pairs(3), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(
    case: tuple[Layout, list[Records]], random: Random
) -> None:
    layout, sets = case
    shuffled = [
        records.take(np.array(random.sample(range(len(records)), len(records)), dtype=np.int64))
        for records in sets
    ]
    before = _content(compare(*sets, layout), layout, sets)
    assert _content(compare(*shuffled, layout), layout, shuffled) == before


@given(_pairs(1), st.randoms(use_true_random=False))
def test_a_set_does_not_differ_from_itself(
    case: tuple[Layout, list[Records]], random: Random
) -> None:
    layout, (records,) = case
    rows = np.array(random.sample(range(len(records)), len(records)), dtype=np.int64)
    assert not len(compare(records, records.take(rows), records, layout))


@given(st.lists(st.tuples(WORDS, WORDS, st.integers(0, 2)), min_size=1))
def test_rows_have_codes_that_are_equal_and_ordered_as_they_are(
    rows: list[tuple[int, int, int]],
) -> None:
    table = list(np.array(rows, dtype=np.int64).T)
    half = len(rows) // 2
    codes = np.concatenate(
        codes_of([[column[:half] for column in table], [column[half:] for column in table]])
    ).tolist()
    for row, code in zip(rows, codes, strict=True):
        assert [row < other for other in rows] == [code < other for other in codes]


POSITION = (1, 256, 100)


def _positions(*rows: tuple[int, int, int]) -> Records:
    return records_of([(*row, 0) for row in rows], CASH_POSITIONS, 0)


def _kinds(*sets: Records) -> list[tuple[BreakKind, Dissenter]]:
    return [(kind, dissenter) for *_, kind, dissenter in compare(*sets, CASH_POSITIONS)]


def test_a_position_in_the_wrong_account_is_one_break_and_not_two() -> None:
    right, wrong = _positions(POSITION), _positions((1, 512, 100))
    assert _kinds(wrong, right, right) == [(BreakKind.ACCOUNT, Dissenter.OURS)]
    assert _kinds(right, wrong, right) == [(BreakKind.ACCOUNT, Dissenter.LEDGER)]
    assert _kinds(right, right, wrong) == [(BreakKind.ACCOUNT, Dissenter.STATEMENT)]


def test_what_could_as_well_be_another_is_missing_twice() -> None:
    ours, theirs = _positions(POSITION), _positions((1, 512, 100), (1, 768, 100))
    assert sorted(kind.value for kind, _ in _kinds(ours, theirs, theirs)) == [
        "missing_ours",
        "missing_ours",
        "missing_theirs",
    ]


def test_what_the_ledger_alone_has_issued_was_not_due() -> None:
    layout = SECURITIES_MOVEMENTS
    issue = records_of([(7, 1, 256, 100, 20, ISSUED, 1, 5)], layout, 9)
    nothing = records_of([], layout, 9)
    ((*_, kind, dissenter),) = compare(nothing, issue, nothing, layout)
    assert (kind, dissenter) == (BreakKind.UNDUE_ISSUE, Dissenter.LEDGER)
    ((*_, kind, _),) = compare(nothing, issue, issue, layout)
    assert kind is BreakKind.MISSING_OURS


def test_what_came_after_the_other_side_s_watermark_is_in_flight() -> None:
    new, old = records_of([(1, 256, 100, 5)], CASH_POSITIONS, 5), _positions()
    ((*_, kind, _),) = compare_two(new, old, CASH_POSITIONS)
    assert kind is BreakKind.TIMING
