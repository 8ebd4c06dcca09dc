"""What holds of every screen: both languages, nothing from elsewhere, readable by everybody."""

import hashlib
import importlib
import json
import re

import pytest

from api.web.participants.permissions import GROUP_NAMES
from api.web.places import PLACES
from api.web.sandbox.screen import SECTIONS
from api.web.sandbox.words import SANDBOX_WORDS
from api.web.shell_words import SHELL_WORDS
from api.web.trades.story import Status
from api.web.words import BREAK_KINDS, STATES
from ledger.domain.breaks import BreakKind
from ledger.domain.participants import Role
from nodes.faults.desk_faults import RUNNING_FAULTS
from tests.support.browser import needs_chromium, opened_page
from tests.support.clients import key_header
from tests.support.pages import serious_violations

SCREENS = [
    "sign_in",
    "today",
    "trades",
    "cycles",
    "reconciliation",
    "liquidity",
    "participants",
    "chain",
    "sandbox",
]
SAID_BY_CODE = {
    "sign_in": {"wrong_key", "ticket_used"},
    "today": {role.value for role in Role},
    "trades": {f"stage_{status.value}" for status in Status},
    "liquidity": {"algorithm_fifo", "algorithm_bypass", "algorithm_optimum"},
    "participants": {role.value for role in Role} | {f"group_{name}" for name in GROUP_NAMES},
    "chain": {"securities", "cash"},
    "reconciliation": {
        *(f"side_{each}" for each in ("own_blotter", "exchange", "statement", "ours", "theirs")),
        *(f"done_{each}" for each in ("assign", "comment", "resolve", "reopen")),
        *(f"record_{each}" for each in ("own_books", "statements")),
        *(f"record_{each}_is" for each in ("on_ledger", "own_books", "statements")),
        "kind_trade",
        "kind_position",
    },
    "sandbox": {
        *(section.word for section in SECTIONS),
        *(
            f"{what}_{fault}"
            for what in ("fault", "seen")
            for fault in RUNNING_FAULTS
            if fault != "heal"
        ),
        *(word for word in SANDBOX_WORDS if word.startswith(("done_", "only_", "attempt_"))),
        *("stub_match", "stub_differ", "clock_not_by_hand", "only_operator"),
    },
}
"""Words that are chosen by code, not written in a template."""


@pytest.fixture
def web(request):
    return request.config.rootpath / "api/web"


def words_in(paths):
    text = "".join(path.read_text() for path in paths)
    return set(re.findall(r"\bt\('(\w+)'\)", text))


@pytest.mark.parametrize("screen", SCREENS)
def test_every_word_of_a_screen_is_used_and_there_in_both_languages(web, screen):
    module = importlib.import_module(f"api.web.{screen}.words")
    words = getattr(module, f"{screen.upper()}_WORDS")
    used = words_in((web / "templates" / screen).glob("*.html")) | SAID_BY_CODE.get(screen, set())

    assert used - set(SHELL_WORDS) == set(words)
    assert all(english and chinese for english, chinese in words.values())
    assert not set(words) & set(SHELL_WORDS)


def test_every_word_of_the_shell_is_used_and_there_in_both_languages(web):
    used = words_in((web / "templates").rglob("*.html")) | {place.word for place in PLACES}

    assert set(SHELL_WORDS) <= used
    assert all(english and chinese for english, chinese in SHELL_WORDS.values())


def test_every_folder_of_templates_is_a_screen(web):
    assert {path.name for path in (web / "templates").iterdir() if path.is_dir()} == set(SCREENS)


@pytest.mark.parametrize("table", [BREAK_KINDS, STATES], ids=["breaks", "states"])
def test_shared_words_are_there_in_both_languages(table):
    assert all(english and chinese for english, chinese in table.values())


def test_every_kind_of_break_has_words():
    assert set(BREAK_KINDS) == {kind.value for kind in BreakKind}


def test_what_comes_from_elsewhere_is_listed_with_its_version_licence_and_hash(web):
    vendor = web / "static/vendor"
    listed = json.loads((vendor / "vendor.json").read_text())

    for each in listed:
        digest = hashlib.sha256((vendor / each["file"]).read_bytes()).hexdigest()
        assert digest == each["sha256"], each["file"]
        assert each["version"] in each["file"]
    named = {each["file"] for each in listed} | {each["licence_file"] for each in listed}
    assert {path.name for path in vendor.iterdir()} == named | {"vendor.json"}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.word)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_screen_speaks_its_language_and_asks_nobody_else(market, place, language):
    page = market.get(f"{place.path}?lang={language}")

    title = SHELL_WORDS[place.word][("en", "zh").index(language)]
    assert f'aria-current="page">{title}<' in page
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page) == []
    assert page.count("<h1") == 1
    assert "style=" not in page


@needs_chromium
def test_every_screen_is_without_errors_and_open_to_everybody(market):
    found = []
    with opened_page(extra_http_headers=key_header(), locale="en-GB") as (page, errors):
        for place in PLACES:
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.goto(f"{market.url}{place.path}")
                page.locator("#status .alive").wait_for()
                found += [f"{place.path} {scheme} {each}" for each in serious_violations(page)]

    assert found == []
    assert errors == []
