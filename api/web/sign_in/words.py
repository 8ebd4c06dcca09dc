"""The words of the page to sign in, and of who is signed in."""

from typing import Final

from api.web.words import Words

SIGN_IN_WORDS: Final[Words] = {
    "enter": ("Sign in", "登录"),
    "explain": (
        "What you see depends on whose key it is. The operator may look as anybody.",
        "所见内容取决于密钥的持有人。运营方登录后可切换为任一身份查看。",
    ),
    "get_key": (
        "Print the key of the operator, or of a participant; add --folder if novate up has it:",
        "显示运营方或某一参与方的密钥（如 novate up 使用了 --folder，请加上同一选项）：",
    ),
    "key": ("Key", "密钥"),
    "public": (
        "Keys of a sandbox follow from its seed and are publicly known: for simulation only.",
        "沙箱密钥由种子推导，属公开信息：仅供模拟使用。",
    ),
    "ticket_used": (
        "That link works once, and has been used. Sign in with a key.",
        "该链接仅可使用一次，现已失效。请使用密钥登录。",
    ),
    "title": ("Sign in", "登录"),
    "wrong_key": ("That key is not valid here.", "该密钥在此无效。"),
}
