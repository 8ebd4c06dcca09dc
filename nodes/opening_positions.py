"""Issuing opening positions: on chain, visible, expected by their owners, and safe to do again."""

import hashlib
from collections.abc import Mapping

import numpy as np

from contracts.lines import LINES_PER_CALL_MAX, Lines
from ledger.books.postings import Register
from ledger.clearing.columns import participants_of
from ledger.domain.accounts import holding_key
from nodes.bootstrap import parts
from nodes.consortium import Consortium
from nodes.market_day.opening import Opening


def issue_opening(consortium: Consortium, opening: Opening) -> None:
    """Issues opening positions, in calls as large as the contracts take."""
    network = consortium.network
    securities = {
        holding_key(network.instrument_number(isin), network.account_number(account)): amount
        for (account, isin), amount in opening.securities.items()
        if amount
    }
    _issue(consortium, Register.SECURITIES, "", securities)
    for bank in network.banks():
        cash = {
            holding_key(network.currency_number(currency), network.account_number(account)): amount
            for (account, currency), amount in opening.cash.items()
            if amount and consortium.bank_of_account(account).id == bank
        }
        _issue(consortium, Register.CASH, bank, cash)
    consortium.catch_up()


def _issue(
    consortium: Consortium, register: Register, bank: str, amount_by_key: Mapping[int, int]
) -> None:
    is_cash = register is Register.CASH
    keeper = consortium.bank(bank) if is_cash else consortium.registrar
    for i, keys in enumerate(parts(sorted(amount_by_key), LINES_PER_CALL_MAX)):
        text = f"novate opening|{register.value}|{bank}|{i}"
        reference = hashlib.sha256(text.encode()).digest()
        lines = Lines(
            np.array(keys, dtype=np.int64),
            np.array([amount_by_key[key] for key in keys], dtype=np.int64),
        )
        owners = participants_of(lines.accounts)
        for number in np.unique(owners).tolist():
            mine = Lines(lines.keys[owners == number], lines.amounts[owners == number])
            trader = consortium.trader(consortium.network.participant_id(number))
            refusal = trader.expect_deposit(reference, register, mine)
            assert refusal is None, f"opening of {trader.id}: {refusal}"
        refusal = keeper.issue(reference, lines)
        assert refusal is None, f"opening: {refusal}"
