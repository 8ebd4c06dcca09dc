"""The scenario pack: every file passes, and ends alike whatever executes it."""

import pytest

from ledger.domain.rules import Gridlock, QueueOrder, SettlementMode
from nodes.scenario.bundled import pack_files, topic_of
from nodes.scenario.loader import load_story
from nodes.scenario.result import result_of
from nodes.scenario.runner import play
from nodes.scenario.story import RepeatEvent
from nodes.validators import ALONE, Seating
from tests.support.engines import embedded_only, engine_under_test

FILES = pack_files()
ONE_A_TOPIC = list({topic_of(file): file for file in FILES}.values())


def result(path, seating=ALONE):
    played = play(load_story(path), engine_under_test(), seating)
    try:
        return result_of(played)
    finally:
        played.consortium.close()


def name_of(path):
    return f"{topic_of(path)}/{path.stem}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_scenario_passes(path):
    found = result(path)

    assert found.differences == []
    assert found.passed


@embedded_only
@pytest.mark.parametrize("path", ONE_A_TOPIC, ids=name_of)
def test_scenario_ends_alike_on_both_executors(path):
    assert result(path, Seating(1, ("py-evm",))) == result(path)


@embedded_only
@pytest.mark.deep
@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_scenario_ends_alike_on_both_executors(path):
    assert result(path, Seating(1, ("py-evm",))) == result(path)


def test_same_scenario_gives_the_same_hash_and_another_another(request):
    folder = request.config.rootpath / "nodes/scenario/pack"
    first = result(folder / "netting/net-six-trades.yaml")

    assert result(folder / "netting/net-six-trades.yaml").state_hash == first.state_hash
    assert result(folder / "dvp/dvp-model-1.yaml").state_hash != first.state_hash


def test_files_are_named_after_their_scenarios():
    assert [load_story(path).name for path in FILES] == [path.stem for path in FILES]


def test_every_verb_and_every_value_of_a_switch_has_a_scenario():
    stories = [load_story(path) for path in FILES]
    events = [timed.event for story in stories for timed in story.events]
    events += [event.event for event in events if isinstance(event, RepeatEvent)]

    assert len({type(event) for event in events}) == 18
    rules = [story.rules for story in stories]
    assert {each.settlement for each in rules} == set(SettlementMode)
    assert {each.dvp_model for each in rules} == {1, 2, 3}
    assert {each.queue for each in rules} == set(QueueOrder)
    assert {each.gridlock for each in rules} == set(Gridlock)
    assert {(each.auto_settle, each.partial) for each in rules} >= {
        (True, False),
        (False, False),
        (True, True),
    }
