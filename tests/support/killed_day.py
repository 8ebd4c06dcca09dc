"""The small market day that tests run, and its being killed at a named point."""

import os
import signal
from dataclasses import replace

from contracts import lines
from ledger.domain.rules import MARKET_DAY_RULES
from nodes.clock import SimulatedClock
from nodes.founding import open_consortium
from nodes.market_day.day import OPENING_SECOND, DayPlan, MarketDay
from nodes.market_day.day_network import day_network
from nodes.market_day.faults import Fault, FaultName, with_shortages
from nodes.market_day.opening import derived_opening
from nodes.market_day.summary import summarise
from nodes.market_day.survey import survey
from nodes.trade_files import reader
from nodes.trade_files.reader import TradeFile

RULES = replace(MARKET_DAY_RULES, cycle_trades_max=250)
SHORTAGE = Fault(FaultName.SHORT_SECURITIES, "B3-13", "MADE5", "1")
SEALED = "sealed"


def run_day(path, state=None, faults=(), seed="test", kill_at=("", 0)):
    """Runs a day, or what is left of it, in a folder or in memory; gives its summary."""
    file = TradeFile(path)
    surveyed = survey(file)
    network = day_network(surveyed, file.format, seed)
    opening = with_shortages(derived_opening(surveyed, file.format.currency), faults)
    clock = SimulatedClock.at(surveyed.business_date, OPENING_SECOND)
    consortium = open_consortium(network, RULES, clock, state)
    killer = Killer(*kill_at)
    consortium.chain.add_listener(lambda _: killer.hear(SEALED))
    plan = DayPlan(file, surveyed, opening, faults)
    day = MarketDay(plan, consortium, clock, lambda step, _: killer.hear(step.value))
    summary = summarise(consortium, surveyed, opening, day.run())
    consortium.close()
    return summary


class Killer:
    """Kills its own process, with no chance to tidy up, when it hears a word often enough."""

    def __init__(self, word, times):
        self._word = word
        self._left = times

    def hear(self, word):
        if word == self._word:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def use_small_blocks():
    """Several blocks in a small file, as in a large one."""
    reader.BLOCK_BYTES = 20_000


def use_small_parts(lines_a_call):
    """Cycles in many parts, as if they were large."""
    lines.LINES_PER_CALL_MAX = lines_a_call


def run_until_killed(trades, state, word, times, lines_a_call=None):
    """A day in small blocks, and small parts at will, that is killed at a named point.

    ``word`` is a ``Step``, or SEALED for a block that is sealed and not final yet; ``times`` which
    time it comes to it.
    """
    use_small_blocks()
    if lines_a_call:
        use_small_parts(lines_a_call)
    run_day(trades, state, [SHORTAGE], kill_at=(word, times))
