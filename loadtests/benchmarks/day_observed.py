"""A clearing house whose cycles are observed, and the blocks that they are sealed in."""

from typing import Any

from ledger.domain.participants import Role
from loadtests.benchmarks.day_stages import CHECKED, SIGNED, StageClock
from nodes.consortium import Consortium
from nodes.messages import AffirmationRequest, CapturedBatch, Message


def observe(consortium: Consortium, clock: StageClock) -> None:
    """Has a clock told of every cycle of this consortium from now on."""
    consortium.clearing_house.net.observer = clock
    consortium.chain.add_listener(lambda _: clock.sealed())


def observe_signatures(consortium: Consortium, clock: StageClock) -> None:
    """Has a clock told how long brokers affirm and sign, and the house checks and takes in."""
    house = consortium.clearing_house.id
    brokers = [broker.id for broker in consortium.network.of_role(Role.BROKER)]
    for participant, kind, stage in (
        (house, CapturedBatch, CHECKED),
        *((broker, AffirmationRequest, SIGNED) for broker in brokers),
    ):
        _observe(consortium, participant, kind, clock, stage)


def _observe(
    consortium: Consortium, participant: str, kind: type[Message], clock: StageClock, stage: str
) -> None:
    handle = consortium.nodes[participant].handle

    def observed(sender: str, message: Message) -> Any:  # noqa: ANN401 # each message fixes its answer
        if not isinstance(message, kind):
            return handle(sender, message)
        with clock.busy(stage):
            return handle(sender, message)

    consortium.bus.register(participant, observed)
