"""What the clients share: an address, and reading from it."""

from eth_typing import ChecksumAddress
from web3 import Web3

from contracts.abi import Argument, encode_call, split_words


class Contract:
    """A deployed contract. Functions named ``*_data`` make transaction data; the others read."""

    def __init__(self, w3: Web3, address: bytes) -> None:
        self.address = address
        self._w3 = w3
        self._checksum_address: ChecksumAddress = Web3.to_checksum_address(address)

    def _read(self, signature: str, *arguments: Argument) -> list[bytes]:
        """The words that a view function returns. Raises web3's ContractLogicError on a revert."""
        return split_words(self._ask(encode_call(signature, *arguments)))

    def _ask(self, data: bytes) -> bytes:
        """What a call with this data returns. Raises web3's ContractLogicError on a revert."""
        return bytes(self._w3.eth.call({"to": self._checksum_address, "data": data}))
