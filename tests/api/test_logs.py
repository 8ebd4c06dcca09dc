"""The log of a process: lines of JSON by which a trade is followed, none with a secret."""

import json
import logging
import re
from io import StringIO

import pytest

from ledger.logs import logger_of
from nodes.api_keys import seeded_secret
from nodes.clock import SimulatedClock
from nodes.log_output import LogForm, LogLevel, LogOptions, log_handler
from tests.support.clients import SEED
from tests.support.consortia import DAY
from tests.support.running import up

TRADE = {
    "number": "L1",
    "instrument": "NOVA1",
    "quantity": "100",
    "price": "10.50",
    "seller": "BRK-A",
    "buyer": "BRK-B",
}
BATCH = [{**TRADE, "number": f"B{number}"} for number in range(30)]


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """The lines of a process that was used and abused, and every secret it has seen."""
    folder = tmp_path_factory.mktemp("logs")
    file = folder / "novate.log"
    options = ("--log", str(file), "--log-level", "debug", "--cycle-seconds", "0.2")
    with up(folder / "state", *options) as running:
        trade = running.ask("POST", "/v1/trades?wait=final", TRADE)
        running.ask("POST", "/v1/trades:batch", BATCH)
        hook = {"url": f"http://127.0.0.1:{running.port + 1}/none", "types": ["trade.*"]}
        _, _, endpoint = running.ask("POST", "/v1/webhook-endpoints", hook)
        _, _, key = running.ask("POST", "/v1/api-keys", {"holder": "BRK-A"})
        wrong = "nvk_BRK-A_" + "ab" * 32
        running.ask("GET", "/v1/trades", headers={"Authorization": f"Bearer {wrong}"})
        running.ask("GET", f"/sign-in?ticket={wrong}")
        running.ask("POST", "/v1/trades", {**TRADE, "number": "L2"})
        running.ask("POST", "/v1/cycles", {})
        status, words = running.stop()
    assert status == 0, words
    secrets = [
        *(seeded_secret(SEED, name) for name in ("OPERATOR", "BRK-A", "REGULATOR")),
        *(endpoint["secret"], key["api_key"], wrong, "ab" * 32),
        *re.findall(r"ticket=(\S+)", words),
        *((folder / "state/nodes").glob("*/key")),
    ]
    texts = [each if isinstance(each, str) else each.read_text().strip() for each in secrets]
    return trade, file.read_text(), texts


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


def test_every_line_is_json_with_time_level_and_event(logged):
    lines = lines_of(logged[1])

    assert len(lines) > 20
    for line in lines:
        assert list(line)[:3] == ["time", "level", "event"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["time"])
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", line["event"])


def test_a_trade_is_followed_from_its_request_to_its_final_block(logged):
    (status, headers, trade), text, _ = logged
    lines = lines_of(text)

    def with_value(value):
        return [each["event"] for each in lines if value in each.values()]

    assert status == 201
    acknowledged = [each["trade"] for each in lines if each["event"] == "trade.acknowledged"]
    assert [each.rpartition(".")[2] for each in acknowledged] == ["L1", "L2"]
    assert with_value(headers["Request-Id"]) == ["trade.acknowledged", "request.answered"]
    kinds = [each.get("kind") for each in lines if each.get("trade") == trade["id"]]
    assert {"trade.captured", "trade.settled"} <= set(kinds)
    of_transaction = with_value(trade["transaction_hash"])
    assert {"transaction.final", "cycle.settled", "trade.acknowledged"} <= set(of_transaction)
    [cycle] = [x for x in lines if x["event"] == "cycle.settled" and x["cycle"] == trade["cycle"]]
    assert cycle["block"] == trade["final_block"]
    assert cycle["node"] == "CLEARING-HOUSE"
    blocks = [x["event"] for x in lines if x.get("block") == cycle["block"]]
    assert {"block.sealed", "block.final", "transaction.sealed"} <= set(blocks)


def test_many_trades_are_one_line_and_single_ones_only_when_debugging(logged):
    lines = lines_of(logged[1])
    [batch] = [each for each in lines if each["event"] == "batch.acknowledged"]
    settled = [each for each in lines if each["event"] == "trade.settled"]
    single = [each for each in settled if re.search(r"\.B\d+$", each["trade"])]

    assert (batch["captured"], batch["level"]) == (30, "info")
    assert {each["level"] for each in single} == {"debug"}
    assert len(single) == 30


def test_webhook_attempts_have_a_line_each(logged):
    attempts = [each for each in lines_of(logged[1]) if each["event"] == "webhook.attempted"]

    assert attempts
    assert all(each["attempt_id"] and each["outcome"] == "failed" for each in attempts)


def test_no_line_has_a_secret(logged):
    _, text, secrets = logged

    assert len(secrets) > 10
    for secret in secrets:
        assert secret not in text


def handled(options):
    """A logger that writes into a stream as the options say."""
    stream = StringIO()
    name = f"tests.{options.form}.{options.level}"
    own = logging.getLogger(name)
    own.propagate = False
    own.setLevel(options.level.upper())
    own.addHandler(log_handler(options, SimulatedClock.at(DAY), "BRK-A", stream))
    return logger_of(name), stream


def test_text_is_for_people_and_has_the_same_fields():
    log, stream = handled(LogOptions(level=LogLevel.INFO, form=LogForm.TEXT))

    log.info("cycle.settled", cycle=7, block=12)
    log.debug("cycle.struck", cycle=8)

    assert "cycle.settled" in stream.getvalue()
    assert "cycle=7" in stream.getvalue()
    assert "cycle.struck" not in stream.getvalue()


def test_text_shows_what_somebody_has_sent_and_does_not_obey_it():
    log, stream = handled(LogOptions(level=LogLevel.WARNING, form=LogForm.TEXT))

    log.warning("request.answered", path="/\x1b[2Jgone\x07", caller="a\nb 结算")
    logging.getLogger("tests.text.warning").warning("said\n2026-02-10 [error] forged \x9b2J")

    assert len(stream.getvalue().splitlines()) == 2
    assert not {"\x1b", "\x07", "\x9b"} & set(stream.getvalue())
    assert "结算" in stream.getvalue()


def test_failure_is_one_line_with_its_story_and_secrets_of_others_are_masked():
    log, stream = handled(LogOptions(level=LogLevel.DEBUG, form=LogForm.JSON))

    try:
        raise ValueError("Bearer nvk_BRK-A_0123abc refused, ticket=t0ps3cret, whsec_c2VjcmV0")
    except ValueError:
        log.exception("webhook.failed", endpoint="we-1")

    [line] = lines_of(stream.getvalue())
    assert line["node"] == "BRK-A"
    assert "Traceback" in line["exception"]
    for secret in ("0123abc", "t0ps3cret", "c2VjcmV0"):
        assert secret not in stream.getvalue()
