import pytest
from orders import Desk


@pytest.fixture
def desk(novate_client):
    return Desk(novate_client)


def test_execution_settles_against_cash(novate, desk):
    trade = desk.send("T1", seller="BRK-A", buyer="BRK-B")

    assert novate.assert_settled(trade)["amount"] == "1050.00"
    assert desk.cash("BRK-B") == "999998950.00"
    novate.assert_conserved()
    novate.assert_no_breaks()


def test_each_test_has_a_network_of_its_own(novate, desk):
    desk.send("T1", seller="BRK-B", buyer="BRK-C", quantity="7")

    assert len(novate.client.get("/v1/trades")["data"]) == 1


def test_number_cannot_stand_for_two_trades(novate, desk):
    desk.send("T1", seller="BRK-A", buyer="BRK-B")

    with novate.refuses("DUPLICATE"):
        desk.send("T1", seller="BRK-A", buyer="BRK-B", price="10.51")


def test_broker_does_not_see_what_others_trade(novate, desk):
    desk.send("T1", seller="BRK-A", buyer="BRK-B")

    assert novate.as_("BRK-B").get("/v1/trades")["data"]
    assert not novate.as_("BRK-C").get("/v1/trades")["data"]


def test_forgotten_execution_is_a_break_until_the_desk_reports_it(
    novate, desk, novate_events, novate_faults
):
    novate_faults.inject("blotter-missing", "BRK-A")
    trade = desk.send("T1", seller="BRK-A", buyer="BRK-B")
    novate_events.wait_for("break.opened")

    with pytest.raises(pytest.fail.Exception, match="records do not agree"):
        novate.assert_no_breaks()
    novate_faults.heal("BRK-A")
    novate.assert_settled(trade)
    novate.assert_no_breaks()


def test_instruction_without_cash_fails_at_the_end_of_the_day(novate, novate_clock):
    novate.client.post(
        "/v1/instructions",
        {
            "kind": "dvp",
            "label": "DVP-1",
            "seller": "BRK-A",
            "buyer": "BRK-B",
            "instrument": "NOVA1",
            "quantity": "100",
            "amount": "1000000500.00",
        },
    )

    novate_clock.end_of_day()

    failed = novate.client.get("/v1/instructions/DVP-1")
    assert (failed["state"], failed["why"]["reason"]) == ("failed", "LATE")


@pytest.mark.novate(cycle_seconds=0)
def test_trades_of_a_cycle_are_netted(novate, desk):
    desk.send("T1", seller="BRK-A", buyer="BRK-B")
    desk.send("T2", seller="BRK-B", buyer="BRK-A", quantity="60")

    cycle = novate.client.post("/v1/cycles")

    assert (cycle["state"], cycle["trades"]) == ("settled", 2)
    novate.assert_conserved()
