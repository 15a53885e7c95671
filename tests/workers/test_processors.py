"""A thread that is woken elsewhere: for once, and only where there is another processor."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from khoj_ls.workers.processors import Elsewhere, roam, usable

if not hasattr(os, "sched_setaffinity"):
    pytest.skip("this system binds no thread to a processor", allow_module_level=True)

HERE, *OTHERS = sorted(usable())


@pytest.fixture
def here():
    """This thread runs on the processor HERE."""
    os.sched_setaffinity(0, {HERE})
    yield
    os.sched_setaffinity(0, {HERE, *OTHERS})


class Sleeper:
    """A thread that sleeps until it is woken, and then roams."""

    def __init__(self):
        self.woken, self.bound, self.free = threading.Event(), set(), set()
        self.thread = threading.Thread(target=self.sleep, daemon=True)
        self.thread.start()

    def sleep(self):
        self.woken.wait()
        self.bound = os.sched_getaffinity(0)
        roam([HERE, *OTHERS])
        self.free = os.sched_getaffinity(0)

    def wake(self):
        self.woken.set()
        self.thread.join(timeout=10)


@pytest.fixture
def sleeper():
    """A thread that may run everywhere, and sleeps; it is woken in the end."""
    thread = Sleeper()
    yield thread
    thread.wake()


@pytest.mark.skipif(not OTHERS, reason="there is one processor")
def test_it_wakes_elsewhere_and_roams_then(here, sleeper):
    os.sched_setaffinity(sleeper.thread.native_id, {HERE, *OTHERS})
    Elsewhere([sleeper.thread.native_id], [HERE, *OTHERS]).arrange()
    sleeper.wake()
    assert (sleeper.bound, sleeper.free) == (set(OTHERS), {HERE, *OTHERS})


@pytest.mark.parametrize("known", [[HERE], []], ids=["one processor", "none told"])
def test_where_there_is_no_other_it_stays_as_it_is(here, sleeper, known):
    before = os.sched_getaffinity(sleeper.thread.native_id)
    Elsewhere([sleeper.thread.native_id], known).arrange()
    assert os.sched_getaffinity(sleeper.thread.native_id) == before


def test_one_that_is_gone_is_passed_over(here, sleeper):
    gone = threading.Thread(target=lambda: None)
    gone.start()
    gone.join()
    Elsewhere([gone.native_id, sleeper.thread.native_id], [HERE, *OTHERS]).arrange()
    assert os.sched_getaffinity(sleeper.thread.native_id) == (set(OTHERS) or {HERE})


def test_another_system_decides_alone(here, sleeper, monkeypatch):
    before = os.sched_getaffinity(sleeper.thread.native_id)
    monkeypatch.setattr(sys, "platform", "darwin")
    Elsewhere([sleeper.thread.native_id], [HERE, *OTHERS]).arrange()
    assert os.sched_getaffinity(sleeper.thread.native_id) == before
