"""The business clock: what it shows, and how it is set."""

from datetime import time

from fastapi import APIRouter, Depends

from api import clock_schemas
from api.dependencies import RunningSandbox, only_known_parameters
from api.errors import RefusedError, problems, refuse
from ledger.domain.errors import MalformedError
from ledger.domain.reasons import Reason
from nodes.business_clock import (
    BusinessClock,
    Target,
    at,
    later_by,
    parse_time,
    parse_time_of_day,
    stay,
)
from nodes.sandbox.sandbox import Sandbox

MIDNIGHT = "midnight"

router = APIRouter(
    prefix="/v1/clock",
    tags=["clock"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(409, 422, 503),
)


@router.get("", operation_id="clock.read", summary="Read the business clock")
def read_clock(sandbox: RunningSandbox) -> clock_schemas.Clock:
    """Business time, which expiry and the end of the day run by; blocks do not."""
    return clock_view(sandbox)


@router.post(
    "", operation_id="clock.set", summary="Set the business clock", responses=problems(403, 507)
)
def set_clock(change: clock_schemas.ClockChange, sandbox: RunningSandbox) -> clock_schemas.Clock:
    """Freezes, moves or runs the business clock; it never goes back.

    When the answer comes, the queue has been looked at: what is past its expiry has failed, what
    can settle has settled. The setting outlives the process.
    """
    with sandbox.lock:
        clock = sandbox.time.clock
        if clock is None:
            raise refuse(Reason.UNAUTHORISED, "the clock of this sandbox is not set by hand")
        try:
            target, ending = _target(change, clock), _ending(change)
            refusal = sandbox.move_clock(target, frozen=change.frozen)
        except MalformedError as error:
            raise refuse(Reason.INVALID, f"clock: {error}") from error
        if change.end_of_day_at is not None:
            clock.end_day_at(ending)
        if change.end_of_day:
            refusal = refusal or sandbox.end_day()
        if refusal is not None:
            raise RefusedError(refusal)
        return clock_view(sandbox)


def clock_view(sandbox: Sandbox) -> clock_schemas.Clock:
    """What the clock shows."""
    shown, clock = sandbox.consortium.clock, sandbox.time.clock
    now = shown.business_time()
    ending = clock.end_of_day if clock else None
    return clock_schemas.Clock(
        business_time=now.replace(tzinfo=None).isoformat(timespec="seconds"),
        business_date=now.date().isoformat(),
        frozen=clock is None or clock.is_frozen,
        end_of_day_at=ending.isoformat() if ending else None,
        last_day_ended=clock.ended.isoformat() if clock else None,
        chain_time=shown.chain_time(),
    )


def _target(change: clock_schemas.ClockChange, clock: BusinessClock) -> Target:
    """Where the clock is to be moved. Raises MalformedError."""
    if change.time is not None:
        return at(parse_time(change.time))
    if change.advance is not None:
        return later_by(change.advance)
    return clock.next_day if change.next_day else stay


def _ending(change: clock_schemas.ClockChange) -> time | None:
    """When business days are to end. Raises MalformedError."""
    if change.end_of_day_at in (None, MIDNIGHT):
        return None
    return parse_time_of_day(change.end_of_day_at or "")
