# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Holdings
@license Apache-2.0
@notice What every account holds of every asset: available, held and, their sum, total. Held
        balances still belong to the account and pay for nothing. Amounts are whole minor units
        (cash) or units (securities) below 2**63, and so is all that is ever issued of an asset.
@dev One holding is one storage word, so that a netted line costs one read and one write:
     available (bits 0 to 63), held (64 to 127), a staged amount (128 to 190), its debit flag
     (191), the number of the cycle that staged it (192 to 254), and `opened` (255), which keeps
     the slot of an emptied holding non-zero.
     A staged debit has left `available` already and shows as held; a staged credit does not show.
     What becomes of either is one word for the whole cycle: every read and write of a holding
     looks there first (`_folded`), so that all of a cycle's lines count from the same moment.
"""

from interfaces import IRegister

LINES_MAX: constant(uint256) = 1_024
PARTY_WORDS: constant(uint256) = 4

AMOUNT_BITS: constant(uint256) = 63
AMOUNT_MAX: constant(uint256) = (1 << AMOUNT_BITS) - 1
DEBIT_FLAG: constant(uint256) = 1 << AMOUNT_BITS
KEY_SHIFT: constant(uint256) = 64
KEY_BITS: constant(uint256) = 64
ACCOUNT_BITS: constant(uint256) = 32
ACCOUNT_MASK: constant(uint256) = (1 << ACCOUNT_BITS) - 1
SUB_ACCOUNT_BITS: constant(uint256) = 8

AVAILABLE_MASK: constant(uint256) = (1 << 64) - 1
HELD_SHIFT: constant(uint256) = 64
HELD_UNIT: constant(uint256) = 1 << HELD_SHIFT
STAGED_SHIFT: constant(uint256) = 128
STAGED_DEBIT: constant(uint256) = 1 << 191
CYCLE_SHIFT: constant(uint256) = 192
CYCLE_MASK: constant(uint256) = (1 << 63) - 1
OPENED: constant(uint256) = 1 << 255
SETTLED_MASK: constant(uint256) = OPENED | ((1 << STAGED_SHIFT) - 1)

ASSETS_PER_CALL_MAX: constant(uint256) = 512

words: HashMap[uint256, uint256]
issued: HashMap[uint256, uint256]
used_references: HashMap[bytes32, bool]
asset_count: uint256
asset_by_code: HashMap[bytes32, uint256]

# The number of the cycle that is being staged (0 when there is none), and those that were booked.
staged_cycle: uint256
is_booked: HashMap[uint256, bool]


@deploy
def __init__():
    """
    @notice An empty register.
    """
    pass


@view
@external
def holding(asset: uint256, account: uint256) -> (uint256, uint256):
    """
    @notice What an account holds of an asset. Anyone may ask.
    @param asset The number of the asset.
    @param account The number of the account.
    @return Available and held; their sum is the total.
    """
    word: uint256 = self._shown(self.words[(asset << ACCOUNT_BITS) | account])
    return word & AVAILABLE_MASK, word >> HELD_SHIFT


@view
@external
def holdings_of(keys: DynArray[uint256, LINES_MAX]) -> DynArray[uint256, LINES_MAX]:
    """
    @notice Many holdings at once. Anyone may ask.
    @param keys Asset times 2**32 plus account, of each.
    @return Available plus 2**64 times held, of each, in the same order.
    """
    found: DynArray[uint256, LINES_MAX] = []
    for key: uint256 in keys:
        found.append(self._shown(self.words[key]))
    return found


@view
@external
def issued_of(asset: uint256) -> uint256:
    """
    @notice How much of an asset exists. Anyone may ask.
    @param asset The number of the asset.
    @return Issued less redeemed.
    """
    return self.issued[asset]


@view
@external
def asset_of(code: bytes32) -> uint256:
    """
    @notice The number of an asset. Anyone may ask.
    @param code The ISIN or currency code in ASCII, zero-padded.
    @return The number, from 1; 0 when it is not registered.
    """
    return self.asset_by_code[code]


@internal
def _register_assets(codes: DynArray[bytes32, ASSETS_PER_CALL_MAX]):
    """
    @notice Numbers new assets, in order. This is an `internal` function without access restriction.
    @param codes The ISIN or currency code in ASCII, zero-padded, of each.
    """
    for code: bytes32 in codes:
        assert code != empty(bytes32), "holdings: no asset code"
        assert self.asset_by_code[code] == 0, "holdings: asset code in use"
        asset: uint256 = self.asset_count + 1
        assert asset <= ACCOUNT_MASK, "holdings: full"
        self.asset_count = asset
        self.asset_by_code[code] = asset
        log IRegister.AssetRegistered(asset=asset, code=code)


@internal
def _issue(reference: bytes32, lines: DynArray[uint256, LINES_MAX]):
    """
    @notice Creates what the lines credit. This is an `internal` function without access restriction.
    @param reference Names this issue; never used twice.
    @param lines Credits only, strictly ascending.
    """
    self._use_reference(reference)
    previous: uint256 = 0
    for line: uint256 in lines:
        key: uint256 = line >> KEY_SHIFT
        assert key > previous, "holdings: lines out of order"
        previous = key
        assert line & DEBIT_FLAG == 0, "holdings: debit in an issue"
        asset: uint256 = key >> ACCOUNT_BITS
        assert asset != 0 and asset <= self.asset_count, "holdings: unknown asset"
        amount: uint256 = line & AMOUNT_MAX
        assert amount != 0, "holdings: no amount"
        issued: uint256 = self.issued[asset] + amount
        assert issued <= AMOUNT_MAX, "holdings: issue above the cap"
        self.issued[asset] = issued
        self._credit(key, amount)
    log IRegister.Issued(reference=reference, lines=lines)


@internal
def _redeem(reference: bytes32, asset: uint256, account: uint256, amount: uint256):
    """
    @notice Destroys an amount. This is an `internal` function without access restriction.
    @param reference Names this redemption; never used twice.
    @param asset The number of the asset.
    @param account The account it is taken from.
    @param amount How much.
    """
    self._use_reference(reference)
    assert amount != 0, "holdings: no amount"
    self._debit(self._key(asset, account), amount)
    self.issued[asset] -= amount
    log IRegister.Redeemed(reference=reference, asset=asset, account=account, amount=amount)


@internal
def _hold(asset: uint256, account: uint256, amount: uint256):
    """
    @notice Moves an amount from available to held. This is an `internal` function without access
            restriction.
    @param asset The number of the asset.
    @param account The account.
    @param amount How much.
    """
    assert amount != 0, "holdings: no amount"
    key: uint256 = self._key(asset, account)
    self._debit(key, amount)
    self.words[key] += amount * HELD_UNIT
    log IRegister.Held(asset=asset, account=account, amount=amount)


@internal
def _release(asset: uint256, account: uint256, amount: uint256):
    """
    @notice Moves an amount from held to available. This is an `internal` function without access
            restriction.
    @param asset The number of the asset.
    @param account The account.
    @param amount How much.
    """
    assert amount != 0, "holdings: no amount"
    key: uint256 = self._key(asset, account)
    word: uint256 = self._folded(self.words[key])
    assert (word >> HELD_SHIFT) & AVAILABLE_MASK >= amount, "holdings: not held"
    self.words[key] = word - amount * HELD_UNIT + amount
    log IRegister.Released(asset=asset, account=account, amount=amount)


@view
@internal
def _folded(word: uint256) -> uint256:
    """
    @notice A holding with what has become of its staged amount. This is an `internal` function.
    @param word The holding as it was written last.
    @return The same while the cycle is being staged; else without a staged amount.
    """
    cycle: uint256 = (word >> CYCLE_SHIFT) & CYCLE_MASK
    if cycle == 0 or cycle == self.staged_cycle:
        return word
    folded: uint256 = word & SETTLED_MASK
    # A booked credit arrives; an earmark that was dropped comes back.
    if self.is_booked[cycle] != (word & STAGED_DEBIT != 0):
        folded += (word >> STAGED_SHIFT) & AMOUNT_MAX
    return folded


@view
@internal
def _shown(word: uint256) -> uint256:
    """
    @notice A holding as others see it. This is an `internal` function.
    @param word The holding as it was written last.
    @return Available plus 2**64 times held, an earmark among the held.
    """
    folded: uint256 = self._folded(word)
    shown: uint256 = folded & ((1 << STAGED_SHIFT) - 1)
    if folded & STAGED_DEBIT != 0:
        shown += ((folded >> STAGED_SHIFT) & AMOUNT_MAX) * HELD_UNIT
    return shown


@view
@internal
def _key(asset: uint256, account: uint256) -> uint256:
    """
    @notice Where a holding is kept; refuses numbers that would alias another one. This is an
            `internal` function.
    @param asset The number of the asset.
    @param account The number of the account.
    @return Asset and account in one number.
    """
    assert asset != 0 and asset <= self.asset_count, "holdings: unknown asset"
    assert account <= ACCOUNT_MASK, "holdings: unknown account"
    return (asset << ACCOUNT_BITS) | account


@internal
def _debit(key: uint256, amount: uint256):
    """
    @notice Takes from what is available. This is an `internal` function without access restriction.
    @param key Asset and account.
    @param amount How much.
    """
    word: uint256 = self._folded(self.words[key])
    assert word & AVAILABLE_MASK >= amount, "holdings: short"
    self.words[key] = word - amount


@internal
def _credit(key: uint256, amount: uint256):
    """
    @notice Adds to what is available, and opens the holding. This is an `internal` function without
            access restriction.
    @param key Asset and account.
    @param amount How much.
    """
    assert key >> KEY_BITS == 0, "holdings: malformed line"
    word: uint256 = self._folded(self.words[key])
    # Every balance stays below 2**63 once all lines are booked; while a cycle is being booked,
    # credits may stand beside debits still to come.
    assert (word & AVAILABLE_MASK) + amount <= AVAILABLE_MASK, "holdings: overflow"
    self.words[key] = (word + amount) | OPENED


@internal
def _use_reference(reference: bytes32):
    """
    @notice Refuses a reference that was used before. This is an `internal` function without access
            restriction.
    @param reference The reference.
    """
    assert not self.used_references[reference], "holdings: reference in use"
    self.used_references[reference] = True
