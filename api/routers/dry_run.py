"""Dry runs: would it settle now, and if not, why, and what would make it. Nothing changes."""

from dataclasses import replace
from typing import Final

from fastapi import APIRouter, Depends

from api import dry_run_schemas as schemas
from api.dependencies import CallingHolder, RunningSandbox, only_known_parameters
from api.dry_run_views import cycle_forecast_view, forecast_view
from api.errors import RefusedError, problems, refuse
from api.instruction_rights import check_sees
from api.instruction_terms import entry_of
from api.parameters import LabelInPath
from ledger.domain.accounts import participant_of
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Reason, Rejected
from ledger.settlement.dry_run import Forecast
from ledger.settlement.legs import participants_in
from nodes.clearing_house import ClearingHouse
from nodes.clearing_house.desk import Entry
from nodes.clearing_house.dry_run import dry_run
from nodes.network import Network
from nodes.sandbox.sandbox import Sandbox

OF_OTHERS: Final = "(of others)"
"""Stands for the label of an instruction that the caller is no side of."""

router = APIRouter(
    prefix="/v1",
    tags=["dry run"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(409, 422, 503),
)


@router.get(
    "/instructions/{label}/dry-run",
    operation_id="instructions.dry_run",
    summary="Would this instruction settle now?",
    responses=problems(403, 404, 409),
)
def dry_run_instruction(
    label: LabelInPath,
    sandbox: RunningSandbox,
    holder: CallingHolder,
) -> schemas.Forecast:
    """Of a live instruction, with those linked to it. Nobody is asked to sign."""
    return _forecast(sandbox, holder, [label], [])


@router.post(
    "/dry-run/instructions",
    operation_id="dry_run.instructions",
    summary="Would these settle now, all together?",
    responses=problems(403, 404, 409),
)
def dry_run_instructions(
    asked: schemas.DryRunOf, sandbox: RunningSandbox, holder: CallingHolder
) -> schemas.Forecast:
    """Of live instructions and of others as if they had just come in: all of them, or none.

    What could not be entered is refused as it would be. Nobody is asked to sign.
    """
    if not asked.labels and not asked.instructions:
        raise refuse(Reason.INVALID, "expected labels or instructions, found neither")
    names = [each.label for each in asked.instructions]
    if len({*names, *asked.labels}) < len(names) + len(asked.labels):
        raise refuse(Reason.INVALID, "expected each label once")
    consortium = sandbox.consortium
    entries = [entry_of(consortium.network, consortium.clock, e) for e in asked.instructions]
    for entry in entries:
        _check_concerns(consortium.network, holder, entry)
    return _forecast(sandbox, holder, asked.labels, entries)


@router.post("/dry-run/cycle", operation_id="dry_run.cycle", summary="What would a cycle settle?")
def dry_run_cycle(sandbox: RunningSandbox) -> schemas.CycleForecast:
    """The cycle as it would be struck now over the trades that wait, if everybody attested it.

    Which trades would leave it and why, and the net lines of the rest.
    """
    with sandbox.lock:
        house = sandbox.consortium.clearing_house
        return cycle_forecast_view(house, house.net.dry_run())


def _forecast(
    sandbox: Sandbox, holder: KeyHolder, labels: list[str], entries: list[Entry]
) -> schemas.Forecast:
    for label in labels:
        check_sees(sandbox, holder, label)
    with sandbox.lock:
        house = sandbox.consortium.clearing_house
        found = dry_run(house, labels, entries)
        if isinstance(found, Rejected):
            raise RefusedError(found)
        return forecast_view(house, _without_others(house, holder, found))


def _check_concerns(network: Network, holder: KeyHolder, entry: Entry) -> None:
    """Refuses terms between others: the answer would say what they have."""
    accounts = (entry.message.deliverer, entry.message.receiver)
    if not holder.may_see(*(network.participant_id(participant_of(each)) for each in accounts)):
        detail = f"{entry.label} does not concern {holder.name}, whose key it is"
        raise refuse(Reason.UNAUTHORISED, detail)


def _without_others(house: ClearingHouse, holder: KeyHolder, found: Forecast) -> Forecast:
    """The same, with the labels of what is between others withheld."""
    if holder.sees_everything or holder.participant is None:
        return found
    number = house.network.participant_number(holder.participant)

    def shown(label: str) -> str:
        kept = house.desk.book.as_kept(label)
        return label if kept and number in participants_in(kept) else OF_OTHERS

    ahead, together = (tuple(map(shown, each)) for each in (found.ahead, found.settles_with))
    return replace(found, ahead=ahead, settles_with=together)
