# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Cash register
@license Apache-2.0
@notice Who holds how many minor units of which currency. A participant's cash is issued and
        redeemed by its own settlement bank alone; between participants it is fungible.
@custom:invariant For each currency, available and held over all accounts add up to what is issued.
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
def __init__(participants: address, currencies: DynArray[bytes32, holdings.ASSETS_PER_CALL_MAX]):
    """
    @notice An empty register of these currencies.
    @param participants The participants contract.
    @param currencies The ISO 4217 code of each, in ASCII, zero-padded; numbered in order.
    """
    holdings.__init__()
    signatures.__init__()
    register.__init__(participants)
    holdings._register_assets(currencies)


@external
def issue(reference: bytes32, lines: DynArray[uint256, holdings.LINES_MAX]):
    """
    @notice Creates money in accounts. Only the settlement bank of every account.
    @param reference Names this issue; never used twice.
    @param lines Credits, strictly ascending by currency and account.
    """
    bank: uint256 = self._bank()
    for line: uint256 in lines:
        self._check_settlement_bank(
            bank, (line >> holdings.KEY_SHIFT) & holdings.ACCOUNT_MASK
        )
    holdings._issue(reference, lines)


@external
def redeem(
    reference: bytes32,
    currency: uint256,
    account: uint256,
    amount: uint256,
    consent: signatures.Signature,
):
    """
    @notice Destroys money of an account whose owner signed for it. Only its settlement bank.
    @param reference Names this redemption; never used twice.
    @param currency The number of the currency.
    @param account The account.
    @param amount How many minor units.
    @param consent The owner's EIP-712 signature of the redemption.
    """
    self._check_settlement_bank(self._bank(), account)
    register._check_consent(reference, currency, account, amount, consent)
    holdings._redeem(reference, currency, account, amount)


@view
@internal
def _bank() -> uint256:
    """
    @notice The bank that asks; refuses everybody else. This is an `internal` function.
    @return Its number.
    """
    assert staticcall register.PARTICIPANTS.has_role(
        msg.sender, IParticipants.Role.BANK
    ), "cash: not a bank"
    return staticcall register.PARTICIPANTS.participant_of(msg.sender)


@view
@internal
def _check_settlement_bank(bank: uint256, account: uint256):
    """
    @notice Refuses a bank that does not keep this account's cash. This is an `internal` function.
    @param bank The number of the bank that asks.
    @param account The account.
    """
    keeper: uint256 = staticcall register.PARTICIPANTS.settlement_bank_of(
        account >> holdings.SUB_ACCOUNT_BITS
    )
    assert bank == keeper, "cash: not the settlement bank"
