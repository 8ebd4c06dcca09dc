"""Random and hostile EVM programs, and blocks of transactions that deploy and call them.

Everything follows from a seed, so a failure is told by one number.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import TypeVar

import rlp
from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey

from ledger.chain.admission import intrinsic_gas
from ledger.chain.executor import BLOCK_GAS_LIMIT, BlockContext
from ledger.chain.transactions import Transaction

CHAIN_ID = 668_283
KEYS = {
    key.public_key.to_canonical_address(): key
    for key in (PrivateKey(bytes([i]) * 32) for i in (1, 2, 3, 4))
}
SENDERS = tuple(KEYS)
PROPOSER = SENDERS[3]
# The first two senders deploy, the others call: so the addresses of contracts are known beforehand.
CREATOR_BY_CONTRACT = {
    keccak(rlp.encode([sender, nonce]))[12:]: (sender, nonce)
    for nonce in range(3)
    for sender in SENDERS[:2]
}
CONTRACTS = tuple(CREATOR_BY_CONTRACT)
PRECOMPILES = tuple(bytes(19) + bytes([i]) for i in range(12))

T = TypeVar("T")
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
        tip=0,
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
    data = (
        value if isinstance(value, bytes) else value.to_bytes((value.bit_length() + 7) // 8, "big")
    )
    return bytes([0x5F + len(data)]) + data


def operation(code: int, *arguments: int | bytes) -> bytes:
    """An opcode with its arguments pushed before it, the first on top."""
    return b"".join(push(each) for each in reversed(arguments)) + bytes([code])


def init_code(code: bytes) -> bytes:
    """Init code that returns a contract's code."""
    head = push(len(code)) + b"\x80" + b"\x60\x00" + push(0) + b"\x39" + push(0) + b"\xf3"
    head = head.replace(b"\x60\x00\x5f\x39", b"\x60" + bytes([len(head)]) + b"\x5f\x39")
    return head + code


_ADDRESSES = (*CONTRACTS * 5, *PRECOMPILES, *SENDERS, bytes(20), b"\xdd" * 20)
_MUCH = 5_000_000
_HUGE = (5_000, 2**16, 2**20, 2**40, 2**64 - 1, 2**256 - 1)
_WORDS = (2**256 - 1, 2**255, 2**255 - 1, 2**128, 2**64, 2**32, 2**31, 256, 255, 32, 31)
_NULLARY = (
    *(0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x3A, 0x3D),
    *range(0x41, 0x49),
    0x4A,
    0x58,
    0x59,
    0x5A,
)
_ARITHMETIC = (*range(0x01, 0x0C), *range(0x10, 0x1E))
_HOSTILE_ENDS = (b"\xfe", b"\x0c", b"\x56", b"\x5b\x5f\x56", b"\x50" * 20, b"\x5f" * 1_025, b"")


