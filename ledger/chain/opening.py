"""Opening a stored chain: nothing of it is believed before it has been checked.

Every header must follow from the one before, from this chain's genesis on; the state is folded from
the last checkpoint and the changes after it, each of which its block's state root commits to; the
last certificate must hold. No transaction is run.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

from eth_hash.auto import keccak

from ledger.chain.blocks import Header
from ledger.chain.finality import (
    Certificate,
    CertificateError,
    check_certificate,
    vote_digest,
)
from ledger.chain.genesis import ChainConfig, genesis_header
from ledger.chain.signatures import signer_of
from ledger.chain.state import (
    NO_CHANGES,
    EncodedChanges,
    StateChanges,
    fold,
    next_state_root,
)
from ledger.chain.store import BlockStore

SLOTS_A_PART: Final = 50_000


@dataclass(frozen=True, slots=True)
class Opened:
    """A stored chain, checked.

    Attributes:
        head: header of the last block.
        state: the whole state after it.
        checkpoint_slots: how many slots the state of the last checkpoint had.
        slots_since: how many slots were written in the blocks after it.
    """

    head: Header
    state: EncodedChanges
    checkpoint_slots: int
    slots_since: int


def open_store(store: BlockStore, config: ChainConfig) -> Opened | None:
    """What a store holds; None when it is empty. Raises StorageError."""
    with store.one_view():
        if store.is_empty():
            return None
        base_number, base = store.checkpoint() or (0, NO_CHANGES)
        headers = _check_headers(store, config, base_number)
        head = max(headers)
        if base_number not in headers:
            raise store.damaged(f"the blocks end at {head}, before the checkpoint {base_number}")
        _check_finality(store, config, headers[head])
        parts = [base]
        slots_since, due = 0, base_number
        for number, changes in store.changes_after(base_number - 1):
            if number != due or number > head:
                break
            due += 1
            is_base = number == base_number and number > 0
            _check_state_root(store, headers, number, changes, base if is_base else None)
            if not is_base:
                parts.append(changes)
                slots_since += changes.slot_count
        if due <= head:
            raise store.damaged(f"the state changes of block {due} are missing")
        return Opened(headers[head], fold(parts), base.slot_count, slots_since)


def stored_state(store: BlockStore) -> Iterator[StateChanges]:
    """The whole state after the last block, in parts; of a store that was opened and checked."""
    base_number, base = store.checkpoint() or (0, NO_CHANGES)
    since = (changes for _, changes in store.changes_after(base_number))
    return fold(chain([base], since)).in_parts(SLOTS_A_PART)


def _check_headers(store: BlockStore, config: ChainConfig, base_number: int) -> "dict[int, Header]":
    """The headers from the last checkpoint's parent on, after all of them were checked."""
    genesis = genesis_header(config)
    kept: dict[int, Header] = {}
    parent = b""
    for expected, (number, digest, encoded) in enumerate(store.heads()):
        if number != expected:
            raise store.damaged(f"block {expected} is missing")
        if keccak(encoded) != digest:
            raise store.damaged(f"block {number}: the header is not the one its hash stands for")
        if number == 0 and digest != genesis.hash():
            raise store.damaged(
                "block 0 is another chain's genesis (chain id, proposer or genesis time differ)"
            )
        if number and encoded[_PARENT] != parent:
            raise store.damaged(f"block {number} does not follow block {number - 1}")
        if number >= base_number - 1:
            kept[number] = Header.decode(encoded)
        parent = digest
    if not kept:
        raise store.damaged(f"there are no blocks up to the checkpoint {base_number}")
    return kept


# A header's encoding begins with a list prefix of three bytes and the parent's hash.
_PARENT = slice(4, 36)


def _check_state_root(
    store: BlockStore,
    headers: "dict[int, Header]",
    number: int,
    changes: EncodedChanges,
    whole: EncodedChanges | None,
) -> None:
    if number == 0:
        return
    root = next_state_root(headers[number - 1].state_root, changes, whole)
    if root != headers[number].state_root:
        what = "checkpoint or state changes" if whole else "state changes"
        raise store.damaged(f"block {number}: the {what} are not those of its header")


def _check_finality(store: BlockStore, config: ChainConfig, head: Header) -> None:
    """The last certificate covers every block below, each the parent of the next.

    Above it there may be one block, which the proposer has signed and validators have not yet.
    """
    final = store.final_height()
    if final > head.number:
        raise store.damaged(f"block {final} has a certificate, but the blocks end at {head.number}")
    if head.number > final + 1:
        raise store.damaged(f"block {final + 1} has no certificate, and others follow it")
    certificate = store.certificate(final)
    if certificate:
        check_stored_certificate(store, config, certificate)
    if head.number > final:
        _check_signature(store, config, head)


def check_stored_certificate(
    store: BlockStore, config: ChainConfig, certificate: Certificate
) -> None:
    """Raises StorageError unless a certificate makes the stored block of its height final."""
    header = store.header_by_number(certificate.number)
    if header is None or certificate.block_hash != header.hash():
        raise store.damaged(
            f"block {certificate.number}: the finality certificate is of another block"
        )
    try:
        check_certificate(config, certificate)
    except CertificateError as error:
        raise store.damaged(str(error)) from error


def _check_signature(store: BlockStore, config: ChainConfig, head: Header) -> None:
    digest = vote_digest(config.chain_id, head.number, head.hash())
    try:
        signer = signer_of(digest, store.signature(head.number))
    except ValueError:
        signer = b""
    if signer != config.proposer:
        raise store.damaged(f"block {head.number} is not signed by the proposer")
