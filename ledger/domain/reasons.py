"""Why something was refused or waits: one numbered table, in the order in which it is examined.

A refusal that a user can meet is a value, ``Rejected(reason)``, never an exception. Every revert
text of the contracts leads to exactly one reason here; tests hold both sides together.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a reason means to a person, in English and Chinese."""

    cause: str
    remedy: str
    cause_zh: str
    remedy_zh: str


class Reason(Enum):
    """Numbered reasons, by precedence: the first that applies is the one that is given."""

    INVALID = 1001
    UNKNOWN = 1002
    UNIDENTIFIED = 2000
    UNAUTHORISED = 2001
    SUSPENDED = 2002
    UNSIGNED = 2003
    INTEGRITY = 2004
    RULES = 3001
    LATE = 3002
    DUPLICATE = 3003
    UNBALANCED = 3004
    UNCOVERED = 3005
    OCCUPIED = 3006
    FINAL = 3007
    UNAFFIRMED = 4001
    SILENT = 4002
    DISPUTED = 4003
    UNMATCHED = 4004
    HELD = 5001
    BEHIND = 5002
    LACK = 5003
    MONY = 5004
    SHORT = 5005
    CAP = 5006
    UNPROVEN = 5007
    LINK = 5008
    LIMIT = 5009
    UNAVAILABLE = 9001
    STORAGE = 9002
    BUSY = 9003

    @property
    def explanation(self) -> Explanation:
        """Cause and remedy."""
        return _EXPLANATIONS[self]

    @property
    def http_status(self) -> int:
        """The status with which the REST interface answers a request refused for this reason."""
        return _HTTP_STATUS.get(self, 409)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A refusal: nothing has changed. ``detail`` names the thing, the expected and the found."""

    reason: Reason
    detail: str = ""


def reason_of_revert(text: str) -> Reason:
    """The reason that a contract's revert text stands for. Raises KeyError for a text not ours."""
    return _REASON_BY_REVERT[text]


def revert_texts() -> frozenset[str]:
    """Every revert text that has a reason."""
    return frozenset(_REASON_BY_REVERT)


_HTTP_STATUS: Final = {
    Reason.INVALID: 422,
    Reason.UNKNOWN: 404,
    Reason.UNIDENTIFIED: 401,
    Reason.UNAUTHORISED: 403,
    Reason.SUSPENDED: 403,
    Reason.UNSIGNED: 403,
    Reason.UNAVAILABLE: 503,
    Reason.STORAGE: 507,
    Reason.BUSY: 429,
}

_REVERTS_BY_REASON: Final[dict[Reason, tuple[str, ...]]] = {
    Reason.INVALID: (
        "holdings: debit in an issue",
        "holdings: full",
        "holdings: lines out of order",
        "holdings: malformed line",
        "holdings: no amount",
        "holdings: no asset code",
        "holdings: overflow",
        "participants: full",
        "participants: no identifier",
        "participants: no signer",
        "participants: not suspended",
        "register: no settlement contract",
        "settlement: amount above the cap",
        "settlement: empty cycle",
        "settlement: empty set",
        "settlement: no parties",
        "settlement: nothing to settle",
        "settlement: parties out of order",
    ),
    Reason.UNKNOWN: (
        "holdings: unknown account",
        "holdings: unknown asset",
        "holdings: unknown participant",
        "inclusion: cycle has not settled",
        "participants: unknown",
        "settlement: cycle not open",
    ),
    Reason.UNAUTHORISED: (
        "cash: not a bank",
        "cash: not the settlement bank",
        "participants: not the administrator",
        "participants: not the clearing house",
        "register: not the deployer",
        "register: not the owner",
        "register: not the settlement contract",
        "securities: not the registrar",
        "settlement: not the clearing house",
    ),
    Reason.SUSPENDED: ("participants: suspended",),
    Reason.UNSIGNED: (
        "register: not signed by the owner",
        "settlement: not signed by the party",
        "settlement: other lines than signed",
        "settlement: other parties than signed",
        "settlement: signatures missing",
        "signatures: high s",
        "signatures: not recoverable",
        "signatures: other chain",
    ),
    Reason.RULES: ("settlement: other rule version",),
    Reason.LATE: ("settlement: late",),
    Reason.DUPLICATE: (
        "holdings: asset code in use",
        "holdings: reference in use",
        "participants: identifier in use",
        "participants: signer in use",
        "settlement: cycle id in use",
        "settlement: settled before",
    ),
    Reason.UNBALANCED: ("holdings: not zero-sum",),
    Reason.UNCOVERED: ("settlement: line of a stranger",),
    Reason.OCCUPIED: ("settlement: another cycle is open",),
    Reason.HELD: ("holdings: not held",),
    Reason.SHORT: ("holdings: short",),
    Reason.CAP: ("holdings: issue above the cap",),
}

