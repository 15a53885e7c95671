"""Hooks are called in order, within their time, and no failure of one reaches who called."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from waiting import wait_until

from khoj_ls.config.settings import PluginSettings
from khoj_ls.core.errors import Cancelled
from khoj_ls.core.jobs import CancelToken
from khoj_ls.plugins.events import HookCall, OnError, PreSearch
from khoj_ls.plugins.hooks import ON_ERROR, PRE_SEARCH, Hooks, Implementation

EVENT = PreSearch(Path("/notes"), "q", 10, "hybrid")


def hooks(*calls: Callable[[Any], object], told: Callable[[Any], object] | None = None, **settings: Any) -> Hooks:
    implementations = [Implementation(f"p{at}", PRE_SEARCH, call) for at, call in enumerate(calls)]
    if told:
        implementations.append(Implementation("listener", ON_ERROR, told))
    return Hooks(implementations, PluginSettings(**{"search_hook_seconds": 5.0, **settings}))


def adds(word: str) -> Callable[[PreSearch], PreSearch]:
    return lambda event: replace(event, query=f"{event.query} {word}")


def fails(event: PreSearch) -> PreSearch:
    raise ValueError("boom")


def exits(event: PreSearch) -> PreSearch:
    raise SystemExit(1)


def test_each_is_given_what_the_one_before_has_made() -> None:
    assert hooks(adds("a"), lambda event: None, adds("b")).passed(PRE_SEARCH, EVENT).query == "q a b"


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (fails, "ValueError: boom"),
        (exits, "SystemExit: 1"),
        (lambda event: 17, "it returned a int, not PreSearch or None"),
        (lambda event: event.no_such_field, "AttributeError"),
        (lambda event: replace(event, limit=-1), "limit"),
    ],
)
def test_a_hook_that_fails_is_passed_over_and_told(call: Callable[[Any], object], what: str) -> None:
    errors: list[OnError] = []

    def check(before: PreSearch, after: PreSearch) -> PreSearch:
        if after.limit < 1:
            raise ValueError(f"the limit is {after.limit}")
        return after

    own = hooks(adds("a"), call, adds("b"), told=errors.append)
    assert own.passed(PRE_SEARCH, EVENT, check).query == "q a b"
    wait_until(lambda: bool(errors))
    [error] = errors
    assert (error.where, error.plugin, error.hook, what in error.message) == ("plugin", "p1", PRE_SEARCH, True)
    assert [(each.plugin, each.state) for each in own.health()][:3] == [("p0", "ok"), ("p1", "fails"), ("p2", "ok")]


def test_an_answer_that_hangs_when_it_is_looked_at_holds_nobody_up() -> None:
    ends = threading.Event()
    own = hooks(lambda event: replace(event, query=iter(ends.wait, True)), search_hook_seconds=0.05)
    assert own.passed(PRE_SEARCH, EVENT, lambda before, after: (list(after.query), after)[1]) == EVENT
    assert (own.health()[0].state, "it took longer" in own.health()[0].last_error) == ("hangs", True)
    ends.set()


def test_a_hook_that_hangs_holds_nobody_up_and_is_not_called_again_before_it_returns() -> None:
    ends, calls = threading.Event(), []

    def hangs(event: PreSearch) -> None:
        calls.append(event)
        ends.wait()

    own = hooks(hangs, adds("b"))
    assert own.passed(PRE_SEARCH, EVENT, until=time.monotonic() + 0.05).query == "q"  # all the time was gone
    assert own.passed(PRE_SEARCH, EVENT).query == "q b"
    assert (own.health()[0].state, len(calls), "it took longer" in own.health()[0].last_error) == ("hangs", 1, True)
    ends.set()
    wait_until(lambda: own.health()[0].state == "fails")
    own.passed(PRE_SEARCH, EVENT)
    assert (own.health()[0].state, len(calls)) == ("ok", 2)


def test_a_hook_is_left_out_after_some_failures_in_a_row() -> None:
    answers: list[object] = [ValueError(), ValueError(), None, ValueError(), ValueError(), ValueError(), None]
    calls = []

    def now_and_then(event: PreSearch) -> None:
        calls.append(event)
        if isinstance(answer := answers[len(calls) - 1], Exception):
            raise answer

    own = hooks(now_and_then, failures=3)
    for _ in range(9):
        own.passed(PRE_SEARCH, EVENT)
    assert (len(calls), own.health()[0].state, own.has(PRE_SEARCH)) == (6, "disabled", False)


def test_a_listener_that_fails_is_not_told_of_itself() -> None:
    calls: list[object] = []

    def listens(event: OnError) -> None:
        calls.append(event)
        raise ValueError("worse")

    own = hooks(told=listens, failures=2)
    for _ in range(4):
        own.error(OnError("index", "the disk is full"))
    wait_until(lambda: own.health()[0].state == "disabled")
    assert len(calls) == 2


def test_who_calls_it_off_does_not_wait_for_hooks() -> None:
    ends, token = threading.Event(), CancelToken()
    own = hooks(lambda event: (token.cancel(), ends.wait())[0], search_hook_seconds=60)
    with pytest.raises(Cancelled):
        own.passed(PRE_SEARCH, EVENT, token=token)
    ends.set()


def test_calls_in_other_processes_count_here() -> None:
    errors: list[OnError] = []
    own = hooks(adds("a"), told=errors.append, failures=2)
    well, broke = HookCall("p0", PRE_SEARCH), HookCall("p0", PRE_SEARCH, "it broke")
    own.reported([broke, well, broke, HookCall("p9", "x", "y")])
    assert (own.health()[0].state, own.left_out(PRE_SEARCH)) == ("fails", ())
    own.reported([broke])
    wait_until(lambda: len(errors) == 3)
    assert (own.health()[0].state, own.health()[0].calls, own.left_out(PRE_SEARCH)) == ("disabled", 4, ("p0",))
    assert own.passed(PRE_SEARCH, EVENT).query == "q"


def test_a_process_that_is_listened_to_counts_nothing_itself() -> None:
    calls: list[HookCall] = []
    own = Hooks([Implementation("p0", PRE_SEARCH, fails)], PluginSettings(failures=1), calls.append)
    own.passed(PRE_SEARCH, EVENT)
    own.passed(PRE_SEARCH, EVENT)
    own.passed(PRE_SEARCH, EVENT, without=("p0",))
    assert calls == [HookCall("p0", PRE_SEARCH, "ValueError: boom")] * 2
