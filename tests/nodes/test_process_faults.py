"""Faults of processes are orders to their supervisor, and wishes to the nodes themselves."""

from time import monotonic, sleep

import pytest

from ledger.domain.reasons import Reason
from nodes.bus import UNDISTURBED, Disturbance
from nodes.faults.node_faults import NodeFault
from nodes.processes.faults import ProcessFaults
from nodes.processes.supervisor import ENDED, PAUSED, RUNNING, ProcessError
from nodes.wire.directory import Place
from tests.support.consortia import small_consortium


class Supervisor:
    """How everybody stands, without processes."""

    def __init__(self, ids):
        self._states = dict.fromkeys(ids, RUNNING)
        self.orders = []

    def states(self):
        return {id: Place(pid=1, port=1, state=state) for id, state in self._states.items()}

    def start(self, id):
        self._become("start", id, RUNNING)

    def kill(self, id):
        self._become("kill", id, ENDED)

    def restart(self, id):
        self._become("restart", id, RUNNING)

    def pause(self, id):
        if self._states[id] == ENDED:
            raise ProcessError(f"{id} is ended")
        self._become("pause", id, PAUSED)

    def resume(self, id):
        self._become("resume", id, RUNNING)

    def _become(self, act, id, state):
        self.orders.append((act, id))
        self._states[id] = state


@pytest.fixture
def consortium():
    built = small_consortium()
    yield built
    built.close()


@pytest.fixture
def supervisor(consortium):
    return Supervisor(consortium.nodes)


@pytest.fixture
def faults(consortium, supervisor):
    return ProcessFaults(consortium, supervisor)


def until(holds):
    deadline = monotonic() + 10
    while not holds():
        assert monotonic() < deadline
        sleep(0.02)


def shown(faults):
    return [(each.participant, each.fault, each.milliseconds) for each in faults.standing()]


def test_what_is_done_twice_is_ordered_once_and_healed_by_its_opposite(faults, supervisor):
    for fault, undo in ((NodeFault.KILL, "start"), (NodeFault.CUT_OFF, "resume")):
        supervisor.orders.clear()
        assert faults.inject(fault, "A") is None
        assert faults.inject(fault, "A") is None
        assert shown(faults) == [("A", fault, 0)]
        assert faults.heal("A") is None
        assert faults.heal("A") is None
        act = "kill" if fault is NodeFault.KILL else "pause"
        assert supervisor.orders == [(act, "A"), (undo, "A")]
        assert shown(faults) == []


def test_the_clearing_house_can_be_killed_where_it_is_a_process(faults, supervisor):
    house = "CLEARING-HOUSE"
    assert faults.inject(NodeFault.KILL, house) is None
    assert shown(faults) == [(house, NodeFault.KILL, 0)]
    # It has answered; then it ends.
    assert supervisor.orders == []
    until(lambda: supervisor.orders == [("kill", house)])
    assert faults.inject(NodeFault.RESTART, house) is None
    until(lambda: supervisor.orders == [("kill", house), ("restart", house)])


def test_a_node_is_told_how_it_is_disturbed_until_it_begins_again(faults, consortium):
    node = consortium.nodes["BANK-1"]
    faults.inject(NodeFault.SLOW, "BANK-1", milliseconds=7)
    faults.inject(NodeFault.DUPLICATE, "BANK-1")
    assert node.disturbance == Disturbance(is_duplicated=True, milliseconds=7)
    expected = [("BANK-1", NodeFault.SLOW, 7), ("BANK-1", NodeFault.DUPLICATE, 0)]
    assert shown(faults) == expected
    faults.heal("BANK-1")
    assert node.disturbance == UNDISTURBED
    faults.inject(NodeFault.DUPLICATE, "BANK-1")
    faults.inject(NodeFault.RESTART, "BANK-1")
    assert shown(faults) == []


def test_what_was_disturbed_before_the_clearing_house_began_again_is_healed(
    faults, consortium, supervisor
):
    faults.inject(NodeFault.DUPLICATE, "BANK-1")
    begun_again = ProcessFaults(consortium, supervisor)
    begun_again.heal("BANK-1")

    assert consortium.nodes["BANK-1"].disturbance == UNDISTURBED


@pytest.mark.parametrize(
    ("fault", "participant", "milliseconds", "reason"),
    [
        (NodeFault.KILL, "NOBODY", 0, Reason.UNKNOWN),
        (NodeFault.SLOW, "A", 0, Reason.INVALID),
        (NodeFault.SLOW, "A", 60_001, Reason.INVALID),
    ],
)
def test_what_cannot_be_done_is_refused(faults, fault, participant, milliseconds, reason):
    refusal = faults.inject(fault, participant, milliseconds=milliseconds)

    assert refusal.reason is reason


def test_what_the_supervisor_does_not_do_is_said(faults):
    faults.inject(NodeFault.KILL, "A")

    assert faults.inject(NodeFault.CUT_OFF, "A").reason is Reason.UNAVAILABLE
