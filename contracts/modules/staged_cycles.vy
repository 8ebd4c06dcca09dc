# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Cycles in parts
@license Apache-2.0
@notice A cycle with more lines than one call takes is opened, staged in parts, one such cycle at a
        time, and settles by a last call whose cost does not depend on its lines.
"""

from modules import cycles
from modules import settling
from modules import signatures

uses: cycles
uses: settling

struct Staging:
    cycle: cycles.Cycle
    number: uint256
    digest: bytes32
    parties_hash: bytes32
    lines_hash: bytes32
    signed: uint256[settling.PARTY_WORDS]
    securities_chain: bytes32
    cash_chain: bytes32


staging: Staging
staged_cycles: uint256


event CycleOpened:
    id: indexed(bytes32)
    digest: bytes32


event CycleAborted:
    id: indexed(bytes32)
    digest: bytes32


@external
def open_cycle(
    cycle: cycles.Cycle,
    parties: DynArray[uint256, settling.PARTICIPANTS_MAX],
    lines_hash: bytes32,
    attestations: DynArray[signatures.Signature, settling.PARTICIPANTS_MAX],
):
    """
    @notice Begins to settle a netted cycle in parts. Only the clearing house; every party has
            signed the same message as for settling it in one call. Nothing counts before
            `settle_staged`.
    @param cycle As for `settle_cycle`; after its deadline anyone may abort it.
    @param parties Every participant with a trade in the cycle, ascending.
    @param lines_hash What the parties signed of the lines.
    @param attestations One signature a party, in the order of the parties.
    """
    cycles._check_cycle(cycle, len(parties))
    assert self.staging.number == 0, "settlement: another cycle is open"
    parties_hash: bytes32 = keccak256(abi_encode(parties, ensure_tuple=False))
    digest: bytes32 = cycles._cycle_digest(
        cycles.CYCLE_TYPE_HASH, cycle, parties_hash, lines_hash
    )
    signed: uint256[settling.PARTY_WORDS] = settling._check_attestations(digest, parties, attestations)
    self.staged_cycles += 1
    self.staging = Staging(
        cycle=cycle,
        number=self.staged_cycles,
        digest=digest,
        parties_hash=parties_hash,
        lines_hash=lines_hash,
        signed=signed,
        securities_chain=empty(bytes32),
        cash_chain=empty(bytes32),
    )
    log CycleOpened(id=cycle.id, digest=digest)


@external
def stage_securities(id: bytes32, securities_lines: DynArray[uint256, settling.LINES_MAX]):
    """
    @notice Takes the next lines of the open cycle in the securities register: debits are earmarked,
            credits wait. Only the clearing house.
    @param id The cycle.
    @param securities_lines The next settling.LINES_MAX of them, or the rest.
    """
    self._check_open(id)
    self.staging.securities_chain = settling._chained(self.staging.securities_chain, securities_lines)
    settling._check_covered(
        extcall settling.SECURITIES.stage(id, self.staging.number, securities_lines), self.staging.signed
    )


@external
def stage_cash(id: bytes32, cash_lines: DynArray[uint256, settling.LINES_MAX]):
    """
    @notice Takes the next lines of the open cycle in the cash register. Only the clearing house.
    @param id The cycle.
    @param cash_lines The next settling.LINES_MAX of them, or the rest.
    """
    self._check_open(id)
    self.staging.cash_chain = settling._chained(self.staging.cash_chain, cash_lines)
    settling._check_covered(extcall settling.CASH.stage(id, self.staging.number, cash_lines), self.staging.signed)


@external
def settle_staged(id: bytes32, parties: DynArray[uint256, settling.PARTICIPANTS_MAX]):
    """
    @notice Settles the open cycle: every line that was staged counts from here. Only the clearing
            house; the lines are exactly those that every party signed, and all parties are still
            in good standing.
    @param id The cycle.
    @param parties Its parties, as they were when it was opened.
    """
    self._check_open(id)
    staging: Staging = self.staging
    assert cycles.count_by_cycle[id] == 0, "settlement: cycle id in use"
    assert (
        keccak256(abi_encode(parties, ensure_tuple=False)) == staging.parties_hash
    ), "settlement: other parties than signed"
    assert (
        keccak256(concat(staging.securities_chain, staging.cash_chain)) == staging.lines_hash
    ), "settlement: other lines than signed"
    signers: DynArray[address, settling.PARTICIPANTS_MAX] = staticcall settling.PARTICIPANTS.active_signers_of(
        parties
    )
    self.staging.number = 0
    extcall settling.SECURITIES.book_staged(id, staging.number)
    extcall settling.CASH.book_staged(id, staging.number)
    cycles._settled(staging.cycle, staging.digest)


@external
def abort(id: bytes32):
    """
    @notice Gives the open cycle up: what it earmarked is available again. The clearing house at any
            time, anyone after the cycle's deadline. It may be opened again.
    @param id The cycle.
    """
    number: uint256 = self.staging.number
    assert number != 0 and self.staging.cycle.id == id, "settlement: cycle not open"
    if block.timestamp <= self.staging.cycle.deadline:
        settling._check_clearing_house()
    self.staging.number = 0
    extcall settling.SECURITIES.drop_staged(id, number)
    extcall settling.CASH.drop_staged(id, number)
    log CycleAborted(id=id, digest=self.staging.digest)


@view
@external
def open_cycle_of() -> (bytes32, bytes32):
    """
    @notice The cycle that is being staged. Anyone may ask.
    @return Its id and the digest that its parties signed; zero when there is none.
    """
    if self.staging.number == 0:
        return empty(bytes32), empty(bytes32)
    return self.staging.cycle.id, self.staging.digest


@view
@internal
def _check_open(id: bytes32):
    """
    @notice Refuses to go on with any but the open cycle, in its time. This is an `internal`
            function.
    @param id The cycle.
    """
    settling._check_clearing_house()
    assert (
        self.staging.number != 0 and self.staging.cycle.id == id
    ), "settlement: cycle not open"
    assert block.timestamp <= self.staging.cycle.deadline, "settlement: late"
