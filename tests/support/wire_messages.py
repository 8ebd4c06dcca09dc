"""Every message and answer that nodes send each other, made up for tests."""

from datetime import date

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from contracts.abi import Array
from contracts.typed_data import CycleMessage, InstructionMessage, RedemptionMessage, SetMessage
from ledger.books.postings import Register
from ledger.books.trade_records import PackedTrades, TradeRecord
from ledger.clearing.columns import COLUMN_NAMES, TradeColumns
from ledger.clearing.commitment import Proof, ShownChunks
from ledger.domain.breaks import BreakKind, TradeDifference
from ledger.domain.instructions import Priority
from ledger.domain.reasons import Reason, Rejected
from ledger.settlement.matching import Entitlement, Side, Wishes
from nodes import messages
from nodes.trade_signatures import PartySignatures

NUMBERS = st.integers(0, 2**62)
HASHES = st.binary(min_size=32, max_size=32)
SIGNATURES = st.binary(min_size=64, max_size=64)
TEXTS = st.text(max_size=12)


def columns(count, numbers=NUMBERS):
    return arrays(np.int64, count, elements=numbers)


@st.composite
def trades(draw, count_max=4):
    count = draw(st.integers(0, count_max))
    return TradeColumns(*(draw(columns(count)) for _ in COLUMN_NAMES))


@st.composite
def chunks(draw):
    count = draw(st.integers(1, 3))
    shown = draw(trades())
    return ShownChunks(
        indices=draw(columns(count)),
        counts=draw(columns(count)),
        salts=draw(st.binary(max_size=64)),
        records=np.stack(list(shown.columns().values()), axis=1).astype(">i8"),
        proof=Proof(draw(NUMBERS), draw(NUMBERS), tuple(draw(st.lists(HASHES, max_size=3)))),
    )


@st.composite
def signatures(draw):
    count = draw(st.integers(0, 3))
    signed = draw(arrays(np.uint8, (count, 64)))
    return PartySignatures(draw(SIGNATURES), draw(columns(count)), signed)


WORDS = st.builds(Array, st.binary(max_size=64), st.integers(0, 9))
CYCLES = st.builds(
    CycleMessage, HASHES, HASHES, NUMBERS, WORDS, WORDS, WORDS, NUMBERS, NUMBERS, st.booleans()
)
INSTRUCTIONS = st.builds(InstructionMessage, HASHES, *[NUMBERS] * 8)
PLACES = st.lists(NUMBERS, max_size=3).map(tuple)
SETS = st.builds(
    SetMessage,
    HASHES,
    st.lists(INSTRUCTIONS, max_size=3).map(tuple),
    PLACES,
    PLACES,
    NUMBERS,
    NUMBERS,
)
SIGNED = st.lists(SIGNATURES, max_size=3).map(tuple)
REFUSALS = st.builds(Rejected, st.sampled_from(Reason), TEXTS)
SIDES = st.builds(
    Side,
    is_deliverer=st.booleans(),
    deliverer=TEXTS,
    receiver=TEXTS,
    settlement_date=st.dates(date(1970, 1, 1)),
    isin=TEXTS,
    quantity=NUMBERS,
    entitlement=st.none() | st.sampled_from(Entitlement),
    opts_out=st.none() | st.booleans(),
)
WISHES = st.builds(
    Wishes,
    priority=st.sampled_from(Priority),
    is_held=st.booleans(),
    expires_at=st.none() | NUMBERS,
    linked_to=st.lists(TEXTS, max_size=2).map(tuple),
)
SHOWN = st.builds(
    messages.ShownInstruction,
    INSTRUCTIONS,
    TEXTS,
    st.none() | trades(),
    st.none() | INSTRUCTIONS,
)
DIFFERENCES = st.builds(TradeDifference, st.sampled_from(BreakKind), TEXTS, TEXTS, TEXTS)
ENTERED = st.builds(messages.EnteredSide, TEXTS, SIDES, WISHES)
RECORDS = trades().map(lambda some: TradeRecord.of(PackedTrades.of(some)))


def proposal(cycle, shown):
    return messages.CycleProposal(cycle, lambda: shown)


STATEMENTS = st.integers(0, 4).flatmap(
    lambda count: st.builds(messages.Statement, NUMBERS, columns(count), columns(count))
)

MESSAGES = {
    messages.AffirmationRequest: st.builds(
        messages.AffirmationRequest, columns(3), trades(), st.booleans()
    ),
    messages.CapturedBatch: st.builds(
        messages.CapturedBatch,
        NUMBERS,
        st.lists(RECORDS, max_size=2).map(tuple),
        st.frozensets(NUMBERS, max_size=3),
        st.dictionaries(NUMBERS, signatures(), max_size=2),
    ),
    messages.CycleProposal: st.builds(proposal, CYCLES, chunks()),
    messages.SignedCycle: st.builds(messages.SignedCycle, CYCLES, SIGNED),
    messages.SetProposal: st.builds(
        messages.SetProposal, SETS, st.lists(SHOWN, max_size=2).map(tuple)
    ),
    messages.SignedSet: st.builds(messages.SignedSet, SETS, SIGNED),
    messages.RedemptionRequest: st.builds(
        messages.RedemptionRequest,
        st.builds(RedemptionMessage, HASHES, NUMBERS, NUMBERS, NUMBERS),
        st.sampled_from(Register),
    ),
    messages.StatementRequest: st.builds(messages.StatementRequest),
    messages.EnteredSide: ENTERED,
    messages.WithdrawnSide: st.builds(messages.WithdrawnSide, TEXTS),
    messages.AmendedSide: st.builds(messages.AmendedSide, TEXTS, ENTERED),
    messages.AllegementRequest: st.builds(messages.AllegementRequest),
    messages.Matched: st.builds(messages.Matched, TEXTS, TEXTS, INSTRUCTIONS, st.booleans()),
    messages.Dissolved: st.builds(messages.Dissolved, TEXTS, TEXTS),
    messages.Back: st.builds(messages.Back),
    messages.UnsoundAssets: st.builds(
        messages.UnsoundAssets, st.sampled_from(Register), st.lists(NUMBERS, max_size=3).map(tuple)
    ),
    messages.ReportedLate: st.builds(messages.ReportedLate, trades()),
    messages.AffirmedLate: st.builds(messages.AffirmedLate, columns(3)),
}
ANSWERS = {
    messages.Accepted: st.builds(messages.Accepted),
    messages.Affirmation: st.builds(
        messages.Affirmation,
        st.dictionaries(NUMBERS, DIFFERENCES, max_size=2),
        st.none() | signatures(),
    ),
    messages.Allegements: st.builds(
        messages.Allegements,
        st.lists(
            st.builds(
                messages.Allegement, TEXTS, SIDES, TEXTS, st.lists(TEXTS, max_size=2).map(tuple)
            ),
            max_size=2,
        ).map(tuple),
        NUMBERS,
    ),
    messages.Attestation: st.builds(messages.Attestation, SIGNATURES),
    messages.Disagreement: st.builds(
        messages.Disagreement, REFUSALS, st.lists(TEXTS, max_size=2).map(tuple)
    ),
    messages.Statement: STATEMENTS,
}


def same(one, other):
    """Whether two values say the same, column by column."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, messages.CycleProposal):
        return same(one.cycle, other.cycle) and same(one.chunks(), other.chunks())
    if hasattr(one, "__dataclass_fields__"):
        return type(one) is type(other) and all(
            same(getattr(one, name), getattr(other, name)) for name in one.__dataclass_fields__
        )
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other
