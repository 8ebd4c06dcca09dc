"""Signatures of webhooks, as the Standard Webhooks specification has them."""

import base64
import hashlib
import hmac
from typing import Final

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 # what every secret begins with
SECRET_BYTES: Final = 24


def secret_text(secret: bytes) -> str:
    """A secret as its owner is given it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def signed_headers(secret: str, id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that show who sent a body, and when."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    content = f"{id}.{timestamp}.".encode() + body
    digest = hmac.new(key, content, hashlib.sha256).digest()
    return {
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
