"""The contracts and the reference model side by side: every step is done to both."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from web3 import Web3

from contracts.abi import Array
from contracts.clients.participants import Admission
from contracts.deployment import (
    Addresses,
    Contracts,
    cash_init_code,
    inclusion_init_code,
    participants_init_code,
    securities_init_code,
    settlement_init_code,
)
from contracts.lines import Lines
from contracts.moves import Moves
from contracts.typed_data import (
    CycleMessage,
    Domain,
    InstructionMessage,
    RedemptionMessage,
    SetMessage,
)
from ledger.chain.block_file import MEMORY
from ledger.chain.blocks import Receipt
from ledger.chain.chain import Chain
from ledger.chain.executor import Call, Executor
from ledger.chain.executors import DEFAULT_EXECUTOR, new_executor
from ledger.chain.genesis import ChainConfig, ValidatorIdentity
from ledger.chain.rpc.errors import revert_text
from ledger.chain.store import BlockStore
from ledger.domain.accounts import account_number, holding_key, participant_of
from ledger.domain.participants import Role
from ledger.domain.reasons import Rejected
from ledger.model.registers import Members, Move, Register
from ledger.model.settlement import ModelCycle, ModelInstruction, ModelSet, Settlement, Terms
from nodes.keys import Key

CHAIN_ID = 668_283
GAS = 1_000_000_000
INSTRUMENTS = ("US0378331005", "DE000BAY0017", "ZZ00000000X3")
CURRENCIES = ("CNY", "USD")
START = 1_000

NOTHING = Array(b"", 0)

Line = tuple[int, int, int]


@dataclass(frozen=True)
class Actor:
    """A participant by number, with its key."""

    number: int
    role: Role
    bank: int
    key: Key

    @property
    def house(self) -> int:
        return account_number(self.number)

    @property
    def client(self) -> int:
        return account_number(self.number, 1)


@dataclass
class Clock:
    now: int = START


PROPOSER = Key.of_seed("twins", "proposer")


def chain_config(**changes: Any) -> ChainConfig:
    """A chain that its proposer alone validates, and that takes transactions of everybody."""
    alone = (ValidatorIdentity("PROPOSER", PROPOSER.address),)
    return replace(ChainConfig(CHAIN_ID, PROPOSER.address, START, alone), **changes)


def new_chain(
    clock: Clock | None = None,
    executor: Executor | None = None,
    path: Path = MEMORY,
    **changes: Any,
) -> Chain:
    """A chain, in memory unless there is a path."""
    time, config = clock or Clock(), chain_config(**changes)
    executor = executor or new_executor(DEFAULT_EXECUTOR, config.chain_id)
    return Chain(config, BlockStore(path), executor, lambda: time.now, PROPOSER.sign)


class DirectCalls:
    """Stands in for web3 where only ``eth.call`` is used: a hundred times faster, same chain."""

    def __init__(self, chain: Chain) -> None:
        self.eth = self
        self._chain = chain

    def call(self, transaction: dict[str, Any]) -> bytes:
        to = bytes.fromhex(transaction["to"][2:])
        receipt = self._chain.call(Call(bytes(20), to, transaction["data"], GAS))
        assert receipt.succeeded, receipt
        return receipt.output


class Sender:
    """Sends transactions of one key."""

    def __init__(self, chain: Chain, key: Key) -> None:
        self.chain, self.key = chain, key

    def send(self, to: bytes | None, data: bytes, gas: int = GAS) -> Receipt:
        raw = self.key.sign_transaction(
            chain_id=CHAIN_ID,
            nonce=self.chain.nonce_of(self.key.address),
            to=to,
            data=data,
            gas=gas,
        )
        included = self.chain.store.transaction(self.chain.submit(raw))
        assert included is not None
        return included.receipt


def actors() -> list[Actor]:
    """A clearing house, a registrar, two banks and four brokers."""
    roles = [
        (Role.CLEARING_HOUSE, 0),
        (Role.REGISTRAR, 0),
        (Role.BANK, 3),
        (Role.BANK, 4),
        (Role.BROKER, 3),
        (Role.BROKER, 4),
        (Role.BROKER, 3),
        (Role.BROKER, 4),
    ]
    return [
        Actor(number, role, bank, Key.of_seed("twins", str(number)))
        for number, (role, bank) in enumerate(roles, start=1)
    ]


@dataclass
class Twins:
    """Contracts on a chain, and the model, in the same state."""

    clock: Clock = field(default_factory=Clock)
    executor: Executor | None = None

    def __post_init__(self) -> None:
        self.chain = new_chain(self.clock, self.executor)
        self.w3 = cast(Web3, DirectCalls(self.chain))
        self.actors = actors()
        deployer = Sender(self.chain, Key.of_seed("twins", "deployer"))
        self.contracts = deploy(deployer, self.w3, self.actors)
        self.members = Members()
        for actor in self.actors:
            self.members.admit(actor.role, actor.bank)
        self.securities = Register(self.members, Role.REGISTRAR, len(INSTRUMENTS))
        self.cash = Register(self.members, Role.BANK, len(CURRENCIES))
        self.settlement = Settlement(self.members, self.securities, self.cash)
        registrar = self.sender(self.registrar)
        data = self.contracts.securities.register_instruments_data(INSTRUMENTS)
        assert registrar.send(self.contracts.securities.address, data).succeeded

    @property
    def house(self) -> Actor:
        return self.actors[0]

    @property
    def registrar(self) -> Actor:
        return self.actors[1]

    @property
    def brokers(self) -> list[Actor]:
        return self.actors[4:]

    def actor(self, number: int) -> Actor:
        return self.actors[number - 1]

    def sender(self, actor: Actor) -> Sender:
        return Sender(self.chain, actor.key)

    def issue(self, sender: Actor, reference: bytes, lines: list[Line], *, is_cash: bool) -> str:
        """Issues on both sides; returns the refusal, empty when there is none."""
        register = self.contracts.cash if is_cash else self.contracts.securities
        data = register.issue_data(reference, lines_of(lines))
        model = (self.cash if is_cash else self.securities).issue(sender.number, reference, lines)
        return self._agree(self.sender(sender).send(register.address, data), model)

    def redeem(
        self, sender: Actor, redemption: RedemptionMessage, signer: Actor, *, is_cash: bool
    ) -> str:
        register = self.contracts.cash if is_cash else self.contracts.securities
        digest = Domain(CHAIN_ID, register.address).digest(redemption.struct_hash())
        data = register.redeem_data(redemption, signer.key.sign(digest))
        model = (self.cash if is_cash else self.securities).redeem(
            sender.number,
            redemption.reference,
            redemption.asset,
            redemption.account,
            redemption.amount,
            owner_signed=signer.number == participant_of(redemption.account),
        )
        return self._agree(self.sender(sender).send(register.address, data), model)

    def hold(
        self, sender: Actor, asset: int, account: int, amount: int, *, is_cash: bool, release: bool
    ) -> str:
        register = self.contracts.cash if is_cash else self.contracts.securities
        twin = self.cash if is_cash else self.securities
        if release:
            data = register.release_data(asset, account, amount)
            model = twin.release(sender.number, asset, account, amount)
        else:
            data = register.hold_data(asset, account, amount)
            model = twin.hold(sender.number, asset, account, amount)
        return self._agree(self.sender(sender).send(register.address, data), model)

    def suspend(self, sender: Actor, number: int, *, reinstate: bool) -> str:
        participants = self.contracts.participants
        if reinstate:
            data = participants.reinstate_data(number)
            model = self.members.reinstate(sender.number, number)
        else:
            data = participants.suspend_data(number)
            model = self.members.suspend(sender.number, number)
        return self._agree(self.sender(sender).send(participants.address, data), model)

    def settle_instruction(
        self, sender: Actor, instruction: InstructionMessage, signers: tuple[Actor, Actor]
    ) -> str:
        digest = self.settlement_domain().digest(instruction.struct_hash())
        signatures = [signer.key.sign(digest) for signer in signers]
        data = self.contracts.settlement.settle_instruction_data(instruction, *signatures)
        model = self.settlement.settle_instruction(
            sender.number,
            ModelInstruction(
                id=instruction.id,
                deliverer=instruction.deliverer,
                receiver=instruction.receiver,
                instrument=instruction.instrument,
                quantity=instruction.quantity,
                currency=instruction.currency,
                amount=instruction.amount,
                rule_version=instruction.rule_version,
                deadline=instruction.deadline,
                signers=(signers[0].number, signers[1].number),
            ),
            self.time(),
        )
        receipt = self.sender(sender).send(self.contracts.settlement.address, data)
        return self._agree(receipt, model)

    def settle_cycle(
        self,
        sender: Actor,
        cycle: ModelCycle,
    ) -> str:
        data = self.cycle_data(cycle)
        model = self.settlement.settle_cycle(sender.number, cycle, self.time())
        receipt = self.sender(sender).send(self.contracts.settlement.address, data)
        return self._agree(receipt, model)

    def open_cycle(self, sender: Actor, cycle: ModelCycle) -> str:
        message = self.message_of(cycle)
        data = self.contracts.settlement.open_cycle_data(message, self.signatures(cycle, message))
        return self._settle(sender, data, self.settlement.open(sender.number, cycle, self.time()))

    def stage(self, sender: Actor, id: bytes, lines: list[Line], *, is_cash: bool) -> str:
        message = CycleMessage(
            id,
            bytes(32),
            1,
            NOTHING,
            *(lines_of(lines).pack(), NOTHING)[:: -1 if is_cash else 1],
            1,
            0,
        )
        [data] = self.contracts.settlement.stage_data(message)
        register = self.cash if is_cash else self.securities
        model = self.settlement.stage(sender.number, id, register, lines, self.time())
        return self._settle(sender, data, model)

    def settle_staged(self, sender: Actor, id: bytes, parties: list[int]) -> str:
        words = Array.of_numbers(parties)
        message = CycleMessage(id, bytes(32), 1, words, NOTHING, NOTHING, 1, 0)
        data = self.contracts.settlement.settle_staged_data(message)
        model = self.settlement.settle_staged(sender.number, id, parties, self.time())
        return self._settle(sender, data, model)

    def abort(self, sender: Actor, id: bytes) -> str:
        data = self.contracts.settlement.abort_data(id)
        return self._settle(sender, data, self.settlement.abort(sender.number, id, self.time()))

    def settle_set(self, sender: Actor, message: SetMessage, signers: list[int]) -> str:
        digest = self.settlement_domain().digest(message.struct_hash())
        signatures = [self.actor(number).key.sign(digest) for number in signers]
        data = self.contracts.settlement.settle_set_data(message, signatures)
        model = ModelSet(
            id=message.id,
            rule_version=message.rule_version,
            deadline=message.deadline,
            parties=list(message.parties),
            receivers=list(message.receivers),
            instructions=[terms_of(each) for each in message.instructions],
            signers=signers,
        )
        agreed = self.settlement.settle_set(sender.number, model, self.time())
        return self._settle(sender, data, agreed)

    def _settle(self, sender: Actor, data: bytes, model: Rejected | None) -> str:
        receipt = self.sender(sender).send(self.contracts.settlement.address, data)
        return self._agree(receipt, model)

    def cycle_data(self, cycle: ModelCycle) -> bytes:
        """The transaction of a cycle, with the signatures of its signers."""
        message = self.message_of(cycle)
        signatures = self.signatures(cycle, message)
        return self.contracts.settlement.settle_cycle_data(message, signatures)

    def message_of(self, cycle: ModelCycle) -> CycleMessage:
        """What the parties of a cycle sign."""
        return CycleMessage(
            id=cycle.id,
            root=cycle.root,
            count=cycle.count,
            parties=Array.of_numbers(cycle.parties),
            securities_lines=(
                lines_of(cycle.securities_lines).pack()
                if cycle.moves is None
                else moves_of(cycle.moves).pack()
            ),
            cash_lines=lines_of(cycle.cash_lines).pack(),
            rule_version=cycle.rule_version,
            deadline=cycle.deadline,
            is_gross=cycle.moves is not None,
        )

    def signatures(self, cycle: ModelCycle, message: CycleMessage) -> list[bytes]:
        """The signatures of a cycle's signers."""
        digest = self.settlement_domain().digest(message.struct_hash())
        return [self.actor(number).key.sign(digest) for number in cycle.signers]

    def time(self) -> int:
        """The timestamp that the next block will have."""
        return max(self.clock.now, self.chain.head.timestamp)

    def settlement_domain(self) -> Domain:
        return Domain(CHAIN_ID, self.contracts.addresses.settlement)

    def check_balances(self) -> None:
        """Invariants 1, 4 and 11: the same balances on both sides, and they add up."""
        for model, contract in (
            (self.securities, self.contracts.securities),
            (self.cash, self.contracts.cash),
        ):
            holdings = sorted(model.holdings.items())
            keys = np.array([holding_key(*pair) for pair, _ in holdings], dtype=np.int64)
            available, held = contract.holdings_of(keys)
            assert available.tolist() == [holding.available for _, holding in holdings]
            assert held.tolist() == [holding.held for _, holding in holdings]
            assert all(h.available >= 0 and h.held >= 0 for _, h in holdings)
            for asset in range(1, model.asset_count + 1):
                total = sum(h.total for (a, _), h in holdings if a == asset)
                assert contract.issued_of(asset) == model.issued.get(asset, 0) == total

    def _agree(self, receipt: Receipt, model: Rejected | None) -> str:
        """Invariant 11: both took it, or both refused it with the same words."""
        contract_says = "" if receipt.succeeded else revert_text(receipt.output)
        model_says = model.detail if model else ""
        assert contract_says == model_says
        assert receipt.succeeded == (model is None)
        return contract_says


