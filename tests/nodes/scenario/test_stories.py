"""Stories beyond the pack: funding, free deliveries, silence, and what a wrong expectation says."""

import pytest

from nodes.scenario.loader import load_story
from nodes.scenario.result import result_of
from nodes.scenario.runner import play

HEAD = """
scenario: s
participants:
- {id: A, role: broker}
- {id: B, role: broker}
instruments:
- {isin: X}
opening: {cash: {A: '100', B: '100'}, securities: {A: {X: 10}}}
"""


def tell(tmp_path, text):
    path = tmp_path / "story.yaml"
    path.write_text(HEAD + text)
    return path


def result(path):
    played = play(load_story(path))
    try:
        return result_of(played)
    finally:
        played.consortium.close()


def test_money_and_shares_go_in_and_out(tmp_path):
    found = result(
        tell(
            tmp_path,
            """
events:
- fund: {account: A, amount: '50'}
- defund: {account: B, amount: '30.50'}
- defund: {id: D2, account: B, amount: '100'}
- deposit: {account: B, isin: X, quantity: 5}
- withdraw: {account: A, isin: X, quantity: 4}
- withdraw: {id: W2, account: A, isin: X, quantity: 7}
expect:
  cash: {A: '150', B: {CNY: '69.50'}}
  securities: {A: {X: 6}, B: {X: 5}}
  refusals: [{id: D2, reason: MONY}, {id: W2, reason: LACK}]
  breaks: 0
""",
        )
    )

    assert found.differences == []


def test_instructions_of_each_kind_settle_and_count_their_legs(tmp_path):
    found = result(
        tell(
            tmp_path,
            """
events:
- instruct: {id: I1, kind: dvp, seller: A, buyer: B, isin: X, quantity: 2, amount: '20'}
- instruct: {id: I2, kind: fop, from: A, to: B, isin: X, quantity: 1}
- instruct: {id: I3, kind: pay, payer: B, payee: A, amount: '5'}
- instruct: {id: I3, kind: pay, payer: B, payee: A, amount: '5'}
- instruct: {id: I3, kind: pay, payer: B, payee: A, amount: '6'}
- instruct: {id: I4, kind: pay, payer: B, payee: Z, amount: '6'}
expect:
  instructions: {I1: settled, I2: settled, I3: settled, I4: refused}
  cash: {A: '125', B: '75'}
  securities: {A: {X: 7}, B: {X: 3}}
  movements: {securities: 2, cash: 2}
  settled_value: '25'
  refusals: [{id: I3, reason: DUPLICATE}, {id: I4, reason: UNKNOWN}]
  breaks: 0
""",
        )
    )

    assert found.differences == []


def test_what_waits_settles_when_the_money_arrives(tmp_path):
    found = result(
        tell(
            tmp_path,
            """
events:
- instruct: {id: P1, kind: pay, payer: A, payee: B, amount: '150'}
- instruct: {id: P2, kind: pay, payer: A, payee: B, amount: '10'}
- fund: {account: A, amount: '60'}
expect:
  instructions: {P1: settled, P2: settled}
  cash: {A: '0', B: '260'}
""",
        )
    )

    assert found.differences == []


def test_wrong_expectations_are_listed_one_by_one(tmp_path):
    found = result(
        tell(
            tmp_path,
            """
events:
- trade: {id: T1, isin: X, quantity: 2, price: '10', seller: A, buyer: B}
expect:
  cash: {A: '1'}
  securities: {B: {X: 3}}
  instructions: {T1: {state: queued, reason: LACK}, T2: settled}
  movements: {cash: 7}
  breaks: 1
""",
        )
    )

    assert not found.passed
    assert [(d["path"], d["expected"], d["actual"]) for d in found.differences] == [
        ("cash.A.CNY", "1.00", "120.00"),
        ("securities.B.X", "3", "2"),
        ("instructions.T1", "queued", "settled"),
        ("instructions.T2", "settled", "unknown"),
        ("movements.cash", "7", "1"),
        ("breaks", "1", "0"),
    ]


def test_money_of_a_silent_participant_and_trades_of_the_exchange_are_refused(tmp_path):
    found = result(
        tell(
            tmp_path,
            """
events:
- trade: {id: T1, isin: X, quantity: 1, price: '1', seller: EXCHANGE, buyer: A}
- instruct: {id: I1, kind: pay, payer: REGISTRAR, payee: A, amount: '5'}
- fund: {id: F1, account: CLEARING-HOUSE, amount: '5'}
- silent: A
- defund: {id: D1, account: A, amount: '1'}
expect:
  refusals:
  - {id: T1, reason: INVALID}
  - {id: I1, reason: INVALID}
  - {id: F1, reason: INVALID}
  - {id: D1, reason: SILENT}
  cash: {A: '100'}
  breaks: 0
""",
        )
    )

    assert found.differences == []


