# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Inclusion of trades in settled cycles
@license Apache-2.0
@notice Says of a chunk of trades whether it is under the root that a cycle settled with, so that a
        court, a contract or a stranger needs to trust nobody's computer but the chain.
@dev The leaf is SHA-256(0x00 | salt | index | number of records | records), a node SHA-256(0x01 |
     left | right), the root SHA-256(0x02 | cycle | leaves | trades | top); numbers are eight bytes.
@custom:invariant Nothing is kept and nothing can be changed: every function is a view.
"""

from interfaces import ISettlement

RECORD_BYTES: constant(uint256) = 88
RECORDS_BYTES_MAX: constant(uint256) = 5_632
PATH_MAX: constant(uint256) = 32
LEAVES_MAX: constant(uint256) = 2 ** 32

SETTLEMENT: immutable(ISettlement)


@deploy
def __init__(settlement: address):
    """
    @notice Inclusion in the cycles of one settlement contract.
    @param settlement The settlement contract.
    """
    SETTLEMENT = ISettlement(settlement)


@view
@external
def included(
    cycle_id: bytes32,
    index: uint256,
    leaves: uint256,
    salt: bytes32,
    records: Bytes[RECORDS_BYTES_MAX],
    path: DynArray[bytes32, PATH_MAX],
) -> bool:
    """
    @notice Whether a chunk of trades is under the root of a settled cycle. Anyone may ask.
    @param cycle_id The cycle; it must have settled.
    @param index The chunk's number in the cycle, from 0.
    @param leaves How many chunks the cycle has.
    @param salt The chunk's salt.
    @param records The chunk's trades, at most 64 of 88 bytes each, in order of capture.
    @param path The sibling at each level from the chunk up; none where a node had no sibling.
    @return True if so.
    """
    root: bytes32 = empty(bytes32)
    trades: uint256 = 0
    root, trades = staticcall SETTLEMENT.cycle_of(cycle_id)
    assert trades != 0, "inclusion: cycle has not settled"
    if index >= leaves or leaves > LEAVES_MAX or trades > convert(max_value(uint64), uint256):
        return False
    if len(records) == 0 or len(records) % RECORD_BYTES != 0:
        return False
    node: bytes32 = self._leaf(index, salt, records)
    position: uint256 = index
    width: uint256 = leaves
    used: uint256 = 0
    for _: uint256 in range(PATH_MAX):
        if width == 1:
            break
        if position ^ 1 < width:
            if used == len(path):
                return False
            node = self._above(node, path[used], position)
            used += 1
        position //= 2
        width = (width + 1) // 2
    if used != len(path):
        return False
    return (
        sha256(concat(b"\x02", cycle_id, self._eight(leaves), self._eight(trades), node)) == root
    )


@pure
@internal
def _leaf(index: uint256, salt: bytes32, records: Bytes[RECORDS_BYTES_MAX]) -> bytes32:
    """
    @notice The hash of a chunk. This is an `internal` function.
    @param index Its number.
    @param salt Its salt.
    @param records Its trades.
    @return The hash.
    """
    count: uint256 = len(records) // RECORD_BYTES
    return sha256(concat(b"\x00", salt, self._eight(index), self._eight(count), records))


@pure
@internal
def _above(node: bytes32, sibling: bytes32, position: uint256) -> bytes32:
    """
    @notice The node above two. This is an `internal` function.
    @param node One of them.
    @param sibling The other one.
    @param position The first one's place in its level; it is on the left if that is even.
    @return The hash.
    """
    if position % 2 == 0:
        return sha256(concat(b"\x01", node, sibling))
    return sha256(concat(b"\x01", sibling, node))


@pure
@internal
def _eight(number: uint256) -> bytes8:
    """
    @notice A number as it is hashed. This is an `internal` function.
    @param number The number, of at most 64 bits.
    @return Eight bytes, big-endian.
    """
    return convert(convert(number, uint64), bytes8)
