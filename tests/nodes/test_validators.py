"""The consortium on its own chain: who validates, and what nodes do when validators are away."""

from concurrent.futures import Future

import pytest

from ledger.books.cycles import SETTLED
from ledger.domain.errors import MalformedError
from nodes.clock import SimulatedClock
from nodes.engine import EngineError
from nodes.folder_meta import StateFolderError
from nodes.founding import open_consortium
from nodes.invariants import violations
from nodes.validators import ALONE, Seating, seats
from tests.support.consortia import DAY, NET, capture, small_consortium, small_network, trades_of


def opened(path=None, seating=None):
    return open_consortium(small_network(), NET, SimulatedClock.at(DAY), path, None, seating)


def test_validators_are_exchange_banks_and_brokers_in_this_order():
    network = small_network()

    assert seats(network, Seating()).validators == ("EXCHANGE", "BANK-1", "BANK-2", "A")
    assert seats(network, Seating(64)).validators[-1] == "C"
    assert seats(network, ALONE).validators == ("CLEARING-HOUSE",)
    assert seats(network, Seating(3, ("revm", "py-evm"))).executors == ("revm", "py-evm", "revm")
    with pytest.raises(MalformedError, match="at least one validator"):
        seats(network, Seating(0))
    with pytest.raises(MalformedError, match="revm or py-evm"):
        seats(network, Seating(1, ("geth",)))


@pytest.mark.parametrize("seating", [ALONE, Seating(3), Seating(4, ("revm", "py-evm"))])
def test_same_deeds_make_the_same_chain_whoever_validates(tmp_path, seating):
    plain = opened()
    other = opened(tmp_path, seating)

    assert other.chain.final == plain.chain.final
    assert other.chain.head == plain.chain.head
    plain.close()
    other.close()


def test_seating_is_for_the_life_of_a_chain(tmp_path):
    opened(tmp_path, Seating(3)).close()

    with pytest.raises(StateFolderError, match="keeps them for life"):
        opened(tmp_path, Seating(4))
    again = opened(tmp_path)
    assert len(again.chain.config.validators) == 3
    again.close()


def test_nodes_wait_for_finality_and_settle_when_the_quorum_is_back():
    consortium = small_consortium()
    engine, voting = consortium.engine, consortium.chain.voting
    engine._patience_seconds = 0.2
    asked = [link.ask for link in voting.links]
    for link in voting.links[:2]:
        link.ask = _unreachable
    capture(consortium, trades_of(consortium.network, ("T1", "A", "B", 10, 1_000)))

    with pytest.raises(EngineError, match=r"the chain has halted: block \d+ needs 3 votes"):
        consortium.clearing_house.net.close()
    final = engine.look()
    consortium.catch_up()
    assert consortium.clearing_house.projection.height == final < consortium.chain.head.number

    for link, ask in zip(voting.links, asked, strict=True):
        link.ask = ask
    consortium.clearing_house.resume()
    consortium.reconcile()
    assert [row.state for row in consortium.clearing_house.cycles.all()] == [SETTLED]
    assert violations(consortium) == []
    consortium.close()


def _unreachable(proposal):
    answer = Future()
    answer.set_exception(ConnectionError("away"))
    return answer