def test_json_is_read_like_yaml(tmp_path):
    path = tmp_path / "story.json"
    path.write_text('{"scenario": "j", "participants": [{"id": "A", "role": "broker"}]}')

    assert result(path).passed


@pytest.mark.parametrize(
    "text",
    [
        """
events:
- {fund: {id: F1, account: A, amount: '10'}}
- {fund: {id: F1, account: A, amount: '500'}}
- {fund: {id: F1, account: B, amount: '7'}}
expect:
  cash: {A: '110.00', B: '100.00'}
  refusals: [{id: F1, reason: DUPLICATE}, {id: F1, reason: DUPLICATE}]
  breaks: 0
""",
        """
events:
- {defund: {id: D1, account: A, amount: '1000'}}
- {defund: {id: D1, account: A, amount: '10'}}
expect:
  cash: {A: '100.00'}
  refusals: [{id: D1, reason: MONY}, {id: D1, reason: DUPLICATE}]
  breaks: 0
""",
        """
events:
- {fund: {id: F1, account: A, amount: '10'}}
- {deposit: {id: F1, account: A, isin: X, quantity: 5}}
expect: {cash: {A: '110.00'}, securities: {A: {X: 15}}, refusals: [], breaks: 0}
""",
        """
events:
- {fund: {account: A, amount: '10'}}
- {repeat: {event: {fund: {account: A, amount: '10'}}}}
expect: {cash: {A: '110.00'}, refusals: [], breaks: 0}
""",
    ],
    ids=["other content", "after a refusal", "other register", "repeat without an id"],
)
def test_same_id_is_the_same_movement_and_other_content_is_refused(tmp_path, text):
    assert result(tell(tmp_path, text)).differences == []


@pytest.mark.parametrize(
    "text",
    [
        """
events:
- silent: CLEARING-HOUSE
- trade: {id: T1, isin: X, quantity: 5, price: '10', seller: A, buyer: B}
- instruct: {id: P1, kind: pay, payer: A, payee: B, amount: '1'}
- settle: P1
- clock: end_of_day
expect:
  instructions: {T1: captured, P1: {state: refused, reason: SILENT}}
  refusals: [{id: P1, reason: SILENT}, {id: P1, reason: SILENT}]
""",
        """
events:
- silent: EXCHANGE
- silent: REGISTRAR
- silent: BANK
- trade: {id: T1, isin: X, quantity: 5, price: '10', seller: A, buyer: B}
- fund: {id: F1, account: A, amount: '1'}
- deposit: {id: D1, account: A, isin: X, quantity: 1}
expect:
  instructions: {T1: refused}
  refusals: [{id: T1, reason: SILENT}, {id: F1, reason: SILENT}, {id: D1, reason: SILENT}]
""",
    ],
    ids=["the clearing house", "who else is asked"],
)
def test_who_does_not_answer_takes_nothing_and_ends_no_story(tmp_path, text):
    assert result(tell(tmp_path, text)).differences == []


def test_cycle_under_gross_settlement_finds_no_trade_waiting(tmp_path):
    text = """
events:
- trade: {id: T1, isin: X, quantity: 5, price: '10', seller: A, buyer: B}
- trade: {id: T2, isin: X, quantity: 50, price: '1', seller: A, buyer: B}
- cycle: close
expect:
  instructions: {T1: settled, T2: {state: queued, reason: LACK}}
  movements: {securities: 1, cash: 1}
  net: {securities: {A: {X: 0}}}
"""
    assert result(tell(tmp_path, text)).differences == []


def test_what_was_cancelled_is_not_settled_when_it_is_named(tmp_path):
    text = """
events:
- instruct: {id: P1, kind: pay, payer: A, payee: B, amount: '150'}
- cancel: {instruction: P1, by: A}
- settle: P1
expect:
  instructions: {P1: cancelled}
  refusals: [{id: P1, reason: FINAL}]
"""
    assert result(tell(tmp_path, text)).differences == []


def test_opening_position_without_its_shortage_is_what_the_story_begins_with(tmp_path):
    text = """
events:
- fault: {at: short-securities, account: A, isin: X, quantity: 10}
- fault: {at: short-cash, account: A, amount: '0.01'}
expect: {cash: {A: '99.99', A/client: '0'}, securities: {A: {X: 0}}, breaks: 0}
"""
    assert result(tell(tmp_path, text)).differences == []
