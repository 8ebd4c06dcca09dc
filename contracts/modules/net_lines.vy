# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Net lines
@license Apache-2.0
@notice Booking what a cycle comes to, one line for each account and asset: all at once, or staged in
        parts and then made to count by one word. For every asset the lines add up to zero.
"""

from interfaces import IRegister
from modules import holdings

uses: holdings


# How far the lines of the cycle that is being staged go, and what they add up to for the last asset.
staged_previous: uint256
staged_debits: uint256
staged_credits: uint256


@internal
def _book(
    reference: bytes32, lines: DynArray[uint256, holdings.LINES_MAX]
) -> uint256[holdings.PARTY_WORDS]:
    """
    @notice Books net lines whose sum is zero for each asset. This is an `internal` function without
            access restriction.
    @param reference The cycle this settles.
    @param lines Debits and credits, strictly ascending.
    @return The participants whose accounts the lines touch, one bit each.
    """
    touched: uint256[holdings.PARTY_WORDS] = empty(uint256[holdings.PARTY_WORDS])
    previous: uint256 = 0
    asset: uint256 = 0
    debits: uint256 = 0
    credits: uint256 = 0
    for line: uint256 in lines:
        key: uint256 = line >> holdings.KEY_SHIFT
        assert key > previous, "holdings: lines out of order"
        previous = key
        if key >> holdings.ACCOUNT_BITS != asset:
            assert debits == credits, "holdings: not zero-sum"
            asset = key >> holdings.ACCOUNT_BITS
            debits = 0
            credits = 0
        amount: uint256 = line & holdings.AMOUNT_MAX
        assert amount != 0, "holdings: no amount"
        if line & holdings.DEBIT_FLAG != 0:
            debits += amount
            holdings._debit(key, amount)
        else:
            credits += amount
            holdings._credit(key, amount)
        participant: uint256 = (key & holdings.ACCOUNT_MASK) >> holdings.SUB_ACCOUNT_BITS
        assert participant < holdings.PARTY_WORDS * 256, "holdings: unknown participant"
        touched[participant >> 8] |= 1 << (participant & 255)
    assert debits == credits, "holdings: not zero-sum"
    log IRegister.Booked(reference=reference, lines=lines)
    return touched


@internal
def _stage(
    reference: bytes32, cycle: uint256, lines: DynArray[uint256, holdings.LINES_MAX]
) -> uint256[holdings.PARTY_WORDS]:
    """
    @notice Takes the next net lines of a cycle: debits are earmarked, credits noted, and nothing of
            it counts until the cycle is booked. This is an `internal` function without access
            restriction.
    @param reference The cycle.
    @param cycle Its number, never used for another one.
    @param lines Debits and credits, strictly ascending, also over the parts of a cycle.
    @return The participants whose accounts the lines touch, one bit each.
    """
    if cycle != holdings.staged_cycle:
        holdings.staged_cycle = cycle
        self.staged_previous = 0
        self.staged_debits = 0
        self.staged_credits = 0
    touched: uint256[holdings.PARTY_WORDS] = empty(uint256[holdings.PARTY_WORDS])
    previous: uint256 = self.staged_previous
    asset: uint256 = previous >> holdings.ACCOUNT_BITS
    debits: uint256 = self.staged_debits
    credits: uint256 = self.staged_credits
    stamp: uint256 = cycle << holdings.CYCLE_SHIFT
    for line: uint256 in lines:
        key: uint256 = line >> holdings.KEY_SHIFT
        assert key > previous, "holdings: lines out of order"
        previous = key
        if key >> holdings.ACCOUNT_BITS != asset:
            assert debits == credits, "holdings: not zero-sum"
            asset = key >> holdings.ACCOUNT_BITS
            debits = 0
            credits = 0
        amount: uint256 = line & holdings.AMOUNT_MAX
        assert amount != 0, "holdings: no amount"
        # A key comes once in a cycle and one cycle is staged at a time: nothing else is pending.
        word: uint256 = holdings._folded(holdings.words[key])
        if line & holdings.DEBIT_FLAG != 0:
            debits += amount
            assert word & holdings.AVAILABLE_MASK >= amount, "holdings: short"
            word -= amount
        else:
            credits += amount
            assert key >> holdings.KEY_BITS == 0, "holdings: malformed line"
        # The amount and its debit flag, as they stand in the line.
        holdings.words[key] = word | stamp | ((line & holdings.AVAILABLE_MASK) << holdings.STAGED_SHIFT) | holdings.OPENED
        participant: uint256 = (key & holdings.ACCOUNT_MASK) >> holdings.SUB_ACCOUNT_BITS
        assert participant < holdings.PARTY_WORDS * 256, "holdings: unknown participant"
        touched[participant >> 8] |= 1 << (participant & 255)
    self.staged_previous = previous
    self.staged_debits = debits
    self.staged_credits = credits
    log IRegister.Staged(reference=reference, lines=lines)
    return touched


@internal
def _book_staged(reference: bytes32, cycle: uint256):
    """
    @notice Makes every staged line of a cycle count, by one word. This is an `internal` function
            without access restriction.
    @param reference The cycle.
    @param cycle Its number.
    """
    # It may have no lines here.
    if cycle != holdings.staged_cycle:
        return
    assert self.staged_debits == self.staged_credits, "holdings: not zero-sum"
    holdings.is_booked[cycle] = True
    holdings.staged_cycle = 0
    log IRegister.StagedBooked(reference=reference)


@internal
def _drop_staged(reference: bytes32, cycle: uint256):
    """
    @notice Gives back what a cycle has earmarked, and forgets its credits. This is an `internal`
            function without access restriction.
    @param reference The cycle.
    @param cycle Its number.
    """
    if cycle != holdings.staged_cycle:
        return
    holdings.staged_cycle = 0
    log IRegister.StagedDropped(reference=reference)
