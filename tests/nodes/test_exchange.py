"""The exchange: what it has acknowledged is on disk, and nothing else counts."""

import pytest
from sqlalchemy import event

from nodes.messages import Affirmation, AffirmationRequest
from tests.support.consortia import answering, capture, small_consortium, states, trades_of

TRADE = ("T1", "A", "B", 10, 1_000)


def test_trade_whose_commit_failed_is_captured_when_it_is_sent_again():
    consortium = small_consortium()
    exchange, trades = consortium.exchange, trades_of(consortium.network, TRADE)

    def disk_full(_connection):
        raise OSError("no space left on device")

    engine = exchange.database._engine
    event.listen(engine, "commit", disk_full)
    with pytest.raises(OSError, match="no space"):
        exchange.capture("first", trades)
    event.remove(engine, "commit", disk_full)
    assert exchange.captured.end_position == 0

    capture(consortium, trades)

    assert exchange.captured.end_position == 1
    assert states(consortium) == ["captured"]


@pytest.mark.parametrize("answer", [None, Affirmation({7: None})])
def test_answer_that_makes_no_sense_affirms_nothing(answer):
    consortium = small_consortium()
    answering(consortium, "A", AffirmationRequest, lambda _: answer)

    capture(consortium, trades_of(consortium.network, TRADE, ("T2", "B", "C", 10, 1_000)))

    assert states(consortium) == ["unaffirmed UNAFFIRMED", "captured"]
