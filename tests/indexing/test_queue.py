"""What waits: merged, ordered, bounded, never lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.indexing.queue import ChangeQueue, Depth, Lane, Rescan


def make(**limits) -> ChangeQueue:
    return ChangeQueue(lambda: None, lambda: None, **limits)


def taken(queue: ChangeQueue, limit: int = 100, busy=()) -> list[str]:
    return [change.path for change in queue.take(limit, busy, last=limit)]


def test_edits_come_before_the_backlog_and_travel_alone():
    queue = make()
    queue.put(["old1", "old2"], Lane.BACKLOG)
    queue.put(["live"], Lane.LIVE)
    queue.put(["open"], Lane.OPEN)
    assert [taken(queue), taken(queue), taken(queue)] == [["open", "live"], ["old1", "old2"], []]


def test_a_path_waits_once_in_its_most_urgent_lane_with_the_most_care():
    queue = make()
    queue.put(["a"], Lane.BACKLOG, depth=Depth.READ)
    queue.put(["a"], Lane.OPEN)
    queue.put(["a"], Lane.LIVE, depth=Depth.PARSE)
    queue.put(["a"], Lane.BACKLOG)
    assert len(queue) == 1
    [change] = queue.take(9)
    assert (change.path, change.lane, change.depth) == ("a", Lane.OPEN, Depth.PARSE)


def test_what_is_not_due_or_busy_stays():
    queue = make()
    queue.put(["later"], Lane.LIVE, delay=3600)
    queue.put(["busy", "free"], Lane.LIVE)
    assert taken(queue, busy={"busy"}) == ["free"]
    assert queue.next_due() == 0
    assert taken(queue) == ["busy"]
    assert 3500 < queue.next_due() <= 3600
    queue.put(["later"], Lane.LIVE)
    assert taken(queue) == ["later"]


def test_too_many_changes_become_a_walk():
    woken = []
    queue = ChangeQueue(lambda: None, lambda: woken.append(1), capacity=10)
    queue.put(["read.md"], Lane.LIVE, depth=Depth.READ)
    queue.put([f"{i}.md" for i in range(20)], Lane.LIVE)
    queue.put(["open.md"], Lane.OPEN)
    assert taken(queue) == ["open.md"]
    assert queue.take_rescans() == [Rescan("", Depth.READ)]
    assert woken


def test_what_a_scan_brings_is_not_bounded():
    queue = make(capacity=10)
    queue.put([f"{i}.md" for i in range(50)], Lane.BACKLOG)
    assert len(taken(queue)) == 50
    assert not queue.rescans_wait()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ([("a", 0), ("a", 0)], [("a", 0)]),
        ([("a", 0), ("a/b", 0)], [("a", 0)]),
        ([("a/b", 0), ("a", 0)], [("a", 0)]),
        ([("a", 0), ("ab", 0)], [("a", 0), ("ab", 0)]),
        ([("a", 0), ("", 0), ("b", 0)], [("", 0)]),
        ([("a", 0), ("a/b", 2)], [("a", 0), ("a/b", 2)]),
        ([("a/b", 2), ("a", 0)], [("a/b", 2), ("a", 0)]),
        ([("a", 1), ("a", 2)], [("a", 2)]),
        ([("a", 0), ("b", 1), ("c", 0), ("d", 0)], [("", 1)]),
    ],
)
def test_walks_are_merged(asked, expected):
    queue = make(folders=3)
    for folder, depth in asked:
        queue.rescan(folder, Depth(depth))
    assert queue.rescans_wait()
    assert sorted((rescan.folder, rescan.depth) for rescan in queue.take_rescans()) == sorted(expected)
    assert not queue.rescans_wait()


def test_a_walk_that_may_find_nothing_stays_one():
    queue = make()
    queue.rescan("", believe_empty=True)
    queue.rescan("", Depth.PARSE)
    assert queue.take_rescans() == [Rescan("", Depth.PARSE, believe_empty=True)]


def test_a_paused_queue_takes_in_and_gives_nothing_out():
    queue = make()
    queue.pause()
    queue.put(["a"], Lane.OPEN)
    queue.rescan("folder")
    assert (taken(queue), queue.take_rescans(), queue.next_due()) == ([], [], None)
    queue.resume()
    assert (taken(queue), len(queue.take_rescans())) == (["a"], 1)


def test_a_held_backlog_lets_edits_through():
    queue = make()
    queue.put(["old"], Lane.BACKLOG)
    queue.hold()
    queue.put(["live"], Lane.LIVE)
    assert (taken(queue), taken(queue), queue.next_due()) == (["live"], [], None)
    queue.resume()
    assert taken(queue) == ["old"]


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(Lane)), max_size=40), st.integers(1, 5))
def test_no_path_is_lost_or_given_twice(puts, limit):
    queue = make()
    for path, lane in puts:
        queue.put([path], lane)
    out: list[str] = []
    while paths := taken(queue, limit):
        out += paths
    assert sorted(out) == sorted({path for path, _ in puts})


def test_what_takes_long_comes_last_and_as_many_as_there_is_room_for():
    queue = make()
    queue.put(["scan1", "scan2", "scan3"], Lane.LAST)
    queue.put(["old"], Lane.BACKLOG)
    assert [change.path for change in queue.take(9, last=2)] == ["old"]
    assert (queue.next_due(last=False), queue.next_due()) == (None, 0.0)
    assert queue.take(9, last=0) == []
    assert [change.path for change in queue.take(9, last=2)] == ["scan1", "scan2"]
    queue.hold()
    assert (queue.take(9, last=2), queue.next_due()) == ([], None)
