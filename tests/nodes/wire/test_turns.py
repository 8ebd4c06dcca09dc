"""One thing at a time, but for what an own question brings back."""

from threading import Event, Thread

import pytest

from nodes import turns as module
from nodes.turns import OverError, Turns


def in_thread(act):
    thread = Thread(target=act, daemon=True)
    thread.start()
    return thread


def test_others_wait_for_the_turn():
    turns, order = Turns(), []

    def other():
        with turns.answering((b"other",)):
            order.append("other")

    with turns:
        thread = in_thread(other)
        thread.join(0.05)
        order.append("first")
    thread.join()

    assert order == ["first", "other"]


def test_what_the_question_brings_back_is_part_of_the_turn():
    turns, answered = Turns(), []

    def back(path):
        with turns.answering((*path, b"by another", b"back")):
            answered.append(path)

    with turns, turns.asking(b"question") as path:
        in_thread(lambda: back(path)).join(5)

    assert answered == [(b"question",)]


def test_question_of_who_has_no_turn_lends_none():
    turns, answered, done = Turns(), [], Event()

    def back(path):
        with turns.answering((*path, b"back")):
            answered.append(path)

    def busy():
        with turns:
            done.wait(5)

    with turns.asking(b"question") as path:
        holder = in_thread(busy)
        thread = in_thread(lambda: back(path))
        thread.join(0.05)
        assert not answered
        done.set()
        thread.join(5)
        holder.join(5)

    assert answered


def test_question_that_was_given_up_brings_nothing_back(monkeypatch):
    monkeypatch.setattr(module, "TURN_SECONDS_MAX", 0.05)
    turns = Turns()
    with turns:
        with turns.asking(b"question") as path:
            pass
        failed = []

        def late():
            try:
                with turns.answering((*path, b"late"), 0.05):
                    pytest.fail("it was given up")
            except OverError as error:
                failed.append(error)

        in_thread(late).join(5)

    assert failed


def test_answer_under_way_is_finished_before_the_question_ends():
    turns, order, began = Turns(), [], Event()

    def back(path):
        with turns.answering((*path, b"back")):
            began.set()
            Event().wait(0.1)
            order.append("back")

    with turns:
        with turns.asking(b"question") as path:
            thread = in_thread(lambda: back(path))
            assert began.wait(5)
        order.append("asked")
    thread.join()

    assert order == ["back", "asked"]
