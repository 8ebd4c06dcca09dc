"""A clearing house whose cycles are observed from the outside.

The stages are taken where they show: the window that a cycle is struck over, the cover that its net
lines are held against, the proposal with its root, the signatures, and the blocks of its
transactions as they are sealed and become final.
"""

from ledger.books.intake import Window
from ledger.clearing.columns import Column
from ledger.clearing.trimming import Available
from nodes.clearing_house.asking import Unsigned
from nodes.clearing_house.cycle import Proposal
from nodes.clearing_house.net import NetSettlement
from nodes.clearing_house.observer import CycleObserver, Stage
from nodes.consortium import Consortium


def observe(consortium: Consortium, observer: CycleObserver) -> None:
    """Has an observer told of every cycle of this consortium from now on."""
    consortium.clearing_house.net = _ObservedNet(consortium, observer)


class _ObservedNet(NetSettlement):
    def __init__(self, consortium: Consortium, observer: CycleObserver) -> None:
        house = consortium.clearing_house
        super().__init__(house, house.intake, house.cycles, house.queue, house.rules)
        self._chain = consortium.chain
        self._observer = observer
        self._trades = 0

    def settle(self, number: int) -> None:
        """Tells of every block that is sealed and becomes final meanwhile."""
        stops = [
            self._chain.add_listener(lambda _: self._tell(Stage.SETTLED, number)),
            self._chain.add_final_listener(lambda _: self._tell(Stage.FINAL, number)),
        ]
        super().settle(number)
        for stop in stops:
            stop()

    def available(self) -> Available:
        """The cover; looked at in cash last, once all is netted."""
        available = super().available()

        def cash(keys: Column) -> Column:
            found = available.cash(keys)
            self._tell(Stage.NETTED)
            return found

        return Available(available.securities, cash)

    def _next_window(self) -> Window | None:
        window = super()._next_window()
        if window is not None:
            self._trades = len(window.trades)
            self._tell(Stage.STRUCK)
        return window

    def _collect(self, proposal: Proposal) -> tuple[dict[int, bytes], dict[int, Unsigned]]:
        self._trades = len(proposal.cut.trades)
        self._tell(Stage.COMMITTED)
        answers = super()._collect(proposal)
        self._tell(Stage.ATTESTED)
        return answers

    def _tell(self, stage: Stage, number: int | None = None) -> None:
        self._observer.reached(stage, number or self._cycles.next_number(), self._trades)