def deploy(deployer: Sender, w3: Web3, admitted: list[Actor]) -> Contracts:
    """The contracts with their participants, bound together."""
    created: list[bytes] = []
    for code in (
        participants_init_code,
        lambda: securities_init_code(created[0]),
        lambda: cash_init_code(created[0], CURRENCIES),
        lambda: settlement_init_code(created[0], created[1], created[2], 1),
        lambda: inclusion_init_code(created[3]),
    ):
        contract = deployer.send(None, code()).contract
        assert contract is not None
        created.append(contract)
    contracts = Contracts(w3, Addresses(*created))
    admissions = [Admission(f"P{a.number}", a.key.address, a.role.value, a.bank) for a in admitted]
    assert deployer.send(created[0], contracts.participants.admit_data(admissions)).succeeded
    for register in (contracts.securities, contracts.cash):
        assert deployer.send(register.address, register.bind_settlement_data(created[3])).succeeded
    renounce = contracts.participants.renounce_administration_data()
    assert deployer.send(created[0], renounce).succeeded
    return contracts


def lines_of(lines: list[Line]) -> Lines:
    """Lines of asset, account, signed amount; in the order given."""
    return Lines(
        np.array([holding_key(asset, account) for asset, account, _ in lines], dtype=np.int64),
        np.array([amount for _, _, amount in lines], dtype=np.int64),
    )


def moves_of(moves: list[Move]) -> Moves:
    """Moves of asset, debtor, creditor, amount; in the order given."""
    return Moves(*np.array(moves, dtype=np.int64).reshape(-1, 4).T)


def terms_of(message: InstructionMessage) -> Terms:
    """What can settle once of an instruction."""
    return (
        message.id,
        message.deliverer,
        message.receiver,
        message.instrument,
        message.quantity,
        message.currency,
        message.amount,
    )


def ref(text: str) -> bytes:
    """Thirty-two bytes that a text stands for."""
    return text.encode().ljust(32, b"\0")
