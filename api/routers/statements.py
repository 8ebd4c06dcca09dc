"""Statements: a participant's own, as CSV, and those of others, compared when they come in."""

import hashlib
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response, status

from api.access.owning import check_owns, check_reads
from api.body_guard import BodyBounds, bounded
from api.dependencies import CallingHolder, RunningSandbox, only_known_parameters
from api.errors import problems, refuse
from api.participants import require_participant
from api.said import in_header, in_path, in_query
from api.statement_schemas import ComparedStatement, StatementDifference
from ledger.books.break_life import key_of
from ledger.books.reconciliation import Difference
from ledger.domain.amounts import format_amount
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import parse_date
from ledger.domain.reasons import Reason
from nodes.bus import UnreachableError
from nodes.statements.columns import Language
from nodes.statements.model import Period, StatementKind
from nodes.statements.reading import FILE_BYTES_MAX, StatementFileError, read_statement
from nodes.statements.writing import write_statement

router = APIRouter(
    prefix="/v1/statements",
    tags=["statements"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(404, 409, 422, 503),
)

CSV: Final = "text/csv"
DIFFERENCES_SHOWN_MAX: Final = 500
_BLOCK_MAX: Final = 10**15
_DATE_PATTERN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

Participant = Annotated[str, in_path("Whose holdings.", "持有人。", "BRK-A", max_length=32)]


def _period(
    date: Annotated[
        str | None, in_query("A business date.", "营业日。", "2026-02-10", pattern=_DATE_PATTERN)
    ] = None,
    first_block: Annotated[
        int | None,
        in_query("From this block on.", "自该区块起。", 1, ge=0, le=_BLOCK_MAX),
    ] = None,
    last_block: Annotated[
        int | None,
        in_query("Up to this block.", "至该区块止。", 14, ge=0, le=_BLOCK_MAX),
    ] = None,
) -> Period:
    """A business date, or blocks; refused when both are given."""
    if date is None:
        return Period(first_block, last_block)
    if first_block is not None or last_block is not None:
        raise refuse(Reason.INVALID, "query: expected a date or blocks, found both")
    try:
        return Period(day=parse_date(date).toordinal())
    except MalformedError as error:
        raise refuse(Reason.INVALID, f"date: {error}") from error


@router.get(
    "/{participant}/{kind}.csv",
    operation_id="statements.read",
    summary="Read a statement",
    response_class=Response,
    responses={
        200: {"content": {CSV: {"schema": {"type": "string"}}}},
        304: {"description": "It is as it was: the same ETag."},
    },
)
def read_own_statement(
    participant: Participant,
    kind: Annotated[
        StatementKind,
        in_path("What of.", "内容：持仓、变动或资金。", "positions"),
    ],
    sandbox: RunningSandbox,
    holder: CallingHolder,
    period: Annotated[Period, Depends(_period)],
    language: Annotated[
        Language, in_query("Of the header.", "表头语言。", "en")
    ] = Language.ENGLISH,
    bom: Annotated[  # noqa: FBT002 # a query parameter
        bool,
        in_query(
            "A byte order mark, for spreadsheets.", "字节顺序标记，供电子表格软件使用。", False
        ),
    ] = False,
    if_none_match: Annotated[
        str | None,
        in_header(
            "The ETag of the statement one has.",
            "已有对账单的 ETag。",
            '"9f86d081884c7d659a2feaa0c55ad015"',
            max_length=200,
        ),
    ] = None,
) -> Response:
    """A statement of positions, movements or cash, from the participant's own node.

    Of a business date, of some blocks, or of everything so far.
    """
    require_participant(sandbox.consortium, participant)
    check_reads(holder, participant)
    try:
        with sandbox.lock:
            statement = sandbox.consortium.nodes[participant].statement(kind, period)
    except MalformedError as error:
        raise refuse(Reason.INVALID, f"block: {error}") from error
    except UnreachableError as error:
        raise refuse(Reason.SILENT, str(error)) from error
    content = write_statement(statement, language, with_bom=bom)
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    name = f"{participant}-{kind.value}-{statement.last_block}.csv"
    headers = {"ETag": tag, "Content-Disposition": f'attachment; filename="{name}"'}
    if if_none_match is not None and tag in if_none_match:
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    return Response(content, media_type=f"{CSV}; charset=utf-8", headers=headers)


async def _csv_body(request: Request) -> bytes:
    """The body as it came; the guard has bounded it."""
    kind = request.headers.get("content-type", "none")
    if kind.partition(";")[0].strip().lower() != CSV:
        raise refuse(Reason.INVALID, f"content-type: expected {CSV}, found {kind}")
    return await request.body()


@router.post(
    "/{participant}",
    operation_id="statements.compare",
    summary="Compare a statement from elsewhere",
    responses=problems(413, 507),
    openapi_extra={
        "requestBody": {"required": True, "content": {CSV: {"schema": {"type": "string"}}}}
    },
)
@bounded(BodyBounds(bytes_max=FILE_BYTES_MAX, openings_max=None))
def compare_statement(
    participant: Participant,
    sandbox: RunningSandbox,
    holder: CallingHolder,
    body: Annotated[bytes, Depends(_csv_body)],
    name: Annotated[
        str,
        in_query(
            "A corrected file of the same name closes breaks.",
            "对账单名称；同名的更正文件可消除差异。",
            "custodian",
            max_length=64,
        ),
    ] = "statement",
) -> ComparedStatement:
    """Holds a CSV statement against ledger and own book; differences become breaks of the node.

    A file with a fault is refused whole, with the line and the column.
    """
    require_participant(sandbox.consortium, participant)
    check_owns(holder, participant)
    try:
        given = read_statement(body, name, participant, sandbox.consortium.network)
        found = sandbox.change(
            lambda consortium: consortium.nodes[participant].compare_statement(given)
        )
    except StatementFileError as error:
        raise refuse(Reason.INVALID, str(error)) from error
    except MalformedError as error:
        raise refuse(Reason.INVALID, f"{name}: {error}") from error
    except UnreachableError as error:
        raise refuse(Reason.SILENT, str(error)) from error
    return ComparedStatement(
        name=name,
        participant=participant,
        kind=given.kind.value,
        lines=len(given.lines),
        agrees=not found,
        differences_total=len(found),
        differences=[_view(each) for each in found[:DIFFERENCES_SHOWN_MAX]],
    )


def _view(difference: Difference) -> StatementDifference:
    is_cash = bool(difference.currency and difference.at_risk)
    at_risk = format_amount(difference.at_risk, difference.currency) if is_cash else ""
    return StatementDifference(
        id=key_of(difference.id),
        kind=difference.kind.value,
        subject=difference.subject,
        ours=difference.ours,
        theirs=difference.theirs,
        at_risk=at_risk,
        currency=difference.currency,
    )
