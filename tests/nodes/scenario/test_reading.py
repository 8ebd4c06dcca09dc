"""Files that are no scenarios are refused with line and key; the others are read as they say."""

import sys
from datetime import date

import pytest

from ledger.domain.instructions import Priority
from ledger.domain.rules import Gridlock, Rules
from ledger.settlement.matching import Entitlement
from nodes.scenario.document import ScenarioError
from nodes.scenario.loader import load_story
from nodes.scenario.story import InstructEvent, SideEvent

HEAD = """
scenario: s
participants:
- {id: A, role: broker}
- {id: B, role: broker}
instruments:
- {isin: X}
opening: {cash: {A: '100', B: '100'}, securities: {A: {X: 10}}}
"""
TRADE = "events:\n- trade: {id: T1, isin: X, quantity: 1, price: 'PRICE', seller: A, buyer: B}\n"
SIDE = "side: {by: B, id: P1, kind: pay, payer: A, payee: B, amount: '1'"
PAYMENT = "instruct: {id: P1, kind: pay, payer: A, payee: B, amount: '1'"


def tell(tmp_path, text):
    path = tmp_path / "story.yaml"
    path.write_text(HEAD + text)
    return path


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("colour: red\n", 9, "a key among"),
        ("events: 3\n", 9, "a list"),
        ("events:\n- dance: {}\n", 10, "a verb among"),
        ("events:\n- {fund: {account: A, amount: '1'}, cycle: close}\n", 10, "exactly one verb"),
        ("events:\n- fund: {account: A}\n", 10, "the key amount"),
        ("events:\n- fund: {account: A, amount: 1.50}\n", 10, "the number 1.50: put quotes"),
        ("expect: {securities: {A: {X: 99999999999999999999}}}\n", 9, "a whole number up to"),
        ("expect: {breaks: " + "9" * 5_000 + "}\n", 9, "a whole number up to"),
        ("business_date: 1960-01-01\n", 2, "a business date from 1970-01-01 on"),
        ("events:\n- deposit: {account: A, isin: US0378331006, quantity: 1}\n", 10, "digit 5"),
        ("events:\n- fund: {account: A, amount: '-1'}\n", 10, "a decimal amount"),
        ("events:\n- fund: {account: A, amount: '0'}\n", 10, "above zero"),
        (
            "events:\n- {at: '10:00', cycle: close}\n- {at: '09:59', cycle: close}\n",
            11,
            "not before",
        ),
        ("events:\n- {at: '25:00', cycle: close}\n", 10, "a quoted time"),
        ("expect: {instructions: {T1: done}}\n", 9, "captured or settled"),
        ("expect: {cash: {A: {XXX: '1'}}}\n", 9, "a currency code"),
        ("expect: {securities: {A: {Y: 1}}}\n", 9, "an instrument of the story"),
        ("rules: {dvp_model: 3}\n", 9, "dvp_model 1 with settlement gross"),
        ("rules: {speed: high}\n", 9, "a key among"),
        ("rules: {queue: fifo, queue: bypass}\n", 9, "only once"),
        ("events: [\n", 10, "YAML or JSON"),
        ("events:\n- hold: {instruction: P1}\n", 10, "a single value"),
        (f"events:\n- {SIDE.replace('by: B, ', '')}}}\n", 10, "the key by"),
        (f"events:\n- {SIDE.replace('id: P1', 'id: P 1')}}}\n", 10, "a reference of 1 to 24"),
        (f"events:\n- {SIDE.replace('payer: A', 'payer: B/own')}}}\n", 10, "two participants"),
        (f"events:\n- {SIDE}, entitlement: full}}\n", 10, "cum or ex"),
        (f"events:\n- {SIDE}, settlement_date: today}}\n", 10, "a date such as"),
        (f"events:\n- {SIDE}, side: payer}}\n", 10, "a key among"),
        ("events:\n- cancel: {instruction: P1}\n", 10, "the key by"),
        ("events:\n- cancel: P1\n", 10, "a mapping"),
        ("events:\n- prioritise: {instruction: P1, priority: low, by: A}\n", 10, "urgent or high"),
        ("events:\n- prioritise: {instruction: P1, priority: high}\n", 10, "the key by"),
        ("events:\n- resolve: off\n", 10, "fifo or bypass or optimum"),
        ("events:\n- cycle: open\n", 10, "close"),
        ("events:\n- suspend: A/client\n", 10, "a participant id"),
        ("events:\n- silent: [A]\n", 10, "a single value"),
        ("events:\n- clock: 11:00\n", 10, "a quoted time"),
        ("events:\n- clock: noon\n", 10, "a quoted time"),
        ("events:\n- clock: '10:00'\n- clock: '09:59'\n", 11, "not before"),
        ("events:\n- clock: end_of_day\n- {at: '17:00', settle: P1}\n", 11, "not before"),
        ("events:\n- {at: 660, settle: P1}\n", 10, "a quoted time"),
        ("events:\n- {at: '08:59:59', settle: P1}\n", 10, "not before"),
        ("events:\n- {at: '9:30', settle: P1}\n", 10, "a quoted time"),
        (f"events:\n- {PAYMENT}, priority: 1}}\n", 10, "urgent or high or normal"),
        (f"events:\n- {PAYMENT}, hold: maybe}}\n", 10, "true or false"),
        (f"events:\n- {PAYMENT}, partial: some}}\n", 10, "true or false"),
        (f"events:\n- {PAYMENT}, expires: 11:00}}\n", 10, "a quoted time"),
        (f"events:\n- {PAYMENT}, expires: '08:00'}}\n", 10, "not before"),
        (f"events:\n- {PAYMENT}, link: [P2]}}\n", 10, "a mapping"),
        (f"events:\n- {PAYMENT}, link: {{with: P2}}}}\n", 10, "a list"),
        (f"events:\n- {PAYMENT}, link: {{with: []}}}}\n", 10, "at least one id"),
        (f"events:\n- {PAYMENT}, link: {{with: [P1]}}}}\n", 10, "another instruction"),
        (f"events:\n- {PAYMENT}, isin: X}}\n", 10, "a key among"),
        ("events:\n- instruct: {id: P1, amount: '1'}\n", 10, "the key kind"),
        (
            "events:\n- instruct: {id: P1, kind: pay, payer: A, payee: B, amount: '0'}\n",
            10,
            "above zero",
        ),
        (
            TRADE.replace("PRICE", "0.001"),
            10,
            "quantity times price",
        ),
        ("events:\n- reserve: {account: A, quantity: 1}\n", 10, "the key isin"),
        ("events:\n- reserve: {account: A, isin: X, amount: '1'}\n", 10, "a key among"),
        ("events:\n- unreserve: {account: A}\n", 10, "the key amount"),
        ("events:\n- repeat: {fund: {account: A, amount: '1'}}\n", 10, "a key among"),
        ("events:\n- repeat: {event: {clock: '10:00'}}\n", 10, "an event that is a message"),
        ("events:\n- fault: {participant: A}\n", 10, "the key at"),
        ("events:\n- fault: {at: lightning}\n", 10, "blotter-missing or"),
        ("events:\n- fault: {at: blotter-missing, trade: T1}\n", 10, "the key participant"),
        ("events:\n- fault: {at: silent, participant: A, trade: T1}\n", 10, "a key among"),
        ("events:\n- fault: {at: short-cash, account: A, amount: '101'}\n", 10, "at most"),
        ("rules: {dvp_model: 1, settlement: net}\n", 9, "dvp_model 1 with settlement gross"),
        ("rules: {dvp_model: 2, settlement: gross}\n", 9, "2 or 3 with net"),
        ("rules: {dvp_model: 4, settlement: net}\n", 9, "1 or 2 or 3"),
        ("rules: {gridlock: on}\n", 9, "off or fifo or bypass or optimum"),
        ("rules: {queue: lifo}\n", 9, "fifo or bypass"),
        ("rules: {partial: fifo}\n", 9, "off or on"),
        ("rules: {auto_settle: later}\n", 9, "true or false"),
        ("rules: {expiry_default: never}\n", 9, "end_of_day"),
        ("rules: {rounding: down}\n", 9, "half_up"),
        ("rules: {partial_minimum_cash: 0.5}\n", 9, "put quotes"),
        ("rules: {partial_minimum_cash: {share: '1'}}\n", 9, "a single value"),
        ("rules: [fifo]\n", 9, "a mapping"),
        ("calendar: [XSHG]\n", 9, "a single value"),
        ("expect: {cash: {Z: '1'}}\n", 9, "an account of a participant"),
        ("expect: {available: {A: {X: '1.5'}}}\n", 9, "a whole number"),
        ("expect: {refusals: [{id: P1}]}\n", 9, "the key reason"),
        ("expect: {refusals: [{id: P1, reason: NO}]}\n", 9, "INVALID or UNKNOWN"),
        ("expect: {movements: {shares: 1}}\n", 9, "a key among"),
    ],
)
def test_file_that_is_no_scenario_is_refused_with_line_and_key(tmp_path, text, line, words):
    with pytest.raises(ScenarioError) as caught:
        load_story(tell(tmp_path, text))

    assert caught.value.line == line
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("instrument", "words"),
    [
        ("{isin: Y, unit: piece}", "share or nominal"),
        ("{isin: Y, minimum_lot: 0}", "a whole number from 1"),
        ("{isin: Y, settlement_unit: '1.5'}", "a whole number from 1"),
        ("{isin: Y, price: 0}", "a price above zero"),
        ("{isin: Y, liquid: very}", "true or false"),
        ("{isin: Y, colour: red}", "a key among"),
        ("{isin: X}", "without repetition"),
    ],
)
def test_instrument_that_is_none_is_refused(tmp_path, instrument, words):
    path = tell(tmp_path, "")
    path.write_text(path.read_text().replace("- {isin: X}", f"- {{isin: X}}\n- {instrument}"))

    with pytest.raises(ScenarioError, match=words):
        load_story(path)


