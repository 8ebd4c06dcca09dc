# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Delivery-versus-payment settlement
@license Apache-2.0
@notice Settles instructions one by one (gross), many of them as one set, and netted cycles as a
        whole: both legs of everything, or nothing. A debit needs its owner's EIP-712 signature,
        directly or through the attestation of the set or cycle; nobody can settle on another's
        behalf.
@custom:invariant An instruction or cycle that has settled can neither settle again nor be undone,
        and nobody can use up one that others have signed.
"""

from interfaces import ISettlement
from modules import cycles
from modules import sets
from modules import settling
from modules import signatures
from modules import single_instructions
from modules import staged_cycles

implements: ISettlement

initializes: signatures
initializes: settling
initializes: cycles[settling := settling, signatures := signatures]
initializes: staged_cycles[cycles := cycles, settling := settling]
initializes: single_instructions[settling := settling, signatures := signatures]
initializes: sets[
    settling := settling, signatures := signatures, single_instructions := single_instructions
]

exports: (
    settling.rule_version,
    cycles.settle_cycle,
    cycles.settle_cycle_gross,
    cycles.cycle_of,
    staged_cycles.open_cycle,
    staged_cycles.stage_securities,
    staged_cycles.stage_cash,
    staged_cycles.settle_staged,
    staged_cycles.abort,
    staged_cycles.open_cycle_of,
    single_instructions.settle_instruction,
    single_instructions.is_settled,
    sets.settle_set,
)


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
    settling.__init__(participants, securities, cash, rule_version)
