# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Transfers
@license Apache-2.0
@notice Moving amounts between accounts: one at a time, or many that settle together. Of many, only
        what every account has in the end must be covered, so that amounts may go round in a circle.
"""

from interfaces import IRegister
from modules import holdings

uses: holdings

MOVES_MAX: constant(uint256) = 10_240

CREDITOR_SHIFT: constant(uint256) = 63
DEBTOR_SHIFT: constant(uint256) = 95
ASSET_SHIFT: constant(uint256) = 127
MOVE_BITS: constant(uint256) = 159


@internal
def _transfer(
    reference: bytes32, asset: uint256, debtor: uint256, creditor: uint256, amount: uint256
):
    """
    @notice Moves an amount between two accounts. This is an `internal` function without access
            restriction.
    @param reference The instruction this settles.
    @param asset The number of the asset.
    @param debtor The account it leaves.
    @param creditor The account it reaches.
    @param amount How much.
    """
    assert amount != 0, "holdings: no amount"
    holdings._debit(holdings._key(asset, debtor), amount)
    holdings._credit(holdings._key(asset, creditor), amount)
    log IRegister.Transferred(
        reference=reference, asset=asset, debtor=debtor, creditor=creditor, amount=amount
    )


@internal
def _move(reference: bytes32, moves: DynArray[uint256, MOVES_MAX]):
    """
    @notice Moves many amounts at once: all credits first, then all debits, each of which must be
            covered. This is an `internal` function without access restriction.
    @param reference The set or cycle this settles.
    @param moves Asset, debtor, creditor and amount of each, in any order.
    """
    for move: uint256 in moves:
        assert move >> MOVE_BITS == 0, "holdings: malformed line"
        amount: uint256 = move & holdings.AMOUNT_MAX
        assert amount != 0, "holdings: no amount"
        creditor: uint256 = (move >> CREDITOR_SHIFT) & holdings.ACCOUNT_MASK
        holdings._credit(holdings._key(move >> ASSET_SHIFT, creditor), amount)
    for move: uint256 in moves:
        debtor: uint256 = (move >> DEBTOR_SHIFT) & holdings.ACCOUNT_MASK
        holdings._debit(
            (move >> ASSET_SHIFT) << holdings.ACCOUNT_BITS | debtor, move & holdings.AMOUNT_MAX
        )
    log IRegister.Moved(reference=reference, moves=moves)
