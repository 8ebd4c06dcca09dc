# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Register
@license Apache-2.0
@notice Who may touch holdings: the one settlement contract books, stages and transfers, an owner holds,
        releases and consents to a redemption. Who may issue is for the deployable to say.
"""

from interfaces import IParticipants
from interfaces import IRegister
from modules import holdings
from modules import net_lines
from modules import signatures
from modules import transfers

uses: holdings
uses: net_lines
uses: signatures
uses: transfers

REDEMPTION_TYPE_HASH: constant(bytes32) = keccak256(
    "Redemption(bytes32 reference,uint256 asset,uint256 account,uint256 amount)"
)

PARTICIPANTS: immutable(IParticipants)

deployer: address
settlement: public(address)


@deploy
def __init__(participants: address):
    """
    @notice A register for the accounts of these participants.
    @param participants The participants contract.
    """
    PARTICIPANTS = IParticipants(participants)
    self.deployer = msg.sender


@external
def bind_settlement(settlement: address):
    """
    @notice Names the one contract that may book, once and for good. Only the deployer.
    @param settlement The settlement contract.
    """
    assert msg.sender == self.deployer, "register: not the deployer"
    assert settlement != empty(address), "register: no settlement contract"
    self.deployer = empty(address)
    self.settlement = settlement


@external
def hold(asset: uint256, account: uint256, amount: uint256):
    """
    @notice Sets an amount aside: it stays in the total and is not available. Only the owner.
    @param asset The number of the asset.
    @param account The owner's account.
    @param amount How much.
    """
    self._check_owner(account)
    holdings._hold(asset, account, amount)


@external
def release(asset: uint256, account: uint256, amount: uint256):
    """
    @notice Makes a held amount available again. Only the owner.
    @param asset The number of the asset.
    @param account The owner's account.
    @param amount How much.
    """
    self._check_owner(account)
    holdings._release(asset, account, amount)


@external
def book(
    reference: bytes32, lines: DynArray[uint256, holdings.LINES_MAX]
) -> uint256[holdings.PARTY_WORDS]:
    """
    @notice Books the net lines of a cycle. Only the settlement contract.
    @param reference The cycle.
    @param lines Its lines in this register, zero-sum for each asset.
    @return The participants touched, one bit each.
    """
    self._check_settlement()
    return net_lines._book(reference, lines)


@external
def stage(
    reference: bytes32, cycle: uint256, lines: DynArray[uint256, holdings.LINES_MAX]
) -> uint256[holdings.PARTY_WORDS]:
    """
    @notice Takes the next net lines of a cycle that settles later. Only the settlement contract.
    @param reference The cycle.
    @param cycle Its number.
    @param lines Its next lines in this register.
    @return The participants touched, one bit each.
    """
    self._check_settlement()
    return net_lines._stage(reference, cycle, lines)


@external
def book_staged(reference: bytes32, cycle: uint256):
    """
    @notice Makes all staged lines of a cycle count. Only the settlement contract.
    @param reference The cycle.
    @param cycle Its number.
    """
    self._check_settlement()
    net_lines._book_staged(reference, cycle)


@external
def drop_staged(reference: bytes32, cycle: uint256):
    """
    @notice Undoes the staging of a cycle. Only the settlement contract.
    @param reference The cycle.
    @param cycle Its number.
    """
    self._check_settlement()
    net_lines._drop_staged(reference, cycle)


@external
def transfer(
    reference: bytes32, asset: uint256, debtor: uint256, creditor: uint256, amount: uint256
):
    """
    @notice Moves an amount between two accounts. Only the settlement contract.
    @param reference The instruction.
    @param asset The number of the asset.
    @param debtor The account it leaves.
    @param creditor The account it reaches.
    @param amount How much.
    """
    self._check_settlement()
    transfers._transfer(reference, asset, debtor, creditor, amount)


@external
def move(reference: bytes32, moves: DynArray[uint256, transfers.MOVES_MAX]):
    """
    @notice Moves many amounts at once; only what is there in the end must be covered. Only the
            settlement contract.
    @param reference The set or cycle.
    @param moves The moves, in any order.
    """
    self._check_settlement()
    transfers._move(reference, moves)


@view
@internal
def _check_owner(account: uint256):
    """
    @notice Refuses everybody but the account's participant. This is an `internal` function.
    @param account The account.
    """
    owner: address = staticcall PARTICIPANTS.signer_of(account >> holdings.SUB_ACCOUNT_BITS)
    assert msg.sender == owner, "register: not the owner"


@view
@internal
def _check_known(account: uint256):
    """
    @notice Refuses an account of nobody. This is an `internal` function.
    @param account The account.
    """
    owner: address = staticcall PARTICIPANTS.signer_of(account >> holdings.SUB_ACCOUNT_BITS)
    assert owner != empty(address), "participants: unknown"


@view
@internal
def _check_settlement():
    """
    @notice Refuses everybody but the settlement contract. This is an `internal` function.
    """
    assert msg.sender == self.settlement, "register: not the settlement contract"


@view
@internal
def _check_consent(
    reference: bytes32,
    asset: uint256,
    account: uint256,
    amount: uint256,
    signature: signatures.Signature,
):
    """
    @notice Refuses a redemption that the owner of the account did not sign. This is an `internal`
            function.
    @param reference Names the redemption.
    @param asset The number of the asset.
    @param account The account it is taken from.
    @param amount How much.
    @param signature The owner's.
    """
    digest: bytes32 = signatures._digest(
        keccak256(abi_encode(REDEMPTION_TYPE_HASH, reference, asset, account, amount))
    )
    owner: address = staticcall PARTICIPANTS.signer_of(account >> holdings.SUB_ACCOUNT_BITS)
    assert signatures._signer(digest, signature) == owner, "register: not signed by the owner"
