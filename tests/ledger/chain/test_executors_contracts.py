"""The real contracts on both executors: valid settlement, random calls, many to a block."""

from random import Random

from eth_utils.abi import collapse_if_tuple
from hypothesis import given
from hypothesis import strategies as st

from contracts.abi import selector
from contracts.artifacts import artifact
from contracts.clients.settlement import NO_SIGNATURE
from contracts.typed_data import InstructionMessage, SetMessage
from ledger.chain.blocks import ZERO_HASH
from ledger.model.settlement import ModelCycle
from tests.support.differential import DifferentialExecutor
from tests.support.looking import examples
from tests.support.twins import CHAIN_ID, GAS, START, Twins, ref

CONTRACTS = ("Participants", "Securities", "Cash", "Settlement")
SELECTORS = {
    name: [
        selector(each["name"] + "(" + ",".join(map(collapse_if_tuple, each["inputs"])) + ")")
        for each in artifact(name).abi
        if each["type"] == "function"
    ]
    for name in CONTRACTS
}


def funded():
    """Contracts on both executors, with shares and cash at every broker."""
    twins = Twins(executor=DifferentialExecutor(CHAIN_ID))
    shares = [(asset, b.house, 50) for asset in (1, 2, 3) for b in twins.brokers]
    assert not twins.issue(twins.registrar, ref("shares"), shares, is_cash=False)
    for bank in twins.actors[2:4]:
        lines = [(1, b.house, 1_000) for b in twins.brokers if b.bank == bank.number]
        assert not twins.issue(bank, ref(f"cash {bank.number}"), lines, is_cash=True)
    return twins


def instruction_data(twins, number, seller, buyer, quantity, amount):
    """Calldata of an instruction that the seller submits and the buyer signed."""
    message = InstructionMessage(
        ref(f"i{number}"), seller.house, buyer.house, 1, quantity, 1, amount, 1, START + 100
    )
    signature = buyer.key.sign(twins.settlement_domain().digest(message.struct_hash()))
    return twins.contracts.settlement.settle_instruction_data(message, NO_SIGNATURE, signature)


@examples(25)
@given(st.integers(0, 2**32))
def test_blocks_of_instructions_agree_whether_they_settle_or_not(seed):
    random, twins = Random(seed), funded()
    number = 0
    for _ in range(2):
        raws, nonces = [], {}
        for _ in range(random.randint(1, 12)):
            seller, buyer = random.sample(twins.brokers, 2)
            number += random.randint(0, 3) > 0  # some come twice
            data = instruction_data(
                twins, number, seller, buyer, random.randint(1, 40), random.randint(1, 900)
            )
            nonce = nonces.get(seller.number, twins.chain.nonce_of(seller.key.address))
            nonces[seller.number] = nonce + 1
            raws.append(signed(seller, nonce, twins.contracts.settlement.address, data))
        twins.chain.submit_all(raws)
    assert twins.chain.head.number > 2


@examples(25)
@given(st.integers(0, 2**32))
def test_sets_agree_whether_they_settle_or_not(seed):
    random, twins = Random(seed), funded()
    for number in range(3):
        drawn = []
        for i in range(random.randint(1, 8)):
            seller, buyer = random.sample(twins.brokers, 2)
            name, quantity = ref(f"{number}/{i}"), random.randint(0, 60)
            sides = (seller.house, buyer.house)
            drawn.append(
                InstructionMessage(name, *sides, 1, quantity, 1, random.randint(1, 1_500), 1, 0)
            )
        parties = [broker.number for broker in twins.brokers]
        message = SetMessage(ref(f"s{number}"), tuple(drawn), tuple(parties), (), 1, START + 100)
        twins.settle_set(twins.house, message, parties)
    twins.check_balances()


@examples(25)
@given(st.integers(0, 2**32))
def test_random_calls_of_real_functions_agree(seed):
    random, twins = Random(seed), funded()
    raws, nonces = [], {}
    for _ in range(12):
        name = random.choice(CONTRACTS)
        address = getattr(twins.contracts, name.lower()).address
        actor = random.choice(twins.actors)
        words = [word(random) for _ in range(random.randint(0, 6))]
        nonce = nonces.get(actor.number, twins.chain.nonce_of(actor.key.address))
        nonces[actor.number] = nonce + 1
        data = random.choice(SELECTORS[name]) + b"".join(words)
        raws.append(signed(actor, nonce, address, data, random.choice([GAS, 60_000])))
    hashes = twins.chain.submit_all(raws)
    assert len(hashes) == len(raws)


def test_netted_cycle_agrees():
    twins = funded()
    parties = [broker.number for broker in twins.brokers]
    securities = [(1, p << 8, a) for p, a in zip(parties, (-30, 10, 15, 5), strict=True)]
    cash = [(1, p << 8, a) for p, a in zip(parties, (300, -100, -150, -50), strict=True)]
    cycle = ModelCycle(
        ref("net"), ref("root"), 12, 1, START + 100, parties, securities, cash, parties
    )

    assert not twins.settle_cycle(twins.house, cycle)

    assert twins.chain.head.state_root != ZERO_HASH
    twins.check_balances()


def signed(actor, nonce, to, data, gas=GAS):
    return actor.key.sign_transaction(chain_id=CHAIN_ID, nonce=nonce, to=to, data=data, gas=gas)


def word(random):
    """A word that a function may take for a number, an account, an offset or an address."""
    choices = (random.randint(0, 9), random.randint(1, 8) << 8, 32 * random.randint(0, 8))
    return random.choice((*choices, random.getrandbits(256))).to_bytes(32, "big")
