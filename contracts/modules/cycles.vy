# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Netted cycles
@license Apache-2.0
@notice Settles a netted cycle in one call: every line in both registers, or nothing. Securities are
        booked net (DvP model 3) or trade by trade (model 2), cash is net. A cycle settles once by its
        id, whatever its version.
"""

from modules import settling
from modules import signatures

uses: settling
uses: signatures

CYCLE_TYPE_HASH: constant(bytes32) = keccak256(
    "Cycle(bytes32 id,bytes32 root,uint256 count,bytes32 parties_hash,bytes32 lines_hash,uint256 rule_version,uint256 deadline)"
)
GROSS_CYCLE_TYPE_HASH: constant(bytes32) = keccak256(
    "GrossCycle(bytes32 id,bytes32 root,uint256 count,bytes32 parties_hash,bytes32 lines_hash,uint256 rule_version,uint256 deadline)"
)

# Where debtor and creditor stand in a move (see IRegister).
MOVE_DEBTOR_SHIFT: constant(uint256) = 95
MOVE_CREDITOR_SHIFT: constant(uint256) = 63
ACCOUNT_MASK: constant(uint256) = (1 << 32) - 1

struct Cycle:
    id: bytes32
    root: bytes32
    count: uint256
    rule_version: uint256
    deadline: uint256


root_by_cycle: HashMap[bytes32, bytes32]
count_by_cycle: HashMap[bytes32, uint256]


event CycleSettled:
    id: indexed(bytes32)
    digest: bytes32
    root: bytes32
    count: uint256
    rule_version: uint256


@external
def settle_cycle(
    cycle: Cycle,
    parties: DynArray[uint256, settling.PARTICIPANTS_MAX],
    securities_lines: DynArray[uint256, settling.LINES_MAX],
    cash_lines: DynArray[uint256, settling.LINES_MAX],
    attestations: DynArray[signatures.Signature, settling.PARTICIPANTS_MAX],
):
    """
    @notice Settles a netted cycle: every line in both registers, or nothing. Only the clearing
            house submits; every party of the cycle has signed exactly this.
    @param cycle Its id, the root and number of its trades, rule version, and the last second (chain
           time) at which it may settle.
    @param parties Every participant with a trade in the cycle, ascending.
    @param securities_lines Net quantities, ascending by instrument and account, zero-sum.
    @param cash_lines Net amounts, ascending by currency and account, zero-sum.
    @param attestations One signature a party, in the order of the parties.
    """
    self._check_cycle(cycle, len(parties))
    lines_hash: bytes32 = keccak256(
        concat(
            settling._chained(empty(bytes32), securities_lines),
            settling._chained(empty(bytes32), cash_lines),
        )
    )
    parties_hash: bytes32 = keccak256(abi_encode(parties, ensure_tuple=False))
    digest: bytes32 = self._cycle_digest(CYCLE_TYPE_HASH, cycle, parties_hash, lines_hash)
    signed: uint256[settling.PARTY_WORDS] = settling._check_attestations(
        digest, parties, attestations
    )
    settling._check_covered(extcall settling.SECURITIES.book(cycle.id, securities_lines), signed)
    settling._check_covered(extcall settling.CASH.book(cycle.id, cash_lines), signed)
    self._settled(cycle, digest)


@external
def settle_cycle_gross(
    cycle: Cycle,
    parties: DynArray[uint256, settling.PARTICIPANTS_MAX],
    securities_moves: DynArray[uint256, settling.MOVES_MAX],
    cash_lines: DynArray[uint256, settling.LINES_MAX],
    attestations: DynArray[signatures.Signature, settling.PARTICIPANTS_MAX],
):
    """
    @notice Settles a cycle under DvP model 2: its securities trade by trade, its cash net; all of
            it, or nothing. Only the clearing house submits; every party has signed exactly this.
    @param cycle As for `settle_cycle`.
    @param parties Every participant with a trade in the cycle, ascending.
    @param securities_moves What each trade delivers, in the order of the trades; covered as a whole.
    @param cash_lines Net amounts, ascending by currency and account, zero-sum.
    @param attestations One signature a party, in the order of the parties.
    """
    self._check_cycle(cycle, len(parties))
    lines_hash: bytes32 = keccak256(
        concat(
            keccak256(abi_encode(securities_moves, ensure_tuple=False)),
            settling._chained(empty(bytes32), cash_lines),
        )
    )
    parties_hash: bytes32 = keccak256(abi_encode(parties, ensure_tuple=False))
    digest: bytes32 = self._cycle_digest(GROSS_CYCLE_TYPE_HASH, cycle, parties_hash, lines_hash)
    signed: uint256[settling.PARTY_WORDS] = settling._check_attestations(
        digest, parties, attestations
    )
    for move: uint256 in securities_moves:
        debtor: uint256 = (move >> MOVE_DEBTOR_SHIFT) & ACCOUNT_MASK
        creditor: uint256 = (move >> MOVE_CREDITOR_SHIFT) & ACCOUNT_MASK
        assert settling._is_among(debtor, signed), "settlement: line of a stranger"
        assert settling._is_among(creditor, signed), "settlement: line of a stranger"
    extcall settling.SECURITIES.move(cycle.id, securities_moves)
    settling._check_covered(extcall settling.CASH.book(cycle.id, cash_lines), signed)
    self._settled(cycle, digest)


@view
@external
def cycle_of(id: bytes32) -> (bytes32, uint256):
    """
    @notice What a settled cycle committed to. Anyone may ask.
    @param id The cycle.
    @return The root and the number of its trades; zero when it has not settled.
    """
    return self.root_by_cycle[id], self.count_by_cycle[id]


@view
@internal
def _check_cycle(cycle: Cycle, parties: uint256):
    """
    @notice Refuses a cycle that cannot settle now. This is an `internal` function.
    @param cycle The cycle.
    @param parties How many they are.
    """
    settling._check_clearing_house()
    settling._check_time(cycle.rule_version, cycle.deadline)
    assert cycle.count != 0, "settlement: empty cycle"
    assert parties != 0, "settlement: no parties"
    assert self.count_by_cycle[cycle.id] == 0, "settlement: cycle id in use"


@internal
def _settled(cycle: Cycle, digest: bytes32):
    """
    @notice Records that a cycle has settled. This is an `internal` function without access
            restriction.
    @param cycle The cycle.
    @param digest What its parties signed.
    """
    self.root_by_cycle[cycle.id] = cycle.root
    self.count_by_cycle[cycle.id] = cycle.count
    log CycleSettled(
        id=cycle.id,
        digest=digest,
        root=cycle.root,
        count=cycle.count,
        rule_version=cycle.rule_version,
    )


@view
@internal
def _cycle_digest(
    type_hash: bytes32, cycle: Cycle, parties_hash: bytes32, lines_hash: bytes32
) -> bytes32:
    """
    @notice What every party signed. This is an `internal` function.
    @param type_hash Whether its securities are net or trade by trade.
    @param cycle The cycle.
    @param parties_hash The hash of its parties.
    @param lines_hash The hash of its lines: those in the securities register, then in cash.
    @return The EIP-712 digest.
    """
    return signatures._digest(
        keccak256(
            abi_encode(
                type_hash,
                cycle.id,
                cycle.root,
                cycle.count,
                parties_hash,
                lines_hash,
                cycle.rule_version,
                cycle.deadline,
            )
        )
    )
