"""Trade columns for tests: generated, or written by hand."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from ledger.clearing.columns import COLUMN_NAMES, TradeColumns
from ledger.model.clearing import ModelTrade

DAY = 739_657


def trade_row(  # a trade has this many parts
    number: int,
    seller: int,
    buyer: int,
    quantity: int,
    amount: int,
    instrument: int = 1,
    currency: int = 1,
    cancels: int = 0,
) -> list[int]:
    """One trade, field by field in the order of the columns."""
    fields = {
        "dates": DAY,
        "instruments": instrument,
        "numbers": number,
        "sellers": seller,
        "buyers": buyer,
        "quantities": quantity,
        "prices": 1_000_000,
        "currencies": currency,
        "amounts": amount,
        "times": 0,
        "cancels": cancels,
    }
    return [fields[name] for name in COLUMN_NAMES]


ACCOUNTS = st.sampled_from([p << 8 | sub for p in (1, 2, 3, 4) for sub in (0, 1)])


@st.composite
def trade_columns(draw: st.DrawFn, max_size: int = 30) -> TradeColumns:
    """Any trades between four participants in three instruments and two currencies."""
    rows = draw(
        st.lists(
            st.tuples(
                ACCOUNTS, ACCOUNTS, st.integers(1, 50), st.integers(0, 500), st.integers(1, 3)
            ),
            max_size=max_size,
        )
    )
    return TradeColumns.of_rows(
        [
            trade_row(i, seller, buyer, quantity, amount, instrument, 1 + instrument % 2)
            for i, (seller, buyer, quantity, amount, instrument) in enumerate(rows)
        ]
    )


def model_trades(trades: TradeColumns) -> list[ModelTrade]:
    """The same trades for the reference model."""
    fields: Sequence[np.ndarray] = (
        trades.instruments,
        trades.sellers,
        trades.buyers,
        trades.quantities,
        trades.currencies,
        trades.amounts,
    )
    return [ModelTrade(*row) for row in zip(*(field.tolist() for field in fields), strict=True)]
