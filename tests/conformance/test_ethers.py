"""ethers, from npm, against a served sandbox."""


def test_chain_block_and_balance_are_read(ethers):
    assert ethers["chain"] == "668283"
    assert ethers["balance"] == "0"
    assert ethers["block"] >= 0
    assert ethers["fees"]["gasPrice"] == "0"


def test_contract_is_created_and_called(ethers):
    assert ethers["creation"]["to"] is None
    assert ethers["creation"]["contract"]
    assert ethers["creation"]["status"] == 1
    assert ethers["bloom"] == 2 + 512
    assert ethers["administrator"]
    assert int(ethers["estimate"]) > 21_000


def test_reason_of_a_revert_is_decoded(ethers):
    assert ethers["reverted"] == "participants: unknown"


def test_both_kinds_of_transactions_are_sent(ethers):
    assert (ethers["legacy"], ethers["type"]) == (0, 2)


def test_blocks_and_events_are_told_by_socket(ethers):
    assert ethers["toldBlock"]
    assert ethers["toldEvent"]


def test_events_are_queried_and_a_batch_is_answered(ethers):
    assert ethers["logs"] == [True]
    assert ethers["batch"] == [1, 2, 3]
