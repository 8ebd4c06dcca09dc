"""web3.py over real sockets: HTTP, and WebSocket with subscriptions."""

import asyncio

import pytest
from eth_account import Account
from web3 import AsyncWeb3, HTTPProvider, Web3, WebSocketProvider
from web3.exceptions import ContractLogicError, Web3RPCError

from contracts.artifacts import artifact

ARTIFACT = artifact("Participants")
SECONDS_MAX = 20


@pytest.fixture(scope="module")
def w3(tools):
    made = Web3(HTTPProvider(tools.http))
    yield made
    made.provider._request_session_manager.session_cache.clear()


@pytest.fixture(scope="module")
def account(tools):
    return Account.from_key(tools.key)


def send(w3, account, transaction):
    filled = {
        "from": account.address,
        "chainId": w3.eth.chain_id,
        "nonce": w3.eth.get_transaction_count(account.address, "pending"),
        "value": 0,
    } | transaction
    filled.setdefault("gas", w3.eth.estimate_gas(filled))
    raw = account.sign_transaction(filled).raw_transaction
    return w3.eth.wait_for_transaction_receipt(w3.eth.send_raw_transaction(raw))


@pytest.fixture
def contract(w3, account):
    fees = {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0}
    receipt = send(w3, account, {"data": ARTIFACT.bytecode} | fees)
    assert receipt["status"] == 1
    assert receipt["to"] is None
    return w3.eth.contract(receipt["contractAddress"], abi=ARTIFACT.abi)


def test_chain_block_and_balance_are_read(w3, account):
    assert w3.is_connected()
    assert w3.eth.chain_id == 668_283
    assert w3.eth.get_balance(account.address) == 0
    assert w3.eth.gas_price == 0
    assert w3.eth.max_priority_fee == 0
    for tag in ("latest", "safe", "finalized", "pending", "earliest"):
        assert w3.eth.get_block(tag, full_transactions=True)["baseFeePerGas"] == 0
    assert w3.eth.fee_history(2, "latest", [50])["reward"] == [[0], [0]]


def test_both_kinds_of_transactions_are_sent(w3, account):
    dynamic = {"to": account.address, "maxFeePerGas": 7, "maxPriorityFeePerGas": 3}

    receipt = send(w3, account, dynamic)

    shown = w3.eth.get_transaction(receipt["transactionHash"])
    assert (shown["type"], shown["maxFeePerGas"], shown["maxPriorityFeePerGas"]) == (2, 7, 3)
    assert send(w3, account, {"to": account.address, "gasPrice": 0})["type"] == 0


def test_contract_is_called_and_its_revert_decoded(w3, account, contract):
    assert contract.functions.administrator().call() == account.address
    with pytest.raises(ContractLogicError, match="participants: unknown"):
        contract.functions.signer_of(7).call()
    with pytest.raises(ContractLogicError, match="participants: not the administrator"):
        contract.functions.renounce_administration().estimate_gas({"from": "0x" + "11" * 20})


def test_events_are_found_and_polled_for(w3, account, contract):
    polled = contract.events.AdministrationRenounced.create_filter(from_block="latest")
    data = contract.encode_abi("renounce_administration")
    receipt = send(w3, account, {"to": contract.address, "data": data, "gasPrice": 0})

    found = contract.events.AdministrationRenounced().get_logs(from_block=0)

    assert [each["transactionHash"] for each in found] == [receipt["transactionHash"]]
    assert [each["transactionHash"] for each in polled.get_new_entries()] == [
        receipt["transactionHash"]
    ]
    assert w3.eth.get_logs({"blockHash": receipt["blockHash"]}) == receipt["logs"]


def test_batch_is_answered(w3):
    with w3.batch_requests() as batch:
        for number in (1, 2, 3):
            batch.add(w3.eth.get_block(number))
        blocks = batch.execute()

    assert [block["number"] for block in blocks] == [1, 2, 3]


def test_keys_of_the_node_do_not_exist(w3, account):
    assert w3.eth.accounts == []
    with pytest.raises(Web3RPCError, match="node-held keys do not exist here"):
        w3.eth.send_transaction({"from": account.address, "to": account.address, "gas": 21_000})


def test_heads_and_logs_are_told_by_socket(tools, w3, account, contract):
    async def listen():
        async with AsyncWeb3(WebSocketProvider(tools.ws)) as socket:
            heads = await socket.eth.subscribe("newHeads")
            logs = await socket.eth.subscribe("logs", {"address": contract.address})
            data = contract.encode_abi("renounce_administration")
            transaction = {"to": contract.address, "data": data, "gasPrice": 0}
            receipt = await asyncio.to_thread(send, w3, account, transaction)
            told = {}
            async for message in socket.socket.process_subscriptions():
                told[message["subscription"]] = message["result"]
                if len(told) == 2:
                    break
            await socket.eth.unsubscribe(heads)
            return receipt, told[heads], told[logs]

    receipt, head, log = asyncio.run(asyncio.wait_for(listen(), SECONDS_MAX))

    assert head["hash"] == receipt["blockHash"]
    assert log["transactionHash"] == receipt["transactionHash"]
