"""Keys and signatures. One secp256k1 key a participant, in a file that only its owner can read.

In the sandbox a key follows from the seed of the network and the participant's name, so that the
same network is built again byte for byte; such keys are known to everybody who knows the seed.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import rlp
from coincurve import PrivateKey
from eth_hash.auto import keccak

from ledger.chain.signatures import address_of

KEY_FILE_MODE = 0o600
_DYNAMIC_FEE_TYPE = b"\x02"


@dataclass(frozen=True, slots=True)
class Key:
    """A private key. Never printed, logged or stored in a database."""

    _private: PrivateKey
    address: bytes

    @staticmethod
    def of_secret(secret: bytes) -> "Key":
        """The key of 32 secret bytes."""
        private = PrivateKey(secret)
        return Key(private, address_of(private.public_key))

    @staticmethod
    def of_chance() -> "Key":
        """A key that nobody has had before, from the operating system's randomness."""
        return Key.of_secret(PrivateKey().secret)

    @staticmethod
    def of_seed(seed: str, name: str) -> "Key":
        """The sandbox key of a name in a network with this seed."""
        return Key.of_secret(hashlib.sha256(f"novate key|{seed}|{name}".encode()).digest())

    @property
    def public(self) -> bytes:
        """The public key: two coordinates of 32 bytes."""
        return self._private.public_key.format(compressed=False)[1:]

    def sign(self, digest: bytes) -> bytes:
        """The compact signature (ERC-2098, 64 bytes, low s) of a 32-byte digest."""
        signature = self._private.sign_recoverable(digest, hasher=None)
        s_and_parity = int.from_bytes(signature[32:64], "big") | signature[64] << 255
        return signature[:32] + s_and_parity.to_bytes(32, "big")

    def sign_plain(self, digest: bytes) -> bytes:
        """The two numbers of a signature of a 32-byte digest, r and low s, without its parity."""
        signature: bytes = self._private.sign_recoverable(digest, hasher=None)[:64]
        return signature

    def sign_transaction(
        self, *, chain_id: int, nonce: int, to: bytes | None, data: bytes, gas: int
    ) -> bytes:
        """A raw EIP-1559 transaction without value and fees."""
        fields = [chain_id, nonce, 0, 0, gas, to or b"", 0, data, []]
        digest = keccak(_DYNAMIC_FEE_TYPE + rlp.encode(fields))
        signature = self._private.sign_recoverable(digest, hasher=None)
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
        return _DYNAMIC_FEE_TYPE + bytes(rlp.encode([*fields, signature[64], r, s]))

    def write(self, path: Path) -> None:
        """Writes the secret to a file of mode 0600, whole or not at all."""
        unfinished = path.with_name(f"{path.name}.unfinished")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with os.fdopen(os.open(unfinished, flags, KEY_FILE_MODE), "w") as file:
            file.write(self._private.to_hex())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @staticmethod
    def read(path: Path) -> "Key":
        """The key in a file.

        Raises PermissionError when others can read the file, ValueError when it holds no key.
        """
        if path.stat().st_mode & 0o077:
            raise PermissionError(f"{path} can be read by others: run chmod 600 {path}")
        try:
            return Key.of_secret(bytes.fromhex(path.read_text().strip()))
        except ValueError:
            # Without the text of the error, which could show the secret.
            raise ValueError(f"{path} does not hold a key of 32 bytes in hexadecimal") from None


def fresh_seed() -> str:
    """A seed that nobody has used before, from the operating system's randomness."""
    return os.urandom(16).hex()


def fresh_session() -> bytes:
    """16 bytes that name one start of a process, from the operating system's randomness."""
    return os.urandom(16)


def fresh_secret() -> str:
    """Thirty-two bytes in hexadecimal that nobody can guess."""
    return os.urandom(32).hex()


def fresh_bytes(length: int) -> bytes:
    """So many bytes that nobody knows, from the operating system's randomness."""
    return os.urandom(length)
