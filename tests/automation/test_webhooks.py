"""Webhooks as a whole: an event that was handed over arrives, whatever the receiver and this process go through."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from moody_receiver import MoodyReceiver
from waiting import wait_until

from khoj_ls.automation.payloads import ErrorOccurred, body_of
from khoj_ls.automation.sending import Pace
from khoj_ls.automation.webhooks import MOST_IN_HAND, Webhooks
from khoj_ls.core.errors import StoreError
from khoj_ls.core.events import ERROR_OCCURRED, INDEX_COMPLETED, SEARCH_PERFORMED, Occurrence
from khoj_ls.store.deliveries import Deliveries

QUICK = Pace(first=0.005, factor=1.1, longest=0.1, trip_after=4, open_for=0.01, without_key=0.05, look=0.05)
MANY = 1000
"""More attempts than any of these receivers has bad moods."""
CHILD = Path(__file__).parents[1] / "support" / "children" / "webhook_child.py"


def occurrence(number, event=INDEX_COMPLETED):
    return Occurrence(event, "notes", lambda content: ErrorOccurred(f"event {number}", "khoj.store"))


def told(received):
    return json.loads(received.body)["data"]["during"]


@pytest.fixture
def running(own_folders):
    """Starts webhooks, and ends them with the test."""
    made = []

    def run(*webhooks, pace=QUICK):
        made.append(Webhooks(webhooks, own_folders, {}, pace=pace))
        made[-1].start()
        return made[-1]

    yield run
    for each in made:
        each.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_moody_receiver_gets_exactly_what_happened(seed, receiving, running, hook_to):
    receiver = receiving(MoodyReceiver.seeded(seed))
    hooks = running(hook_to(receiver, retries=MANY, timeout_seconds=0.3))
    chance = random.Random(seed)
    for number in range(25):
        hooks.tell(occurrence(number))
        if chance.random() < 0.1:  # the queue runs empty now and then
            wait_until(lambda: hooks.deliveries.counts("hook")["waiting"] == 0)
    wait_until(lambda: hooks.deliveries.counts("hook") == {"waiting": 0, "arrived": 25, "failed": 0})
    assert {told(each) for each in receiver.taken()} == {f"event {number}" for number in range(25)}
    by_delivery = {each.delivery: told(each) for each in receiver.received}
    assert len(by_delivery) == 25 and all(by_delivery[each.delivery] == told(each) for each in receiver.received)
    # On a busy machine an answer may come too late, so that what was taken comes again; never without an attempt that failed.
    came = Counter(each.delivery for each in receiver.received)
    attempts = {each.id: each.attempts for each in hooks.deliveries.latest(25)}
    assert came.keys() == attempts.keys() and all(came[each] <= attempts[each] for each in attempts)
    assert came.total() > 25


def test_a_sender_that_is_killed_again_and_again_loses_nothing(receiving, own_folders, monkeypatch, tmp_path):
    monkeypatch.setenv("KHOJ_LS_HOME", str(tmp_path))
    receiver = receiving(MoodyReceiver.seeded(11))
    queue = Deliveries(own_folders.data / "webhooks" / "queue.db")
    chance = random.Random(11)
    ids = [
        queue.add(
            [("hook", INDEX_COMPLETED, body_of("e", INDEX_COMPLETED, 0.0, "notes", ErrorOccurred(str(number), "c")))],
            time.time(),
            most=99,
        )[0]
        for number in range(30)
    ]
    for _ in range(4):
        sender = subprocess.Popen([sys.executable, str(CHILD), receiver.url])
        goal = len(receiver.received) + chance.randint(3, 8)
        wait_until(lambda goal=goal: len(receiver.received) >= goal or queue.counts("hook")["waiting"] == 0)
        sender.kill()
        sender.wait()
    sender = subprocess.Popen([sys.executable, str(CHILD), receiver.url])
    wait_until(lambda: queue.counts("hook") == {"waiting": 0, "arrived": 30, "failed": 0})
    sender.kill()
    sender.wait()
    assert {each.delivery for each in receiver.taken()} == set(ids)
    assert {told(each) for each in receiver.taken()} == {str(number) for number in range(30)}
    # Twice came only what a sender was killed with in its hands, under the id it had.
    assert {each.delivery for each in receiver.received} == set(ids)
    queue.close()


def test_events_of_before_an_end_are_sent_after_the_next_start(receiver, running, hook_to):
    first = running(hook_to(receiver, secret_variable="NO_SUCH_KEY"))
    for number in range(5):
        first.tell(occurrence(number))
    first.close()
    assert receiver.received == []
    running(hook_to(receiver))
    wait_until(lambda: {told(each) for each in receiver.received} == {f"event {number}" for number in range(5)})


def test_each_webhook_is_told_what_it_asked_for_and_one_that_stalls_holds_up_no_other(receiving, running, hook_to):
    stalling = receiving(MoodyReceiver(lambda: "stall"))
    well = receiving(MoodyReceiver())
    off = receiving(MoodyReceiver())
    hooks = running(
        hook_to(stalling, name="a"),
        hook_to(well, name="b", events=(SEARCH_PERFORMED, INDEX_COMPLETED), content=True),
        hook_to(off, name="c", active=False),
    )
    seen = []

    def data(content):
        seen.append(content)
        return ErrorOccurred(f"content {content}", "c")

    for event in (INDEX_COMPLETED, SEARCH_PERFORMED, ERROR_OCCURRED):
        hooks.tell(Occurrence(event, "notes", data))
    wait_until(lambda: len(well.received) == 2 and len(stalling.received) == 1)
    assert [(each.headers["X-Khoj-Event"], told(each)) for each in well.received] == [
        (INDEX_COMPLETED, "content True"),
        (SEARCH_PERFORMED, "content True"),
    ]
    assert told(stalling.received[0]) == "content False"
    assert (sorted(seen), off.received) == ([False, True, True], [])
    bodies = [json.loads(each.body) for each in (stalling.received[0], well.received[0])]
    assert bodies[0]["id"] == bodies[1]["id"] and stalling.received[0].delivery != well.received[0].delivery


def test_who_hands_over_waits_for_nothing_and_what_is_too_much_is_dropped_and_said(receiver, running, hook_to, caplog):
    hooks = running(hook_to(receiver))
    held, holding = threading.Event(), threading.Event()

    def slow(content):
        holding.set()
        held.wait(30)

    hooks.tell(Occurrence(INDEX_COMPLETED, "notes", slow))
    wait_until(holding.is_set)
    for number in range(MOST_IN_HAND + 1):  # returns, though nobody takes anything down
        hooks.tell(occurrence(number))
    assert "is dropped" in caplog.text
    held.set()


@pytest.mark.parametrize("wrong", [lambda content: 1 / 0, lambda content: None])
def test_one_event_that_cannot_be_told_costs_no_other(wrong, receiver, running, hook_to):
    hooks = running(hook_to(receiver))
    hooks.tell(Occurrence(INDEX_COMPLETED, "notes", wrong))
    hooks.tell(occurrence(1))
    wait_until(lambda: receiver.received)
    assert [told(each) for each in receiver.received] == ["event 1"]


def test_of_two_processes_one_sends_and_hands_over(receiver, running, hook_to):
    old = running(hook_to(receiver, secret_variable="NO_SUCH_KEY"))
    old.tell(occurrence(1))
    wait_until(lambda: [each.error for each in old.deliveries.latest(1) if each.error], "the old one looked for its key")
    new = running(hook_to(receiver))
    new.tell(occurrence(2))
    # Before it takes down an event, the new one looks whether it may send.
    wait_until(lambda: new.deliveries.counts("hook")["waiting"] == 2)
    assert receiver.received == []
    old.hand_over()
    wait_until(lambda: {told(each) for each in receiver.received} == {"event 1", "event 2"})


def test_busy_as_long_as_something_can_be_sent(receiving, running, hook_to):
    calm = threading.Event()
    receiver = receiving(MoodyReceiver(lambda: "ok" if calm.wait(30) else "cut"))
    hooks = running(hook_to(receiver))
    assert not hooks.busy
    hooks.tell(occurrence(1))
    wait_until(lambda: hooks.busy)
    calm.set()
    wait_until(lambda: not hooks.busy)


def test_a_queue_that_cannot_be_used_ends_nothing(receiver, running, hook_to, monkeypatch):
    hooks = running(hook_to(receiver))
    add, failures = hooks.deliveries.add, iter([StoreError("the disk is full")] * 2)

    def full(*given, **named):
        for error in failures:
            raise error
        return add(*given, **named)

    monkeypatch.setattr(hooks.deliveries, "add", full)
    hooks.tell(occurrence(1))
    hooks.tell(occurrence(2))
    wait_until(lambda: receiver.received)
    assert [told(each) for each in receiver.received] == ["event 2"]


def test_without_webhooks_nothing_of_it_is_imported(tmp_path):
    code = (
        "import sys; from khoj_ls.daemon.compose import compose; from khoj_ls.config.settings import Settings; "
        "from khoj_ls.config.paths import folders; compose(Settings(), folders()).close(); "
        "print([name for name in sys.modules if 'automation' in name or 'telling' in name])"
    )
    environment = {**os.environ, "KHOJ_LS_HOME": str(tmp_path)}
    shown = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert (shown.stdout, list(tmp_path.iterdir())) == ("[]\n", [])
