"""From the desk to the wire: instructions, queues, limits and balances."""

from datetime import UTC, datetime

from api import balance_schemas, queue_schemas
from api import instruction_schemas as schemas
from ledger.books.postings import Register
from ledger.domain.amounts import format_amount
from ledger.domain.instructions import Instruction
from ledger.domain.reasons import Reason
from ledger.settlement.legs import EVERYBODY, Pot, PotKind
from ledger.settlement.outlook import Shortfall
from nodes.clearing_house.waiting import Queue, Waiting
from nodes.consortium import Consortium
from nodes.funding import balance_of
from nodes.movement import Movement
from nodes.network import Network


def why_view(reason: Reason | None) -> schemas.Why | None:
    """A reason, explained."""
    if reason is None:
        return None
    each = reason.explanation
    return schemas.Why(
        code=reason.value,
        reason=reason.name,
        cause=each.cause,
        cause_zh=each.cause_zh,
        remedy=each.remedy,
        remedy_zh=each.remedy_zh,
    )


def instruction_view(network: Network, each: Instruction) -> schemas.Instruction:
    """An instruction, and where it stands."""
    instrument = network.instrument(each.instrument) if each.quantity else None
    currency = network.currency(each.currency) if each.amount else None
    quantities = (each.quantity, each.settled_quantity, each.open_quantity)
    amounts = (each.amount, each.settled_amount, each.open_amount)
    units = [str(one) if instrument else None for one in quantities]
    money = [format_amount(one, currency) if currency else None for one in amounts]
    expires = each.expires_at
    return schemas.Instruction(
        label=each.label,
        id="0x" + each.id.hex(),
        kind="pay" if instrument is None else "dvp" if currency else "fop",
        state=each.state.value,
        why=why_view(each.reason),
        priority=each.priority.name.lower(),
        arrival=each.arrival,
        deliverer=network.account_id(each.deliverer),
        receiver=network.account_id(each.receiver),
        isin=instrument.isin if instrument else None,
        symbol=instrument.symbol if instrument else None,
        quantity=units[0],
        settled_quantity=units[1],
        open_quantity=units[2],
        currency=currency,
        amount=money[0],
        settled_amount=money[1],
        open_amount=money[2],
        parts=each.parts,
        partial=each.may_be_partial,
        held_by=names_of(network, each.held_by),
        cancelled_by=names_of(network, each.cancelled_by),
        expires_at=None if expires is None else moment_text(expires),
        linked_to=list(each.linked_to),
        is_of_trade=each.position is not None,
        rule_version=each.rule_version,
        final_block=each.block,
    )


def names_of(network: Network, participants: frozenset[int]) -> list[str]:
    """The ids of some participants, by number."""
    return [network.participant_id(number) for number in sorted(participants)]


def shortfall_view(network: Network, shortfall: Shortfall) -> queue_schemas.Shortfall:
    """What an account has too little of."""
    pot = shortfall.pot
    amounts = (shortfall.needed, shortfall.available, shortfall.short)
    words = [amount_in(network, pot, amount) for amount in amounts]
    return queue_schemas.Shortfall(
        account=network.account_id(pot.account),
        kind=pot.kind.name.lower(),
        asset=asset_name(network, pot),
        counterparty=counterparty_of(network, pot),
        needed=words[0],
        available=words[1],
        missing=words[2],
    )


def queue_view(network: Network, queue: Queue, first: list[Waiting]) -> queue_schemas.Queue:
    """A queue with the first of those that stand in it."""
    pot = queue.pot
    return queue_schemas.Queue(
        account=network.account_id(pot.account),
        kind=pot.kind.name.lower(),
        asset=asset_name(network, pot),
        counterparty=counterparty_of(network, pot),
        available=amount_in(network, pot, queue.available),
        owed=amount_in(network, pot, queue.owed_in_all),
        length=len(queue.owed),
        instructions=[
            waiting_view(network, each, amount_in(network, pot, each.owed)) for each in first
        ],
    )


def waiting_view(network: Network, waiting: Waiting, owed: str) -> queue_schemas.WaitingInstruction:
    """One that waits."""
    each, outlook = waiting.instruction, waiting.outlook
    return queue_schemas.WaitingInstruction(
        label=each.label,
        state=each.state.value,
        priority=each.priority.name.lower(),
        owed=owed,
        why=why_view(waiting.reason),
        missing=[shortfall_view(network, one) for one in outlook.missing],
        behind=outlook.behind or None,
    )


def limit_view(consortium: Consortium, pot: Pot, amount: int) -> queue_schemas.Limit:
    """A limit."""
    network, book = consortium.network, consortium.clearing_house.desk.book
    return queue_schemas.Limit(
        account=network.account_id(pot.account),
        counterparty=counterparty_of(network, pot),
        currency=network.currency(pot.asset),
        amount=amount_in(network, pot, amount),
        headroom=amount_in(network, pot, book.available(pot)),
    )


def balance_view(consortium: Consortium, movement: Movement) -> balance_schemas.Balance:
    """What an account has of one asset."""
    network = consortium.network
    is_cash = movement.register is Register.CASH
    kind = PotKind.CASH if is_cash else PotKind.SECURITIES
    pot = Pot(kind, movement.asset, movement.account)
    available, held = balance_of(consortium, movement)
    return balance_schemas.Balance(
        account=network.account_id(movement.account),
        kind=movement.register.value,
        asset=asset_name(network, pot),
        available=amount_in(network, pot, available),
        held=amount_in(network, pot, held),
        as_of_block=consortium.clearing_house.projection.height,
    )


def asset_name(network: Network, pot: Pot) -> str:
    """The ISIN or currency of a pot."""
    if pot.kind is PotKind.SECURITIES:
        return network.instrument(pot.asset).isin
    return network.currency(pot.asset)


def amount_in(network: Network, pot: Pot, amount: int) -> str:
    """Units, or an amount of money."""
    if pot.kind is PotKind.SECURITIES:
        return str(amount)
    return format_amount(amount, network.currency(pot.asset))


def counterparty_of(network: Network, pot: Pot) -> str | None:
    """Whom a limit is towards; None: everybody, or no limit."""
    return None if pot.counterparty == EVERYBODY else network.account_id(pot.counterparty)


def moment_text(seconds: int) -> str:
    """A moment of business time, from seconds since 1970."""
    return datetime.fromtimestamp(seconds, tz=UTC).replace(tzinfo=None).isoformat()
