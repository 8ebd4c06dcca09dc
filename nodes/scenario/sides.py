"""What each participant enters of an instruction in a story, through its own node."""

from contextlib import suppress
from datetime import UTC, datetime, time, timedelta

from ledger.domain.identifiers import owner_of
from ledger.domain.reasons import Reason, Rejected
from ledger.settlement.matching import Side, Wishes
from nodes.bus import UnreachableError
from nodes.scenario.scene import Scene
from nodes.scenario.story import CancelEvent, SideEvent


class SideOrders:
    """Brings sides in and takes them back."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def enter(self, event: SideEvent) -> None:
        """A side is entered; an id stands for one thing of one participant."""
        terms, scene = event.terms, self._scene
        if scene.refuses(event.id, [terms.deliverer, terms.receiver], terms.isin):
            return
        first = scene.played.sides.get(event.id)
        if first is None or first.by != event.by:
            scene.note(event.id, Reason.DUPLICATE)
            return
        scene.note(event.id, self._stranger(event.by) or self._enter(event))

    def withdraw(self, event: CancelEvent) -> Rejected | None:
        """An unmatched side is taken back; of one that matched, cancellation is asked for."""
        refusal = self._stranger(event.by)
        if refusal is not None:
            return refusal
        with suppress(UnreachableError):
            return self._scene.consortium.trader(event.by).withdraw_side(event.instruction)
        return Rejected(Reason.SILENT)

    def _enter(self, event: SideEvent) -> Rejected | None:
        trader = self._scene.consortium.trader(event.by)
        with suppress(UnreachableError):
            return trader.enter_side(event.id, self._side(event), self._wishes(event))
        return Rejected(Reason.SILENT)

    def _stranger(self, by: str) -> Rejected | None:
        """Why nothing can be said by a participant."""
        if not self._scene.is_participant(by):
            return Rejected(Reason.UNKNOWN, by)
        if not self._scene.network.trades(by):
            return Rejected(Reason.UNAUTHORISED, by)
        return Rejected(Reason.SILENT) if by in self._scene.silent else None

    def _side(self, event: SideEvent) -> Side:
        terms = event.terms
        deliverer, receiver = owner_of(terms.deliverer), owner_of(terms.receiver)
        # The account of the other side is left open, unless it is a client's.
        counterparty = {deliverer: receiver, receiver: deliverer}.get(event.by)
        accounts = [
            "" if account == counterparty else account
            for account in (terms.deliverer, terms.receiver)
        ]
        return Side(
            is_deliverer=event.by == deliverer,
            deliverer=deliverer,
            receiver=receiver,
            deliverer_account=accounts[0],
            receiver_account=accounts[1],
            settlement_date=event.settlement_date or self._scene.played.story.business_date,
            isin=terms.isin if terms.quantity else "",
            quantity=terms.quantity,
            currency=terms.currency if terms.amount else "",
            amount=terms.amount,
            common_reference=event.common_reference,
            entitlement=event.entitlement,
        )

    def _wishes(self, event: SideEvent) -> Wishes:
        terms, played = event.terms, self._scene.played
        expires_at = None
        if terms.expires is not None:
            day = datetime.combine(played.story.business_date, time(), tzinfo=UTC)
            expires_at = int((day + timedelta(seconds=terms.expires)).timestamp())
        return Wishes(
            priority=terms.priority,
            is_held=terms.is_held,
            may_be_partial=terms.may_be_partial,
            expires_at=expires_at,
            linked_to=tuple(map(played.label, terms.linked_to)),
        )
