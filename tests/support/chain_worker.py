"""A process that works on a stored chain until it is killed; it says what was acknowledged."""

import os
import signal
from pathlib import Path

from ledger.chain.transactions import InvalidTransactionError
from nodes.keys import Key
from tests.support.counters import count_raw, deploy_counters
from tests.support.replicas import open_replicated

SENDERS = [Key.of_seed("kills", str(i)) for i in range(3)]


class Killer:
    """Ends this process at a planned visit of a fault point."""

    def __init__(self, point: str, visit: int) -> None:
        self.point = point
        self.left = visit

    def __call__(self, point: str) -> None:
        if self.point in ("any", point):
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def work(folder: Path, validators: int, round_: int, point: str, visit: int, count: int) -> None:
    """Submits transactions, some out of order, and prints a line for each acknowledged one.

    It is killed at the ``visit``-th visit of a fault point, any point when that is ``any``.
    """
    chain, _ = open_replicated(validators, folder, reached=Killer(point, visit), checkpoint_slots=4)
    contract = b""
    if chain.head.number:
        contract = chain.store.transactions_of(1)[0].receipt.contract or b""
    contract = contract or deploy_counters(chain, SENDERS[0])
    number = round_ * 1_000
    for _ in range(count):
        sender = SENDERS[number % 3]
        nonce = chain.pending_nonce_of(sender.address)
        # The second of the two comes first: it waits on disk until the gap before it closes.
        for ahead in (1, 0):
            number += 1
            try:
                digest = chain.submit(count_raw(sender, nonce + ahead, contract, number))
            except InvalidTransactionError as error:
                if "taken by another pending" in str(error):
                    continue  # it waits since before the last kill
                raise
            print(number, digest.hex(), flush=True)
    chain.close()
