"""The methods on a chain with contracts: every answer in the form that strict clients want."""

import re
from functools import partial

import pytest
from web3 import Web3

from contracts.artifacts import artifact
from contracts.deployment import participants_init_code
from ledger.chain import reader
from ledger.chain.admission import intrinsic_gas
from ledger.chain.executors import EXECUTOR_NAMES, new_executor
from ledger.chain.rpc.backend import CALL_GAS_MAX, Limits, in_process_backend, open_backend
from ledger.chain.rpc.errors import RpcError
from ledger.chain.rpc.table import METHODS, handle
from ledger.chain.transactions import decode_transaction
from nodes.keys import Key
from tests.support.counters import count_raw
from tests.support.twins import CHAIN_ID, GAS, Twins, new_chain, ref

KEY = Key.of_seed("methods", "sender")
NOBODY = "0x" + "00" * 20
EVERYWHERE = {"fromBlock": "earliest", "toBlock": "latest"}
FOREVER = "0x5b600056"


@pytest.fixture(scope="module")
def twins():
    made = Twins()
    for i in range(5):
        made.issue(made.registrar, ref(f"issue {i}"), [(1, 5 << 8, 1)], is_cash=False)
    made.issue(made.house, ref("refused"), [(1, 5 << 8, 1)], is_cash=False)
    return made


@pytest.fixture(scope="module")
def backend(twins):
    return open_backend(twins.chain, lambda: 0, None)


@pytest.fixture
def ask(backend):
    return lambda method, *params: handle(backend, method, params)


@pytest.fixture
def securities(twins):
    return "0x" + twins.contracts.addresses.securities.hex()


def calldata(contract, function, *args):
    return Web3().eth.contract(abi=artifact(contract).abi).encode_abi(function, args)


def refusal(backend, method, *params):
    with pytest.raises(RpcError) as caught:
        handle(backend, method, params)
    return caught.value


def test_every_tag_is_a_block(ask):
    head = ask("eth_blockNumber")

    for tag in ("latest", "pending", "safe", "finalized"):
        assert ask("eth_getBlockByNumber", tag, False)["number"] == head
    assert ask("eth_getBlockByNumber", "earliest")["number"] == "0x0"
    assert ask("eth_getBlockByNumber", "0xffff", True) is None
    assert ask("eth_getBlockByNumber", "0x" + "f" * 64, True) is None
    assert ask("eth_getBlockByHash", "0x" + "00" * 32, True) is None


def test_block_is_the_same_by_number_and_by_hash_with_and_without_its_transactions(ask):
    thin = ask("eth_getBlockByNumber", "latest", False)
    full = ask("eth_getBlockByHash", thin["hash"], True)

    assert thin["transactions"] == [each["hash"] for each in full["transactions"]]
    assert {k: v for k, v in thin.items() if k != "transactions"} == {
        k: v for k, v in full.items() if k != "transactions"
    }
    assert re.fullmatch("0x[0-9a-f]{512}", thin["logsBloom"])
    assert thin["baseFeePerGas"] == "0x0"


def test_transaction_is_found_by_its_hash_and_by_its_place(ask):
    block = ask("eth_getBlockByNumber", "latest", True)
    transaction = block["transactions"][0]

    assert ask("eth_getTransactionByHash", transaction["hash"]) == transaction
    by_number = ask("eth_getTransactionByBlockNumberAndIndex", block["number"], "0x0")
    by_hash = ask("eth_getTransactionByBlockHashAndIndex", block["hash"], "0x0")
    assert by_number == by_hash == transaction
    assert ask("eth_getTransactionByBlockNumberAndIndex", block["number"], "0x1") is None
    assert ask("eth_getBlockTransactionCountByNumber", block["number"]) == "0x1"
    assert ask("eth_getBlockTransactionCountByHash", block["hash"]) == "0x1"
    assert ask("eth_getBlockTransactionCountByHash", "0x" + "00" * 32) is None
    raw = ask("eth_getRawTransactionByHash", transaction["hash"])
    assert "0x" + decode_transaction(bytes.fromhex(raw[2:])).hash.hex() == transaction["hash"]


