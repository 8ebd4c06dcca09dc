"""Nodes behind real ports do what nodes in one process do, and believe nobody more."""

import socket
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from threading import Thread

import msgspec
import numpy as np
import pytest

from contracts.typed_data import Domain
from ledger.books.postings import Register
from ledger.domain.errors import MalformedError
from nodes.bus import UNDISTURBED, Disturbance, UnreachableError
from nodes.clock import SimulatedClock, WallClock
from nodes.desks import take_in
from nodes.keys import Key, fresh_session
from nodes.market_day.opening import Opening
from nodes.messages import Accepted, AllegementRequest, Back, StatementRequest, WithdrawnSide
from nodes.opening_positions import issue_opening
from nodes.state_hash import state_hash
from nodes.statements.model import Period, StatementKind
from nodes.wire.contents import packed_call, packed_message
from nodes.wire.courier import Sender
from nodes.wire.deliveries import STARTS_MAX
from nodes.wire.envelope import Answer, Envelope, Seal
from nodes.wire.envelope import opened as opened_envelope
from nodes.wire.http_post import Post
from nodes.wire.listener import Listener
from tests.support.consortia import DAY, GROSS, NET, small_consortium, small_network, trades_of
from tests.support.wired import TwicePost, desk_key, wired

ROWS = [("T1", "A", "B", 10, 1_000), ("T2", "B", "C", 5, 700), ("T3", "C", "A", 2, 300)]


def opened(nodes):
    network = nodes.consortium.network
    isin = network.instruments[0].isin
    opening = Opening(
        securities={(owner, isin): 100 for owner in "ABC"},
        cash={(owner, "CNY"): 10_000 for owner in "ABC"},
        is_derived=False,
    )
    issue_opening(nodes.consortium, opening)
    return nodes


@pytest.fixture(params=[Post, TwicePost], ids=["once", "everything twice"])
def nodes(request, tmp_path):
    post = request.param(WallClock())
    with wired(tmp_path, small_network(), NET, SimulatedClock.at(DAY), post) as found:
        yield opened(found)
        assert not getattr(post, "differed", 0)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """For what changes nothing that the others look at."""
    folder = tmp_path_factory.mktemp("plain")
    with wired(folder, small_network(), NET, SimulatedClock.at(DAY)) as found:
        yield opened(found)


@pytest.fixture
def fresh(tmp_path):
    with wired(tmp_path, small_network(), NET, SimulatedClock.at(DAY)) as found:
        yield opened(found)


def settled(consortium, turns):
    """Trades, captured and settled in one cycle."""
    with turns:
        consortium.exchange.capture_group([("batch", trades_of(consortium.network, *ROWS))])
        take_in(consortium)
        consortium.clearing_house.net.close()
        consortium.clearing_house.work()
        return consortium.reconcile()


def test_settles_as_in_one_process(nodes):
    alone = small_consortium(NET)

    assert settled(nodes.consortium, nodes.turns) == 0
    assert settled(alone, nodes.turns) == 0

    assert state_hash(nodes.consortium) == state_hash(alone)
    assert [each.reconciled_block for each in nodes.consortium.nodes.values()] == [
        nodes.consortium.clearing_house.projection.height
    ] * len(nodes.nodes)


def test_what_a_question_brings_back_to_who_asked_is_answered(fresh):
    """The house asks the exchange, which asks the traders and then hands over to the house."""
    consortium = fresh.consortium
    with fresh.turns:
        consortium.exchange.capture_group([("batch", trades_of(consortium.network, *ROWS))])
        consortium.exchange.pass_on(0, 3)

    assert consortium.clearing_house.intake.stream.end_position == 3


def test_what_is_not_for_the_desk_is_not_there(plain):
    node = plain.consortium.nodes["A"]
    for name in ("own_book", "blotter", "key", "database"):
        with pytest.raises(TypeError):
            getattr(node, name)


