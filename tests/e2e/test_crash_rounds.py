"""A few rounds of `make crashes`, by seed: something is killed, damaged or taken away, and then all is right again."""

from __future__ import annotations

import os
from random import Random

import pytest
from crash import harms, kills, troubles
from crash.ground import Ground
from crash.scratch import Scratch
from crash.verdict import faults
from crash.workload import Workload

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    """Notes and a daemon of their own; the rounds follow each other on them, as they do in a life."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("KHOJ_LS_HOME", "KHOJ_LS_CRASH_KEY"):
            patch.setenv(name, "")
        ground = Ground(tmp_path_factory.mktemp("ground").resolve())
        Workload(ground, Random(1)).plant(12)
        yield ground
        ground.close()


@pytest.fixture(scope="module")
def scratch(ground):
    return Scratch()


@pytest.mark.parametrize(
    ("event", "seed"),
    [
        (kills.daemon, 1),
        (kills.everything, 2),
        (kills.suspended, 4),
        (troubles.another_vault, 5),
    ],
)
def test_a_round_without_damage(ground, scratch, event, seed):
    random = Random(seed)
    work = Workload(ground, random)
    event(ground, work, random)
    work.close()
    assert list(faults(ground, scratch, random)) == []


@pytest.mark.parametrize(("event", "seed"), [(harms.index, 2), (harms.conversations, 3)])
def test_a_round_with_damage(ground, scratch, event, seed):
    random = Random(seed)
    work = Workload(ground, random)
    event(ground, work, random)
    work.close()
    _, wrong = harms.repaired(ground)
    assert wrong == []
    assert list(faults(ground, scratch, random)) == []
