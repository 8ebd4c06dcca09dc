# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Delivery-versus-payment settlement
@license Apache-2.0
@notice Settles instructions one by one (gross) and netted cycles as a whole: both legs of
        everything, or nothing. A cycle with more lines than one call takes is staged in parts, one
        such cycle at a time, and settles by a last call whose cost does not depend on them. A debit needs its owner's EIP-712 signature, directly or through
        the attestation of the cycle; nobody can settle on another's behalf.
@custom:invariant An instruction or cycle that has settled can neither settle again nor be undone,
        and nobody can use up one that others have signed.
"""

from interfaces import IParticipants
from interfaces import IRegister
from modules import signatures

initializes: signatures

PARTICIPANTS_MAX: constant(uint256) = 1_023
PARTY_WORDS: constant(uint256) = 4
LINES_MAX: constant(uint256) = 1_024
SUB_ACCOUNT_BITS: constant(uint256) = 8

CYCLE_TYPE_HASH: constant(bytes32) = keccak256(
    "Cycle(bytes32 id,bytes32 root,uint256 count,bytes32 parties_hash,bytes32 lines_hash,uint256 rule_version,uint256 deadline)"
)
INSTRUCTION_TYPE_HASH: constant(bytes32) = keccak256(
    "Instruction(bytes32 id,uint256 deliverer,uint256 receiver,uint256 instrument,uint256 quantity,uint256 currency,uint256 amount,uint256 rule_version,uint256 deadline)"
)

PARTICIPANTS: immutable(IParticipants)
SECURITIES: immutable(IRegister)
CASH: immutable(IRegister)

struct Cycle:
    id: bytes32
    root: bytes32
    count: uint256
    rule_version: uint256
    deadline: uint256

struct Instruction:
    id: bytes32
    deliverer: uint256
    receiver: uint256
    instrument: uint256
    quantity: uint256
    currency: uint256
    amount: uint256
    rule_version: uint256
    deadline: uint256


struct Staging:
    cycle: Cycle
    number: uint256
    digest: bytes32
    parties_hash: bytes32
    lines_hash: bytes32
    signed: uint256[PARTY_WORDS]
    securities_chain: bytes32
    cash_chain: bytes32


rule_version: public(uint256)
staging: Staging
staged_cycles: uint256
root_by_cycle: HashMap[bytes32, bytes32]
count_by_cycle: HashMap[bytes32, uint256]
has_settled: HashMap[bytes32, bool]


event CycleSettled:
    id: indexed(bytes32)
    digest: bytes32
    root: bytes32
    count: uint256
    rule_version: uint256


event CycleOpened:
    id: indexed(bytes32)
    digest: bytes32


event CycleAborted:
    id: indexed(bytes32)
    digest: bytes32


event InstructionSettled:
    id: indexed(bytes32)
    deliverer: uint256
    receiver: uint256
    instrument: uint256
    quantity: uint256
    currency: uint256
    amount: uint256


@deploy
def __init__(participants: address, securities: address, cash: address, rule_version: uint256):
    """
    @notice Settlement between these participants, in these two registers.
    @param participants The participants contract.
    @param securities The securities register; the quantity legs are booked there.
    @param cash The cash register; the amount legs are booked there.
    @param rule_version The version of the rulebook that is in force.
    """
    signatures.__init__()
    PARTICIPANTS = IParticipants(participants)
    SECURITIES = IRegister(securities)
    CASH = IRegister(cash)
    self.rule_version = rule_version


@external
def settle_cycle(
    cycle: Cycle,
    parties: DynArray[uint256, PARTICIPANTS_MAX],
    securities_lines: DynArray[uint256, LINES_MAX],
    cash_lines: DynArray[uint256, LINES_MAX],
    attestations: DynArray[signatures.Signature, PARTICIPANTS_MAX],
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
        concat(self._chained(empty(bytes32), securities_lines), self._chained(empty(bytes32), cash_lines))
    )
    parties_hash: bytes32 = keccak256(abi_encode(parties, ensure_tuple=False))
    digest: bytes32 = self._cycle_digest(cycle, parties_hash, lines_hash)
    signed: uint256[PARTY_WORDS] = self._check_attestations(digest, parties, attestations)
    self._check_covered(extcall SECURITIES.book(cycle.id, securities_lines), signed)
    self._check_covered(extcall CASH.book(cycle.id, cash_lines), signed)
    self._settled(cycle, digest)


@external
def open_cycle(
    cycle: Cycle,
    parties: DynArray[uint256, PARTICIPANTS_MAX],
    lines_hash: bytes32,
    attestations: DynArray[signatures.Signature, PARTICIPANTS_MAX],
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
    self._check_cycle(cycle, len(parties))
    assert self.staging.number == 0, "settlement: another cycle is open"
    parties_hash: bytes32 = keccak256(abi_encode(parties, ensure_tuple=False))
    digest: bytes32 = self._cycle_digest(cycle, parties_hash, lines_hash)
    signed: uint256[PARTY_WORDS] = self._check_attestations(digest, parties, attestations)
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
def stage_securities(id: bytes32, securities_lines: DynArray[uint256, LINES_MAX]):
    """
    @notice Takes the next lines of the open cycle in the securities register: debits are earmarked,
            credits wait. Only the clearing house.
    @param id The cycle.
    @param securities_lines The next LINES_MAX of them, or the rest.
    """
    self._check_open(id)
    self.staging.securities_chain = self._chained(self.staging.securities_chain, securities_lines)
    self._check_covered(
        extcall SECURITIES.stage(id, self.staging.number, securities_lines), self.staging.signed
    )


@external
def stage_cash(id: bytes32, cash_lines: DynArray[uint256, LINES_MAX]):
    """
    @notice Takes the next lines of the open cycle in the cash register. Only the clearing house.
    @param id The cycle.
    @param cash_lines The next LINES_MAX of them, or the rest.
    """
    self._check_open(id)
    self.staging.cash_chain = self._chained(self.staging.cash_chain, cash_lines)
    self._check_covered(extcall CASH.stage(id, self.staging.number, cash_lines), self.staging.signed)


@external
def settle_staged(id: bytes32, parties: DynArray[uint256, PARTICIPANTS_MAX]):
    """
    @notice Settles the open cycle: every line that was staged counts from here. Only the clearing
            house; the lines are exactly those that every party signed, and all parties are still
            in good standing.
    @param id The cycle.
    @param parties Its parties, as they were when it was opened.
    """
    self._check_open(id)
    staging: Staging = self.staging
    assert self.count_by_cycle[id] == 0, "settlement: cycle id in use"
    assert (
        keccak256(abi_encode(parties, ensure_tuple=False)) == staging.parties_hash
    ), "settlement: other parties than signed"
    assert (
        keccak256(concat(staging.securities_chain, staging.cash_chain)) == staging.lines_hash
    ), "settlement: other lines than signed"
    signers: DynArray[address, PARTICIPANTS_MAX] = staticcall PARTICIPANTS.active_signers_of(
        parties
    )
    self.staging.number = 0
    extcall SECURITIES.book_staged(id, staging.number)
    extcall CASH.book_staged(id, staging.number)
    self._settled(staging.cycle, staging.digest)


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
        self._check_clearing_house()
    self.staging.number = 0
    extcall SECURITIES.drop_staged(id, number)
    extcall CASH.drop_staged(id, number)
    log CycleAborted(id=id, digest=self.staging.digest)


@external
def settle_instruction(
    instruction: Instruction,
    deliverer_consent: signatures.Signature,
    receiver_consent: signatures.Signature,
):
    """
    @notice Settles one instruction: both its legs, or nothing. Anyone may submit; each side that
            owes something has signed it, or submits it itself (its signature is then not read).
    @dev The deliverer gives the quantity and gets the amount. A free delivery has no amount, and a
         payment no quantity (the receiver then pays the deliverer). What settles once is the id
         together with all terms: signed again with a later deadline it is the same instruction,
         and a stranger that uses the id for terms of its own uses up nothing.
    @param instruction What is delivered, what is paid, and the last second (chain time) for it.
    @param deliverer_consent The deliverer's signature; read when there is a quantity.
    @param receiver_consent The receiver's signature; read when there is an amount.
    """
    assert instruction.rule_version == self.rule_version, "settlement: other rule version"
    assert block.timestamp <= instruction.deadline, "settlement: late"
    assert instruction.quantity != 0 or instruction.amount != 0, "settlement: nothing to settle"
    terms: bytes32 = self._terms_hash(instruction)
    assert not self.has_settled[terms], "settlement: settled before"
    digest: bytes32 = signatures._digest(
        keccak256(abi_encode(INSTRUCTION_TYPE_HASH, instruction))
    )
    self._check_side(instruction.deliverer, instruction.quantity, digest, deliverer_consent)
    self._check_side(instruction.receiver, instruction.amount, digest, receiver_consent)
    self.has_settled[terms] = True
    if instruction.quantity != 0:
        extcall SECURITIES.transfer(
            instruction.id,
            instruction.instrument,
            instruction.deliverer,
            instruction.receiver,
            instruction.quantity,
        )
    if instruction.amount != 0:
        extcall CASH.transfer(
            instruction.id,
            instruction.currency,
            instruction.receiver,
            instruction.deliverer,
            instruction.amount,
        )
    log InstructionSettled(
        id=instruction.id,
        deliverer=instruction.deliverer,
        receiver=instruction.receiver,
        instrument=instruction.instrument,
        quantity=instruction.quantity,
        currency=instruction.currency,
        amount=instruction.amount,
    )


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
@external
def is_settled(terms: bytes32) -> bool:
    """
    @notice Whether an instruction has settled. Anyone may ask.
    @param terms The hash of its id, deliverer, receiver, instrument, quantity, currency and amount.
    @return True if so.
    """
    return self.has_settled[terms]


@pure
@internal
def _terms_hash(instruction: Instruction) -> bytes32:
    """
    @notice What can settle once: everything but rule version and deadline. This is an `internal`
            function.
    @param instruction The instruction.
    @return The hash of its id and terms.
    """
    return keccak256(
        abi_encode(
            instruction.id,
            instruction.deliverer,
            instruction.receiver,
            instruction.instrument,
            instruction.quantity,
            instruction.currency,
            instruction.amount,
        )
    )


@view
@internal
def _check_clearing_house():
    """
    @notice Refuses everybody but the clearing house. This is an `internal` function.
    """
    assert staticcall PARTICIPANTS.has_role(
        msg.sender, IParticipants.Role.CLEARING_HOUSE
    ), "settlement: not the clearing house"


@view
@internal
def _check_cycle(cycle: Cycle, parties: uint256):
    """
    @notice Refuses a cycle that cannot settle now. This is an `internal` function.
    @param cycle The cycle.
    @param parties How many they are.
    """
    self._check_clearing_house()
    assert cycle.rule_version == self.rule_version, "settlement: other rule version"
    assert block.timestamp <= cycle.deadline, "settlement: late"
    assert cycle.count != 0, "settlement: empty cycle"
    assert parties != 0, "settlement: no parties"
    assert self.count_by_cycle[cycle.id] == 0, "settlement: cycle id in use"


@view
@internal
def _check_open(id: bytes32):
    """
    @notice Refuses to go on with any but the open cycle, in its time. This is an `internal`
            function.
    @param id The cycle.
    """
    self._check_clearing_house()
    assert (
        self.staging.number != 0 and self.staging.cycle.id == id
    ), "settlement: cycle not open"
    assert block.timestamp <= self.staging.cycle.deadline, "settlement: late"


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


@pure
@internal
def _chained(before: bytes32, lines: DynArray[uint256, LINES_MAX]) -> bytes32:
    """
    @notice The hash of lines that follow others. This is an `internal` function.
    @param before The hash of those before them; zero when there are none.
    @param lines The next LINES_MAX lines, or the rest; none change nothing.
    @return The hash of all.
    """
    if len(lines) == 0:
        return before
    return keccak256(concat(before, keccak256(abi_encode(lines, ensure_tuple=False))))


@view
@internal
def _cycle_digest(cycle: Cycle, parties_hash: bytes32, lines_hash: bytes32) -> bytes32:
    """
    @notice What every party signed. This is an `internal` function.
    @param cycle The cycle.
    @param parties_hash The hash of its parties.
    @param lines_hash The hash of its lines: those in the securities register, then in cash.
    @return The EIP-712 digest.
    """
    return signatures._digest(
        keccak256(
            abi_encode(
                CYCLE_TYPE_HASH,
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


@view
@internal
def _check_attestations(
    digest: bytes32,
    parties: DynArray[uint256, PARTICIPANTS_MAX],
    attestations: DynArray[signatures.Signature, PARTICIPANTS_MAX],
) -> uint256[PARTY_WORDS]:
    """
    @notice Refuses unless every party, each once and in good standing, signed the digest. This is an
            `internal` function.
    @param digest What they signed.
    @param parties Who, ascending.
    @param attestations Their signatures, in the same order.
    @return The parties, one bit each.
    """
    assert len(parties) == len(attestations), "settlement: signatures missing"
    signers: DynArray[address, PARTICIPANTS_MAX] = staticcall PARTICIPANTS.active_signers_of(
        parties
    )
    signed: uint256[PARTY_WORDS] = empty(uint256[PARTY_WORDS])
    previous: uint256 = 0
    for i: uint256 in range(len(parties), bound=PARTICIPANTS_MAX):
        party: uint256 = parties[i]
        assert party > previous, "settlement: parties out of order"
        previous = party
        assert (
            signatures._signer(digest, attestations[i]) == signers[i]
        ), "settlement: not signed by the party"
        signed[party >> 8] |= 1 << (party & 255)
    return signed


@pure
@internal
def _check_covered(touched: uint256[PARTY_WORDS], signed: uint256[PARTY_WORDS]):
    """
    @notice Refuses when a line touches somebody who did not sign. This is an `internal` function.
    @param touched The participants of the lines, one bit each.
    @param signed The parties that signed, one bit each.
    """
    for i: uint256 in range(PARTY_WORDS):
        assert touched[i] & ~signed[i] == 0, "settlement: line of a stranger"


@view
@internal
def _check_side(
    account: uint256, owed: uint256, digest: bytes32, consent: signatures.Signature
):
    """
    @notice Refuses unless both sides are in good standing and the one that owes agreed. This is an
            `internal` function.
    @param account The account of this side.
    @param owed What it gives; its consent is needed only if this is not zero.
    @param digest What it signed.
    @param consent Its signature; not read when it submits the instruction itself.
    """
    signer: address = staticcall PARTICIPANTS.active_signer_of(account >> SUB_ACCOUNT_BITS)
    if owed == 0 or msg.sender == signer:
        return
    assert signatures._signer(digest, consent) == signer, "settlement: not signed by the party"
