"""Proofs for tests, and the stand-alone verifier as a module."""

import runpy
from pathlib import Path

from hypothesis import strategies as st

from ledger.clearing.commitment import Commitment
from ledger.clearing.proof import prove
from tests.support.trades import trade_columns

KEY, CYCLE = b"k" * 32, b"c" * 32
SCRIPT = Path(__file__).parents[2] / "docs" / "verify_proof.py"


@st.composite
def proofs(draw, max_size=60, cycle=CYCLE):
    """The proof of some trade of some cycle."""
    trades = draw(trade_columns(max_size).filter(len))
    commitment = Commitment(trades, KEY, cycle)
    return prove(commitment, cycle, draw(st.integers(0, len(trades) - 1)))


def stand_alone():
    """What the stand-alone script defines."""
    return runpy.run_path(str(SCRIPT))