def test_receipt_of_a_deployment_has_no_receiver_but_a_contract(ask):
    block = ask("eth_getBlockByNumber", "0x1", False)

    receipt = ask("eth_getTransactionReceipt", block["transactions"][0])

    assert receipt["to"] is None
    assert len(ask("eth_getCode", receipt["contractAddress"])) > 100
    assert re.fullmatch("0x[0-9a-f]{512}", receipt["logsBloom"])
    assert receipt["effectiveGasPrice"] == "0x0"


def test_receipt_of_a_failure_keeps_its_revert_data(ask):
    block = ask("eth_getBlockByNumber", "latest", False)

    receipt = ask("eth_getTransactionReceipt", block["transactions"][0])

    assert receipt["status"] == "0x0"
    assert receipt["revertReason"].startswith("0x08c379a0")


def test_gas_adds_up_over_the_receipts_of_a_block():
    chain = new_chain()
    backend = open_backend(chain, lambda: 0, None)
    raws = [
        KEY.sign_transaction(
            chain_id=CHAIN_ID, nonce=i, to=bytes(19) + b"\x99", data=d, gas=100_000
        )
        for i, d in enumerate((b"", b"\1", b"\1\1"))
    ]
    hashes = ["0x" + digest.hex() for digest in chain.submit_all(raws)]

    receipts = handle(backend, "eth_getBlockReceipts", ["latest"])

    assert receipts == [handle(backend, "eth_getTransactionReceipt", [each]) for each in hashes]
    sums = [int(each["cumulativeGasUsed"], 16) for each in receipts]
    assert sums == [21_000, 42_016, 63_048]
    assert sums[-1] == int(handle(backend, "eth_getBlockByNumber", ["latest"])["gasUsed"], 16)


def test_receipts_of_a_block_are_asked_for_in_every_way(ask):
    block = ask("eth_getBlockByNumber", "0x2", False)
    receipts = ask("eth_getBlockReceipts", "0x2")

    for way in (block["hash"], {"blockHash": block["hash"]}, {"blockNumber": "0x2"}):
        assert ask("eth_getBlockReceipts", way) == receipts
    assert ask("eth_getBlockReceipts", "0xffff") is None


def test_unknown_things_are_null(ask):
    for method in ("eth_getTransactionByHash", "eth_getTransactionReceipt"):
        assert ask(method, "0x" + "00" * 32) is None


def test_call_takes_input_or_data_and_ignores_what_has_no_meaning_here(ask, securities):
    selector = calldata("Securities", "settlement")
    plain = ask("eth_call", {"to": securities, "data": selector}, "latest")
    noise = {
        "type": "0x2",
        "chainId": "0x1",
        "gasPrice": "0xffff",
        "maxFeePerGas": "0xffff",
        "maxPriorityFeePerGas": "0x1",
        "nonce": "0xff",
        "value": "0x0",
        "accessList": [],
    }

    assert len(plain) == 66
    assert ask("eth_call", {"to": securities, "input": selector}) == plain
    assert ask("eth_call", {"to": securities, "input": selector, "data": selector}) == plain
    assert ask("eth_call", {"to": securities, "data": selector, **noise}, "pending") == plain


def test_call_that_reverts_keeps_its_data(backend, twins):
    participants = "0x" + twins.contracts.addresses.participants.hex()
    unknown = calldata("Participants", "signer_of", 255)

    for method in ("eth_call", "eth_estimateGas"):
        error = refusal(backend, method, {"to": participants, "data": unknown})

        assert error.code == 3
        assert error.message == "execution reverted: participants: unknown"
        assert error.data.startswith("0x08c379a0")