_REASON_BY_REVERT: Final = {
    text: reason for reason, texts in _REVERTS_BY_REASON.items() for text in texts
}

_EXPLANATIONS: Final[dict[Reason, Explanation]] = {
    Reason.INVALID: Explanation(
        "The message is not of the form it must have.",
        "Correct the named field and send it again.",
        "报文格式不正确。",
        "请更正所指字段后重新发送。",
    ),
    Reason.UNKNOWN: Explanation(
        "It names a participant, account, instrument or id that is not known here.",
        "Check the identifier; register what is missing first.",
        "所指参与方、账户、证券或编号不存在。",
        "请核对编号，必要时先行登记。",
    ),
    Reason.UNIDENTIFIED: Explanation(
        "The request has no key, or one that is not valid here.",
        "Send the header Authorization: Bearer KEY; the sandbox shows its keys when it starts.",
        "请求未附密钥，或密钥在此无效。",
        "请附请求头 Authorization: Bearer KEY；沙箱启动时会显示密钥。",
    ),
    Reason.UNAUTHORISED: Explanation(
        "The sender's role does not allow this.",
        "Have the participant send it whose right it is.",
        "发送方无此权限。",
        "请由有权的参与方发送。",
    ),
    Reason.SUSPENDED: Explanation(
        "A participant in it is suspended.",
        "Wait until the clearing house reinstates the participant.",
        "相关参与方已被暂停。",
        "请等待清算所恢复其资格。",
    ),
    Reason.UNSIGNED: Explanation(
        "The signature of somebody who has to sign is missing or not valid.",
        "Have every debtor of an instruction, or both brokers of a trade, sign exactly this.",
        "缺少须签名方的有效签名。",
        "请指令的每一应付方（或成交的双方经纪商）对完全相同的内容签名。",
    ),
    Reason.INTEGRITY: Explanation(
        "The instrument is suspended: more or less of it was issued than its registrar or bank"
        " knows of.",
        "Wait until the undue issue is redeemed or explained; see the list of breaks.",
        "该证券已暂停：账本上的发行量与登记机构或银行的记录不符。",
        "请等待无据增发或注销得到处理；参见差异列表。",
    ),
    Reason.RULES: Explanation(
        "It was made under another version of the rulebook than the one in force.",
        "Make it again under the present version.",
        "其规则版本与现行版本不符。",
        "请按现行规则版本重新生成。",
    ),
    Reason.LATE: Explanation(
        "Its time has passed.",
        "Enter it again with a later expiry.",
        "已逾时。",
        "请以更晚的到期时间重新录入。",
    ),
    Reason.DUPLICATE: Explanation(
        "It has settled already, or the same id was used before with other content.",
        "Send the first content again, or use a new id.",
        "已交收，或相同编号已用于不同内容。",
        "请重发原内容，或使用新编号。",
    ),
    Reason.UNBALANCED: Explanation(
        "The net lines of an asset do not add up to zero.",
        "Net the trades again.",
        "某资产的净额合计不为零。",
        "请重新轧差。",
    ),
    Reason.UNCOVERED: Explanation(
        "A net line touches a participant that did not attest the cycle.",
        "Collect its attestation or leave its trades out.",
        "净额涉及未确认该批次的参与方。",
        "请取得其确认，或剔除其成交。",
    ),
    Reason.OCCUPIED: Explanation(
        "Another large cycle is being settled in parts, and there is one at a time.",
        "Settle or abort the one that is open, then begin this one.",
        "另一大批次正在分段交收，同一时间只能有一个。",
        "请先完成或中止进行中的批次，再开始本批次。",
    ),
    Reason.FINAL: Explanation(
        "It has ended already: settled, cancelled or failed.",
        "Correct what has settled by a new, opposite instruction.",
        "该指令已终结：已交收、已撤销或已失败。",
        "如需更正已交收的指令，请另行录入反向指令。",
    ),
    Reason.UNAFFIRMED: Explanation(
        "A broker's own blotter does not confirm the trade.",
        "Compare both versions of the trade and correct the wrong one.",
        "经纪商自有成交簿未确认该成交。",
        "请比对双方记录并更正有误的一方。",
    ),
    Reason.SILENT: Explanation(
        "A party that this needs has not answered in time.",
        "Wait for the party, or settle once it is back.",
        "所需的一方未及时应答。",
        "请等待该方恢复应答后再交收。",
    ),
    Reason.DISPUTED: Explanation(
        "A party does not agree with the cycle and named the trades that differ.",
        "Look at the named trades in the list of breaks.",
        "一方不认可该批次，并指明了有差异的成交。",
        "请在差异列表中查看所指成交。",
    ),
    Reason.UNMATCHED: Explanation(
        "The other side has not entered a matching instruction.",
        "Have the other side enter it, or correct the field that differs.",
        "对手方尚未录入相匹配的指令。",
        "请对手方录入，或更正不一致的字段。",
    ),
    Reason.HELD: Explanation(
        "It is on hold, or releases more than is held.",
        "Release it first.",
        "处于保留状态，或释放数量超过已保留数量。",
        "请先释放。",
    ),
    Reason.BEHIND: Explanation(
        "It could settle, but an earlier one of the same debtor goes first.",
        "Wait, or raise its priority.",
        "可以交收，但同一应付方有更早的指令在前。",
        "请等待，或提高其优先级。",
    ),
    Reason.LACK: Explanation(
        "The deliverer does not have the securities.",
        "Deliver securities to the account, or wait for incoming ones.",
        "交付方证券不足。",
        "请补足证券，或等待入库。",
    ),
    Reason.MONY: Explanation(
        "The payer does not have the cash.",
        "Fund the account, or wait for incoming cash.",
        "付款方资金不足。",
        "请补足资金，或等待入账。",
    ),
    Reason.SHORT: Explanation(
        "The account's available balance is too low.",
        "Bring in what is missing; held balances do not count.",
        "账户可用余额不足。",
        "请补足差额；已保留余额不计入。",
    ),
    Reason.CAP: Explanation(
        "More would exist of the asset than the register can keep.",
        "Issue less, or redeem first.",
        "发行后总量将超过登记上限。",
        "请减少发行量，或先行赎回。",
    ),
    Reason.UNPROVEN: Explanation(
        "A proof was asked for of a trade that is in no settled cycle.",
        "Wait until its cycle has settled; what settled on its own is an instruction on the chain.",
        "所求证明的成交不在任何已交收的净额批次中。",
        "请等待其批次交收；逐笔交收者见链上的交收指令。",
    ),
    Reason.LINK: Explanation(
        "It settles only together with another one, which has not arrived or cannot settle.",
        "Enter the linked instruction, or cancel this one.",
        "须与另一指令同时交收，而该指令尚未到达或无法交收。",
        "请录入所关联的指令，或撤销本指令。",
    ),
    Reason.LIMIT: Explanation(
        "The payer would go beyond a limit that it has set.",
        "Wait for incoming payments, or raise the limit.",
        "付款方将超过其自设的限额。",
        "请等待入账，或提高限额。",
    ),
    Reason.UNAVAILABLE: Explanation(
        "The system is starting, stopping, or has met a fault.",
        "Send the same again later: what was captured is answered as before.",
        "系统正在启动、停止或发生故障。",
        "请稍后重发同一内容：已受理的将得到相同应答。",
    ),
    Reason.STORAGE: Explanation(
        "The disk is full or does not take what is written: nothing was captured.",
        "Make room on the disk, then send the same again; no restart is needed.",
        "磁盘已满或写入失败：未受理任何内容。",
        "请腾出磁盘空间后重发同一内容，无需重启。",
    ),
    Reason.BUSY: Explanation(
        "More requests came with this key than it may send in that time.",
        "Wait as long as the header Retry-After says, then send the same again.",
        "该密钥的请求过于频繁。",
        "请按响应头 Retry-After 所示时间等待后重发同一内容。",
    ),
}
