"""A contract that counts: a call with a 32-byte word adds one to the slot of that number."""

from ledger.chain.chain import Chain
from nodes.keys import Key
from tests.support.twins import CHAIN_ID

# calldataload(0); dup; sload; 1; add; swap; sstore; stop
RUNTIME = bytes.fromhex("5f358054600101905500")
INIT_CODE = bytes.fromhex("600a8060095f395ff3") + RUNTIME
GAS = 200_000


def deploy_counters(chain: Chain, key: Key) -> bytes:
    """Deploys the contract with a sender's next transaction; returns its address."""
    nonce = chain.pending_nonce_of(key.address)
    raw = key.sign_transaction(chain_id=CHAIN_ID, nonce=nonce, to=None, data=INIT_CODE, gas=GAS)
    included = chain.store.transaction(chain.submit(raw))
    assert included is not None
    assert included.receipt.contract is not None
    return included.receipt.contract


def count_raw(key: Key, nonce: int, contract: bytes, number: int) -> bytes:
    """A signed call that counts a number."""
    data = number.to_bytes(32, "big")
    return key.sign_transaction(chain_id=CHAIN_ID, nonce=nonce, to=contract, data=data, gas=GAS)
