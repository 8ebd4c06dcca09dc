"""The words of the page to sign in, and of who is signed in."""

from typing import Final

from api.web.words import Words

SIGN_IN_WORDS: Final[Words] = {
    "enter": ("Sign in", "登录"),
    "explain": (
        "What you see depends on whose key it is. To look as somebody else, sign in with its key.",
        "所见内容取决于密钥的持有人。如需以其他身份查看，请使用其密钥登录。",
    ),
    "get_key": (
        "Print the key of the operator, or of a participant:",
        "显示运营方或某一参与方的密钥：",
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
