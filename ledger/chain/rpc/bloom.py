"""Asking a header's bloom filter, so that a block that has nothing of interest is not read."""

from eth_hash.auto import keccak


def bloom_may_hold(bloom: bytes, item: bytes) -> bool:
    """False only when no log of the block has this address or topic."""
    bits, digest = int.from_bytes(bloom, "big"), keccak(item)
    return all(bits >> (int.from_bytes(digest[i : i + 2], "big") & 2047) & 1 for i in (0, 2, 4))
