"""An interface that is killed between the work and its answer.

MOMENT is "begun" (the key is on disk, nothing is done), "done" (the work is done, its answer is not
on disk) or "never". Says on which port it is served.
"""

import os
import signal
from time import sleep

from ledger.books.interface.answers import AnswerBook
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.consortia import DAY
from tests.support.servers import served


def kill_at(moment):
    """Arms a kill: the process is gone the next time it gets there."""

    def die(*_, **__):
        os.kill(os.getpid(), signal.SIGKILL)

    if moment == "done":
        AnswerBook.answered = die
    if moment == "begun":
        begin = AnswerBook.begin

        def begin_and_die(book, asked):
            begin(book, asked).result()
            die()

        AnswerBook.begin = begin_and_die


def serve(folder, moment):
    """Serves the sandbox in a folder until it is killed."""
    kill_at(moment)
    options = SandboxOptions(cycle_seconds=0)
    with served(open_sandbox(folder, "test", DAY, options=options)) as server:
        print(server.place, flush=True)
        while True:
            sleep(1)
