"""What each state of an instruction means to a person, and the reasons that can be met in it.

Beside the numbered reasons this is the other half of one table: which state, why, what then.
"""

from dataclasses import dataclass
from typing import Final, assert_never

from ledger.domain.instructions import State
from ledger.domain.reasons import Reason


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a state means, in English and Chinese.

    Attributes:
        name_zh: what it is called in Chinese.
        iso_status: the status that ISO 20022 calls it by (sese.024), or the confirmation.
        reasons: why it can be in it, by precedence.
    """

    text: str
    text_zh: str
    name_zh: str
    iso_status: str
    reasons: tuple[Reason, ...]


WAITING: Final = (
    Reason.SUSPENDED,
    Reason.UNSIGNED,
    Reason.INTEGRITY,
    Reason.RULES,
    Reason.LATE,
    Reason.UNAFFIRMED,
    Reason.SILENT,
    Reason.DISPUTED,
    Reason.BEHIND,
    Reason.LACK,
    Reason.MONY,
    Reason.SHORT,
    Reason.LINK,
    Reason.LIMIT,
)
"""Why an instruction that is bound on both sides has not settled yet."""

REFUSED_AT_ENTRY: Final = (
    Reason.INVALID,
    Reason.UNKNOWN,
    Reason.UNAUTHORISED,
    Reason.SUSPENDED,
    Reason.INTEGRITY,
    Reason.DUPLICATE,
)
"""Why an instruction is not taken in at all, and so has no state."""

REFUSED_AT_THE_END: Final = (Reason.FINAL,)
"""Why a hold, release, cancellation or change of priority of an ended one is refused."""


def meaning_of(state: State) -> Meaning:
    """What a state means, and which reasons can be met in it."""
    match state:
        case State.UNMATCHED:
            meaning = Meaning(
                "One side has entered it; it is alleged to the other.",
                "仅一方已录入，已向对手方提示。",
                "未匹配",
                "NMAT",
                (Reason.UNMATCHED,),
            )
        case State.QUEUED:
            meaning = Meaning(
                "Both sides are bound; it settles as soon as it can, by the rules.",
                "双方均受约束；按规则可交收时即交收。",
                "排队中",
                "PEND",
                WAITING,
            )
        case State.HELD:
            meaning = Meaning(
                "A side has put it on hold: it is not tried, and blocks nobody.",
                "一方已将其暂缓：不尝试交收，也不妨碍他人。",
                "暂缓",
                "PEND, PREA",
                (Reason.HELD,),
            )
        case State.PARTIALLY_SETTLED:
            meaning = Meaning(
                "A part is final; the rest is queued.",
                "部分已最终交收，其余排队中。",
                "部分交收",
                "PEND, PART",
                WAITING,
            )
        case State.SETTLED:
            meaning = Meaning(
                "Final: it can neither settle again nor be undone.",
                "已最终交收：不可重复，也不可撤销。",
                "已交收",
                "sese.025",
                (),
            )
        case State.CANCELLED:
            meaning = Meaning(
                "Taken back: unmatched by its one side, matched by both, a payment by its payer.",
                "已撤销：未匹配由单方撤销，已匹配由双方撤销，付款由付款方撤销。",
                "已撤销",
                "CANC",
                (),
            )
        case State.FAILED:
            meaning = Meaning(
                "Its time passed before it could settle.",
                "逾时未能交收。",
                "已失败",
                "PENF",
                (Reason.LATE,),
            )
        case _:
            assert_never(state)
    return meaning


def moves() -> list[tuple[State, State]]:
    """Every move from one state to another, in the order of the states."""
    return [(old, new) for old in State for new in State if old.can_become(new)]
