"""The controls of a sandbox: begin anew, keep and restore, made trades, stand-ins, scenarios."""

from collections.abc import Callable
from dataclasses import asdict
from threading import BoundedSemaphore
from typing import Annotated, Final, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Request, Response, status
from starlette.concurrency import run_in_threadpool

from api import sandbox_schemas as schemas
from api.body_guard import BodyBounds, bounded
from api.dependencies import CallingHolder, RunningSandbox, only_known_parameters
from api.errors import RefusedError, Remedy, problems, refuse
from api.hosting import Hosting
from api.parameters import TraderInPath
from api.participants import require_trader
from api.said import in_path
from ledger.domain.errors import MalformedError
from ledger.domain.key_holders import KeyRole
from ledger.domain.reasons import Reason, Rejected
from nodes.sandbox.home import SNAPSHOTS_MAX, Replacement, Snapshot, parse_snapshot_name
from nodes.sandbox.made_trades import made_trades
from nodes.sandbox.sandbox import Sandbox
from nodes.sandbox.stubs import Behaviour, Stub
from nodes.scenario.bundled import pack_file, pack_files, topic_of
from nodes.scenario.document import ScenarioError
from nodes.scenario.result import ScenarioResult
from nodes.scenario.upload import play_bundled, play_upload
from nodes.state_hash import state_hash

