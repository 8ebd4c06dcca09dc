"""foundry's cast, from npm, against a served sandbox: the strictest reader of our answers."""

import json

import pytest

from contracts.artifacts import artifact


def told(done):
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def contract(cast, tools):
    code = artifact("Participants").bytecode
    sent = cast("send", "--private-key", tools.key, "--json", "--create", code)
    receipt = json.loads(told(sent))
    assert receipt["status"] == "0x1"
    assert receipt["to"] is None
    return receipt["contractAddress"]


@pytest.fixture(scope="module")
def sender(cast, tools):
    return told(cast("wallet", "address", "--private-key", tools.key))


def test_chain_block_and_balance_are_read(cast, sender):
    assert told(cast("chain-id")) == "668283"
    assert told(cast("balance", sender)) == "0"
    assert told(cast("gas-price")) == "0"
    assert int(told(cast("block-number"))) > 0
    for tag in ("latest", "finalized", "safe", "earliest", "pending"):
        block = json.loads(told(cast("block", tag, "--full", "--json")))
        assert len(block["logsBloom"]) == 2 + 512
    assert int(told(cast("block", "--field", "timestamp"))) > 0


@pytest.mark.parametrize("kind", [[], ["--legacy"]])
def test_both_kinds_of_transactions_are_sent(cast, tools, sender, kind):
    sent = cast("send", "--private-key", tools.key, "--json", *kind, sender)

    receipt = json.loads(told(sent))

    assert receipt["type"] == ("0x0" if kind else "0x2")
    shown = json.loads(told(cast("tx", receipt["transactionHash"], "--json")))
    assert shown["hash"] == receipt["transactionHash"]
    again = json.loads(told(cast("receipt", receipt["transactionHash"], "--json")))
    assert again["blockHash"] == receipt["blockHash"]


def test_contract_is_called_and_its_gas_estimated(cast, contract, sender):
    administrator = told(cast("call", contract, "administrator()(address)"))

    assert administrator == sender
    assert told(cast("code", contract)).startswith(artifact("Participants").runtime_bytecode)
    assert int(told(cast("storage", contract, "0")), 16) >= 0
    gas = told(cast("estimate", "--from", sender, contract, "renounce_administration()"))
    assert int(gas) > 21_000
    assert int(told(cast("nonce", sender))) > 0


def test_reason_of_a_revert_is_decoded(cast, contract):
    refused = cast("call", contract, "signer_of(uint256)(address)", "7")

    assert refused.returncode != 0
    assert "participants: unknown" in refused.stderr


def test_logs_are_found(cast, contract, sender, tools):
    words = ("send", "--private-key", tools.key, "--json", contract, "renounce_administration()")
    receipt = json.loads(told(cast(*words)))

    found = told(cast("logs", "--from-block", "0", "--address", contract, "--json"))

    assert [log["transactionHash"] for log in json.loads(found)] == [receipt["transactionHash"]]


def test_keys_of_the_node_do_not_exist(cast, sender):
    refused = cast("send", "--unlocked", "--from", sender, sender)

    assert refused.returncode != 0
    assert "node-held keys do not exist here" in refused.stderr
