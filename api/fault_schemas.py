"""Faults of nodes and their desks over the wire."""

from typing import Annotated, Literal

from api.fields import WHOLE
from api.said import holding, said
from api.schemas import Wire
from nodes.faults.node_faults import MILLISECONDS_MAX

FaultName = Literal[
    "kill",
    "restart",
    "slow",
    "cut-off",
    "duplicate",
    "heal",
    "blotter-missing",
    "blotter-duplicate",
    "blotter-terms",
]


class StandingFault(Wire):
    """Something that is wrong with a node or its desk now."""

    participant: Annotated[
        str, said("The participant whose node it is.", "节点所属的参与方。", "BANK-1")
    ]
    fault: Annotated[FaultName, said("What is wrong.", "故障名称。", "kill")]
    milliseconds: Annotated[
        int | None,
        said(
            "How late it answers; null: it is not slow.",
            "应答延迟（毫秒）；空值表示没有延迟。",
            250,
        ),
    ]


class FaultForm(Wire):
    """A fault that there is."""

    fault: Annotated[FaultName, said("Its name.", "名称。", "cut-off")]
    what: Annotated[
        str,
        said(
            "What it does, in English.",
            "作用（英文）。",
            "the node lives on, but neither sends nor receives",
        ),
    ]
    what_zh: Annotated[
        str, said("What it does, in Chinese.", "作用（中文）。", "节点仍在运行，但无法收发任何消息")
    ]
    takes_milliseconds: Annotated[
        bool, said("Whether it is given a time.", "是否需要给出毫秒数。", False)
    ]


class Faults(Wire):
    """What is wrong now, and what can be made to go wrong."""

    standing: Annotated[
        list[StandingFault],
        holding("What is wrong now, by participant.", "当前存在的故障，按参与方排列。"),
    ]
    faults: Annotated[
        list[FaultForm],
        holding("Every fault of a node or its desk.", "全部节点及交易台故障。"),
    ]


class NewFault(Wire):
    """Something to do to a node or its desk."""

    fault: Annotated[FaultName, said("What to do.", "故障名称。", "slow")]
    participant: Annotated[
        str,
        said("To whose node or desk.", "作用于哪个参与方的节点或交易台。", "BRK-A", max_length=24),
    ]
    milliseconds: Annotated[
        int | None,
        said(
            "How late it is to answer; with slow, and with nothing else.",
            "应答延迟（毫秒）；仅用于 slow，且必须给出。",
            250,
            ge=1,
            le=MILLISECONDS_MAX,
        ),
        WHOLE,
    ] = None