def test_call_that_never_ends_is_ended(backend):
    error = refusal(backend, "eth_call", {"data": FOREVER, "gas": "0xffffffffff"})

    assert error.code == -32000
    assert str(CALL_GAS_MAX) in error.message


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ([{"to": NOBODY, "input": "0x01", "data": "0x02"}], "differ"),
        ([{"to": NOBODY, "value": "0x1"}], "no native currency"),
        ([{"to": NOBODY}, "latest", {NOBODY: {"balance": "0x1"}}], "overrides"),
        ([{"to": NOBODY}, "latest", None, {"number": "0x1"}], "overrides"),
        ([{"to": "0x01"}], "20 bytes"),
        ([{"to": NOBODY, "data": "0x1"}], "even number"),
        ([[]], "an object"),
        ([{"to": NOBODY}, "0x0"], "state of block 0 is not kept; only latest"),
        ([{"to": NOBODY}, "earliest"], "state of block 0 is not kept; only latest"),
        ([{"to": NOBODY}, {"blockNumber": "0x1"}], "state of block 1 is not kept"),
        ([{"to": NOBODY}, {"blockHash": "0x" + "00" * 32}], "no block with the hash"),
        ([{"to": NOBODY}, {"requireCanonical": True}], "EIP-1898"),
        ([{"to": NOBODY}, "0xffff"], "there is no block 65535"),
        ([{"to": NOBODY}, "newest"], "expected latest"),
        ([{"to": NOBODY}, "0x01"], "hex quantity"),
    ],
)
def test_call_that_cannot_be_answered_is_refused_with_words(backend, params, words):
    assert words in refusal(backend, "eth_call", *params).message


@pytest.mark.parametrize("method", ["eth_call", "eth_estimateGas"])
@pytest.mark.parametrize("executor", EXECUTOR_NAMES)
def test_call_that_could_be_no_transaction_is_refused_with_words(executor, method):
    chain = new_chain(executor=new_executor(executor, CHAIN_ID))
    backend = open_backend(chain, lambda: 0, None)
    # Init code that leaves one byte of code, STOP.
    init_code = bytes.fromhex("60016000f3")
    raw = KEY.sign_transaction(chain_id=CHAIN_ID, nonce=0, to=None, data=init_code, gas=GAS)
    chain.submit(raw)
    contract = "0x" + chain.store.transactions_of(1)[0].receipt.contract.hex()

    for call, words in [
        ({"to": contract, "gas": "0x1"}, "intrinsic gas too low"),
        ({"to": contract, "from": contract}, "the sender is a contract"),
        ({"data": "0x" + "00" * 50_000}, "init code is too long"),
    ]:
        error = refusal(backend, method, call)
        assert error.code == -32000
        assert words in error.message


def test_estimate_is_never_below_the_gas_before_the_first_instruction():
    chain = new_chain()
    backend = open_backend(chain, lambda: 0, None)
    # The constructor fills slot 0; a call empties it, which gives gas back.
    code = bytes.fromhex("600060005500")
    init_code = bytes.fromhex("6001600055") + b"\x65" + code + bytes.fromhex("6000526006601af3")
    raw = KEY.sign_transaction(chain_id=CHAIN_ID, nonce=0, to=None, data=init_code, gas=GAS)
    chain.submit(raw)
    contract = chain.store.transactions_of(1)[0].receipt.contract
    calldata = b"\x01" * 3_000

    estimate = handle(
        backend,
        "eth_estimateGas",
        [{"to": "0x" + contract.hex(), "data": "0x" + calldata.hex()}],
    )

    assert int(estimate, 16) >= intrinsic_gas(contract, calldata)
    raw = KEY.sign_transaction(
        chain_id=CHAIN_ID, nonce=1, to=contract, data=calldata, gas=int(estimate, 16)
    )
    chain.submit(raw)
    assert chain.store.transactions_of(2)[0].receipt.succeeded


def test_state_of_the_last_block_is_known_by_tag_number_and_hash(ask, securities):
    block = ask("eth_getBlockByNumber", "latest")
    ways = ("latest", "safe", block["number"], {"blockNumber": block["number"]})

    for way in (*ways, {"blockHash": block["hash"], "requireCanonical": True}):
        assert ask("eth_getCode", securities, way) == ask("eth_getCode", securities)
        assert ask("eth_getBalance", NOBODY, way) == "0x0"
        assert ask("eth_getStorageAt", securities, "0x" + "00" * 32, way) == "0x" + "00" * 32
        assert ask("eth_getTransactionCount", NOBODY, way) == "0x0"


@pytest.mark.parametrize(
    ("method", "before"),
    [
        ("eth_getBalance", [NOBODY]),
        ("eth_getCode", [NOBODY]),
        ("eth_getStorageAt", [NOBODY, "0x0"]),
        ("eth_getTransactionCount", [NOBODY]),
        ("eth_estimateGas", [{"to": NOBODY}]),
    ],
)
def test_state_of_an_old_block_is_refused(backend, method, before):
    assert "not kept; only latest" in refusal(backend, method, *before, "0x0").message


