"""Inclusion of trades in settled cycles."""

from collections.abc import Sequence

from contracts.abi import WORD_BYTES, Array, encode_call, number_of, split_words, uint
from contracts.clients.contract import Contract


class Inclusion(Contract):
    """Says of chunks of trades whether they are under the root of a settled cycle."""

    def included_data(
        self,
        cycle_id: bytes,
        index: int,
        leaves: int,
        salt: bytes,
        records: bytes,
        path: Sequence[bytes],
    ) -> bytes:
        """The question of ``included``, as transaction data."""
        padded = records + bytes(-len(records) % WORD_BYTES)
        return encode_call(
            "included(bytes32,uint256,uint256,bytes32,bytes,bytes32[])",
            cycle_id,
            uint(index),
            uint(leaves),
            salt,
            Array(padded, len(records)),
            Array.of(path),
        )

    def included(
        self,
        cycle_id: bytes,
        index: int,
        leaves: int,
        salt: bytes,
        records: bytes,
        path: Sequence[bytes],
    ) -> bool:
        """Whether a chunk's records are in a cycle. Reverts when the cycle has not settled."""
        answer = self._ask(self.included_data(cycle_id, index, leaves, salt, records, path))
        return bool(number_of(split_words(answer)[0]))
