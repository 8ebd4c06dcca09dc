"""The pages of participants: everybody's address, and of somebody only what is the reader's."""

import re
from html import unescape
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from api.policies import CALLERS, Caller, roles_for
from api.web.participants.permissions import permissions_of
from api.web.participants.shown import PositionSearch, profile_of
from api.web.participants.words import CALLER_WORDS, EVENT_WORDS, PARTICIPANTS_WORDS, TOLD_WORDS
from ledger.domain.key_holders import KeyRole
from nodes.api_keys import OPERATOR, holders
from tests.support.clients import key_header


@pytest.fixture(scope="module")
def profile(market):
    def read(id, name="OPERATOR", **search):
        holder = holders(market.sandbox.consortium.network)[name]
        with market.sandbox.lock:
            return profile_of(market.sandbox, holder, id, PositionSearch(**search))

    return read


def test_address_book_names_everybody_with_address_and_standing(market):
    page = market.get("/participants?lang=en")

    for each in market.json("/v1/participants")["data"]:
        assert f">{each['id']}</strong>" in page
        assert each["address"] in page
    assert "▲ 1" in page


def test_broker_does_not_see_how_many_breaks_others_have(market):
    shown = market.get("/participants?lang=en", "BRK-C")

    assert "▲ 1" not in shown


def test_own_page_shows_what_the_interface_shows(market, profile):
    told = market.json("/v1/positions?participant=BRK-A&limit=500")["data"]
    found = profile("BRK-A")

    assert [each.model_dump() for each in found.positions] == told[: len(found.positions)]
    assert found.positions_total == len(told)
    assert found.live_instructions == 1


def test_page_of_somebody_else_shows_no_affair_of_its_own(market, profile):
    page = unescape(market.get("/participants/BRK-B?lang=en", "BRK-C"))
    found = profile("BRK-B", "BRK-C")

    assert PARTICIPANTS_WORDS["alone"][0] in page
    assert 'href="/v1/statements/' not in page
    assert (found.positions, found.limits, found.sides) == ([], [], [])
    assert found.entry.reconciled_block is None
    assert all({"BRK-B", "BRK-C"} <= set(each.participants) for each in found.events)


def test_bank_sees_the_cash_that_it_keeps_for_others_and_nothing_else(profile):
    kept = profile("BRK-A", "BANK-1").positions

    assert kept
    assert {each.kind for each in kept} == {"cash"}
    assert profile("BRK-A", "BANK-2").positions == []


def test_positions_are_filtered_and_paged(profile):
    whole = profile("BRK-A")
    one = profile("BRK-A", asset="nova3")
    cash = profile("BRK-A", kind="cash")

    assert {each.symbol for each in one.positions} == {"NOVA3"}
    assert {each.kind for each in cash.positions} == {"cash"}
    assert one.positions_total + cash.positions_total < whole.positions_total
    assert profile("BRK-A", only_differing=True).positions_total == whole.positions_differing
    assert profile("BRK-A", first=3).positions == whole.positions[3:]


def test_activity_is_that_of_the_participant_newest_first(market, profile):
    events = profile("BRK-A").events

    sequences = [each.sequence for each in events]
    assert sequences == sorted(sequences, reverse=True)
    assert all("BRK-A" in each.participants for each in events)
    seen = profile("BRK-C", "BRK-C").events
    counted = [each.data for each in seen if each.type.startswith("org.novate.trades.")]
    assert counted
    assert all("own_count" in each and "first_position" not in each for each in counted)


@pytest.mark.parametrize("role", KeyRole, ids=lambda role: role.value)
def test_matrix_of_permissions_is_the_table_of_policies(role):
    groups = permissions_of(role)
    shown = {call.name: call.may for group in groups for call in group.calls}

    assert shown == {name: role in roles_for(name) for name in CALLERS if " /v1/" in name}


def test_nobody_is_a_page_in_both_languages(market):
    for language, word in (("en", "1002 UNKNOWN"), ("zh", "1002 UNKNOWN")):
        asked = Request(f"{market.url}/participants/NOBODY?lang={language}", headers=key_header())
        with pytest.raises(HTTPError) as refused:
            urlopen(asked)
        assert refused.value.code == 404
        assert word in refused.value.read().decode()


def test_every_event_that_is_told_has_words(pytestconfig):
    documented = (pytestconfig.rootpath / "docs/events.md").read_text()
    table = documented[documented.index("| family |") : documented.index("## List and follow")]
    named = set(re.findall(r"`([a-z_]+)`", table))

    assert named - set(EVENT_WORDS) == set()
    for words in (EVENT_WORDS, CALLER_WORDS, TOLD_WORDS):
        assert all(english and chinese for english, chinese in words.values())
    assert set(CALLER_WORDS) == {each.name.lower() for each in Caller}


def test_operator_sees_everybody(profile, market):
    for id in market.sandbox.consortium.nodes:
        assert profile(id, OPERATOR.name).is_open