def test_estimate_suffices_and_a_fifth_less_does_not():
    chain = new_chain()
    backend = open_backend(chain, lambda: 0, None)
    code = participants_init_code()
    asked = {"from": "0x" + KEY.address.hex(), "data": "0x" + code.hex()}

    gas = int(handle(backend, "eth_estimateGas", [asked]), 16)

    for nonce, given, status in ((0, gas * 4 // 5 - 1, "0x0"), (1, gas, "0x1")):
        raw = KEY.sign_transaction(chain_id=CHAIN_ID, nonce=nonce, to=None, data=code, gas=given)
        digest = handle(backend, "eth_sendRawTransaction", ["0x" + raw.hex()])
        assert handle(backend, "eth_getTransactionReceipt", [digest])["status"] == status


def test_estimate_counts_an_access_list(ask, securities):
    bare = int(ask("eth_estimateGas", {"to": NOBODY}), 16)
    listed = [{"address": securities, "storageKeys": ["0x" + "00" * 32]}]

    assert int(ask("eth_estimateGas", {"to": NOBODY, "accessList": listed}), 16) == bare + 4_300


def test_logs_are_found_by_range_by_block_and_by_kind(ask, securities):
    every = ask("eth_getLogs", EVERYWHERE)
    own = ask("eth_getLogs", EVERYWHERE | {"address": securities})
    topic = own[-1]["topics"][0]

    assert 0 < len(own) < len(every)
    assert ask("eth_getLogs", EVERYWHERE | {"address": [securities], "topics": [topic]})
    assert ask("eth_getLogs", EVERYWHERE | {"topics": [None, ["0x" + ref("issue 1").hex()]]})
    at = [log for log in every if log["blockHash"] == own[-1]["blockHash"]]
    assert ask("eth_getLogs", {"blockHash": own[-1]["blockHash"]}) == at
    assert ask("eth_getLogs", {"fromBlock": "0xffff", "toBlock": "0xfffff"}) == []
    assert ask("eth_getLogs", {}) == ask("eth_getLogs", {"fromBlock": "latest"})


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"fromBlock": "0x2", "toBlock": "0x1"}, "is after"),
        ({"fromBlock": "0x1", "blockHash": "0x" + "00" * 32}, "either"),
        ({"blockHash": "0x" + "00" * 32}, "no block with the hash"),
        ({"topics": [None] * 5}, "at most 4"),
        ({"topics": ["0x01"]}, "32 bytes"),
        ({"address": ["0x01"]}, "20 bytes"),
        ({"address": [NOBODY] * 1_001}, "at most 1000"),
        ({"address": 7}, "a list"),
        ("latest", "an object"),
    ],
)
def test_bad_log_filter_is_refused(backend, wanted, words):
    assert words in refusal(backend, "eth_getLogs", wanted).message


def test_too_many_logs_are_refused_with_a_range_that_fits(twins, backend):
    every = handle(backend, "eth_getLogs", [EVERYWHERE])
    few = open_backend(twins.chain, lambda: 0, None)
    few.limits = Limits(call_gas=CALL_GAS_MAX, logs=7)
    found, first = [], "earliest"

    while len(found) < len(every) - 7:
        error = refusal(few, "eth_getLogs", {"fromBlock": first, "toBlock": "latest"})
        assert error.code == -32005
        fitting = re.search(r"fromBlock (\w+), toBlock (\w+) fits.*block (\w+)\.", error.message)
        page = {"fromBlock": fitting[1], "toBlock": fitting[2]}
        found += handle(few, "eth_getLogs", [page])
        first = fitting[3]
    found += handle(few, "eth_getLogs", [{"fromBlock": first, "toBlock": "latest"}])

    assert found == every
    assert handle(in_process_backend(twins.chain), "eth_getLogs", [EVERYWHERE]) == every


