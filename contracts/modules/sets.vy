# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Sets of instructions
@license Apache-2.0
@notice Settles many instructions together, all or nothing, where perhaps none could settle alone: only
        what every account has in the end must be covered. An instruction that settles in a set has
        settled as any other, and once.
"""

from interfaces import IRegister
from modules import settling
from modules import signatures
from modules import single_instructions

uses: settling
uses: signatures
uses: single_instructions

INSTRUCTIONS_MAX: constant(uint256) = 10_240

SET_TYPE_HASH: constant(bytes32) = keccak256(
    "Set(bytes32 id,bytes32 instructions_hash,bytes32 parties_hash,uint256 rule_version,uint256 deadline)"
)

# The second word of an instruction, from its high end: deliverer, receiver, instrument and currency
# (32 bits each), quantity and amount (64 bits each).
DELIVERER_SHIFT: constant(uint256) = 224
RECEIVER_SHIFT: constant(uint256) = 192
INSTRUMENT_SHIFT: constant(uint256) = 160
CURRENCY_SHIFT: constant(uint256) = 128
QUANTITY_SHIFT: constant(uint256) = 64
NUMBER_MASK: constant(uint256) = (1 << 32) - 1
AMOUNT_MASK: constant(uint256) = (1 << 64) - 1

# A move of a register (see IRegister), from its high end: asset, debtor, creditor, amount.
MOVE_ASSET_SHIFT: constant(uint256) = 127
MOVE_DEBTOR_SHIFT: constant(uint256) = 95
MOVE_CREDITOR_SHIFT: constant(uint256) = 63

struct Set:
    id: bytes32
    rule_version: uint256
    deadline: uint256


event SetSettled:
    id: indexed(bytes32)
    digest: bytes32
    instructions: DynArray[uint256[2], INSTRUCTIONS_MAX]


@external
def settle_set(
    set: Set,
    parties: DynArray[uint256, settling.PARTICIPANTS_MAX],
    receivers: DynArray[uint256, settling.PARTICIPANTS_MAX],
    instructions: DynArray[uint256[2], INSTRUCTIONS_MAX],
    attestations: DynArray[signatures.Signature, settling.PARTICIPANTS_MAX],
):
    """
    @notice Settles a set of instructions: every leg of all of them, or nothing. Only the clearing
            house submits; everybody that owes something in it has signed exactly this.
    @param set Its id, rule version, and the last second (chain time) at which it may settle.
    @param parties Every participant that owes something, ascending.
    @param receivers The participants that only receive, ascending; they need not sign.
    @param instructions The instructions, two words each: its id, and its terms.
    @param attestations One signature a party, in the order of the parties.
    """
    settling._check_clearing_house()
    settling._check_time(set.rule_version, set.deadline)
    assert len(instructions) != 0, "settlement: empty set"
    digest: bytes32 = signatures._digest(
        keccak256(
            abi_encode(
                SET_TYPE_HASH,
                set.id,
                keccak256(abi_encode(instructions, ensure_tuple=False)),
                keccak256(abi_encode(parties, ensure_tuple=False)),
                set.rule_version,
                set.deadline,
            )
        )
    )
    signed: uint256[settling.PARTY_WORDS] = settling._check_attestations(
        digest, parties, attestations
    )
    present: uint256[settling.PARTY_WORDS] = settling._check_active(receivers)
    for i: uint256 in range(settling.PARTY_WORDS):
        present[i] |= signed[i]
    for each: uint256[2] in instructions:
        self._use_up(each[0], each[1], signed, present)
    # Both legs of every instruction, one register after the other in the same memory.
    for is_cash: bool in [False, True]:
        moves: DynArray[uint256, INSTRUCTIONS_MAX] = []
        for each: uint256[2] in instructions:
            move: uint256 = self._payment(each[1]) if is_cash else self._delivery(each[1])
            if move != 0:
                moves.append(move)
        if len(moves) != 0:
            register: IRegister = settling.CASH if is_cash else settling.SECURITIES
            extcall register.move(set.id, moves)
    log SetSettled(id=set.id, digest=digest, instructions=instructions)


@internal
def _use_up(
    id: uint256,
    terms: uint256,
    signed: uint256[settling.PARTY_WORDS],
    present: uint256[settling.PARTY_WORDS],
):
    """
    @notice Refuses an instruction that may not settle in this set; from here on it has settled. This
            is an `internal` function without access restriction.
    @param id Its id.
    @param terms Its terms in one word.
    @param signed Who signed the set, one bit each.
    @param present Those, and who only receives.
    """
    deliverer: uint256 = terms >> DELIVERER_SHIFT
    receiver: uint256 = (terms >> RECEIVER_SHIFT) & NUMBER_MASK
    quantity: uint256 = (terms >> QUANTITY_SHIFT) & AMOUNT_MASK
    amount: uint256 = terms & AMOUNT_MASK
    assert quantity | amount != 0, "settlement: nothing to settle"
    single_instructions._use_up(
        keccak256(
            abi_encode(
                id,
                deliverer,
                receiver,
                (terms >> INSTRUMENT_SHIFT) & NUMBER_MASK,
                quantity,
                (terms >> CURRENCY_SHIFT) & NUMBER_MASK,
                amount,
            )
        )
    )
    self._check_side(deliverer, quantity, signed, present)
    self._check_side(receiver, amount, signed, present)
    # The top bit of an amount would run into the creditor of its move.
    assert (quantity | amount) >> MOVE_CREDITOR_SHIFT == 0, "settlement: amount above the cap"


@pure
@internal
def _check_side(
    account: uint256,
    owed: uint256,
    signed: uint256[settling.PARTY_WORDS],
    present: uint256[settling.PARTY_WORDS],
):
    """
    @notice Refuses a side that owes and did not sign, or is nobody of the set. This is an `internal`
            function.
    @param account The account of this side.
    @param owed What it gives.
    @param signed Who signed the set, one bit each.
    @param present Those, and who only receives.
    """
    if owed != 0:
        assert settling._is_among(account, signed), "settlement: not signed by the party"
    else:
        assert settling._is_among(account, present), "settlement: line of a stranger"


@pure
@internal
def _delivery(terms: uint256) -> uint256:
    """
    @notice The securities leg of an instruction as the register takes it. This is an `internal`
            function.
    @param terms The terms in one word.
    @return The move in one word; zero when there is nothing to deliver.
    """
    quantity: uint256 = (terms >> QUANTITY_SHIFT) & AMOUNT_MASK
    if quantity == 0:
        return 0
    instrument: uint256 = (terms >> INSTRUMENT_SHIFT) & NUMBER_MASK
    # Deliverer and receiver stand side by side in both.
    sides: uint256 = terms >> RECEIVER_SHIFT
    return (instrument << MOVE_ASSET_SHIFT) | (sides << MOVE_CREDITOR_SHIFT) | quantity


@pure
@internal
def _payment(terms: uint256) -> uint256:
    """
    @notice The cash leg of an instruction as the register takes it. This is an `internal` function.
    @param terms The terms in one word.
    @return The move in one word; zero when there is nothing to pay.
    """
    amount: uint256 = terms & AMOUNT_MASK
    if amount == 0:
        return 0
    currency: uint256 = (terms >> CURRENCY_SHIFT) & NUMBER_MASK
    payer: uint256 = (terms >> RECEIVER_SHIFT) & NUMBER_MASK
    payee: uint256 = terms >> DELIVERER_SHIFT
    return (
        (currency << MOVE_ASSET_SHIFT)
        | (payer << MOVE_DEBTOR_SHIFT)
        | (payee << MOVE_CREDITOR_SHIFT)
        | amount
    )
