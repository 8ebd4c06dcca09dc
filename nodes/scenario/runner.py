"""Playing a story on a consortium: the real contracts, the real engine, all nodes.

After each event, and after the clock has moved before it, every node catches up and the clearing
house looks at its queue. After the last event nothing moves any more; the nodes reconcile.
"""

from typing import assert_never

import msgspec

from ledger.domain.reasons import Reason, Rejected
from ledger.domain.rules import SettlementMode
from nodes.bus import UnreachableError
from nodes.clock import SimulatedClock
from nodes.engine import Engine
from nodes.faults.in_process import InProcessFaults
from nodes.faults.node_faults import NodeFault
from nodes.founding import open_consortium
from nodes.keys import fresh_seed
from nodes.scenario.balances import Balances
from nodes.scenario.faults import OF_NODES, SHORTAGES, SILENT, ScenarioFault
from nodes.scenario.orders import Orders
from nodes.scenario.played import Played
from nodes.scenario.scene import Scene
from nodes.scenario.story import (
    CancelEvent,
    ClockEvent,
    CycleEvent,
    Event,
    FaultEvent,
    HoldEvent,
    InstructEvent,
    MoveEvent,
    PrioritiseEvent,
    ReinstateEvent,
    ReleaseEvent,
    RepeatEvent,
    ReserveEvent,
    ResolveEvent,
    SettleEvent,
    SideEvent,
    SilentEvent,
    Story,
    SuspendEvent,
    TimedEvent,
    TradeEvent,
)
from nodes.validators import ALONE, Seating


def play(story: Story, engine: Engine | None = None, seating: Seating = ALONE) -> Played:
    """Plays a story to its end, in memory. The caller closes the consortium.

    On an engine that outlives the story, the story is a network of its own: its keys come from
    chance, so that the same story can be played there again. ``seating`` is for the chain in this
    process.
    """
    clock = SimulatedClock.at(story.business_date)
    network = story.network
    if engine is not None and engine.identity is not None:
        network = msgspec.structs.replace(network, seed=fresh_seed())
    consortium = open_consortium(network, story.rules, clock, None, engine, seating)
    player = _Player(Played(story, consortium), clock)
    player.play()
    return player.played


class _Player:
    def __init__(self, played: Played, clock: SimulatedClock) -> None:
        self.played = played
        self._story = played.story
        self._consortium = played.consortium
        self._house = played.consortium.clearing_house
        self._scene = Scene(played)
        self._orders = Orders(self._scene)
        self._balances = Balances(played.consortium)
        self._faults = InProcessFaults(played.consortium)
        self._clock = clock
        self._taken: list[Event] = []

    def play(self) -> None:
        """Plays the whole story."""
        self._balances.open(self._story)
        for place, timed in enumerate(self._story.events):
            self._play(timed, place)
        self._consortium.reconcile()

    def _play(self, timed: TimedEvent, place: int) -> None:
        event = timed.event
        if timed.second is not None:
            self._move_clock(timed.second)
        self._scene.is_repeated = isinstance(event, RepeatEvent) or _is_known(event, self._taken)
        self._take(event, place)
        self._taken.append(event)
        self._work()

    def _take(self, event: Event, place: int) -> None:
        match event:
            case TradeEvent():
                self._orders.trade(event, place)
            case InstructEvent():
                self._orders.instruct(event)
            case SideEvent():
                self._orders.sides.enter(event)
            case HoldEvent() | ReleaseEvent() | SettleEvent() | CancelEvent() | PrioritiseEvent():
                self._orders.say(event)
            case MoveEvent() | ReserveEvent():
                self._move(event, place)
            case CycleEvent() | ResolveEvent() | ClockEvent():
                self._advance(event)
            case SuspendEvent() | ReinstateEvent() | SilentEvent():
                self._change_standing(event)
            case FaultEvent():
                self._inject(event.fault)
            case RepeatEvent():
                self._take(event.event, self._place_of(event.event, place))
            case _:
                assert_never(event)

    def _advance(self, event: CycleEvent | ResolveEvent | ClockEvent) -> None:
        match event:
            case CycleEvent():
                # Under gross settlement no trade waits for a cycle.
                if self._story.rules.settlement is SettlementMode.NET:
                    self._house.net.close()
            case ResolveEvent():
                self._house.desk.resolve(event.algorithm)
            case ClockEvent():
                self._move_clock(event.second)
                if event.is_end_of_day:
                    self._house.end_of_day()
            case _:
                assert_never(event)

    def _move_clock(self, second: int) -> None:
        self._clock.set(self._story.business_date, second)
        self._work()

    def _work(self) -> None:
        self._orders.take_in()
        self._consortium.catch_up()
        self._house.work()
        self._consortium.catch_up()

    def _place_of(self, repeated: Event, place: int) -> int:
        """Where an event that is repeated stood first: it keeps the name it was given there."""
        return self._taken.index(repeated) if repeated in self._taken else place

    def _move(self, event: MoveEvent | ReserveEvent, place: int) -> None:
        name = event.id or f"event {place}"
        if self._scene.refuses(name, [event.account], "" if event.is_cash else event.asset):
            return
        doer = self._balances.doer_of(event)
        if doer in self._scene.silent:
            self._scene.note(name, Rejected(Reason.SILENT, f"{doer} does not answer"))
            return
        try:
            if isinstance(event, MoveEvent):
                refusal = self._balances.move(name, event)
            else:
                refusal = self._balances.set_aside(name, event)
            self._scene.note(name, refusal)
        except UnreachableError as error:
            self._scene.note(name, Rejected(Reason.SILENT, str(error)))

    def _change_standing(self, event: SuspendEvent | ReinstateEvent | SilentEvent) -> None:
        participant = event.participant
        if not self._scene.is_participant(participant):
            self._scene.note(participant, Reason.UNKNOWN)
            return
        match event:
            case SuspendEvent():
                self._scene.note(participant, self._house.suspend(participant))
            case ReinstateEvent():
                self._scene.note(participant, self._house.reinstate(participant))
            case SilentEvent():
                self._scene.silent.add(participant)
                self._consortium.bus.silence(participant)
            case _:
                assert_never(event)

    def _inject(self, fault: ScenarioFault) -> None:
        """A fault of a desk waits for its trade; a shortage was in the opening positions."""
        if fault.name in OF_NODES:
            done = self._faults.inject(
                NodeFault(fault.name), fault.participant, milliseconds=fault.milliseconds
            )
            self._scene.note(fault.participant, done)
            if done is None and fault.name == NodeFault.HEAL.value:
                self._orders.heal_desk(fault.participant)
        elif fault.name == SILENT:
            self._change_standing(SilentEvent(fault.participant))
        elif fault.name not in SHORTAGES:
            self._scene.faults.append(fault)


def _is_known(event: Event, taken: list[Event]) -> bool:
    """Whether the same message under the same id was taken before."""
    return bool(getattr(event, "id", "")) and event in taken
