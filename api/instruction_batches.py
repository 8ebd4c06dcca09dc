"""Batches of instructions: each item is judged by itself, and the answers are in its order."""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from pydantic import TypeAdapter, ValidationError

from api.errors import RefusedError, problem_body, refuse
from api.expected_forms import faults_in_words
from api.instruction_schemas import Instruction, NewInstruction
from api.instruction_terms import entry_of
from api.instruction_views import instruction_view
from api.said import holding, said
from api.schemas import Problem, Wire
from ledger.domain.reasons import Reason, Rejected
from nodes.clearing_house.desk import Entry
from nodes.consortium import Consortium
from nodes.entering import enter

ITEMS_MAX: Final = 1_000
_ITEM: Final[TypeAdapter[NewInstruction]] = TypeAdapter(NewInstruction)
_CREATED: Final = 201
_KNOWN: Final = 200


class InstructionResult(Wire):
    """What became of one instruction of a batch: it, or why it was refused."""

    index: Annotated[int, said("Its place in the batch, from 0.", "在批次中的序号，从 0 起。", 0)]
    status: Annotated[
        int,
        said(
            "What it would be answered by itself: 201 entered, 200 known, else refused.",
            "单独提交时的状态码：201 已录入，200 已存在，其余为拒绝。",
            201,
        ),
    ]
    instruction: Annotated[
        Instruction | None,
        holding("As it stands; null: it was refused.", "指令现状；被拒绝则为空。"),
    ]
    problem: Annotated[
        Problem | None,
        holding("Why it was refused; null: it was not.", "拒绝原因；未被拒绝则为空。"),
    ]


class InstructionBatch(Wire):
    """What became of a batch of instructions, item by item in its order."""

    entered: Annotated[int, said("Instructions that are new.", "新录入的指令数。", 1)]
    known: Annotated[int, said("Entered before, with the same terms.", "此前已录入的指令数。", 0)]
    refused: Annotated[int, said("Refused; the others stand.", "被拒绝的指令数。", 0)]
    results: Annotated[
        list[InstructionResult], holding("One for each item, in order.", "逐条结果，按原次序。")
    ]


def items_of(body: bytes) -> list[msgspec.Raw]:
    """The items of a batch, each still to be read. Refuses what is no list, or too long."""
    try:
        items = msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise refuse(Reason.INVALID, f"body: expected a list of instructions: {error}") from error
    if not 0 < len(items) <= ITEMS_MAX:
        detail = f"body: expected 1 to {ITEMS_MAX} instructions, found {len(items)}"
        raise refuse(Reason.INVALID, detail)
    return items


def read_items(consortium: Consortium, items: Sequence[msgspec.Raw]) -> list[Entry | Rejected]:
    """The items as they are entered; those that cannot be read are refused."""
    return [_read(consortium, item) for item in items]


def enter_all(consortium: Consortium, entries: Sequence[Entry | Rejected]) -> InstructionBatch:
    """Enters one after another; what is refused does not keep the others out."""
    results = [_enter(consortium, index, entry) for index, entry in enumerate(entries)]
    statuses = [each.status for each in results]
    entered, known = statuses.count(_CREATED), statuses.count(_KNOWN)
    return InstructionBatch(
        entered=entered,
        known=known,
        refused=len(statuses) - entered - known,
        results=results,
    )


def _read(consortium: Consortium, item: msgspec.Raw) -> Entry | Rejected:
    try:
        return entry_of(consortium.network, consortium.clock, _ITEM.validate_json(bytes(item)))
    except ValidationError as error:
        return Rejected(Reason.INVALID, faults_in_words(error.errors(), NewInstruction))
    except RefusedError as error:
        return error.refusal


def _enter(consortium: Consortium, index: int, entry: Entry | Rejected) -> InstructionResult:
    answer = entry if isinstance(entry, Rejected) else enter(consortium, entry)
    if isinstance(answer, Rejected):
        problem = problem_body(answer)
        return InstructionResult(
            index=index, status=problem.status, instruction=None, problem=problem
        )
    found = consortium.clearing_house.desk.get(answer.label)
    assert found is not None, f"{answer.label} was entered and is not there"
    return InstructionResult(
        index=index,
        status=_KNOWN if answer.was_known else _CREATED,
        instruction=instruction_view(consortium.network, found),
        problem=None,
    )
