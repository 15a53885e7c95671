"""Who is served when: played with a backend that computes a text when the test lets it."""

from __future__ import annotations

import queue
import threading

import pytest
from waiting import wait_until as until

from khoj_ls.models.batches import Batch
from khoj_ls.models.lanes import Backlog, Queries, lower_priority
from khoj_ls.models.messages import Ask, Failed, Started, Values


class Stage:
    """A backend of one text a batch, and everything that was said."""

    side_by_side = 2

    def __init__(self):
        self.events = queue.Queue()
        self.may_go = {}

    def plan(self, texts):
        if "unplannable" in texts:
            raise ValueError("no such token")
        return [Batch([place], text) for place, text in enumerate(texts)]

    def run(self, batch):
        gate = self.may_go.setdefault(batch.inputs, threading.Event())
        assert gate.wait(20)
        if batch.inputs == "broken":
            raise RuntimeError("no memory")
        return [batch.inputs.encode()]

    def let(self, *texts):
        for text in texts:
            self.may_go.setdefault(text, threading.Event()).set()

    def heard(self, count):
        """The next events, as (kind, request, place)."""
        found = [self.events.get(timeout=20) for _ in range(count)]
        return [(type(event).__name__, event.id, *getattr(event, "places", ())) for event in found]


@pytest.fixture
def stage():
    return Stage()


def backlog(stage, threads=1):
    made = Backlog(stage, stage.events.put)
    for _ in range(threads):
        threading.Thread(target=made.serve, daemon=True).start()
    return made


def test_requests_take_turns(stage):
    lane = backlog(stage)
    lane.add(Ask(1, ["a", "b", "c"]))
    assert stage.heard(1) == [("Started", 1, 0)]
    lane.add(Ask(2, ["d", "e"]))
    stage.let("a", "b", "c", "d", "e")
    assert [event for event in stage.heard(9) if event[0] == "Started"] == [
        ("Started", 1, 1),
        ("Started", 2, 0),
        ("Started", 1, 2),
        ("Started", 2, 1),
    ]


def test_batches_go_side_by_side(stage):
    lane = backlog(stage, 2)
    lane.add(Ask(1, ["a", "b", "c"]))
    assert sorted(stage.heard(2)) == [("Started", 1, 0), ("Started", 1, 1)]
    stage.let("b")
    assert stage.heard(2) == [("Values", 1, 1), ("Started", 1, 2)]
    stage.let("a", "c")
    assert sorted(stage.heard(2)) == [("Values", 1, 0), ("Values", 1, 2)]


def test_places_are_those_of_the_request_whatever_the_window(stage):
    lane = backlog(stage)
    texts = [f"text {number}" for number in range(600)]
    stage.let(*texts)
    lane.add(Ask(1, texts))
    found = {}
    while len(found) < 600:
        event = stage.events.get(timeout=20)
        if isinstance(event, Values):
            found.update(zip(event.places, event.values, strict=True))
    assert [found[place].decode() for place in range(600)] == texts


def test_a_cancelled_request_ends_with_the_batch_in_work(stage):
    lane = backlog(stage)
    lane.add(Ask(1, ["a", "b", "c"]))
    lane.add(Ask(2, ["z"]))
    assert stage.heard(1) == [("Started", 1, 0)]
    lane.cancel(1)
    stage.let("a", "b", "c", "z")
    assert stage.heard(3) == [("Values", 1, 0), ("Started", 2, 0), ("Values", 2, 0)]
    assert stage.events.empty()
    lane.cancel(77)  # nobody knows it


def test_alone_means_that_nothing_else_is_computed(stage):
    lane = backlog(stage, 2)
    lane.add(Ask(1, ["a", "b"]))
    stage.heard(2)
    lane.add(Ask(2, ["s", "t"], alone=True))
    lane.add(Ask(3, ["c"]))
    stage.let("a")
    assert stage.heard(1) == [("Values", 1, 0)]
    stage.let("b", "c")
    assert stage.heard(2) == [("Values", 1, 1), ("Started", 2, 0)]
    stage.let("s", "t")
    assert stage.heard(5) == [
        ("Values", 2, 0),
        ("Started", 2, 1),
        ("Values", 2, 1),
        ("Started", 3, 0),
        ("Values", 3, 0),
    ]


@pytest.mark.parametrize("texts", [["unplannable"], ["broken", "never"]])
def test_a_failure_is_the_requests_own(stage, texts):
    lane = backlog(stage)
    lane.add(Ask(1, texts))
    lane.add(Ask(2, ["fine"]))
    stage.let("broken", "never", "fine")
    said = []
    while not said or said[-1] != Values(2, [0], [b"fine"]):
        said.append(stage.events.get(timeout=20))
    failed = [event for event in said if isinstance(event, Failed)]
    assert [event.id for event in failed] == [1]
    assert "no such token" in failed[0].error or "no memory" in failed[0].error
    assert Started(1, [1]) not in said


def test_a_query_is_served_beside_the_backlog(stage):
    lane, queries = backlog(stage, 2), Queries(stage, stage.events.put)
    lane.add(Ask(1, ["a", "b", "c"]))
    stage.heard(2)
    stage.let("query", "broken")
    queries.answer(Ask(2, ["broken"], query=True))
    queries.answer(Ask(3, ["query"], query=True))
    assert stage.heard(2) == [("Failed", 2), ("Values", 3, 0)]


def test_who_computes_a_query_computes_those_that_come_meanwhile(stage):
    queries = Queries(stage, stage.events.put)
    first = threading.Thread(target=queries.answer, args=(Ask(1, ["first"], query=True),), daemon=True)
    first.start()
    until(lambda: "first" in stage.may_go)  # it is being computed
    for number, text in ((2, "second"), (3, "third")):
        queries.answer(Ask(number, [text], query=True))  # returns at once: whoever reads goes on reading
    assert stage.events.empty()
    stage.let("third", "second", "first")
    assert stage.heard(3) == [("Values", 1, 0), ("Values", 2, 0), ("Values", 3, 0)]
    first.join(20)
    queries.answer(Ask(4, ["third"], query=True))
    assert stage.heard(1) == [("Values", 4, 0)]


@pytest.mark.skipif("sys.platform != 'linux'", reason="only Linux knows niceness of a thread")
def test_niceness_is_the_threads_own():
    import os

    found = {}

    def measure():
        lower_priority(7)
        found["thread"] = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = os.getpriority(os.PRIO_PROCESS, 0)
    thread = threading.Thread(target=measure)
    thread.start()
    thread.join()
    assert found["thread"] == max(before, 7)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