def test_fee_history_is_of_numbers(ask):
    head = int(ask("eth_blockNumber"), 16)

    history = ask("eth_feeHistory", "0x3", "latest", [25, 75])

    assert history["oldestBlock"] == hex(head - 2)
    assert history["baseFeePerGas"] == ["0x0"] * 4
    assert all(isinstance(ratio, float) for ratio in history["gasUsedRatio"])
    assert history["reward"] == [["0x0", "0x0"]] * 3
    assert len(ask("eth_feeHistory", 10_000, "latest", None)["gasUsedRatio"]) == head + 1
    assert ask("eth_feeHistory", "0x0", "latest", [])["gasUsedRatio"] == []


@pytest.mark.parametrize(
    ("params", "code", "words"),
    [
        (["0x1", "0xffff", []], -32000, "there is no block 65535"),
        ([4, "latest", ["a"]], -32602, "percentiles"),
        ([4, "latest", [True]], -32602, "percentiles"),
        ([4, "latest", [-1]], -32602, "percentiles"),
        ([4, "latest", [50, 100.5]], -32602, "percentiles"),
        ([4, "latest", [50, 49]], -32602, "percentiles"),
        ([4, "latest", "50"], -32602, "percentiles"),
        ([4, "latest", [1] * 101], -32602, "at most 100"),
    ],
)
def test_fee_history_that_cannot_be_is_refused(backend, params, code, words):
    error = refusal(backend, "eth_feeHistory", *params)

    assert error.code == code
    assert words in error.message


def test_transaction_by_its_place_is_read_alone(monkeypatch):
    chain = new_chain()
    backend = open_backend(chain, lambda: 0, None)
    hashes = chain.submit_all([count_raw(KEY, nonce, bytes(20), nonce) for nonce in range(20)])
    read = []
    monkeypatch.setattr(
        reader, "decode_transaction", lambda raw: read.append(raw) or decode_transaction(raw)
    )

    ask = partial(handle, backend, "eth_getTransactionByBlockNumberAndIndex")

    assert ask(["0x1", "0x7"])["hash"] == "0x" + hashes[7].hex()
    assert len(read) == 1
    assert ask(["0x1", "0x14"]) is None
    assert ask(["0x1", "0x" + "f" * 64]) is None
    assert ask(["0x2", "0x0"]) is None


def test_pool_tells_what_is_ready_from_what_misses_a_nonce():
    chain = new_chain()
    backend = open_backend(chain, lambda: 0, None)
    for nonce in (1, 2, 5):
        chain.submit(count_raw(KEY, nonce, bytes(20), nonce))
    assert handle(backend, "txpool_status", []) == {"pending": "0x0", "queued": "0x3"}

    chain.submit(count_raw(KEY, 0, bytes(20), 0))

    assert handle(backend, "txpool_status", []) == {"pending": "0x0", "queued": "0x1"}


def test_chain_and_software_say_who_they_are(ask):
    assert ask("eth_chainId") == hex(CHAIN_ID)
    assert ask("net_version") == str(CHAIN_ID)
    assert ask("eth_accounts") == []
    assert ask("eth_syncing") is False
    assert ask("net_listening") is True
    assert (
        ask("web3_sha3", "0x")
        == "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    )
    assert ask("txpool_status") == {"pending": "0x0", "queued": "0x0"}
    assert {"eth", "net", "web3"} <= set(ask("rpc_modules"))
    for method in ("eth_gasPrice", "eth_maxPriorityFeePerGas", "eth_blobBaseFee", "net_peerCount"):
        assert ask(method) == "0x0"


def test_transaction_that_waits_is_shown_without_a_block(monkeypatch):
    chain = new_chain()
    backend = open_backend(chain, lambda: 0, None)
    raw = KEY.sign_transaction(chain_id=CHAIN_ID, nonce=0, to=bytes(20), data=b"", gas=GAS)
    waiting = decode_transaction(raw)
    monkeypatch.setattr(chain, "pending", lambda _: waiting)

    form = handle(backend, "eth_getTransactionByHash", ["0x" + waiting.hash.hex()])

    assert (form["blockHash"], form["blockNumber"], form["transactionIndex"]) == (None,) * 3
    assert handle(backend, "eth_getTransactionReceipt", ["0x" + waiting.hash.hex()]) is None


@pytest.mark.parametrize("method", sorted(name for name, m in METHODS.items() if m.needs))
def test_missing_parameters_are_said_to_be_missing(backend, method):
    assert refusal(backend, method).code == -32602
