"""Gas a line and an instruction, as a committed snapshot: a change is reviewed like code."""

import json
from pathlib import Path

from contracts.artifacts import ARTIFACTS_FOLDER
from contracts.clients.settlement import gas_for
from contracts.typed_data import InstructionMessage, SetMessage
from ledger.clearing.chunks import records_of
from ledger.clearing.columns import TradeColumns
from ledger.clearing.commitment import Commitment
from ledger.clearing.proof import prove
from ledger.model.settlement import ModelCycle
from tests.support.large_cycles import PARTIES, LargeCycle
from tests.support.trades import trade_row
from tests.support.twins import START, Twins, ref

SNAPSHOT = Path(__file__).parent / "gas-snapshot.json"


def measured():
    twins = Twins()
    brokers = twins.brokers
    shares = [(asset, b.house, 10_000) for asset in (1, 2, 3) for b in brokers]
    twins.issue(twins.registrar, ref("shares"), shares, is_cash=False)
    for bank in twins.actors[2:4]:
        mine = [b for b in brokers if b.bank == bank.number]
        lines = [(1, b.house, 1_000_000) for b in mine]
        twins.issue(bank, ref(f"cash {bank.number}"), lines, is_cash=True)
    return {
        "header": {
            "compiler": "vyper 0.4.3, default pipeline, cancun",
            "executor": "revm (pyrevm 0.3.7)",
            "rule": "access is cold at the start of a block; one transaction a block",
        },
        "deploy_bytes": {
            path.stem: len(json.loads(path.read_text())["runtime_bytecode"]) // 2 - 1
            for path in sorted(ARTIFACTS_FOLDER.glob("*.json"))
        },
        "settle_instruction": gas_of_instruction(twins),
        "settle_cycle": gas_of_cycle(twins),
        "settle_set": {str(count): gas_of_set(twins, count) for count in (1, 100)},
        "included": gas_of_inclusion(twins),
        "staged_cycle": gas_of_staged_cycle(),
    }


def gas_of_instruction(twins):
    seller, buyer = twins.brokers[:2]
    message = InstructionMessage(
        ref("gross"), seller.house, buyer.house, 1, 10, 1, 100, 1, START + 100
    )
    assert not twins.settle_instruction(twins.house, message, (seller, buyer))
    return twins.chain.head.gas_used


def gas_of_cycle(twins):
    parties = [broker.number for broker in twins.brokers]
    securities = [
        (asset, party << 8, amount)
        for asset in (1, 2, 3)
        for party, amount in zip(parties, (-30, 10, 15, 5), strict=True)
    ]
    cash = [(1, p << 8, a) for p, a in zip(parties, (300, -100, -150, -50), strict=True)]
    cycle = ModelCycle(
        ref("net"), ref("root"), 12, 1, START + 100, parties, securities, cash, parties
    )
    assert not twins.settle_cycle(twins.house, cycle)
    gas, lines = twins.chain.head.gas_used, len(securities) + len(cash)
    return {"lines": lines, "parties": len(parties), "gas": gas, "gas_a_line": gas // lines}


def gas_of_set(twins, instructions, sub_accounts=1):
    """Round and round between the brokers; with many sub-accounts, each credit opens a holding."""
    houses = [broker.house for broker in twins.brokers]
    circle = tuple(
        InstructionMessage(
            ref(f"{sub_accounts}/{instructions}/{i}"),
            houses[i % 4],
            houses[(i + 1) % 4] | i // 4 % sub_accounts,
            1 + i % 3,
            1,
            1,
            1,
            1,
            START + 100,
        )
        for i in range(instructions)
    )
    parties = sorted(
        {side >> 8 for each in circle for side in (each.deliverer, each.receiver)},
    )
    name = ref(f"set {sub_accounts}/{instructions}")
    message = SetMessage(name, circle, tuple(parties), (), 1, START + 100)
    assert not twins.settle_set(twins.house, message, parties)
    return twins.chain.head.gas_used


def gas_of_inclusion(twins):
    """Asked by a transaction: a full chunk among two thousand, with its calldata."""
    rows = [trade_row(i, 256, 512, 1, 1) for i in range(64)]
    others = [trade_row(i, 256, (i - 61) << 8, 1, 1) for i in range(64, 2_063)]
    trades, id = TradeColumns.of_rows([*rows, *others]), ref("included")
    commitment = Commitment(trades, b"k" * 32, id)
    parties = [broker.number for broker in twins.brokers[:2]]
    lines = [(1, parties[0] << 8, -1), (1, parties[1] << 8, 1)]
    cycle = ModelCycle(
        id, commitment.root, len(trades), 1, START + 100, parties, lines, [], parties
    )
    assert not twins.settle_cycle(twins.house, cycle)
    proof, inclusion = prove(commitment, id, 0), twins.contracts.inclusion
    records = records_of(proof.trades).tobytes()
    terms = (id, 0, proof.path.leaf_count, proof.salt, records, proof.path.siblings)
    assert inclusion.included(*terms)
    data = inclusion.included_data(*terms)
    assert twins.sender(twins.house).send(inclusion.address, data).succeeded
    return {
        "trades": len(proof.trades),
        "path": len(proof.path.siblings),
        "calldata_bytes": len(data),
        "gas": twins.chain.head.gas_used,
    }


def gas_of_staged_cycle():
    """First over holdings half of which are new, then back again: all are open by then."""
    cycle = LargeCycle(Twins(), 5_000)
    cycle.open_accounts()
    opening, new, settling = cycle.settle()
    _, open_before, settling_again = cycle.reversed().settle()
    assert settling_again < settling
    return {
        "lines": 5_000,
        "parties": len(PARTIES),
        "open": opening,
        "stage_a_line_half_new": new // 5_000,
        "stage_a_line": open_before // 5_000,
        "settle": settling,
    }


def test_gas_is_that_of_the_snapshot():
    assert measured() == json.loads(SNAPSHOT.read_text())


def test_no_set_needs_more_gas_than_it_is_given():
    twins = Twins()
    for broker in twins.brokers:
        bank = twins.actor(broker.bank)
        mine = [(1, broker.house | sub, 1_000) for sub in range(256)]
        assert not twins.issue(bank, ref(f"cash {broker.number}"), mine, is_cash=True)
        shares = [(asset, broker.house, 1_000) for asset in (1, 2, 3)]
        assert not twins.issue(
            twins.registrar, ref(f"shares {broker.number}"), shares, is_cash=False
        )

    for instructions in (1, 10, 1_000):
        assert gas_of_set(twins, instructions, sub_accounts=250) < gas_for(instructions)


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(measured(), indent=1) + "\n")
