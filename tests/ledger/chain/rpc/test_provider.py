"""web3.py over the embedded chain."""

import pytest
from web3.exceptions import ContractLogicError, TransactionNotFound, Web3RPCError

from contracts.artifacts import artifact
from contracts.deployment import participants_init_code
from ledger.chain.rpc.provider import web3_of
from nodes.keys import Key
from tests.support.twins import CHAIN_ID, GAS, new_chain

KEY = Key.of_seed("provider", "sender")


@pytest.fixture
def w3():
    return web3_of(new_chain())


def send(w3, nonce, to, data):
    raw = KEY.sign_transaction(chain_id=CHAIN_ID, nonce=nonce, to=to, data=data, gas=GAS)
    return w3.eth.get_transaction_receipt(w3.eth.send_raw_transaction(raw))


def test_chain_is_recognised(w3):
    assert w3.is_connected()
    assert w3.eth.chain_id == CHAIN_ID
    assert w3.net.version == str(CHAIN_ID)
    assert w3.client_version.startswith("Novate/")
    assert w3.eth.gas_price == 0
    assert w3.eth.get_block("latest")["number"] == 0


def test_contract_is_created_called_and_read(w3):
    receipt = send(w3, 0, None, participants_init_code())
    contract = w3.eth.contract(receipt["contractAddress"], abi=artifact("Participants").abi)

    assert receipt["status"] == 1
    assert contract.functions.count().call() == 0
    assert bytes.fromhex(contract.functions.administrator().call()[2:]) == KEY.address
    assert w3.eth.get_code(receipt["contractAddress"])
    assert w3.eth.get_transaction_count(w3.to_checksum_address(KEY.address)) == 1


def test_events_are_decoded_by_abi(w3):
    receipt = send(w3, 0, None, participants_init_code())
    contract = w3.eth.contract(receipt["contractAddress"], abi=artifact("Participants").abi)
    data = bytes.fromhex(contract.encode_abi("renounce_administration")[2:])
    address = bytes.fromhex(receipt["contractAddress"][2:])

    send(w3, 1, address, data)

    events = contract.events.AdministrationRenounced().get_logs(from_block=0)
    assert [bytes.fromhex(each["args"]["administrator"][2:]) for each in events] == [KEY.address]


def test_revert_comes_with_its_text(w3):
    receipt = send(w3, 0, None, participants_init_code())
    contract = w3.eth.contract(receipt["contractAddress"], abi=artifact("Participants").abi)

    with pytest.raises(ContractLogicError, match="participants: unknown"):
        contract.functions.signer_of(7).call()


def test_unknown_things_are_said_to_be_unknown(w3):
    with pytest.raises(TransactionNotFound):
        w3.eth.get_transaction_receipt(b"\0" * 32)
    with pytest.raises(Web3RPCError, match="does not exist"):
        w3.manager.request_blocking("debug_setHead", [])
    with pytest.raises(Web3RPCError, match="invalid chain id"):
        w3.eth.send_raw_transaction(
            KEY.sign_transaction(chain_id=1, nonce=0, to=bytes(20), data=b"", gas=GAS)
        )


def test_node_never_follows_a_contract_to_the_network(w3):
    assert w3.provider.global_ccip_read_enabled is False
