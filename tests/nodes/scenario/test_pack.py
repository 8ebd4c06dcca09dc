"""The scenario pack: what is supported passes, the rest says what is not supported yet."""

import pytest

from nodes.scenario.document import NotSupportedYetError
from nodes.scenario.loader import load_story
from nodes.scenario.result import result_of
from nodes.scenario.runner import play
from tests.support.engines import engine_under_test

SUPPORTED = (
    "dvp/dvp-model-1",
    "dvp/dvp-model-3",
    "lifecycle/duplicate-and-conflict",
    "lifecycle/queue-bypass",
    "lifecycle/queue-head-of-line",
    "netting/net-client-and-house-stay-apart",
    "netting/net-short-seller-leaves-the-cycle",
    "netting/net-six-trades",
)


def pack(config):
    return sorted((config.rootpath / "nodes/scenario/pack").rglob("*.yaml"))


def result(path):
    played = play(load_story(path), engine_under_test())
    try:
        return result_of(played)
    finally:
        played.consortium.close()


@pytest.mark.parametrize("name", SUPPORTED)
def test_scenario_passes(request, name):
    found = result(request.config.rootpath / f"nodes/scenario/pack/{name}.yaml")

    assert found.differences == []
    assert found.passed


def test_every_other_scenario_names_what_is_not_supported_yet(request):
    for path in pack(request.config):
        name = f"{path.parent.name}/{path.stem}"
        if name not in SUPPORTED:
            with pytest.raises(NotSupportedYetError, match="is not supported yet"):
                load_story(path)


def test_same_scenario_gives_the_same_hash_and_another_another(request):
    folder = request.config.rootpath / "nodes/scenario/pack"
    first = result(folder / "netting/net-six-trades.yaml")

    assert result(folder / "netting/net-six-trades.yaml").state_hash == first.state_hash
    assert result(folder / "dvp/dvp-model-1.yaml").state_hash != first.state_hash