class Sent:
    """Envelopes to one node, made by hand."""

    def __init__(self, nodes, recipient="A"):
        self.nodes, self.recipient = nodes, recipient
        self.seal = nodes.signers.seal()
        self.start, self.number = fresh_session(), 0
        self.session = self.answer(self.envelope(session=b"")).body

    def envelope(self, **changes):
        self.number += 1
        id = self.start + self.number.to_bytes(8, "big")
        name, body = packed_message(StatementRequest())
        known = {
            "sender": "CLEARING-HOUSE",
            "recipient": self.recipient,
            "session": getattr(self, "session", b""),
            "start": self.start,
            "number": self.number,
            "path": (id,),
            "kind": "message",
            "name": name,
            "body": body,
        }
        return Envelope(**known | changes)

    def take(self, envelope, key=None, seal=None):
        key = key or Key.of_seed("test", envelope.sender)
        return self.nodes.hosts[self.recipient].take((seal or self.seal).sealed(envelope, key))

    def answer(self, envelope, key=None):
        taken = self.take(envelope, key)
        assert taken.status == 200, taken
        return msgspec.msgpack.decode(taken.body, type=Answer)


@pytest.fixture
def sent(plain):
    return Sent(plain)


def test_envelope_signed_by_another_key_is_refused(sent):
    assert sent.take(sent.envelope(), Key.of_seed("test", "B")).status == 403


def test_envelope_for_another_recipient_is_refused(sent):
    assert sent.take(sent.envelope(recipient="B")).status == 403


def test_envelope_of_another_network_is_refused(sent):
    domain = sent.seal.domain
    other_chain = Seal(Domain(domain.chain_id + 1, domain.contract))
    other_contract = Seal(Domain(domain.chain_id, b"\x01" * 20))

    assert sent.take(sent.envelope(), seal=other_chain).status == 403
    assert sent.take(sent.envelope(), seal=other_contract).status == 403


@pytest.mark.parametrize(
    "change",
    [{"name": "WithdrawnSide"}, {"body": b"\x80\x80"}, {"sender": "B"}, {"number": 77}],
    ids=str,
)
def test_envelope_that_was_changed_on_its_way_is_refused(sent, change):
    whole = sent.envelope()
    signature = Key.of_seed("test", whole.sender).sign(sent.seal.domain.digest(whole.struct_hash()))
    changed = msgspec.structs.replace(whole, signature=signature, **change)

    assert sent.nodes.hosts["A"].take(msgspec.msgpack.encode(changed)).status == 403


def test_envelope_of_an_earlier_session_is_not_done(sent):
    before = sent.envelope(session=b"x" * 16)

    assert sent.answer(before).status == "session"


def test_desk_alone_may_call_and_only_with_its_own_key(sent):
    node = sent.nodes.nodes["A"]
    withhold = type(node).withhold_instruction
    body = packed_call(withhold, (b"1" * 32,), {})
    call = {"kind": "call", "name": "withhold_instruction", "body": body}

    assert sent.take(sent.envelope(sender="A", **call), node.key).status == 403
    assert sent.take(sent.envelope(**call)).status == 403
    assert not node.mandates.is_withheld(b"1" * 32)
    assert sent.answer(sent.envelope(sender="A", **call), desk_key("A")).status == "answer"
    assert node.mandates.is_withheld(b"1" * 32)


def test_envelope_that_comes_again_is_answered_the_same_and_nothing_is_done_again(sent):
    node = sent.nodes.nodes["A"]
    handled, honest = [], node.handle
    node.handle = lambda *words: handled.append(words) or honest(*words)
    envelope = sent.envelope(recipient="A")

    answers = [sent.take(envelope) for _ in range(3)]

    assert len(handled) == 1
    assert len(set(answers)) == 1


def test_late_ones_are_taken_once_and_very_old_ones_never(sent):
    early, late = sent.envelope(), sent.envelope()
    assert sent.answer(late).status == sent.answer(early).status
    sent.number += 5_000
    sent.answer(sent.envelope())

    old = sent.envelope(number=4, path=(sent.start + (4).to_bytes(8, "big"),))
    assert sent.answer(old).status == "stale"


def test_starts_of_a_sender_are_bounded_and_the_oldest_are_never_done_again(tmp_path):
    with wired(tmp_path, small_network(), NET, SimulatedClock.at(DAY)) as found:
        sent, bus = Sent(opened(found)), found.consortium.clearing_house.around.bus
        assert bus.request("CLEARING-HOUSE", "A", Back()) == Accepted()
        first = sent.envelope()
        assert sent.answer(first).status != "stale"
        for _ in range(STARTS_MAX):
            sent.start = fresh_session()
            assert sent.answer(sent.envelope()).status != "stale"

        assert sent.answer(first).status == "stale"
        # Who is among those that are heard no more begins anew by itself.
        with pytest.raises(UnreachableError):
            bus.request("CLEARING-HOUSE", "A", Back())
        assert bus.request("CLEARING-HOUSE", "A", Back()) == Accepted()


