"""Cycles of any number of lines, and the holdings that they need."""

from copy import copy

import numpy as np

from contracts.abi import Array
from contracts.lines import Lines, parts_of
from contracts.typed_data import CycleMessage
from ledger.domain.accounts import holding_key
from tests.support.twins import INSTRUMENTS, START, ref

ROOM = 300_000_000
PARTIES = [5, 6, 7, 8]
SUB_ACCOUNTS = 256


class LargeCycle:
    """A cycle of one register's lines in many instruments, over all accounts of four brokers."""

    def __init__(self, twins, lines):
        self.twins = twins
        self.id = ref("large")
        accounts = [party << 8 | sub for party in PARTIES for sub in range(SUB_ACCOUNTS)]
        assets = -(-lines // len(accounts))
        pairs = [(asset, account) for asset in range(1, assets + 1) for account in accounts]
        keys = np.array([holding_key(*pair) for pair in pairs[:lines]], dtype=np.int64)
        signs = np.where(np.arange(lines) % 2, 1, -1)
        self.lines = Lines(keys, 5 * signs)
        self.opening = Lines(keys[signs < 0], np.full(lines // 2, 5))
        self.assets = assets

    def open_accounts(self):
        twins, register = self.twins, self.twins.contracts.securities
        registrar = twins.sender(twins.registrar)
        isins = [f"XX{number:010}" for number in range(len(INSTRUMENTS), self.assets)]
        for first in range(0, len(isins), 256):
            data = register.register_instruments_data(isins[first : first + 256])
            assert registrar.send(register.address, data, ROOM).succeeded
        for number, part in enumerate(parts_of(self.opening.pack())):
            data = register.issue_data(ref(f"opening {number}"), Lines.unpack(part.words))
            assert registrar.send(register.address, data, ROOM).succeeded

    def message(self):
        return CycleMessage(
            id=self.id,
            root=ref("root"),
            count=len(self.lines),
            parties=Array.of_numbers(PARTIES),
            securities_lines=self.lines.pack(),
            cash_lines=Array(b"", 0),
            rule_version=1,
            deadline=START + 100,
        )

    def settle(self):
        """Settles it in parts; gas of opening, of all parts, and of the last call."""
        twins, message = self.twins, self.message()
        digest = twins.settlement_domain().digest(message.struct_hash())
        signatures = [twins.actor(party).key.sign(digest) for party in PARTIES]
        settlement, sender = twins.contracts.settlement, twins.sender(twins.house)
        calls = [
            settlement.open_cycle_data(message, signatures),
            *settlement.stage_data(message),
            settlement.settle_staged_data(message),
        ]
        gas = []
        for number, data in enumerate(calls):
            if number == len(calls) - 1:
                assert self.debited() == (0, 5)
            assert sender.send(settlement.address, data, ROOM).succeeded
            gas.append(twins.chain.head.gas_used)
        return gas[0], sum(gas[1:-1]), gas[-1]

    def reversed(self):
        """The cycle that brings everything back."""
        back = copy(self)
        back.id = ref("back")
        back.lines = Lines(self.lines.keys, -self.lines.amounts)
        return back

    def debited(self):
        """Available and held of the first account that delivers."""
        first = int(np.flatnonzero(self.lines.amounts < 0)[0])
        keys = self.lines.keys[first : first + 1]
        available, held = self.twins.contracts.securities.holdings_of(keys)
        return int(available[0]), int(held[0])

    def check_settled(self):
        register = self.twins.contracts.securities
        for part in parts_of(self.lines.pack()):
            lines = Lines.unpack(part.words)
            available, held = register.holdings_of(lines.keys)
            assert available.tolist() == np.maximum(lines.amounts, 0).tolist()
            assert not held.any()
