"""Matching of two sides: fields, tolerance and its boundary, and the best of several candidates."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.instructions import Priority
from ledger.domain.rules import Rules
from ledger.model import matching as model
from ledger.settlement.matching import (
    Entitlement,
    Kind,
    Side,
    Unmatched,
    Wishes,
    best_of,
    differences,
)

DAY = date(2026, 2, 10)
TABLE = Rules().matching_tolerances
BANDS = {"CNY": [(10_000_000, 200), (10**15, 2_500)], "EUR": [(10_000_000, 200), (10**15, 2_500)]}
SALE = Side(
    is_deliverer=True,
    deliverer="A",
    receiver="B",
    settlement_date=DAY,
    isin="X",
    quantity=100,
    currency="EUR",
    amount=10_000_000,
    deliverer_account="A",
)
PURCHASE = replace(SALE, is_deliverer=False, deliverer_account="", receiver_account="B")
OTHER_VALUES = {
    "isin": "Y",
    "quantity": 101,
    "currency": "CNY",
    "deliverer": "C",
    "receiver": "C",
    "settlement_date": date(2026, 2, 11),
}


def entered(sides, table=TABLE):
    """The pairs that come out when sides are entered in this order."""
    waiting, pairs = Unmatched(table), []
    for place, side in enumerate(sides):
        partner = waiting.partner_of(side)
        if partner < 0:
            waiting.add(place, side)
        else:
            waiting.remove(partner)
            pairs.append((partner, place))
    return pairs


def model_side(side):
    optional = {name: getattr(side, name) for name in model.OPTIONAL if getattr(side, name)}
    additional = {
        name: getattr(side, name) for name in model.ADDITIONAL if getattr(side, name) is not None
    }
    mandatory = {
        "legs": (bool(side.quantity), bool(side.amount)),
        "day": side.settlement_date,
        **{name: getattr(side, name) for name in model.MANDATORY if name not in {"legs", "day"}},
    }
    return model.ModelSide(side.is_deliverer, side.amount, mandatory | additional | optional)


AMOUNTS = st.sampled_from(
    [0, 1, 9_999_800, 9_999_999, 10_000_000, 10_000_001, 10_000_200, 10_002_501]
)
SIDES = st.builds(
    Side,
    is_deliverer=st.booleans(),
    deliverer=st.just("A"),
    receiver=st.sampled_from(["B", "C"]),
    settlement_date=st.just(DAY),
    isin=st.just("X"),
    quantity=st.sampled_from([0, 100]),
    currency=st.sampled_from(["CNY", "USD"]),
    amount=AMOUNTS,
    deliverer_account=st.sampled_from(["", "A", "A/client"]),
    common_reference=st.sampled_from(["", "", "R1", "R2"]),
    entitlement=st.sampled_from([None, Entitlement.CUM, Entitlement.EX]),
    opts_out=st.sampled_from([None, None, True]),
)
FEW_KEYS = st.builds(
    Side,
    is_deliverer=st.booleans(),
    deliverer=st.just("A"),
    receiver=st.just("B"),
    settlement_date=st.just(DAY),
    isin=st.just("X"),
    quantity=st.just(100),
    currency=st.just("CNY"),
    amount=AMOUNTS,
    common_reference=st.sampled_from(["", "R1"]),
)


def test_two_sides_of_one_sale_match():
    assert differences(SALE, PURCHASE, TABLE) == ()
    assert entered([SALE, PURCHASE]) == [(0, 1)]


def test_two_deliverers_do_not_match():
    assert differences(SALE, SALE, TABLE) == ("is_deliverer",)
    assert entered([SALE, SALE]) == []


@pytest.mark.parametrize(("name", "value"), OTHER_VALUES.items())
def test_mandatory_field_that_differs_keeps_them_apart(name, value):
    assert differences(SALE, replace(PURCHASE, **{name: value}), TABLE)[0] == name


@pytest.mark.parametrize(
    ("changes", "kind"),
    [({}, Kind.DVP), ({"amount": 0}, Kind.FREE), ({"quantity": 0}, Kind.PAYMENT)],
)
def test_kind_follows_from_the_legs_and_must_agree(changes, kind):
    side = replace(PURCHASE, **changes)

    assert side.kind is kind
    assert ("kind" in differences(SALE, side, TABLE)) == (kind is not Kind.DVP)


def test_free_delivery_does_not_match_a_payment_within_the_tolerance():
    free, paid = replace(SALE, amount=0), replace(PURCHASE, amount=1)

    assert differences(free, paid, TABLE) == ("kind",)


@pytest.mark.parametrize("name", ["entitlement", "opts_out"])
def test_additional_field_is_given_by_both_or_by_none(name):
    given_value, other_value = (
        (Entitlement.CUM, Entitlement.EX) if name == "entitlement" else (True, False)
    )
    one, other = replace(SALE, **{name: given_value}), replace(PURCHASE, **{name: other_value})

    assert differences(one, PURCHASE, TABLE) == (name,)
    assert differences(one, other, TABLE) == (name,)
    assert differences(one, replace(PURCHASE, **{name: given_value}), TABLE) == ()


@pytest.mark.parametrize("name", ["common_reference", "deliverer_account", "receiver_account"])
def test_optional_field_must_agree_only_if_both_give_it(name):
    one, other = replace(SALE, **{name: "one"}), replace(PURCHASE, **{name: "other"})

    assert differences(one, replace(PURCHASE, **{name: ""}), TABLE) == ()
    assert differences(one, other, TABLE) == (name,)
    assert differences(one, replace(PURCHASE, **{name: "one"}), TABLE) == ()


@pytest.mark.parametrize(
    ("delivered", "received", "is_match"),
    [
        (10_000_000, 10_000_200, True),
        (10_000_000, 10_000_201, False),
        (10_000_001, 10_002_501, True),
        (10_000_001, 10_002_502, False),
        (10_000_001, 9_997_501, True),
        (10_000_001, 9_997_500, False),
        (10_000_000, 9_999_800, True),
        (10_000_000, 9_999_799, False),
    ],
)
def test_tolerance_and_its_band_are_those_of_the_deliverers_amount(delivered, received, is_match):
    for currency in ("EUR", "CNY"):
        one = replace(SALE, currency=currency, amount=delivered)
        other = replace(PURCHASE, currency=currency, amount=received)
        assert (differences(one, other, TABLE) == ()) == is_match
        assert (entered([one, other]) == [(0, 1)]) == is_match


def test_currency_without_a_tolerance_matches_the_same_amount_alone():
    one, other = replace(SALE, currency="USD"), replace(PURCHASE, currency="USD")

    assert differences(one, other, TABLE) == ()
    assert differences(one, replace(other, amount=other.amount + 1), TABLE) == ("amount",)


def test_the_same_amount_goes_before_a_nearer_time_and_a_smaller_difference_before_an_earlier_one():
    near, nearer, exact = (replace(PURCHASE, amount=SALE.amount + by) for by in (200, 100, 0))

    assert best_of(SALE, enumerate([near, nearer, exact, exact]), TABLE) == 2
    assert best_of(SALE, enumerate([near, nearer, nearer]), TABLE) == 1
    assert best_of(SALE, enumerate([replace(near, amount=0)]), TABLE) == -1


@given(SIDES, SIDES)
def test_matching_is_symmetric_and_as_the_model_has_it(one, other):
    is_match = differences(one, other, TABLE) == ()

    assert differences(other, one, TABLE) == differences(one, other, TABLE)
    assert model.agree(model_side(one), model_side(other), BANDS) == is_match


@given(st.lists(SIDES, max_size=12) | st.lists(FEW_KEYS, max_size=16))
def test_pairs_are_those_of_the_model_and_nobody_is_matched_twice(sides):
    pairs = entered(sides)

    assert pairs == model.match([model_side(side) for side in sides], BANDS)
    matched = [place for pair in pairs for place in pair]
    assert len(matched) == len(set(matched))
    left = [side for place, side in enumerate(sides) if place not in matched]
    assert not [1 for a in left for b in left if a is not b and not differences(a, b, TABLE)]


@given(st.data(), st.integers(1, 6))
def test_pairing_that_is_unique_does_not_depend_on_the_order_of_entry(data, count):
    """Sides that match one other side alone find it, whoever comes first."""
    sides = [
        replace(side, common_reference=f"R{number}", amount=side.amount + 10_000 * number)
        for number in range(count)
        for side in (SALE, PURCHASE)
    ]
    order = data.draw(st.permutations(range(len(sides))))
    pairs = entered([sides[place] for place in order])

    assert {frozenset(order[place] for place in pair) for pair in pairs} == {
        frozenset((2 * number, 2 * number + 1)) for number in range(count)
    }


def test_side_that_was_taken_back_is_matched_no_more():
    waiting = Unmatched(TABLE)
    waiting.add(0, SALE)
    waiting.add(1, replace(SALE, amount=SALE.amount + 1))
    waiting.remove(0)

    assert (waiting.partner_of(PURCHASE), waiting.places()) == (1, [1])
    waiting.remove(1)
    assert waiting.partner_of(PURCHASE) == -1


def test_wishes_of_both_sides_come_together():
    one = Wishes(priority=Priority.HIGH, may_be_partial=True, expires_at=20, linked_to=("L", "M"))
    other = Wishes(is_held=True, may_be_partial=True, expires_at=10, linked_to=("M", "N"))

    assert one.with_those_of(other) == Wishes(
        priority=Priority.HIGH,
        is_held=True,
        may_be_partial=True,
        expires_at=10,
        linked_to=("L", "M", "N"),
    )
    assert Wishes().with_those_of(Wishes()) == Wishes()
    assert not one.with_those_of(Wishes()).may_be_partial
