"""Scenario files of one queue and one run, read straight into the model's queue."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from ledger.model.gridlock import ModelInstruction, ModelQueue

PACK = Path(__file__).parents[2] / "nodes/scenario/pack"


@dataclass(frozen=True)
class Story:
    """A queue, the algorithm run over it, and what the file expects to settle."""

    name: str
    queue: ModelQueue
    algorithm: str
    settled: set[int]
    value: int | None
    balances: dict[str, int]


def stories():
    """Every Project Ubin case of gridlock, and the queues of securities and cash."""
    files = sorted(PACK.glob("gridlock/ubin-*.yaml")) + sorted(PACK.glob("dvp/dvp-queue-0*.yaml"))
    return [_story(yaml.safe_load(file.read_text())) for file in files]


def _story(text):
    *entries, run = text["events"]
    instructions = [_instruction(entry["instruct"]) for entry in entries]
    state_by_label = text["expect"]["instructions"]
    labels = [entry["instruct"]["id"] for entry in entries]
    expected_value = text["expect"].get("settled_value")
    return Story(
        name=text["scenario"],
        queue=ModelQueue(instructions, _holdings(text["opening"])),
        algorithm=run["resolve"],
        settled={row for row, label in enumerate(labels) if state_by_label[label] == "settled"},
        value=None if expected_value is None else int(expected_value),
        balances=_holdings(text["expect"]),
    )


def _instruction(body):
    match body["kind"]:
        case "pay":
            amount = int(body["amount"])
            return ModelInstruction(((f"$ {body['payer']}", f"$ {body['payee']}", amount),), amount)
        case "fop":
            isin, quantity = body["isin"], body["quantity"]
            return ModelInstruction(((f"{isin} {body['from']}", f"{isin} {body['to']}", quantity),))
        case "dvp":
            seller, buyer = body["seller"], body["buyer"]
            isin, amount = body["isin"], int(body["amount"])
            delivery = (f"{isin} {seller}", f"{isin} {buyer}", body["quantity"])
            return ModelInstruction((delivery, (f"$ {buyer}", f"$ {seller}", amount)), amount)


def _holdings(part):
    cash = {f"$ {account}": int(amount) for account, amount in part["cash"].items()}
    return cash | {
        f"{isin} {account}": quantity
        for account, quantities in part.get("securities", {}).items()
        for isin, quantity in quantities.items()
    }
