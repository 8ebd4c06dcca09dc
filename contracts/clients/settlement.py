"""Delivery-versus-payment settlement."""

from collections.abc import Iterator, Sequence
from typing import Final

from contracts.abi import Array, encode_call, number_of
from contracts.clients.contract import Contract
from contracts.lines import parts_of
from contracts.typed_data import CycleMessage, InstructionMessage, SetMessage

NO_SIGNATURE = bytes(64)
"""For a side that owes nothing, or submits the instruction itself."""


GAS_OF_A_SET: Final = 20_000_000
GAS_OF_A_MOVING_INSTRUCTION: Final = 90_000


def gas_of_cycle(cycle: CycleMessage) -> int:
    """What a cycle in one call may need beyond what any transaction is given; mostly nothing."""
    return gas_for(cycle.securities_lines.count) if cycle.is_gross else 0


def gas_for(instructions: int) -> int:
    """The most gas that a call settling so many instructions or moves can need.

    Most of it is the record that an instruction has settled, and holdings that are opened.
    """
    return GAS_OF_A_SET + GAS_OF_A_MOVING_INSTRUCTION * instructions


class Settlement(Contract):
    """Settles instructions and netted cycles, all or nothing. Signatures are compact (64 bytes)."""

    def settle_cycle_data(self, cycle: CycleMessage, attestations: Sequence[bytes]) -> bytes:
        """Settles a cycle that all its parties signed, in their order. Only the clearing house."""
        function = "settle_cycle_gross" if cycle.is_gross else "settle_cycle"
        return encode_call(
            f"{function}((bytes32,bytes32,uint256,uint256,uint256),"
            "uint256[],uint256[],uint256[],(bytes32,bytes32)[])",
            cycle.header_words(),
            cycle.parties,
            cycle.securities_lines,
            cycle.cash_lines,
            Array.of(attestations),
        )

    def open_cycle_data(self, cycle: CycleMessage, attestations: Sequence[bytes]) -> bytes:
        """Begins to settle a signed cycle in parts. Only the clearing house."""
        return encode_call(
            "open_cycle((bytes32,bytes32,uint256,uint256,uint256),"
            "uint256[],bytes32,(bytes32,bytes32)[])",
            cycle.header_words(),
            cycle.parties,
            cycle.lines_hash(),
            Array.of(attestations),
        )

    def stage_data(self, cycle: CycleMessage) -> Iterator[bytes]:
        """Stages the lines of an open cycle, a part each. Only the clearing house."""
        for part in parts_of(cycle.securities_lines):
            yield encode_call("stage_securities(bytes32,uint256[])", cycle.id, part)
        for part in parts_of(cycle.cash_lines):
            yield encode_call("stage_cash(bytes32,uint256[])", cycle.id, part)

    def settle_staged_data(self, cycle: CycleMessage) -> bytes:
        """Settles the open cycle once all parts are staged. Only the clearing house."""
        return encode_call("settle_staged(bytes32,uint256[])", cycle.id, cycle.parties)

    def abort_data(self, cycle_id: bytes) -> bytes:
        """Gives the open cycle up. The clearing house; anyone after its deadline."""
        return encode_call("abort(bytes32)", cycle_id)

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

    def settle_set_data(self, message: SetMessage, attestations: Sequence[bytes]) -> bytes:
        """Settles a set that all its parties signed, in their order. Only the clearing house."""
        return encode_call(
            "settle_set((bytes32,uint256,uint256),"
            "uint256[],uint256[],uint256[2][],(bytes32,bytes32)[])",
            message.header_words(),
            Array.of_numbers(message.parties),
            Array.of_numbers(message.receivers),
            message.packed_words(),
            Array.of(attestations),
        )

    def cycle_of(self, cycle_id: bytes) -> tuple[bytes, int]:
        """Root and number of trades of a settled cycle; zero when it has not settled."""
        root, count = self._read("cycle_of(bytes32)", cycle_id)
        return root, number_of(count)

    def open_cycle(self) -> bytes:
        """The id of the cycle that is being staged; zero when there is none."""
        return self._read("open_cycle_of()")[0]

    def is_settled(self, terms_hash: bytes) -> bool:
        """Whether an instruction of these terms (its message's ``terms_hash``) has settled."""
        return bool(number_of(self._read("is_settled(bytes32)", terms_hash)[0]))

    def rule_version(self) -> int:
        """The version of the rulebook that is in force."""
        return number_of(self._read("rule_version()")[0])
