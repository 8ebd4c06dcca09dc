"""Who signed for the settlement of a trade: its parties the cycle, validators the block.

All of it stands on the chain anyway, in calldata and certificates; here it is by name.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.lines import Lines
from ledger.books.tables import CycleRow
from ledger.domain.accounts import holding_key, participant_of
from nodes.clearing_house import ClearingHouse
from nodes.clearing_house.signed_cycle import unpack_signed
from nodes.consortium import Consortium
from nodes.signed_trade import SideSignature


@dataclass(frozen=True, slots=True)
class NetLine:
    """What a cycle moved for one account: units of the instrument, minor units of the currency."""

    account: int
    quantity: int
    amount: int


@dataclass(frozen=True, slots=True)
class Attested:
    """A cycle as far as two accounts are concerned.

    Attributes:
        digest: what every party signed (EIP-712).
        lines: a line of each account, the net of all its trades of that asset in the cycle.
    """

    digest: bytes
    signatures: tuple[SideSignature, ...]
    lines: tuple[NetLine, ...]


def attested_by(
    house: ClearingHouse, row: CycleRow, accounts: Sequence[int], instrument: int, currency: int
) -> Attested | None:
    """What the owners of some accounts signed of a cycle; None when it was never signed."""
    payload = house.cycles.signed(row.number)
    if not payload:
        return None
    signed = unpack_signed(payload)
    cycle = signed.cycle
    signature_by_party = dict(zip(cycle.party_numbers(), signed.signatures, strict=True))
    owners = sorted({participant_of(account) for account in accounts})
    digest = house.settlement_domain().digest(cycle.struct_hash())
    signatures = [
        SideSignature(
            house.network.participant_id(party),
            house.signer(party),
            signature_by_party[party],
        )
        for party in owners
    ]
    securities, cash = cycle.securities(), cycle.cash()
    lines = [
        NetLine(
            account,
            _amount(securities, holding_key(instrument, account)),
            _amount(cash, holding_key(currency, account)),
        )
        for account in dict.fromkeys(accounts)
    ]
    return Attested(digest, tuple(signatures), tuple(lines))


def votes_of(consortium: Consortium, block: int) -> list[SideSignature]:
    """The validators' signatures of a block; none where the chain is not in this process."""
    chain = consortium.own_chain
    certificate = chain.certificate(block) if chain else None
    if chain is None or certificate is None:
        return []
    addresses = {each.name: each.address for each in chain.config.validators}
    return [
        SideSignature(vote.validator, addresses[vote.validator], vote.signature)
        for vote in certificate.votes
    ]


def _amount(lines: Lines, key: int) -> int:
    place = int(lines.keys.searchsorted(key))
    return int(lines.amounts[place]) if place < len(lines) and lines.keys[place] == key else 0
