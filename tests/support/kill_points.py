"""Where a clearing can be killed: the named fault points from capture to the kept segment.

Nothing in the product knows of them. A point is a method, the moment before or after one of its
calls, and which call of the round it is; ``arm`` wraps the method in the process that is to die.
A method that is renamed fails the tests until its line here says the new name.
"""

import os
import signal
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any

from nodes.messages import (
    CapturedBatch,
    CycleProposal,
    SetProposal,
    SignedCycle,
    SignedSet,
)


class When(Enum):
    """The moment of a call."""

    BEFORE = "before"
    HALF = "half"
    """When the first half of the sequence that is its argument has been dealt with."""
    AFTER = "after"


class Step(Enum):
    """The steps of the clearing path."""

    CAPTURE = "capture"
    TAKE_IN = "take in"
    STRIKE = "strike"
    COMMIT = "commit"
    ATTEST = "attest"
    WRITE_DOWN = "write down"
    SETTLE = "settle"
    PROJECT = "project"
    QUEUE = "queue"
    RECONCILE = "reconcile"
    SEGMENT = "segment"


class Mode(Enum):
    """How the cycles settle."""

    ONE_CALL = "one call"
    STAGED = "staged"


BOTH = (Mode.ONE_CALL, Mode.STAGED)


@dataclass(frozen=True, slots=True)
class KillPoint:
    """A moment at which a process may die.

    Attributes:
        moment: what has just been done, or is about to be, in words.
        method: the method that is wrapped, as module:class.name.
        call: which call of it from when it is armed, from 1.
        only: which calls count: those with a message of a kind, or for a file in a folder.
    """

    step: Step
    moment: str
    when: When
    method: str
    call: int = 1
    only: type | str | None = None
    modes: tuple[Mode, ...] = BOTH

    @property
    def name(self) -> str:
        """The point as tests name it."""
        return f"{self.step.value}: {self.moment}"

    def counts(self, subject: object) -> bool:
        """Whether a call counts whose last argument is this."""
        match self.only:
            case None:
                return True
            case str():
                return isinstance(subject, Path) and subject.parent.name == self.only
            case _:
                return isinstance(subject, self.only)


