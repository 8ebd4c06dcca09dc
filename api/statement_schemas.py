"""What an imported statement is answered with."""

from typing import Annotated

from api.said import said
from api.schemas import Wire


class StatementDifference(Wire):
    """One thing on which the statement, the ledger and the own book do not agree."""

    id: Annotated[
        str,
        said(
            "Of the break that it is: see /v1/breaks.",
            "对应的差异编号：见 /v1/breaks。",
            "3f1c0a9be2d47788",
        ),
    ]
    kind: Annotated[str, said("How they differ.", "差异类型。", "quantity")]
    subject: Annotated[
        str, said("Account, asset and reference.", "账户、资产与业务编号。", "BRK-A XN00NOVA1007")
    ]
    ours: Annotated[str, said("What the own book has.", "自有账簿的记录。", "500")]
    theirs: Annotated[
        str,
        said(
            "What the ledger and the statement have, and in which line.",
            "账本与对账单的记录及行号。",
            "ledger 500, custodian line 2 503",
        ),
    ]
    at_risk: Annotated[
        str, said("Cash in doubt, a decimal; empty if none.", "存疑金额；无则为空。", "0.03")
    ]
    currency: Annotated[str, said("Its currency; empty if none.", "币种；无则为空。", "CNY")]


class ComparedStatement(Wire):
    """A statement that was taken in, and everything in which it differs."""

    name: Annotated[str, said("The name it was given.", "对账单名称。", "custodian")]
    participant: Annotated[str, said("Whose holdings it is of.", "持有人。", "BRK-A")]
    kind: Annotated[str, said("positions, movements or cash.", "持仓、变动或现金。", "positions")]
    lines: Annotated[int, said("Lines that were compared.", "已比对的行数。", 12)]
    agrees: Annotated[bool, said("Whether nothing differs.", "是否完全一致。", example=True)]
    differences_total: Annotated[int, said("How many differences.", "差异总数。", 0)]
    differences: Annotated[
        list[StatementDifference], said("The first 500 of them.", "前 500 条差异。", [])
    ]
