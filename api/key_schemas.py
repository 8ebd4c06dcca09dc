"""Keys over the wire: what is known of one, and, once, the key itself."""

from typing import Annotated

from api.said import said
from api.schemas import Wire


class NewKey(Wire):
    """For whom a key is wanted."""

    holder: Annotated[
        str,
        said(
            "A participant, REGULATOR where there is none, or OPERATOR for the whole sandbox.",
            "参与方；无监管机构参与方时可用 REGULATOR；OPERATOR 代表整个沙箱。",
            "BRK-A",
            max_length=24,
        ),
    ]


class ApiKey(Wire):
    """What is known of a key. The key itself is shown once, to whoever makes it."""

    id: Annotated[
        str,
        said("Names the key, and is not it.", "密钥的编号，并非密钥本身。", "key_0123456789abcdef"),
    ]
    holder: Annotated[str, said("Whose key it is.", "密钥持有人。", "BRK-A")]
    role: Annotated[
        str, said("In what capacity the holder calls.", "持有人以何种角色调用。", "broker")
    ]
    participant: Annotated[
        str | None,
        said(
            "The participant; null of who is no institution here.",
            "对应的参与方；持有人不是本网络机构时为 null。",
            "BRK-A",
        ),
    ]
    is_from_seed: Annotated[
        bool,
        said(
            "It follows from the seed, and is publicly known.",
            "由种子推导而来，属公开信息。",
            True,
        ),
    ]
    made_at: Annotated[int, said("Seconds since 1970.", "自 1970 年起的秒数。", 1_770_714_000)]
    revoked_at: Annotated[
        int | None,
        said(
            "Seconds since 1970; null while it is good.",
            "自 1970 年起的秒数；仍有效时为 null。",
            None,
        ),
    ]


class MadeKey(ApiKey):
    """A new key, shown this once."""

    api_key: Annotated[
        str,
        said(
            "The key. It is kept as a hash only: nobody can show it again.",
            "密钥。系统仅保存其哈希，无法再次显示。",
            "nvk_BRK-A_" + "0" * 64,
        ),
    ]


class ApiKeys(Wire):
    """Keys, oldest first."""

    data: Annotated[list[ApiKey], said("The keys of this page.", "本页的密钥。", [])]
    next_cursor: Annotated[str | None, said("Where the next page begins.", "下一页的起点。", None)]
