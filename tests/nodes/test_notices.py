"""Notices are kept until they are taken, in order and over restarts; not after a refusal."""

from contextlib import suppress

import pytest

from nodes.bus import InProcessBus, UnreachableError
from nodes.entering import enter
from nodes.faults.in_process import InProcessFaults
from nodes.faults.node_faults import NodeFault
from nodes.messages import SignedCycle, SignedSet
from nodes.notices import AT_ONCE_MAX
from tests.support.consortia import answering, capture, small_consortium, trades_of
from tests.support.instructions import entry_of


@pytest.fixture
def consortium():
    built = small_consortium()
    yield built
    built.close()


def clear(consortium, *names):
    """One cycle a name."""
    for name in names:
        capture(consortium, trades_of(consortium.network, (name, "A", "B", 1, 10)))
        consortium.clearing_house.net.close()


def heard_by(consortium, participant, kind):
    """What a participant is told from now on; it takes everything."""
    heard, honest = [], consortium.nodes[participant].handle

    def take(message):
        heard.append(message)
        return honest("CLEARING-HOUSE", message)

    answering(consortium, participant, kind, take)
    return heard


def waiting(consortium, participant):
    return consortium.clearing_house.notices.waiting_for(participant)


def test_who_was_away_is_told_everything_it_has_missed_in_order_and_once(consortium):
    faults = InProcessFaults(consortium)
    faults.inject(NodeFault.CUT_OFF, "BANK-1")
    clear(consortium, "T1", "T2", "T3")
    assert consortium.reconcile() == 0
    assert waiting(consortium, "BANK-1") == 3
    faults.heal("BANK-1")
    heard = heard_by(consortium, "BANK-1", SignedCycle)

    assert consortium.reconcile() == 0

    cycles = consortium.clearing_house.cycles.all()
    assert [each.cycle.id for each in heard] == [row.id for row in cycles]
    assert waiting(consortium, "BANK-1") == 0
    consortium.clearing_house.work()
    assert len(heard) == 3


def test_nothing_is_kept_of_what_was_taken_at_once(consortium):
    clear(consortium, "T1")
    with consortium.clearing_house.database.reading() as session:
        rows = session.connection().exec_driver_sql("SELECT count(*) FROM deliveries").scalar()

    assert rows == 0


def test_notices_outlive_the_house_that_keeps_them(tmp_path):
    consortium = small_consortium(path=tmp_path)
    InProcessFaults(consortium).inject(NodeFault.KILL, "REGISTRAR")
    clear(consortium, "T1", "T2")
    assert waiting(consortium, "REGISTRAR") == 2
    consortium.close()

    again = small_consortium(path=tmp_path)
    assert waiting(again, "REGISTRAR") == 2
    assert again.reconcile() == 0
    assert waiting(again, "REGISTRAR") == 0
    again.close()


def test_a_refusal_is_final_and_stays_on_record(consortium):
    refused = []

    def refuse(message):
        refused.append(message)
        raise PermissionError("not signed by all")

    answering(consortium, "BANK-1", SignedCycle, refuse)
    clear(consortium, "T1")
    for _ in range(3):
        consortium.clearing_house.work()

    assert len(refused) == 1
    assert waiting(consortium, "BANK-1") == 0
    [row] = consortium.clearing_house.notices.refused()
    assert (row.recipient, row.kind, row.refusal) == ("BANK-1", "cycle", "not signed by all")


def test_who_is_away_is_left_alone_for_a_while_and_keeps_nobody_waiting(consortium):
    asked = []

    def away(message):
        asked.append(message)
        raise UnreachableError("BANK-2 is away")

    clock, now = consortium.clock, [10**12]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(clock), "stopwatch_ns", lambda _: now[0])
        answering(consortium, "BANK-2", SignedCycle, away)
        clear(consortium, "T1", "T2")
        for _ in range(20):
            consortium.clearing_house.work()
        assert len(asked) == 1
        lengths = []
        for _ in range(10):
            before, started = len(asked), now[0]
            while len(asked) == before:
                now[0] += 10_000_000
                consortium.clearing_house.work()
            lengths.append((now[0] - started) // 10_000_000)

    assert lengths == [5, 10, 20, 40, 80, 160, 320, 500, 500, 500]
    assert len({each.cycle.id for each in asked}) == 1


def test_one_recipient_is_sent_only_so_much_in_one_go(consortium):
    house = consortium.clearing_house
    clear(consortium, "T1")
    with house.database.transaction() as session:
        for _ in range(AT_ONCE_MAX + 5):
            house.notices.put(session, ["BANK-1"], "cycle", "1")

    assert house.notices.work() == AT_ONCE_MAX
    assert house.notices.work() == 5
    assert consortium.reconcile() == 0


def test_a_killed_sender_tells_again_what_it_does_not_know_to_be_taken(consortium):
    """Taken but not noted: it is told twice, and that changes nothing."""
    heard = heard_by(consortium, "BANK-1", SignedCycle)
    with pytest.MonkeyPatch.context() as patched, suppress(KeyboardInterrupt):

        def die(*_):
            raise KeyboardInterrupt

        patched.setattr(type(consortium.clearing_house.outbox), "deliver", die)
        clear(consortium, "T1")
    assert len(heard) == 1
    consortium.start_node("CLEARING-HOUSE")
    assert len(heard) == 2

    assert consortium.reconcile() == 0
    assert waiting(consortium, "BANK-1") == 0


def test_a_payee_that_was_away_books_what_it_was_paid(consortium):
    faults = InProcessFaults(consortium)
    enter(consortium, entry_of(consortium, "P1", "A", "B", 0, 40))
    original = InProcessBus.request

    def lost(bus, sender, recipient, message):
        if recipient in ("A", "B") and isinstance(message, SignedSet):
            raise UnreachableError("lost")
        return original(bus, sender, recipient, message)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(InProcessBus, "request", lost)
        consortium.clearing_house.work()
        consortium.catch_up()
        assert sum(len(node.breaks()) for node in consortium.nodes.values()) == 0
    for participant in ("A", "B"):
        faults.inject(NodeFault.RESTART, participant)

    assert consortium.reconcile() == 0
    assert waiting(consortium, "A") + waiting(consortium, "B") == 0
