"""The books of record: domain, clearing, reference model, consortium chain, books."""

import os

# Chosen before any module hashes: ten times the speed of the default Keccak of eth-hash.
os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")