class Programs:
    """Draws programs, and transactions that run them."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def blocks(self, most_blocks: int = 4, most_transactions: int = 6) -> list[list[Transaction]]:
        """Blocks of valid transactions: deployments and calls of what is deployed."""
        deployments = iter(CONTRACTS[: self._random.randint(2, len(CONTRACTS))])
        created: list[bytes] = []
        nonces = dict.fromkeys(SENDERS, 0)
        return [
            [
                self._transaction(deployments, created, nonces)
                for _ in range(self._random.randint(1, most_transactions))
            ]
            for _ in range(self._random.randint(2, most_blocks))
        ]

    def steady_blocks(self, most_writes: int) -> list[list[Transaction]]:
        """Like ``blocks``, but nothing fails or depends on gas, and a slot is written so often."""
        deployments = [
            transaction(*creator, None, init_code(self._steady_program(most_writes)), _MUCH)
            for creator in CREATOR_BY_CONTRACT.values()
        ]
        calls = [
            transaction(PROPOSER, nonce, self._pick(CONTRACTS), b"", _MUCH)
            for nonce in range(self._random.randint(2, 8))
        ]
        return [deployments, calls]

    def _steady_program(self, most_writes: int) -> bytes:
        writes = [
            operation(0x55, slot, self._random.randint(0, 2))
            for slot in range(4)
            for _ in range(self._random.randint(0, most_writes))
        ]
        loads = [operation(0x54, self._small()) + b"\x50" for _ in range(2)]
        loads += [operation(0x3B, self._address()) + b"\x50" for _ in range(2)]
        snippets = writes + loads
        self._random.shuffle(snippets)
        return b"".join(snippets)

    def _transaction(
        self, deployments: Iterator[bytes], created: list[bytes], nonces: dict[bytes, int]
    ) -> Transaction:
        contract = next(deployments, None) if len(created) < 3 or self._one_in(3) else None
        if contract:
            created.append(contract)
            code = self.program()
            data = code if self._one_in(8) else init_code(code)
            return self._with_gas(*CREATOR_BY_CONTRACT[contract], None, data)
        sender = self._pick(SENDERS[2:])
        nonces[sender] += 1
        to = self._address() if self._one_in(10) else self._pick(created)
        data = self._random.randbytes(self._pick((0, 0, 4, 68)))
        return self._with_gas(sender, nonces[sender] - 1, to, data)

    def _with_gas(self, sender: bytes, nonce: int, to: bytes | None, data: bytes) -> Transaction:
        most = self._pick((5_000_000, 5_000_000, 500_000))
        gas = self._random.randint(0, self._pick((most, 60_000))) if self._one_in(6) else most
        access_list = self._access_list() if self._one_in(5) else ()
        bare = transaction(sender, nonce, to, data, 0, access_list)
        return transaction(
            sender,
            nonce,
            to,
            data,
            intrinsic_gas(bare.to, bare.data, bare.access_list) + gas,
            access_list,
        )

    def _access_list(self) -> AccessList:
        return tuple(
            (self._address(), tuple(self._small() for _ in range(self._random.randint(0, 3))))
            for _ in range(self._random.randint(1, 3))
        )

    def program(self, most: int = 14) -> bytes:
        """A contract's code: mostly meaningful, often hostile."""
        count = self._random.randint(1, most)
        start = b"\x5b" if self._one_in(4) else b""  # where loops jump to
        return start + b"".join(self._snippet() for _ in range(count)) + self._end()

    def _snippet(self) -> bytes:
        kind = self._random.randint(0, 40)
        if kind == 0:
            return self._random.randbytes(2)
        if kind == 1:
            return self._jump()
        if kind < 10:
            return self._keep(self._call())
        if kind < 14:
            return self._keep(self._creation())
        return self._simple()

    def _simple(self) -> bytes:
        drawers = (
            self._storage,
            self._storage,
            self._storage,
            self._storage,
            self._memory,
            self._environment,
            self._environment,
            self._arithmetic,
            self._log,
            self._stack,
        )
        return self._pick(drawers)()

    def _storage(self) -> bytes:
        load, store = self._pick(((0x54, 0x55), (0x54, 0x55), (0x5C, 0x5D)))
        if self._one_in(3):
            return self._keep(operation(load, self._small()))
        return operation(store, self._small(), self._pick((0, 0, 1, 1, 2, self._word())))

    def _memory(self) -> bytes:
        code = self._pick((0x52, 0x53, 0x51, 0x5E, 0x20, 0x37, 0x39, 0x3E, 0x3C, 0x35))
        arguments: list[int | bytes] = [self._offset()]
        if code in (0x52, 0x53):
            arguments.append(self._word())
        elif code == 0x20:
            arguments.append(self._size())
        elif code in (0x5E, 0x37, 0x39, 0x3E, 0x3C):
            arguments += [self._offset(), self._size()]
        if code == 0x3C:
            arguments.insert(0, self._address())
        made = operation(code, *arguments)
        return self._keep(made) if code in (0x51, 0x20, 0x35) else made

    def _environment(self) -> bytes:
        kind = self._random.randint(0, 4)
        if kind == 0:
            return self._keep(operation(self._pick((0x31, 0x3B, 0x3F)), self._address()))
        if kind == 1:
            return self._keep(operation(self._pick((0x40, 0x49)), self._small()))
        return self._keep(bytes([self._pick(_NULLARY)]))

    def _arithmetic(self) -> bytes:
        words = [self._word() for _ in range(3)]
        return self._keep(operation(self._pick(_ARITHMETIC), *words))

    def _log(self) -> bytes:
        topics = self._random.randint(0, 4)
        words = [self._word() for _ in range(topics)]
        return operation(0xA0 + topics, self._offset(), self._size(), *words)

    def _stack(self) -> bytes:
        return (
            push(self._word())
            + push(self._word())
            + bytes([self._pick((0x80, 0x81, 0x90, 0x9F, 0x50))])
        )

    def _call(self) -> bytes:
        kind = self._pick((0xF1, 0xF1, 0xF2, 0xF4, 0xF4, 0xFA))
        windows = [self._offset(), self._size(), self._offset(), self._size()]
        value = [int(self._one_in(10))] if kind in (0xF1, 0xF2) else []
        head = operation(0, self._address(), *value, *windows)[:-1]
        gas = push(self._pick((0, 100, 2_300, 2_600, 30_000))) if self._one_in(4) else b"\x5a"
        return head + gas + bytes([kind])

    def _creation(self) -> bytes:
        inner = (self._simple() + self._end())[:32]
        if self._one_in(2):
            inner = init_code((self._simple() + self._end())[:20])
        salt = [self._random.randint(0, 1)] if self._one_in(2) else []
        size = self._size() if self._one_in(6) else len(inner)
        code = operation(0x52, 0, inner.ljust(32, b"\0"))
        code += operation(0xF5 if salt else 0xF0, int(self._one_in(10)), 0, size, *salt)
        if self._one_in(2):
            # Call what was created, and keep the answer.
            code += b"\x5f\x5f\x5f\x5f\x5f\x85\x5a\xf1"
        return code

    def _jump(self) -> bytes:
        """A loop until the gas is low, a conditional jump somewhere, or a jump ahead."""
        loop = self._simple() + b"\x62\x04\x00\x00\x5a\x11"
        return self._pick(
            (
                loop + b"\x5f\x57",
                push(1) + push(self._random.randint(0, 60)) + b"\x57",
                b"\x58\x60\x05\x01\x56\x5b",
            )
        )

    def _end(self) -> bytes:
        kind = self._random.randint(0, 15)
        if kind == 0:
            return self._pick(_HOSTILE_ENDS)
        if kind < 3:
            return operation(0xFF, self._address())
        if kind < 5:
            return operation(0xFD, self._offset(), self._size())
        return operation(0xF3, self._offset(), self._size()) if kind < 11 else b"\x00"

    def _keep(self, snippet: bytes) -> bytes:
        """What a snippet leaves on the stack goes into a slot or the memory, or stays."""
        kind = self._random.randint(0, 3)
        if kind == 0:
            return snippet
        return snippet + (operation(0x55, self._small()) if kind < 3 else operation(0x52, 32))

    def _address(self) -> bytes:
        return self._pick(_ADDRESSES)

    def _small(self) -> int:
        return self._random.randint(0, 5)

    def _word(self) -> int:
        return self._pick((self._small(), self._pick(_WORDS), self._random.getrandbits(256)))

    def _offset(self) -> int:
        return self._pick(_HUGE) if self._one_in(60) else self._random.randint(0, 96)

    def _size(self) -> int:
        return self._pick(_HUGE) if self._one_in(60) else self._pick((0, 1, 4, 31, 32, 33, 64, 70))

    def _one_in(self, count: int) -> bool:
        return self._random.randrange(count) == 0

    def _pick(self, choices: Sequence[T]) -> T:
        return self._random.choice(choices)
