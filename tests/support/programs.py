"""Random and hostile EVM programs, and blocks of transactions that deploy and call them."""

from collections.abc import Sequence

import rlp
from eth_hash.auto import keccak
from hypothesis import strategies as st

from ledger.chain.chain import intrinsic_gas
from ledger.chain.executor import BLOCK_GAS_LIMIT, BlockContext
from ledger.chain.transactions import Transaction

CHAIN_ID = 668_283
PROPOSER = bytes.fromhex("cc" * 20)
SENDERS = tuple(bytes([i]) * 20 for i in (0x11, 0x22, 0x33)) + (PROPOSER,)
# The first two senders deploy, the others call: so the addresses of contracts are known beforehand.
CREATOR_BY_CONTRACT = {
    keccak(rlp.encode([sender, nonce]))[12:]: (sender, nonce)
    for nonce in range(3)
    for sender in SENDERS[:2]
}
CONTRACTS = tuple(CREATOR_BY_CONTRACT)
PRECOMPILES = tuple(bytes(19) + bytes([i]) for i in range(12))

AccessList = tuple[tuple[bytes, tuple[int, ...]], ...]


def block_context(number: int) -> BlockContext:
    """The head of a block, ten seconds after the one before it."""
    return BlockContext(CHAIN_ID, number, 1_000 + 10 * number, BLOCK_GAS_LIMIT, PROPOSER)


def transaction(
    sender: bytes,
    nonce: int,
    to: bytes | None,
    data: bytes,
    gas: int = 300_000,
    access_list: AccessList = (),
) -> Transaction:
    """A decoded transaction; executors never look at its signature."""
    kind = 1 if access_list else 2
    return Transaction(
        raw=b"",
        hash=keccak(sender + nonce.to_bytes(8, "big")),
        type=kind,
        chain_id=CHAIN_ID,
        nonce=nonce,
        gas_price=0,
        gas=gas,
        to=to,
        value=0,
        data=data,
        sender=sender,
        access_list=access_list,
        y_parity=0,
        r=1,
        s=1,
    )


def push(value: int | bytes) -> bytes:
    """The shortest PUSH of a value; of an address with all its bytes."""
    data = value if isinstance(value, bytes) else value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes([0x5F + len(data)]) + data


def init_code(code: bytes) -> bytes:
    """Init code that returns a contract's code."""
    head = push(len(code)) + b"\x80" + b"\x60\x00" + push(0) + b"\x39" + push(0) + b"\xf3"
    head = head.replace(b"\x60\x00\x5f\x39", b"\x60" + bytes([len(head)]) + b"\x5f\x39")
    return head + code


_SMALL = st.integers(0, 5)
_WORDS = st.one_of(
    _SMALL,
    st.integers(0, 300),
    st.sampled_from([2**256 - 1, 2**255, 2**255 - 1, 2**128, 2**64, 2**32, 2**31, 1 << 16, 255]),
    st.integers(0, 2**256 - 1),
)
_ADDRESSES = st.sampled_from(
    [*CONTRACTS[:3] * 6, *CONTRACTS, *PRECOMPILES, *SENDERS, bytes(20), b"\xdd" * 20]
)


def _rarely(
    hostile: st.SearchStrategy[int], common: st.SearchStrategy[int], one_in: int = 24
) -> st.SearchStrategy[int]:
    return st.integers(1, one_in).flatmap(lambda n: hostile if n == one_in else common)


_HUGE = st.sampled_from([5_000, 2**16, 2**20, 2**40, 2**64 - 1, 2**256 - 1])
_OFFSETS = _rarely(_HUGE, st.integers(0, 96))
_SIZES = _rarely(_HUGE, st.sampled_from([0, 1, 4, 31, 32, 33, 64, 70]))