def test_what_a_node_takes_for_malformed_is_malformed_for_its_desk(plain):
    with pytest.raises(MalformedError, match="blocks from 0 to"):
        plain.consortium.nodes["A"].statement(StatementKind.CASH, Period(last_block=10_000))


def test_others_cannot_name_what_a_node_asks_somebody_else(plain):
    asked, bus = [], plain.consortium.clearing_house.around.bus
    plain.post.send, honest = lambda *sent: asked.append(sent[2]) or honest(*sent), plain.post.send
    try:
        for recipient in ("A", "B"):
            bus.request("CLEARING-HOUSE", recipient, Back())
    finally:
        plain.post.send = honest
    starts = {each.recipient: each.start for each in map(opened_envelope, asked)}

    assert starts["A"] != starts["B"]


@pytest.mark.parametrize("milliseconds", [1, 2_100])
def test_who_answers_too_late_has_not_answered(plain, milliseconds):
    node, bus = plain.nodes["B"], plain.consortium.clearing_house.around.bus
    node.disturbance = Disturbance(milliseconds=milliseconds)
    try:
        if milliseconds == 1:
            bus.request("CLEARING-HOUSE", "B", Back())
        else:
            with pytest.raises(UnreachableError):
                bus.request("CLEARING-HOUSE", "B", Back())
    finally:
        node.disturbance = UNDISTURBED


def test_descriptors_above_those_of_select_are_waited_for(plain):
    with ExitStack() as stack:
        for _ in range(1_100):
            stack.enter_context(closing(socket.socket()))
        post = Post(WallClock())
        status, _ = post.send(plain.ports["A"], "/messages", b"nothing")
        post.close()
    assert status == 400


def test_what_the_node_refuses_comes_back_as_that(plain):
    courier, sender = plain.courier, Sender("B", Key.of_seed("test", "B"))
    with pytest.raises(PermissionError):
        courier.message(sender, "A", AllegementRequest())
    with pytest.raises(UnreachableError):
        courier.message(sender, "nobody", WithdrawnSide("S1"))


def test_garbage_at_the_port_changes_nothing(fresh):
    port = fresh.ports["A"]
    before = state_hash(fresh.consortium)
    chance = np.random.default_rng(1)
    for size in (0, 1, 100, 10_000):
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("POST", "/messages", chance.bytes(size))
        assert connection.getresponse().status == 400
        connection.close()
    for raw in (b"\0" * 1000, b"POST /messages HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n"):
        with closing(socket.create_connection(("127.0.0.1", port), 5)) as connection:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass

    assert settled(fresh.consortium, fresh.turns) == 0
    assert state_hash(fresh.consortium) != before


def test_nobody_at_the_port_is_unreachable():
    listener = Listener()
    listener.close()
    with pytest.raises(UnreachableError):
        Post(WallClock()).send(listener.port, "/messages", b"")


def test_one_that_stands_still_is_found_out_soon_and_remembered(monkeypatch):
    monkeypatch.setattr("nodes.wire.http_post.PROBE_SECONDS_MAX", 0.1)
    monkeypatch.setattr("nodes.wire.http_post.LOOK_SECONDS", 0.1)
    clock = WallClock()
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        post, port = Post(clock), silent.getsockname()[1]
        for seconds in (5.0, 0.1):
            began = clock.stopwatch_ns()
            with pytest.raises(UnreachableError):
                post.send(port, "/messages", b"")
            assert clock.stopwatch_ns() - began < seconds * 1_000_000_000


def test_many_who_ask_at_once_are_all_answered(plain):
    heights, node = [], plain.consortium.nodes["A"]
    threads = [Thread(target=lambda: heights.append(node.standing().height)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert heights == [heights[0]] * 20


def test_desk_reads_what_its_node_has(tmp_path):
    with wired(tmp_path, small_network(), GROSS, SimulatedClock.at(DAY)) as found:
        consortium = opened(found).consortium
        with found.turns:
            assert consortium.trader("A").allegements().total == 0
            positions = consortium.trader("A").position_report()
    assert {each.register for each in positions} == {Register.CASH, Register.SECURITIES}