def arm(point: KillPoint) -> None:
    """From now on this process kills itself at a point."""
    module, _, path = point.method.partition(":")
    owner_name, _, name = path.rpartition(".")
    owner = getattr(import_module(module), owner_name)
    original = getattr(owner, name)
    left = point.call

    def wrapped(*words: Any, **more: Any) -> Any:
        nonlocal left
        counts = point.counts(words[-1])
        left -= counts
        if left or not counts:
            return original(*words, **more)
        match point.when:
            case When.HALF:
                node, sequence = words
                original(node, sequence[: len(sequence) // 2])
            case When.AFTER:
                original(*words, **more)
            case When.BEFORE:
                pass
        return os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, wrapped)


_COMMITTED = "ledger.books.database:UnitOfWork.published"
_APPEND = "ledger.books.batches:BatchStream.append_records"
_IN_FILE = "ledger.books.payload_file:PayloadFile.write"
_REQUEST = "nodes.bus:InProcessBus.request"
_ENGINE = "nodes.engine:EmbeddedEngine"
_STORE = "ledger.chain.store:BlockStore"
_APPLY = "ledger.books.projection:Projection.apply"
_RENAME = "pathlib:Path.rename"

BEFORE, HALF, AFTER = When.BEFORE, When.HALF, When.AFTER

KILL_POINTS = (
    KillPoint(Step.CAPTURE, "in the file, without a row", AFTER, _IN_FILE, modes=(Mode.STAGED,)),
    KillPoint(Step.CAPTURE, "before its commit", AFTER, _APPEND),
    KillPoint(Step.CAPTURE, "after its commit, before memory has it", BEFORE, _COMMITTED),
    KillPoint(
        Step.CAPTURE, "before its acknowledgement", AFTER, "nodes.exchange:Exchange.capture_group"
    ),
    KillPoint(Step.TAKE_IN, "some desks have reported", AFTER, "nodes.trader:Trader.record_trades"),
    KillPoint(Step.TAKE_IN, "between desks and house", BEFORE, _REQUEST, only=CapturedBatch),
    KillPoint(Step.TAKE_IN, "in a desk's file", AFTER, _IN_FILE, 3, modes=(Mode.STAGED,)),
    KillPoint(Step.TAKE_IN, "in the house's file", AFTER, _IN_FILE, 5, modes=(Mode.STAGED,)),
    KillPoint(Step.TAKE_IN, "before the house's commit", AFTER, _APPEND, call=2),
    KillPoint(Step.TAKE_IN, "after the house's commit", AFTER, _REQUEST, only=CapturedBatch),
    KillPoint(Step.STRIKE, "before anything is read", BEFORE, "ledger.books.intake:Intake.window"),
    KillPoint(Step.STRIKE, "struck, before asking", AFTER, "ledger.books.intake:Intake.window"),
    KillPoint(
        Step.COMMIT,
        "committed, before asking",
        AFTER,
        "ledger.clearing.commitment:Commitment.__init__",
    ),
    KillPoint(Step.ATTEST, "before the first party", BEFORE, _REQUEST, only=CycleProposal),
    KillPoint(Step.ATTEST, "after the first party signed", AFTER, _REQUEST, only=CycleProposal),
    KillPoint(Step.ATTEST, "after all signed", AFTER, _REQUEST, 3, only=CycleProposal),
    KillPoint(Step.WRITE_DOWN, "before its commit", AFTER, "ledger.books.cycles:CycleRecords.add"),
    KillPoint(Step.WRITE_DOWN, "before it is told", BEFORE, _REQUEST, only=SignedCycle),
    KillPoint(Step.WRITE_DOWN, "told to one keeper", AFTER, _REQUEST, only=SignedCycle),
    KillPoint(
        Step.SETTLE, "before it is sent", BEFORE, f"{_ENGINE}.settle", modes=(Mode.ONE_CALL,)
    ),
    KillPoint(
        Step.SETTLE, "before it is announced", BEFORE, f"{_ENGINE}.announce", modes=(Mode.STAGED,)
    ),
    KillPoint(Step.SETTLE, "between its parts", HALF, f"{_ENGINE}.announce", modes=(Mode.STAGED,)),
    KillPoint(Step.SETTLE, "announced", AFTER, f"{_ENGINE}.announce", modes=(Mode.STAGED,)),
    KillPoint(Step.SETTLE, "sealed, before any vote", AFTER, f"{_STORE}.append"),
    KillPoint(Step.SETTLE, "some votes are on disk", AFTER, f"{_STORE}.add_vote", call=2),
    KillPoint(Step.SETTLE, "before it is final on disk", BEFORE, f"{_STORE}.add_certificate"),
    KillPoint(Step.SETTLE, "final at the proposer", AFTER, f"{_STORE}.add_certificate"),
    KillPoint(
        Step.SETTLE, "final, before it is noted", BEFORE, "ledger.books.outbox:OutboxStore.conclude"
    ),
    KillPoint(
        Step.SETTLE, "noted, the cycle is not", BEFORE, "ledger.books.cycles:CycleRecords.change"
    ),
    KillPoint(Step.PROJECT, "before any node", BEFORE, _APPLY),
    KillPoint(Step.PROJECT, "before the first node's commit", AFTER, _APPLY),
    KillPoint(Step.PROJECT, "after one node", BEFORE, _APPLY, call=2),
    KillPoint(Step.PROJECT, "after some nodes", BEFORE, _APPLY, call=5),
    KillPoint(Step.PROJECT, "before the last node's commit", AFTER, _APPLY, call=8),
    KillPoint(Step.QUEUE, "after one side signed", AFTER, _REQUEST, only=SetProposal),
    KillPoint(Step.QUEUE, "before it is told", BEFORE, _REQUEST, only=SignedSet),
    KillPoint(Step.QUEUE, "told to all", AFTER, _REQUEST, call=4, only=SignedSet),
    KillPoint(Step.RECONCILE, "after some nodes", AFTER, "nodes.node:Node.reconcile", call=4),
    KillPoint(Step.SEGMENT, "before its rename", BEFORE, _RENAME, only="segments"),
    KillPoint(Step.SEGMENT, "after its rename", AFTER, _RENAME, only="segments"),
    KillPoint(Step.SEGMENT, "before the index's rename", BEFORE, _RENAME, only="index"),
    KillPoint(Step.SEGMENT, "after the index's rename", AFTER, _RENAME, only="index"),
)

_WRITE_DOWN = "nodes.clearing_house.settling:Settling._write_down"
_SETTLEMENTS = "ledger.books.instructions:SettlementStore"
_KEEP = "nodes.clearing_house.instruction_book:InstructionBook.keep"
_PAID = "nodes.clearing_house.instruction_book:InstructionBook.paid"
_CONCLUDE = "ledger.books.outbox:OutboxStore.conclude"
WHOLE, PART, SET = 1, 2, 4
"""The attempts of a desk's story, in order: an instruction, two parts, a set of three."""

DESK_KILL_POINTS = (
    KillPoint(Step.ATTEST, "before the first side", BEFORE, _REQUEST, only=SetProposal),
    KillPoint(Step.ATTEST, "after one side of a part", AFTER, _REQUEST, 3, SetProposal),
    KillPoint(Step.ATTEST, "after one party of a set", AFTER, _REQUEST, 7, SetProposal),
    KillPoint(Step.ATTEST, "after all parties of a set", AFTER, _REQUEST, 9, SetProposal),
    *(
        KillPoint(step, f"{moment}, attempt {attempt}", when, method, attempt)
        for attempt in (WHOLE, PART, SET)
        for step, moment, when, method in (
            (Step.WRITE_DOWN, "signed, before its commit", BEFORE, _WRITE_DOWN),
            (Step.WRITE_DOWN, "within its commit", AFTER, f"{_SETTLEMENTS}.add"),
            (Step.WRITE_DOWN, "after its commit", AFTER, _WRITE_DOWN),
            (Step.SETTLE, "before it is sent", BEFORE, f"{_ENGINE}.settle"),
            (Step.SETTLE, "final, before it is noted", BEFORE, _CONCLUDE),
            (Step.SETTLE, "noted, before its conclusion", BEFORE, f"{_SETTLEMENTS}.conclude"),
            (Step.SETTLE, "within its conclusion", AFTER, f"{_SETTLEMENTS}.conclude"),
        )
    ),
    KillPoint(Step.QUEUE, "a change is not on disk", BEFORE, _KEEP),
    KillPoint(Step.QUEUE, "an end is not on disk", AFTER, _KEEP, call=5),
    KillPoint(Step.SETTLE, "a set concluded, the limits do not know", BEFORE, _PAID, call=4),
    KillPoint(Step.WRITE_DOWN, "before a set is told", BEFORE, _REQUEST, 14, SignedSet),
    KillPoint(Step.WRITE_DOWN, "a set told to one", AFTER, _REQUEST, 14, SignedSet),
    KillPoint(Step.WRITE_DOWN, "told to one", AFTER, _REQUEST, only=SignedSet),
    *(
        KillPoint(Step.PROJECT, f"before node {call}", BEFORE, _APPLY, call=call)
        for call in (1, 5, 12, 20)
    ),
)
"""Where a clearing house can be killed that settles instructions, parts and sets."""
