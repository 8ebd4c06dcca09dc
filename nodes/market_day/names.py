"""The names in a trade file, as far as one line alone cannot tell that they are wrong.

Every participant of a file becomes an institution of its own and every symbol an instrument, so two
spellings of one name, or the name of an institution that the day brings itself, are faults.
"""

import numpy as np

from ledger.clearing.columns import Mask
from ledger.domain.identifiers import isin_of_symbol, owner_of
from nodes.network import ACCOUNTS_A_PARTICIPANT_MAX, INFRASTRUCTURE, PARTICIPANTS_MAX
from nodes.trade_files.block import Block
from nodes.trade_files.reader import TradeFile, TradeFileError

BANKS = ("BANK-1", "BANK-2")
RESERVED_IDS = frozenset({*BANKS, *INFRASTRUCTURE.values()})


class NameCheck:
    """Looks at the names that are new in each block."""

    def __init__(self, file: TradeFile) -> None:
        self._file = file
        self._seen_participants = 0
        self._seen_instruments = 0
        self._symbol_by_isin: dict[str, str] = {}
        self._spelling_by_owner: dict[str, str] = {}
        self._client_accounts: dict[str, int] = {}

    def look(self, block: Block) -> None:
        """Raises TradeFileError for the first name that cannot be."""
        names = self._file.participants.names
        for index in range(self._seen_participants, len(names)):
            expected = self._fault_of_account(self._file.format.participant_prefix + names[index])
            if expected:
                field = "seller" if (block.sellers == index).any() else "buyer"
                column = block.sellers if field == "seller" else block.buyers
                raise self._error(block, field, column == index, expected, names[index])
        self._seen_participants = len(names)
        symbols = self._file.instruments.names
        for index in range(self._seen_instruments, len(symbols)):
            other = self._symbol_by_isin.setdefault(isin_of_symbol(symbols[index]), symbols[index])
            if other != symbols[index]:
                expected = f"one name for an instrument, {other} as before"
                rows = block.instruments == index
                raise self._error(block, "instrument", rows, expected, symbols[index])
        self._seen_instruments = len(symbols)

    def _fault_of_account(self, account: str) -> str:
        """What was expected instead; nothing when the account is as it must be."""
        owner = owner_of(account)
        if owner.upper() in RESERVED_IDS:
            return f"a participant that trades; {', '.join(sorted(RESERVED_IDS))} are the day's own"
        spelling = self._spelling_by_owner.setdefault(owner.casefold(), owner)
        if spelling != owner:
            return f"one spelling of a participant, {spelling} as before"
        if len(self._spelling_by_owner) > PARTICIPANTS_MAX - len(RESERVED_IDS):
            return f"at most {PARTICIPANTS_MAX - len(RESERVED_IDS)} participants in a file"
        if "/" in account:
            count = self._client_accounts[owner] = self._client_accounts.get(owner, 0) + 1
            if count > ACCOUNTS_A_PARTICIPANT_MAX:
                return f"at most {ACCOUNTS_A_PARTICIPANT_MAX} client accounts a participant"
        return ""

    def _error(
        self, block: Block, field: str, rows: Mask, expected: str, found: str
    ) -> TradeFileError:
        line = block.first_line + int(np.argmax(rows))
        column = self._file.format.column_by_field[field]
        return TradeFileError(self._file.path, line, column, expected, found)
