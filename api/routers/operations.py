"""What the operator of a sandbox does to balances and participants."""

from collections.abc import Callable

from fastapi import APIRouter, Depends

from api import balance_schemas as schemas
from api.access.owning import check_owns
from api.dependencies import CallingHolder, RunningSandbox, only_known_parameters
from api.errors import RefusedError, problems, refuse
from api.instruction_terms import movement_of
from api.instruction_views import balance_view
from api.parameters import TraderInPath
from api.participants import require_trader
from ledger.books.postings import Register
from ledger.domain.accounts import participant_of
from ledger.domain.key_holders import KeyHolder
from ledger.domain.participants import Role
from ledger.domain.reasons import Reason, Rejected
from nodes.consortium import Consortium
from nodes.funding import deposit, shortage, withdraw
from nodes.movement import Movement
from nodes.network import Network
from nodes.sandbox.sandbox import Sandbox

router = APIRouter(
    prefix="/v1",
    tags=["operations"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(409, 422, 503),
)

Act = Callable[[Consortium], Rejected | None]


@router.post(
    "/sandbox/fund",
    operation_id="sandbox.fund",
    summary="Cash or securities into an account, or out",
    responses=problems(403, 404, 409, 507),
)
def fund(asked: schemas.Funding, sandbox: RunningSandbox, holder: CallingHolder) -> schemas.Balance:
    """Cash by the settlement bank of the account, securities by the registrar; final when answered.

    The same reference with the same content is done once.
    """
    movement = movement_of(sandbox.consortium.network, asked, "sandbox funding")
    _check_issues(sandbox.consortium.network, holder, movement)
    act = deposit if asked.direction == "in" else withdraw

    def move(consortium: Consortium) -> Rejected | None:
        short = shortage(consortium, movement) if asked.direction == "out" else None
        return short or act(consortium, movement)

    return _balance_after(sandbox, movement, move)


@router.post(
    "/reservations",
    operation_id="reservations.create",
    summary="Set a balance aside, or make it available again",
    responses=problems(403, 404, 409, 507),
)
def reserve(
    asked: schemas.Reservation, sandbox: RunningSandbox, holder: CallingHolder
) -> schemas.Balance:
    """Held on the chain in the owner's own name: it counts in the total and pays for nothing.

    The same reference with the same content is done once.
    """
    movement = movement_of(sandbox.consortium.network, asked, "sandbox reservation")
    check_owns(holder, asked.account)

    def set_aside(consortium: Consortium) -> Rejected | None:
        owner = consortium.trader(
            consortium.network.participant_id(participant_of(movement.account))
        )
        act = owner.reserve if asked.act == "reserve" else owner.unreserve
        return act(movement)

    return _balance_after(sandbox, movement, set_aside)


@router.post(
    "/participants/{participant}/suspend",
    operation_id="participants.suspend",
    summary="Suspend a participant",
    responses=problems(404, 409, 507),
)
def suspend(participant: TraderInPath, sandbox: RunningSandbox) -> schemas.Standing:
    """On the chain: what it has in the queue waits, and nothing new of it is taken in."""
    return _stand(sandbox, participant, is_suspended=True)


@router.post(
    "/participants/{participant}/reinstate",
    operation_id="participants.reinstate",
    summary="Reinstate a participant",
    responses=problems(404, 409, 507),
)
def reinstate(participant: TraderInPath, sandbox: RunningSandbox) -> schemas.Standing:
    """On the chain: what waited for it is looked at again."""
    return _stand(sandbox, participant, is_suspended=False)


def _check_issues(network: Network, holder: KeyHolder, movement: Movement) -> None:
    """Refuses cash but by the account's settlement bank, and securities but by the registrar."""
    owner = network.participant_id(participant_of(movement.account))
    bank, registrar = network.participant(owner).settlement_bank, network.sole(Role.REGISTRAR)
    issuer = bank if movement.register is Register.CASH else registrar
    if not holder.acts_for(issuer or ""):
        raise refuse(
            Reason.UNAUTHORISED, f"expected the key of {issuer}, found that of {holder.name}"
        )


def _stand(sandbox: Sandbox, participant: str, *, is_suspended: bool) -> schemas.Standing:
    network = sandbox.consortium.network
    require_trader(sandbox.consortium, participant)
    number = network.participant_number(participant)

    def act(consortium: Consortium) -> Rejected | None:
        house = consortium.clearing_house
        if (number in house.desk.book.queue.suspended) is is_suspended:
            return None
        return house.suspend(participant) if is_suspended else house.reinstate(participant)

    refusal = sandbox.change(act)
    if refusal is not None:
        raise RefusedError(refusal)
    return schemas.Standing(participant=participant, is_suspended=is_suspended)


def _balance_after(sandbox: Sandbox, movement: Movement, act: Act) -> schemas.Balance:
    """Does something to a balance, and says what it is before anything else uses it."""

    def done(consortium: Consortium) -> Rejected | schemas.Balance:
        refusal = act(consortium)
        if refusal is not None:
            return refusal
        consortium.catch_up()
        return balance_view(consortium, movement)

    answer = sandbox.change(done)
    if isinstance(answer, Rejected):
        raise RefusedError(answer)
    return answer