router = APIRouter(
    prefix="/v1/sandbox",
    tags=["sandbox"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(409, 422, 503),
)

CAPTURE_SECONDS_MAX: Final = 60
T = TypeVar("T")

SCENARIO_BYTES_MAX: Final = 256 * 1024
_NAME_IN_USE: Final = Remedy(
    "Choose another name, or drop that snapshot first.", "请另选名称，或先删除该快照。"
)
_IN_ONE_PROCESS: Final = Remedy(
    "Serve it with novate up without --processes, and send the same again.",
    "请以不带 --processes 的 novate up 运行后重新发送。",
)
_IN_FILES: Final = Remedy(
    "Serve a folder of its own with novate up without --database, and send the same again.",
    "请以不带 --database 的 novate up 运行另一个状态目录后重新发送。",
)
_SCENARIO_CONTENT: Final = {
    kind: {"schema": {"type": "string"}} for kind in ("application/yaml", "text/yaml")
}


def hosting_of(request: Request) -> Hosting:
    """Who serves this sandbox and can serve another one; refused where nobody can."""
    hosting = getattr(request.app.state, "hosting", None)
    if not isinstance(hosting, Hosting):
        words = "this sandbox has no folder of its own, or its nodes are processes"
        raise refuse(Reason.UNAUTHORISED, words, _IN_ONE_PROCESS)
    server = hosting.sandbox.consortium.books_server
    if server is not None:
        words = f"the books of this sandbox are not files of its folder but at {server.shown}"
        raise refuse(Reason.UNAUTHORISED, words, _IN_FILES)
    return hosting


def scenario_turn_of(request: Request) -> BoundedSemaphore:
    """Whoever plays a scenario has it."""
    turn = request.app.state.scenario_turn
    assert isinstance(turn, BoundedSemaphore)
    return turn


ScenarioTurn = Annotated[BoundedSemaphore, Depends(scenario_turn_of)]
AnyHosting = Annotated[Hosting, Depends(hosting_of)]
Name = Annotated[
    str,
    in_path(
        "The snapshot's name.",
        "快照名称。",
        "before-the-test",
        pattern=schemas.SNAPSHOT_NAME_PATTERN,
    ),
]


@router.get("", operation_id="sandbox.read", summary="The market that runs now")
def read_market(sandbox: RunningSandbox, holder: CallingHolder) -> schemas.Market:
    """Its seed, business time, last final block and state hash."""
    market = _market(sandbox)
    # Whoever knows the seed has the keys of all.
    is_operator = holder.role is KeyRole.OPERATOR
    return market if is_operator else market.model_copy(update={"seed": None})


@router.post(
    "/reset",
    operation_id="sandbox.reset",
    summary="Begin anew",
    responses=problems(403, 409, 429, 507),
)
async def reset(
    asked: schemas.ResetMarket, hosting: AnyHosting, sandbox: RunningSandbox
) -> schemas.Market:
    """Everything that happened is gone; snapshots, keys and the log of requests stay.

    Takes a second or two, in which other requests are answered with 503.
    """
    seed = asked.seed or sandbox.consortium.network.seed
    await _replace(hosting, lambda: hosting.home.replace(Replacement(seed=seed)))
    return await run_in_threadpool(_market, hosting.sandbox)


@router.get(
    "/snapshots",
    operation_id="snapshots.list",
    summary="List snapshots",
    responses=problems(403),
)
def list_snapshots(hosting: AnyHosting) -> schemas.Snapshots:
    """The markets that are kept, by name."""
    return schemas.Snapshots(data=[_snapshot_view(each) for each in hosting.home.snapshots()])


@router.post(
    "/snapshots",
    status_code=status.HTTP_201_CREATED,
    operation_id="snapshots.create",
    summary="Keep the market under a name",
    responses=problems(403, 409, 429, 507),
)
async def save(
    asked: schemas.NewSnapshot, hosting: AnyHosting, sandbox: RunningSandbox
) -> schemas.Snapshot:
    """Keeps everything: chain, books, clock. The sandbox goes on afterwards as it was.

    Takes a second or two, in which other requests are answered with 503.
    """
    kept = await run_in_threadpool(hosting.home.snapshots)
    if asked.name in {each.name for each in kept}:
        raise refuse(Reason.DUPLICATE, f"there is a snapshot {asked.name}", _NAME_IN_USE)
    if len(kept) >= SNAPSHOTS_MAX:
        raise refuse(Reason.STORAGE, f"{SNAPSHOTS_MAX} snapshots are kept: drop one first")
    market = await run_in_threadpool(_market, sandbox)
    snapshot = Snapshot(name=asked.name, **market.model_dump())
    await _replace(hosting, lambda: hosting.home.save(snapshot))
    return _snapshot_view(hosting.home.find(asked.name))


@router.post(
    "/snapshots/{name}/restore",
    operation_id="snapshots.restore",
    summary="Go back to a snapshot",
    responses=problems(403, 404, 429, 507),
)
async def restore(name: Name, hosting: AnyHosting, _sandbox: RunningSandbox) -> schemas.Market:
    """What happened since is gone; the snapshot stays."""
    _require_known(hosting, name)
    await _replace(hosting, lambda: hosting.home.replace(Replacement(snapshot=name)))
    return await run_in_threadpool(_market, hosting.sandbox)


@router.delete(
    "/snapshots/{name}",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="snapshots.delete",
    summary="Drop a snapshot",
    responses=problems(403, 404),
)
def drop(name: Name, hosting: AnyHosting) -> Response:
    """Its files are removed."""
    _require_known(hosting, name)
    try:
        hosting.home.drop(name)
    except (KeyError, FileNotFoundError):
        # Somebody else was quicker.
        raise _unknown_snapshot(name) from None
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post(
    "/trades",
    status_code=status.HTTP_201_CREATED,
    operation_id="sandbox.trades",
    summary="Have trades made up",
    responses=problems(409, 507),
)
def make_trades(asked: schemas.MadeTrades, sandbox: RunningSandbox) -> schemas.MadeTradesAnswer:
    """Trades between accounts of brokers, numbered M<seed>-1 and on; they settle by themselves.

    The same seed makes the same trades: asked for again, they are known.
    """
    trades = made_trades(sandbox.consortium.network, asked.count, asked.seed)
    try:
        answer = sandbox.submit_batch(trades).result(timeout=CAPTURE_SECONDS_MAX)
    except TimeoutError:
        raise refuse(Reason.UNAVAILABLE, "the capture takes too long") from None
    if isinstance(answer, Rejected):
        raise RefusedError(answer)
    done = answer.submission
    if done.refused:
        raise refuse(Reason.DUPLICATE, f"{done.refused} of their numbers were used for others")
    return schemas.MadeTradesAnswer(captured=done.captured, repeated=done.repeated)


@router.get("/stubs", operation_id="stubs.list", summary="Who is stood in for")
def list_stubs(sandbox: RunningSandbox) -> schemas.Stubs:
    """By participant."""
    with sandbox.lock:
        stubs = sorted(sandbox.stubs.all().items())
    return schemas.Stubs(data=[_stub_view(*each) for each in stubs])


@router.put(
    "/stubs/{participant}",
    operation_id="stubs.put",
    summary="Stand in for a counterparty",
    responses=problems(404, 507),
)
def put_stub(
    participant: TraderInPath, asked: schemas.NewStub, sandbox: RunningSandbox
) -> schemas.Stub:
    """Whenever somebody enters a side that names it, its own side is entered for it."""
    require_trader(sandbox.consortium, participant)
    stub = Stub(behaviour=Behaviour(asked.behaviour), after_seconds=asked.after_seconds)
    with sandbox.lock:
        sandbox.stubs.put(participant, stub)
    return _stub_view(participant, stub)


@router.delete(
    "/stubs/{participant}",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="stubs.delete",
    summary="Stand in no more",
    responses=problems(404, 507),
)
def delete_stub(participant: TraderInPath, sandbox: RunningSandbox) -> Response:
    """What was entered stays entered."""
    require_trader(sandbox.consortium, participant)
    with sandbox.lock:
        sandbox.stubs.put(participant, None)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.get("/scenarios", operation_id="scenarios.list", summary="List the bundled scenarios")
def list_scenarios() -> schemas.ScenariosOfPack:
    """By topic and name."""
    files = pack_files()
    found = [schemas.ScenarioOfPack(name=file.stem, topic=topic_of(file)) for file in files]
    return schemas.ScenariosOfPack(data=found)


@router.post(
    "/scenarios",
    operation_id="scenarios.run",
    summary="Play a scenario of your own",
    responses=problems(413, 429),
    openapi_extra={"requestBody": {"required": True, "content": _SCENARIO_CONTENT}},
)
@bounded(BodyBounds(bytes_max=SCENARIO_BYTES_MAX))
async def run_upload(request: Request, turn: ScenarioTurn) -> schemas.ScenarioOutcome:
    """Plays the scenario file in the body (docs/scenarios.md) on a network of its own.

    The market of the sandbox does not notice. One scenario is played at a time.
    """
    content = await request.body()
    return await run_in_threadpool(_played, turn, lambda: play_upload(content))


@router.post(
    "/scenarios/{name}/run",
    operation_id="scenarios.run_bundled",
    summary="Play a bundled scenario",
    responses=problems(404, 429),
)
def run_bundled(
    name: Annotated[
        str, in_path("The scenario's name.", "情景名称。", "net-six-trades", max_length=80)
    ],
    turn: ScenarioTurn,
) -> schemas.ScenarioOutcome:
    """Plays it on a network of its own; the market of the sandbox does not notice."""
    file = pack_file(name)
    if file is None:
        raise refuse(Reason.UNKNOWN, f"there is no scenario {name}")
    return _played(turn, lambda: play_bundled(file))


def _played(turn: BoundedSemaphore, play: Callable[[], ScenarioResult]) -> schemas.ScenarioOutcome:
    return schemas.ScenarioOutcome(**asdict(in_turn(turn, play)))


def in_turn(turn: BoundedSemaphore, play: Callable[[], T]) -> T:
    """Plays a scenario while nobody else plays one. Refuses what is none (INVALID), and BUSY."""
    if not turn.acquire(blocking=False):
        raise refuse(Reason.BUSY, "another scenario is being played")
    try:
        return play()
    except ScenarioError as error:
        raise refuse(Reason.INVALID, str(error)) from error
    finally:
        turn.release()


def _market(sandbox: Sandbox) -> schemas.Market:
    """Where a market stands now."""
    with sandbox.lock:
        consortium = sandbox.consortium
        consortium.catch_up()
        now = consortium.clock.business_time().replace(tzinfo=None)
        return schemas.Market(
            seed=consortium.network.seed,
            business_time=now.isoformat(timespec="seconds"),
            block=consortium.clearing_house.projection.height,
            state_hash=state_hash(consortium),
        )


def _snapshot_view(snapshot: Snapshot) -> schemas.Snapshot:
    return schemas.Snapshot(**msgspec.structs.asdict(snapshot))


def _stub_view(participant: str, stub: Stub) -> schemas.Stub:
    return schemas.Stub(
        participant=participant,
        behaviour=stub.behaviour.value,
        after_seconds=stub.after_seconds,
    )


def _require_known(hosting: Hosting, name: str) -> None:
    """Refuses names of no snapshot."""
    try:
        hosting.home.find(parse_snapshot_name(name))
    except MalformedError as error:
        raise refuse(Reason.INVALID, f"name: {error}") from error
    except KeyError:
        raise _unknown_snapshot(name) from None


def _unknown_snapshot(name: str) -> RefusedError:
    return refuse(Reason.UNKNOWN, f"there is no snapshot {name}")


async def _replace(hosting: Hosting, act: Callable[[], None]) -> None:
    """Does something to the folder and serves what is there then. Refuses what cannot be done."""
    try:
        await hosting.replace(act)
    except KeyError as error:
        # Dropped since it was looked for.
        raise _unknown_snapshot(str(error.args[0])) from None
    except OSError as error:
        raise refuse(Reason.STORAGE, str(error)) from error
