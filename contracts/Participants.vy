# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Participants
@license Apache-2.0
@notice Who takes part, in which role, and under which key. An administrator admits the founding
        participants and then gives its own power up; afterwards no single key can admit anybody.
        Participants are numbered from 1 in order of admission; an account is the participant's
        number times 256 plus a sub-account (0 the house, 1 and above its clients).
@custom:invariant A signer belongs to at most one participant, and a number is never reused.
"""

from interfaces import IParticipants

implements: IParticipants

PARTICIPANTS_MAX: constant(uint256) = 1_023
ADMISSIONS_MAX: constant(uint256) = 128

struct Admission:
    signer: address
    role: IParticipants.Role
    settlement_bank: uint256
    identifier: bytes32

struct Participant:
    signer: address
    role: IParticipants.Role
    settlement_bank: uint256
    identifier: bytes32
    suspended: bool


administrator: public(address)
count: public(uint256)
participants: HashMap[uint256, Participant]
number_by_signer: HashMap[address, uint256]
number_by_identifier: HashMap[bytes32, uint256]


@deploy
def __init__():
    """
    @notice The deployer administers until it renounces.
    """
    self.administrator = msg.sender


@external
def admit(admissions: DynArray[Admission, ADMISSIONS_MAX]):
    """
    @notice Admits participants, in order. Only the administrator.
    @dev A settlement bank may be admitted in the same call, before or after its customers.
    @param admissions Signer, role, number of the settlement bank (its own number for a bank
           that keeps its own cash; 0 for one that holds none) and ASCII identifier of each.
    """
    assert msg.sender == self.administrator, "participants: not the administrator"
    for admission: Admission in admissions:
        self._admit(admission)


@external
def renounce_administration():
    """
    @notice Gives up the power to admit, for good. Only the administrator.
    """
    assert msg.sender == self.administrator, "participants: not the administrator"
    self.administrator = empty(address)
    log IParticipants.AdministrationRenounced(administrator=msg.sender)


@external
def suspend(participant: uint256):
    """
    @notice Bars a participant from settling until it is reinstated. Only the clearing house.
    @param participant The number of the participant.
    """
    self._check_clearing_house(msg.sender)
    assert self.participants[participant].signer != empty(address), "participants: unknown"
    assert not self.participants[participant].suspended, "participants: suspended"
    self.participants[participant].suspended = True
    log IParticipants.Suspended(participant=participant)


@external
def reinstate(participant: uint256):
    """
    @notice Lets a suspended participant settle again. Only the clearing house.
    @param participant The number of the participant.
    """
    self._check_clearing_house(msg.sender)
    assert self.participants[participant].suspended, "participants: not suspended"
    self.participants[participant].suspended = False
    log IParticipants.Reinstated(participant=participant)


@view
@external
def participant(number: uint256) -> Participant:
    """
    @notice One participant. Anyone may ask.
    @param number The number of the participant.
    @return Its record; all zero when there is none.
    """
    return self.participants[number]


@view
@external
def has_role(signer: address, role: IParticipants.Role) -> bool:
    """
    @notice Whether an address signs for a participant that is not suspended and has this role.
    @param signer The address.
    @param role The role.
    @return True if so.
    """
    holder: Participant = self.participants[self.number_by_signer[signer]]
    return holder.role == role and not holder.suspended


@view
@external
def participant_of(signer: address) -> uint256:
    """
    @notice The number of the participant an address signs for. Anyone may ask.
    @param signer The address.
    @return The number; 0 when there is none.
    """
    return self.number_by_signer[signer]


@view
@external
def signer_of(participant: uint256) -> address:
    """
    @notice The address that signs for a participant, suspended or not. Anyone may ask.
    @param participant The number of the participant.
    @return The address; reverts when there is none.
    """
    assert self.participants[participant].signer != empty(address), "participants: unknown"
    return self.participants[participant].signer


@view
@external
def active_signer_of(participant: uint256) -> address:
    """
    @notice The address that signs for a participant in good standing. Anyone may ask.
    @param participant The number of the participant.
    @return The address; reverts when there is none or it is suspended.
    """
    return self._active_signer(participant)


@view
@external
def active_signers_of(
    participants: DynArray[uint256, PARTICIPANTS_MAX],
) -> DynArray[address, PARTICIPANTS_MAX]:
    """
    @notice The addresses that sign for several participants in good standing. Anyone may ask.
    @param participants The numbers of the participants.
    @return The addresses, in the same order; reverts when one is unknown or suspended.
    """
    signers: DynArray[address, PARTICIPANTS_MAX] = []
    for participant: uint256 in participants:
        signers.append(self._active_signer(participant))
    return signers


@view
@external
def settlement_bank_of(participant: uint256) -> uint256:
    """
    @notice The bank that keeps a participant's cash. Anyone may ask.
    @param participant The number of the participant.
    @return The number of the bank; 0 when there is none.
    """
    return self.participants[participant].settlement_bank


@internal
def _admit(admission: Admission):
    """
    @notice Records one participant. This is an `internal` function without access restriction.
    @param admission What is recorded.
    """
    assert admission.signer != empty(address), "participants: no signer"
    assert admission.identifier != empty(bytes32), "participants: no identifier"
    assert self.number_by_signer[admission.signer] == 0, "participants: signer in use"
    assert self.number_by_identifier[admission.identifier] == 0, "participants: identifier in use"
    assert self.count < PARTICIPANTS_MAX, "participants: full"
    number: uint256 = self.count + 1
    self.count = number
    self.number_by_signer[admission.signer] = number
    self.number_by_identifier[admission.identifier] = number
    self.participants[number] = Participant(
        signer=admission.signer,
        role=admission.role,
        settlement_bank=admission.settlement_bank,
        identifier=admission.identifier,
        suspended=False,
    )
    log IParticipants.Admitted(
        participant=number,
        signer=admission.signer,
        role=admission.role,
        settlement_bank=admission.settlement_bank,
        identifier=admission.identifier,
    )


@view
@internal
def _active_signer(participant: uint256) -> address:
    """
    @notice The signer of a participant in good standing. This is an `internal` function without
            access restriction.
    @param participant The number of the participant.
    @return The address; reverts when there is none or it is suspended.
    """
    signer: address = self.participants[participant].signer
    assert signer != empty(address), "participants: unknown"
    assert not self.participants[participant].suspended, "participants: suspended"
    return signer


@view
@internal
def _check_clearing_house(sender: address):
    """
    @notice Refuses everybody but the clearing house. This is an `internal` function.
    @param sender Who asks.
    """
    assert (
        self.participants[self.number_by_signer[sender]].role == IParticipants.Role.CLEARING_HOUSE
    ), "participants: not the clearing house"
