"""Who signed: secp256k1 public-key recovery, strict about the one signature that is accepted."""

from typing import Final

from coincurve import PublicKey
from eth_hash.auto import keccak

COMPACT_BYTES: Final = 64
_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_PARITY_BIT: Final = 1 << 255


def signer_of(digest: bytes, signature: bytes) -> bytes:
    """The address behind a compact signature (ERC-2098). Raises ValueError when there is none."""
    if len(signature) != COMPACT_BYTES:
        raise ValueError(f"a compact signature has {COMPACT_BYTES} bytes, not {len(signature)}")
    s_and_parity = int.from_bytes(signature[32:], "big")
    s = s_and_parity & (_PARITY_BIT - 1)
    return recover(digest, s_and_parity >> 255, int.from_bytes(signature[:32], "big"), s)


def recover(digest: bytes, y_parity: int, r: int, s: int) -> bytes:
    """The address that signed a digest. Raises ValueError for a malleable or an empty signature."""
    if y_parity not in (0, 1) or not 0 < r < _ORDER or not 0 < s <= _ORDER // 2:
        raise ValueError("the signature is out of range (EIP-2: s must be low)")
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([y_parity])
    try:
        key = PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except ValueError as error:
        raise ValueError("no public key belongs to the signature") from error
    return address_of(key)


def address_of(key: PublicKey) -> bytes:
    """The 20-byte address of a public key."""
    return keccak(key.format(compressed=False)[1:])[12:]
