"""What both brokers of a trade signed, over HTTP: as any library for typed data takes it."""

from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from api.app import create_app
from ledger.domain.rules import MARKET_DAY_RULES
from nodes.clock import WallClock
from nodes.founding import open_consortium
from nodes.opening_positions import issue_opening
from nodes.sandbox.network import sandbox_network, sandbox_opening
from nodes.sandbox.sandbox import Sandbox
from tests.api.test_rest import TRADE, wait_until_final
from tests.support.clients import client_of
from tests.support.consortia import DAY


@pytest.mark.parametrize("signed", [True, False])
def test_signatures_are_shown_where_trades_are_signed(signed):
    network = sandbox_network("test", DAY)
    rules = replace(MARKET_DAY_RULES, signed_trades=signed)
    consortium = open_consortium(network, rules, WallClock(), None)
    issue_opening(consortium, sandbox_opening(network))
    with client_of(create_app(Sandbox(consortium))) as client:
        trade = wait_until_final(client, client.post("/v1/trades", json=TRADE).json()["id"])
        answer = client.get(f"/v1/trades/{trade['id']}/signatures")

    if not signed:
        assert answer.status_code == 403
        assert answer.json()["reason"] == "UNSIGNED"
        return
    shown = answer.json()
    signable = encode_typed_data(full_message=shown["typed_data"])
    for side in ("seller", "buyer"):
        signer = Account.recover_message(signable, signature=shown[side]["signature"])
        assert signer.lower() == shown[side]["address"]
        assert shown[side]["participant"] == TRADE[side].split("/")[0]
