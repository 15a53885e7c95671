"""How long a worker may take, also on a machine that has little time for it; and what is sent without waiting."""

from __future__ import annotations

import os
import threading

import msgspec
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


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Starts workers that run a program; they are ended."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    started = []

    def run(program):
        (tmp_path / "some_worker.py").write_text(program)
        started.append(Child("some_worker"))
        return started[-1]

    yield run
    for worker in started:
        worker.kill()
        worker.close()


SLEEPS = "import time; time.sleep(3600)"


@pytest.mark.parametrize("does", ["while True: pass", SLEEPS], ids=["works on", "sleeps"])
def test_a_real_one_that_says_nothing_is_ended(does, start):
    with pytest.raises(ChildGone, match="ended with status"):
        start(does).receive(0.5)


def test_nothing_is_sent_at_once_that_would_have_to_wait(start):
    worker = start(SLEEPS)
    assert not worker.send_at_once("a long text " * 1000)
    with worker._send_lock:  # another thread is sending
        assert not worker.send_at_once("short")
    sent = 0
    while worker.send_at_once("a note " * 50):
        sent += 1
        assert sent < 1000
    assert sent > 1
    assert not worker.send_at_once("short")  # the pipe is full, and nobody reads


def test_what_is_sent_at_once_arrives_whole(start):
    worker = start("import os\nwhile some := os.read(0, 65536):\n    os.write(1, some)")
    for message in ("", "short", "a note " * 50):
        assert worker.send_at_once(message)
        assert msgspec.msgpack.decode(worker.receive(20)) == message
    worker.close()
    with pytest.raises(ChildGone):
        worker.send_at_once("more")


def test_the_look_at_a_process_that_is_gone():
    worker = Child("this")
    worker.close()
    assert child._look(worker.pid) == Look(False, 0.0)
