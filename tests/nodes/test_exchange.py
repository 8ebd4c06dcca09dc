"""The exchange: what it has acknowledged is on disk, and nothing else counts."""

import pytest
from sqlalchemy import event

from tests.support.consortia import capture, small_consortium, states, trades_of

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
