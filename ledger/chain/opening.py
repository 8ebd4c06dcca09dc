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
from ledger.chain.finality import CertificateError, check_certificate
from ledger.chain.genesis import ChainConfig, genesis_header
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
    headers = _check_headers(store, config)
    if not headers:
        return None
    _check_certificates(store, config, headers)
    base_number, base = store.checkpoint() or (0, NO_CHANGES)
    if base_number not in headers:
        raise store.damaged(f"the checkpoint {base_number} is of no block")
    parts = [base]
    slots_since, head = 0, max(headers)
    due = base_number
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


def _check_headers(store: BlockStore, config: ChainConfig) -> "dict[int, Header]":
    """The headers from the last checkpoint's parent on, after all of them were checked."""
    genesis = genesis_header(config)
    base_number = (store.checkpoint() or (0, NO_CHANGES))[0]
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


def _check_certificates(
    store: BlockStore, config: ChainConfig, headers: "dict[int, Header]"
) -> None:
    """The last certificate covers every block below, each the parent of the next."""
    number = store.final_height()
    certificate = store.certificate(number)
    if certificate is None:
        return
    header = headers.get(number) or store.header_by_number(number)
    if header is None or certificate.block_hash != header.hash():
        raise store.damaged(f"block {number}: the finality certificate is of another block")
    try:
        check_certificate(config, certificate)
    except CertificateError as error:
        raise store.damaged(str(error)) from error
