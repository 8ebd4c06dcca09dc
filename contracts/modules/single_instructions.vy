# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Single instructions
@license Apache-2.0
@notice Settles instructions one by one: both legs, or nothing. What settles once is an instruction's
        id together with all its terms.
"""

from modules import settling
from modules import signatures

uses: settling
uses: signatures

INSTRUCTION_TYPE_HASH: constant(bytes32) = keccak256(
    "Instruction(bytes32 id,uint256 deliverer,uint256 receiver,uint256 instrument,uint256 quantity,uint256 currency,uint256 amount,uint256 rule_version,uint256 deadline)"
)

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


has_settled: HashMap[bytes32, bool]


event InstructionSettled:
    id: indexed(bytes32)
    deliverer: uint256
    receiver: uint256
    instrument: uint256
    quantity: uint256
    currency: uint256
    amount: uint256


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
    settling._check_time(instruction.rule_version, instruction.deadline)
    assert instruction.quantity != 0 or instruction.amount != 0, "settlement: nothing to settle"
    self._use_up(self._terms_hash(instruction))
    digest: bytes32 = signatures._digest(
        keccak256(abi_encode(INSTRUCTION_TYPE_HASH, instruction))
    )
    self._check_side(instruction.deliverer, instruction.quantity, digest, deliverer_consent)
    self._check_side(instruction.receiver, instruction.amount, digest, receiver_consent)
    if instruction.quantity != 0:
        extcall settling.SECURITIES.transfer(
            instruction.id,
            instruction.instrument,
            instruction.deliverer,
            instruction.receiver,
            instruction.quantity,
        )
    if instruction.amount != 0:
        extcall settling.CASH.transfer(
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
def is_settled(terms: bytes32) -> bool:
    """
    @notice Whether an instruction has settled. Anyone may ask.
    @param terms The hash of its id, deliverer, receiver, instrument, quantity, currency and amount.
    @return True if so.
    """
    return self.has_settled[terms]


@internal
def _use_up(terms: bytes32):
    """
    @notice Refuses an instruction that has settled; from here on it has. This is an `internal`
            function without access restriction.
    @param terms The hash of its id and terms.
    """
    assert not self.has_settled[terms], "settlement: settled before"
    self.has_settled[terms] = True


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
    signer: address = staticcall settling.PARTICIPANTS.active_signer_of(account >> settling.SUB_ACCOUNT_BITS)
    if owed == 0 or msg.sender == signer:
        return
    assert signatures._signer(digest, consent) == signer, "settlement: not signed by the party"
