"""viem, from npm, against a served sandbox."""


def test_chain_block_and_balance_are_read(viem):
    assert viem["chain"] == 668_283
    assert viem["balance"] == "0"
    assert viem["finalized"]
    assert viem["history"] == 2


def test_contract_is_created_and_called(viem):
    assert viem["creation"] == {"to": None, "status": "success"}
    assert viem["administrator"]


def test_reason_of_a_revert_is_decoded(viem):
    assert viem["reverted"] == "participants: unknown"


def test_both_kinds_of_transactions_are_sent(viem):
    assert (viem["legacy"], viem["type"]) == ("legacy", "eip1559")


def test_blocks_and_events_are_told_by_socket_and_by_polled_filter(viem):
    assert viem["head"]
    assert viem["told"] == viem["polled"] == "AdministrationRenounced"


def test_events_are_queried_and_a_batch_is_answered(viem):
    assert viem["logs"] == [True]
    assert viem["batch"] == [1, 2, 3]
