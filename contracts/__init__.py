"""The on-chain law: Vyper sources, their compiled artifacts, and typed clients over web3."""

import os

# Chosen before any module hashes: ten times the speed of the default Keccak of eth-hash.
os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")