def _operation(code: int, *arguments: st.SearchStrategy[int] | st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """An opcode with its arguments pushed before it, the first on top."""
    return st.tuples(*arguments).map(
        lambda values: b"".join(push(value) for value in reversed(values)) + bytes([code])
    )


def _keeping(snippet: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """What a snippet leaves on the stack goes into a slot or the memory, or stays."""
    ends = st.one_of(
        st.just(b""), _SMALL.map(lambda slot: push(slot) + b"\x55"), st.integers(0, 3).map(lambda w: push(32 * w) + b"\x52")
    )
    return st.tuples(snippet, ends).map(b"".join)


@st.composite
def _calls(draw: st.DrawFn) -> bytes:
    kind = draw(st.sampled_from([0xF1, 0xF1, 0xF2, 0xF4, 0xF4, 0xFA]))
    window = [draw(_SIZES), draw(_OFFSETS), draw(_SIZES), draw(_OFFSETS)]
    code = b"".join(push(each) for each in window)
    if kind in (0xF1, 0xF2):
        code += push(draw(st.sampled_from([0, 0, 0, 1])))
    code += push(draw(_ADDRESSES))
    code += draw(st.one_of(st.just(b"\x5a"), st.just(b"\x5a"), st.sampled_from([0, 100, 2_300, 2_600, 30_000]).map(push)))
    return code + bytes([kind])


@st.composite
def _creations(draw: st.DrawFn, codes: st.SearchStrategy[bytes]) -> bytes:
    inner = draw(codes)[:32]
    if draw(st.booleans()):
        inner = init_code(inner[:16])
    code = push(inner.ljust(32, b"\0")) + push(0) + b"\x52"
    if draw(st.booleans()):
        code += push(draw(st.integers(0, 1)))  # the salt
        kind = b"\xf5"
    else:
        kind = b"\xf0"
    size = draw(st.one_of(st.just(len(inner)), _SIZES))
    code += push(size) + push(0) + push(draw(st.sampled_from([0, 0, 0, 1]))) + kind
    if draw(st.booleans()):
        # Call what was created, and keep the answer.
        code += b"".join(push(n) for n in (32, 0, 0, 0, 0)) + b"\x85\x5a" + b"\xf1"
    return code


_SIMPLE = st.one_of(
    _keeping(_operation(0x54, _SMALL)),
    _operation(0x55, _SMALL, st.one_of(_SMALL, _WORDS)),
    _operation(0x55, _SMALL, _SMALL),
    _keeping(_operation(0x5C, _SMALL)),
    _operation(0x5D, _SMALL, _WORDS),
    _operation(0x52, _OFFSETS, _WORDS),
    _operation(0x53, _OFFSETS, _WORDS),
    _keeping(_operation(0x51, _OFFSETS)),
    _operation(0x5E, _OFFSETS, _OFFSETS, _SIZES),
    _keeping(_operation(0x20, _OFFSETS, _SIZES)),
    _keeping(
        st.sampled_from(
            [0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x3A, 0x3D, *range(0x41, 0x47), 0x48, 0x4A, 0x58, 0x59, 0x5A, 0x47]
        ).map(lambda code: bytes([code]))
    ),
    _keeping(st.one_of(*(_operation(code, _ADDRESSES) for code in (0x31, 0x3B, 0x3F)))),
    _keeping(st.one_of(_operation(0x35, _OFFSETS), _operation(0x49, _SMALL), _operation(0x40, st.integers(0, 5)))),
    _keeping(st.sampled_from([*range(0x01, 0x0C), *range(0x10, 0x1E)]).flatmap(
            lambda code: _operation(code, _WORDS, _WORDS, _WORDS)
        )),
    st.one_of(*(_operation(code, _OFFSETS, _OFFSETS, _SIZES) for code in (0x37, 0x39, 0x3E))),
    _operation(0x3C, _ADDRESSES, _OFFSETS, _OFFSETS, _SIZES),
    st.integers(0, 4).flatmap(lambda n: _operation(0xA0 + n, _OFFSETS, _SIZES, *[_WORDS] * n)),
    st.tuples(st.integers(0x80, 0x9F)).map(bytes),
)
_ENDS = st.one_of(
    _operation(0xF3, _OFFSETS, _SIZES),
    _operation(0xF3, _OFFSETS, _SIZES),
    st.just(b"\x00"),
    _operation(0xFD, _OFFSETS, _SIZES),
    _operation(0xFF, _ADDRESSES),
    st.sampled_from([b"\xfe", b"\x0c", b"\x56", b"\x5b\x5f\x56", b"\x50" * 20, b"\x5f" * 1_025]),
)


@st.composite
def _jumps(draw: st.DrawFn) -> bytes:
    """A conditional jump over some bytes, a jump into data, or a loop until the gas is out."""
    kind = draw(st.integers(0, 2))
    if kind == 0:
        return b"\x5a\x58\x60\x06\x01\x57\x5b"  # GAS PC PUSH1 6 ADD JUMPI JUMPDEST
    if kind == 1:
        return push(draw(st.integers(0, 40))) + push(draw(st.integers(0, 40))) + b"\x57"
    return b"\x5b\x58\x03\x50"


_LEAVES = st.lists(st.one_of(_SIMPLE, _SIMPLE, _ENDS), min_size=1, max_size=3).map(b"".join)


def _weighted(*choices: tuple[int, st.SearchStrategy[bytes]]) -> st.SearchStrategy[bytes]:
    table = [strategy for weight, strategy in choices for _ in range(weight)]
    return st.integers(0, len(table) - 1).flatmap(lambda i: table[i])


_SNIPPETS = _weighted(
    (24, _SIMPLE),
    (4, _calls()),
    (4, _keeping(_calls())),
    (4, _keeping(_creations(_LEAVES))),
    (1, _jumps()),
    (1, st.binary(max_size=3)),
)


@st.composite
def programs(draw: st.DrawFn, max_size: int = 12) -> bytes:
    """A contract's code: mostly meaningful, often hostile."""
    snippets = draw(st.lists(_SNIPPETS, min_size=1, max_size=max_size))
    return b"".join(snippets) + draw(_ENDS)


_DATA = st.one_of(st.just(b""), st.binary(max_size=80), st.just(bytes(68)))
_GAS = st.sampled_from([5_000_000] * 5 + [1_000_000, 300_000]).flatmap(
    lambda most: _rarely(st.integers(0, most), st.just(most), 6)
)


@st.composite
def _access_lists(draw: st.DrawFn) -> AccessList:
    if draw(st.integers(0, 4)):
        return ()
    entry = st.tuples(_ADDRESSES, st.lists(_SMALL, max_size=3).map(tuple))
    return tuple(draw(st.lists(entry, max_size=3)))


@st.composite
def blocks(
    draw: st.DrawFn, max_blocks: int = 4, max_transactions: int = 6
) -> list[list[Transaction]]:
    """Blocks of valid transactions: deployments first, then calls and more deployments."""
    nonces = dict.fromkeys(SENDERS, 0)
    deployments = iter(CONTRACTS[: draw(st.integers(2, len(CONTRACTS)))])
    created: list[bytes] = []
    made: list[list[Transaction]] = []
    for _ in range(draw(st.integers(2, max_blocks))):
        rows: list[Transaction] = []
        for _ in range(draw(st.integers(1, max_transactions))):
            contract = next(deployments, None) if len(created) < 2 or draw(st.booleans()) else None
            sender, nonce = SENDERS[draw(st.integers(2, 3))], 0
            to: bytes | None = None
            if contract:
                sender, nonce = CREATOR_BY_CONTRACT[contract]
                created.append(contract)
                code = draw(programs())
                data = init_code(code) if draw(st.integers(0, 7)) < 7 else code
            else:
                nonce, nonces[sender] = nonces[sender], nonces[sender] + 1
                known = st.sampled_from(created)
                to = draw(_weighted((9, known), (1, _ADDRESSES)))
                data = draw(_DATA)
            rows.append(with_gas(sender, nonce, to, data, draw(_GAS), draw(_access_lists())))
        made.append(rows)
    return made


def with_gas(
    sender: bytes, nonce: int, to: bytes | None, data: bytes, gas: int, access_list: AccessList = ()
) -> Transaction:
    """A transaction with so much gas above what it needs to begin."""
    bare = transaction(sender, nonce, to, data, 0, access_list)
    return transaction(sender, nonce, to, data, intrinsic_gas(bare) + gas, access_list)
