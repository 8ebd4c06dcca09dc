"""The published cases of Project Ubin, and queues of two securities and cash, as data."""

import pytest

from ledger.model import gridlock as model
from ledger.settlement.gridlock.fifo import fifo
from ledger.settlement.gridlock.optimum import optimum
from tests.support.gridlock import columns, flags, places
from tests.support.gridlock_stories import stories

STORIES = stories()
RUN = {
    "fifo": lambda queue: places(fifo(queue)),
    "optimum": lambda queue: places(optimum(queue, instructions_max=20, seconds_max=60).selected),
}


def test_the_pack_has_every_case():
    assert len(STORIES) == 20


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_queue_settles_as_the_story_expects(story):
    queue = columns(story.queue)
    settled = RUN[story.algorithm](queue)

    assert settled == story.settled
    assert story.value in {None, queue.settled_value(flags(queue, settled))}
    assert getattr(model, story.algorithm)(story.queue) == settled
    for key in story.queue.keys:
        assert model.balance(story.queue, settled, key) == story.balances[key]