def test_rules_have_the_defaults_of_the_rulebook_and_the_overrides_of_the_story(tmp_path):
    plain = load_story(tell(tmp_path, "")).rules
    text = "rules: {partial: on, gridlock: optimum, auto_settle: no, partial_minimum_cash: '5'}\n"
    other = load_story(tell(tmp_path, text)).rules

    assert plain == Rules()
    assert (plain.partial_minimum_cash_share, plain.partial_minimum_cash_nominal) == (
        1_000_000,
        10_000_000,
    )
    assert other == Rules(
        partial=True,
        gridlock=Gridlock.OPTIMUM,
        auto_settle=False,
        partial_minimum_cash_share=500,
        partial_minimum_cash_nominal=500,
    )


@pytest.mark.parametrize("off", ["off", "Off", "false", "no", "'off'", "'false'"])
def test_off_is_the_same_word_however_it_is_written(tmp_path, off):
    story = load_story(tell(tmp_path, f"rules: {{gridlock: {off}, partial: {off}}}\n"))

    assert story.rules == Rules()


def test_net_settlement_is_model_3_unless_it_is_said(tmp_path):
    models = [
        load_story(tell(tmp_path, f"rules: {{settlement: net{more}}}\n")).rules.dvp_model
        for more in ("", ", dvp_model: 2", ", dvp_model: 3")
    ]

    assert models == [3, 2, 3]


