"""Random stories of instructions: what may happen to a queue, as data."""

from dataclasses import dataclass
from random import Random

from hypothesis import strategies as st

from ledger.domain.accounts import account_number
from ledger.domain.instructions import Priority

PARTICIPANTS = (1, 2, 3, 4)
ACCOUNTS = tuple(account_number(each) for each in PARTICIPANTS)
INSTRUMENTS = (1, 2)
CURRENCY = 1
LABELS = tuple(f"I{number}" for number in range(10))
"""Those that come in, in order; any may be linked to before it has."""


@dataclass(frozen=True, slots=True)
class Enters:
    sides: tuple[int, int]
    instrument: int
    quantity: int
    amount: int
    priority: Priority
    is_held: bool
    may_be_partial: bool
    lives_for: int | None
    linked_to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asks:
    """``by`` is a place among its sides; None: both."""

    verb: str
    label: str
    by: int | None


@dataclass(frozen=True, slots=True)
class Prioritises:
    label: str
    priority: Priority


@dataclass(frozen=True, slots=True)
class Changes:
    """``instrument`` None: cash."""

    instrument: int | None
    account: int
    amount: int


@dataclass(frozen=True, slots=True)
class Stands:
    participant: int
    is_suspended: bool


@dataclass(frozen=True, slots=True)
class Limits:
    payer: int
    payee: int
    amount: int | None


@dataclass(frozen=True, slots=True)
class Passes:
    seconds: int


def random_step(chance):
    """What happens next: mostly instructions and balances, now and then something else."""
    return chance.choices(list(_MAKERS), list(_MAKERS.values()))[0](chance)


def random_story(seed, length):
    """Some balances to begin with, then steps."""
    chance = Random(seed)
    opening = [_changes(chance) for _ in range(chance.randrange(6))]
    return [*opening, *(random_step(chance) for _ in range(length))]


def _enters(chance):
    quantity, amount = chance.randint(1, 9), chance.randint(1, 9)
    kind = chance.choice(["dvp", "dvp", "fop", "pay"])
    return Enters(
        sides=tuple(chance.sample(ACCOUNTS, 2)),
        instrument=chance.choice(INSTRUMENTS),
        quantity=0 if kind == "pay" else quantity,
        amount=0 if kind == "fop" else amount,
        priority=chance.choice(list(Priority)),
        is_held=chance.random() < 0.1,
        may_be_partial=chance.random() < 0.5,
        lives_for=chance.choice([None, None, None, chance.randrange(6)]),
        linked_to=tuple(chance.sample(LABELS, chance.choice([0, 0, 0, 0, 1, 2]))),
    )


def _asks(chance):
    verb = chance.choice(["hold", "release", "release", "cancel"])
    return Asks(verb, chance.choice(LABELS), chance.choice([0, 1, None]))


def _prioritises(chance):
    return Prioritises(chance.choice(LABELS), chance.choice(list(Priority)))


def _changes(chance):
    amount = chance.choice([1, 1, 1, -1]) * chance.randint(1, 12)
    return Changes(chance.choice([None, *INSTRUMENTS]), chance.choice(ACCOUNTS), amount)


def _stands(chance):
    return Stands(chance.choice(PARTICIPANTS), chance.random() < 0.3)


def _limits(chance):
    payer, payee = chance.sample(ACCOUNTS, 2)
    return Limits(payer, chance.choice([0, payee]), chance.choice([None, chance.randrange(12)]))


def _passes(chance):
    return Passes(chance.randint(1, 2))


_MAKERS = {
    _enters: 10,
    _changes: 10,
    _asks: 4,
    _prioritises: 2,
    _stands: 2,
    _limits: 2,
    _passes: 1,
}

stories = st.builds(random_story, st.integers(0, 2**64), st.integers(0, 40))
