# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title What every settlement has in common
@license Apache-2.0
@notice The participants, the two registers and the rulebook in force; who may submit, and whose
        signatures stand under what settles.
"""

from interfaces import IParticipants
from interfaces import IRegister
from modules import signatures

PARTICIPANTS_MAX: constant(uint256) = 1_023
PARTY_WORDS: constant(uint256) = 4
LINES_MAX: constant(uint256) = 1_024
MOVES_MAX: constant(uint256) = 10_240
SUB_ACCOUNT_BITS: constant(uint256) = 8

PARTICIPANTS: immutable(IParticipants)
SECURITIES: immutable(IRegister)
CASH: immutable(IRegister)


rule_version: public(uint256)


@deploy
def __init__(participants: address, securities: address, cash: address, rule_version: uint256):
    """
    @notice Settlement between these participants, in these two registers.
    @param participants The participants contract.
    @param securities The securities register.
    @param cash The cash register.
    @param rule_version The version of the rulebook that is in force.
    """
    PARTICIPANTS = IParticipants(participants)
    SECURITIES = IRegister(securities)
    CASH = IRegister(cash)
    self.rule_version = rule_version


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
def _check_time(rule_version: uint256, deadline: uint256):
    """
    @notice Refuses what was made under other rules or comes too late. This is an `internal`
            function.
    @param rule_version The version of the rulebook that it was made under.
    @param deadline The last second (chain time) at which it may settle.
    """
    assert rule_version == self.rule_version, "settlement: other rule version"
    assert block.timestamp <= deadline, "settlement: late"


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
def _check_active(participants: DynArray[uint256, PARTICIPANTS_MAX]) -> uint256[PARTY_WORDS]:
    """
    @notice Refuses unless all are in good standing, each named once. This is an `internal` function.
    @param participants Who, ascending.
    @return The participants, one bit each.
    """
    signers: DynArray[address, PARTICIPANTS_MAX] = staticcall PARTICIPANTS.active_signers_of(
        participants
    )
    bits: uint256[PARTY_WORDS] = empty(uint256[PARTY_WORDS])
    previous: uint256 = 0
    for participant: uint256 in participants:
        assert participant > previous, "settlement: parties out of order"
        previous = participant
        bits[participant >> 8] |= 1 << (participant & 255)
    return bits


@pure
@internal
def _is_among(account: uint256, participants: uint256[PARTY_WORDS]) -> bool:
    """
    @notice Whether an account is one of these participants'. This is an `internal` function.
    @param account The account.
    @param participants The participants, one bit each.
    @return True if so.
    """
    participant: uint256 = account >> SUB_ACCOUNT_BITS
    if participant >> 8 >= PARTY_WORDS:
        return False
    return participants[participant >> 8] & (1 << (participant & 255)) != 0


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
