# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Securities register
@license Apache-2.0
@notice Who holds how many units of which instrument. Only the registrar issues and redeems.
@custom:invariant For each instrument, available and held over all accounts add up to what is
                  issued.
"""

from interfaces import IParticipants
from interfaces import IRegister
from modules import holdings
from modules import net_lines
from modules import register
from modules import signatures
from modules import transfers

implements: IRegister

initializes: holdings
initializes: net_lines[holdings := holdings]
initializes: signatures
initializes: transfers[holdings := holdings]
initializes: register[
    holdings := holdings,
    net_lines := net_lines,
    signatures := signatures,
    transfers := transfers,
]

exports: (
    holdings.holding,
    holdings.holdings_of,
    holdings.issued_of,
    holdings.asset_of,
    register.settlement,
    register.bind_settlement,
    register.hold,
    register.release,
    register.book,
    register.stage,
    register.book_staged,
    register.drop_staged,
    register.transfer,
    register.move,
)


@deploy
def __init__(participants: address):
    """
    @notice An empty register.
    @param participants The participants contract.
    """
    holdings.__init__()
    signatures.__init__()
    register.__init__(participants)


@external
def register_instruments(isins: DynArray[bytes32, holdings.ASSETS_PER_CALL_MAX]):
    """
    @notice Numbers new instruments, in order. Only the registrar.
    @param isins The ISIN of each, in ASCII, zero-padded.
    """
    self._check_registrar()
    holdings._register_assets(isins)


@external
def issue(reference: bytes32, lines: DynArray[uint256, holdings.LINES_MAX]):
    """
    @notice Creates units in accounts. Only the registrar.
    @param reference Names this issue; never used twice.
    @param lines Credits, strictly ascending by instrument and account.
    """
    self._check_registrar()
    for line: uint256 in lines:
        register._check_known((line >> holdings.KEY_SHIFT) & holdings.ACCOUNT_MASK)
    holdings._issue(reference, lines)


@external
def redeem(
    reference: bytes32,
    instrument: uint256,
    account: uint256,
    quantity: uint256,
    consent: signatures.Signature,
):
    """
    @notice Destroys units of an account whose owner signed for it. Only the registrar.
    @param reference Names this redemption; never used twice.
    @param instrument The number of the instrument.
    @param account The account.
    @param quantity How many units.
    @param consent The owner's EIP-712 signature of the redemption.
    """
    self._check_registrar()
    register._check_consent(reference, instrument, account, quantity, consent)
    holdings._redeem(reference, instrument, account, quantity)


@view
@internal
def _check_registrar():
    """
    @notice Refuses everybody but the registrar. This is an `internal` function.
    """
    assert staticcall register.PARTICIPANTS.has_role(
        msg.sender, IParticipants.Role.REGISTRAR
    ), "securities: not the registrar"
