"""How long a worker may take, also on a machine that has little time for it."""

from __future__ import annotations

import os
import threading

import pytest

from khoj_ls.workers import child
from khoj_ls.workers.child import Child, ChildGone, Look, end_overdue


class Process:
    """One that can be looked at and killed."""

    pid = 7

    def __init__(self, looks):
        self.looks, self.seen, self.killed = looks, 0, False

    def look(self, pid):
        self.seen += 1
        return self.looks[min(self.seen, len(self.looks)) - 1]

    def kill(self):
        self.killed = True


STARVED = Look(True, 1.0)


@pytest.mark.parametrize(
    ("looks", "seen"),
    [
        ([Look(False, 1.0)], 1),
        ([STARVED, Look(True, 1.001), Look(False, 1.002)], 3),
        ([STARVED, Look(True, 1.001), Look(True, 1.01)], 3),
    ],
    ids=["it sleeps", "it goes to sleep", "it had its time"],
)
def test_one_that_says_nothing_is_ended_when_it_had_its_time(looks, seen):
    process = Process(looks)
    end_overdue(process, 0.02, threading.Event(), process.look)
    assert (process.killed, process.seen) == (True, seen)


def test_one_that_never_gets_a_processor_is_ended_in_the_end():
    process = Process([STARVED])
    end_overdue(process, 0.02, threading.Event(), process.look)
    assert process.killed
    assert process.seen > 2


def test_one_that_answers_after_all_lives_on():
    over = threading.Event()

    def answers_meanwhile(pid):
        over.set()
        return STARVED

    process = Process([STARVED])
    end_overdue(process, 0.02, over, answers_meanwhile)
    assert not process.killed


@pytest.mark.parametrize("does", ["while True: pass", "import time; time.sleep(3600)"], ids=["works on", "sleeps"])
def test_a_real_one_that_says_nothing_is_ended(does, tmp_path, monkeypatch):
    (tmp_path / "silent_worker.py").write_text(does)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    worker = Child("silent_worker")
    with pytest.raises(ChildGone, match="ended with status"):
        worker.receive(0.5)
    worker.close()


def test_the_look_at_a_process_that_is_gone():
    worker = Child("this")
    worker.close()
    assert child._look(worker.pid) == Look(False, 0.0)
