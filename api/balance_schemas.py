"""Balances on the wire: what moves them, sets them aside, and what they are afterwards."""

from typing import Annotated, Literal

from pydantic import Field

from api.fields import AccountName, AsOfBlock, AssetName, ParticipantName, Register
from api.instruction_schemas import Amount, FirstCurrency
from api.said import said
from api.schemas import Account, InstrumentName, Quantity, Wire

Reference = Annotated[
    str,
    said(
        "Chosen by the sender: the same again is done once.",
        "由发送方自定：相同内容重复发送只执行一次。",
        "FUND-1",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,34}$",
    ),
]
OfCash = Annotated[Literal["cash"], said("An amount of cash.", "资金。", "cash")]
OfSecurities = Annotated[
    Literal["securities"], said("A quantity of securities.", "证券。", "securities")
]
Direction = Annotated[
    Literal["in", "out"],
    said("Into the account, or out of it.", "in 转入账户，out 转出账户。", "in"),
]
Act = Annotated[
    Literal["reserve", "unreserve"],
    said(
        "Set it aside, or make it available again.",
        "reserve 预留，unreserve 解除预留。",
        "reserve",
    ),
]


class _OfBalance(Wire):
    reference: Reference
    account: Account


class CashMovement(_OfBalance):
    """An amount of cash."""

    kind: OfCash
    direction: Direction
    amount: Amount
    currency: FirstCurrency = None


class SecuritiesMovement(_OfBalance):
    """A quantity of securities."""

    kind: OfSecurities
    direction: Direction
    instrument: InstrumentName
    quantity: Quantity


Funding = Annotated[CashMovement | SecuritiesMovement, Field(discriminator="kind")]


class CashReservation(_OfBalance):
    """An amount of cash that is set aside, or made available again."""

    kind: OfCash
    act: Act
    amount: Amount
    currency: FirstCurrency = None


class SecuritiesReservation(_OfBalance):
    """A quantity of securities that is set aside, or made available again."""

    kind: OfSecurities
    act: Act
    instrument: InstrumentName
    quantity: Quantity


Reservation = Annotated[CashReservation | SecuritiesReservation, Field(discriminator="kind")]


class Balance(Wire):
    """What an account has of one asset, after what was asked for."""

    account: AccountName
    kind: Register
    asset: AssetName
    available: Annotated[str, said("What it can deliver or pay.", "可用余额。", "1000001050.00")]
    held: Annotated[
        str, said("Its own, but set aside.", "已保留余额：属本账户但不可动用。", "0.00")
    ]
    as_of_block: AsOfBlock


class Standing(Wire):
    """Whether a participant may settle."""

    participant: ParticipantName
    is_suspended: Annotated[
        bool, said("Nothing settles with it meanwhile.", "已暂停：期间与其相关的均不交收。", True)
    ]
