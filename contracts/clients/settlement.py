"""Delivery-versus-payment settlement."""

from collections.abc import Sequence

from contracts.abi import Array, encode_call, number_of
from contracts.clients.contract import Contract
from contracts.typed_data import CycleMessage, InstructionMessage

NO_SIGNATURE = bytes(64)
"""For a side that owes nothing, or submits the instruction itself."""


class Settlement(Contract):
    """Settles instructions and netted cycles, all or nothing. Signatures are compact (64 bytes)."""

    def settle_cycle_data(self, cycle: CycleMessage, attestations: Sequence[bytes]) -> bytes:
        """Settles a cycle that all its parties signed, in their order. Only the clearing house."""
        return encode_call(
            "settle_cycle((bytes32,bytes32,uint256,uint256,uint256),"
            "uint256[],uint256[],uint256[],(bytes32,bytes32)[])",
            cycle.header_words(),
            cycle.parties,
            cycle.securities_lines,
            cycle.cash_lines,
            Array.of(attestations),
        )

    def settle_instruction_data(
        self, instruction: InstructionMessage, deliverer_consent: bytes, receiver_consent: bytes
    ) -> bytes:
        """Settles an instruction that its debtors signed. Anyone may submit it."""
        return encode_call(
            "settle_instruction((bytes32,uint256,uint256,uint256,uint256,uint256,uint256,uint256,"
            "uint256),(bytes32,bytes32),(bytes32,bytes32))",
            instruction.words(),
            deliverer_consent,
            receiver_consent,
        )

    def cycle_of(self, cycle_id: bytes) -> tuple[bytes, int]:
        """Root and number of trades of a settled cycle; zero when it has not settled."""
        root, count = self._read("cycle_of(bytes32)", cycle_id)
        return root, number_of(count)

    def is_settled(self, terms_hash: bytes) -> bool:
        """Whether an instruction of these terms (its message's ``terms_hash``) has settled."""
        return bool(number_of(self._read("is_settled(bytes32)", terms_hash)[0]))

    def rule_version(self) -> int:
        """The version of the rulebook that is in force."""
        return number_of(self._read("rule_version()")[0])