def test_options_of_an_instruction_are_read(tmp_path):
    options = "priority: high, hold: true, partial: true, expires: '11:00:30', link: {with: [P2]}"
    [timed] = load_story(tell(tmp_path, f"events:\n- {PAYMENT}, {options}}}\n")).events

    assert timed.event == InstructEvent(
        id="P1",
        deliverer="B",
        receiver="A",
        currency="CNY",
        amount=100,
        priority=Priority.HIGH,
        is_held=True,
        may_be_partial=True,
        expires=11 * 3600 + 30,
        linked_to=("P2",),
    )


def test_options_of_a_side_are_read(tmp_path):
    options = "settlement_date: 2026-02-11, common_reference: R, entitlement: ex, hold: true"
    [timed] = load_story(tell(tmp_path, f"events:\n- {SIDE}, {options}}}\n")).events

    terms = InstructEvent(
        id="P1", deliverer="B", receiver="A", currency="CNY", amount=100, is_held=True
    )
    assert timed.event == SideEvent(
        by="B",
        terms=terms,
        settlement_date=date(2026, 2, 11),
        common_reference="R",
        entitlement=Entitlement.EX,
    )


def test_expiry_of_a_message_that_comes_again_may_be_past(tmp_path):
    message = f"{PAYMENT}, expires: '10:00'}}"
    text = f"events:\n- {message}\n- {{at: '11:00', repeat: {{event: {{{message}}}}}}}\n"

    assert len(load_story(tell(tmp_path, text)).events) == 2


def test_opening_position_of_somebody_who_does_not_trade_is_refused(tmp_path):
    path = tell(tmp_path, "")
    path.write_text(path.read_text().replace("cash: {A:", "cash: {EXCHANGE:"))

    with pytest.raises(ScenarioError, match="accounts of brokers and banks"):
        load_story(path)


def test_document_that_is_nested_too_deeply_is_refused(tmp_path):
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000)
    try:
        with pytest.raises(ScenarioError, match="less deep"):
            load_story(tell(tmp_path, "events: " + "[" * 3_000 + "]" * 3_000 + "\n"))
    finally:
        sys.setrecursionlimit(limit)
