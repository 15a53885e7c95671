"""How patient a sender is: waits, circuits, keys that are missing."""

from __future__ import annotations

import random
import time

import pytest
from moody_receiver import MoodyReceiver

from khoj_ls.automation.sending import Pace, Sender
from khoj_ls.core.errors import SettingsError
from khoj_ls.store.deliveries import Deliveries

AT_ONCE = Pace(first=0.0, jitter=0.0, trip_after=1000)


@pytest.fixture
def queue(tmp_path):
    found = Deliveries(tmp_path / "queue.db")
    yield found
    found.close()


@pytest.fixture
def sender_to(queue, hook_to, secret):
    def make(receiver, pace=AT_ONCE, find=lambda name: secret, **changed):
        return Sender(hook_to(receiver, **changed), queue, find, pace, chance=random.Random(7))

    return make


def add(queue, count=1):
    return queue.add([("hook", "index.completed", b"{}")] * count, time.time() - 1, most=100)


@pytest.mark.parametrize(
    ("moods", "retries", "attempts", "state"),
    [
        ([], 3, 1, "arrived"),
        (["error", "cut"], 3, 3, "arrived"),
        (["error"] * 4, 3, 4, "failed"),
        (["error"], 0, 1, "failed"),
        (["HTTP/1.1 410 Gone\r\n\r\n"], 3, 1, "failed"),
        (["HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n"], 3, 1, "failed"),
    ],
)
def test_attempts(moods, retries, attempts, state, queue, sender_to, receiving):
    receiver = receiving(MoodyReceiver.scripted(moods))
    add(queue)
    sender = sender_to(receiver, retries=retries)
    for _ in range(6):
        sender.step()
    [found] = queue.latest(5)
    assert (found.state, found.attempts, len(receiver.received)) == (state, attempts, attempts)
    assert len({each.delivery for each in receiver.received}) == 1


def test_waits_grow_and_differ():
    pace = Pace()
    for attempts, middle in ((1, 10), (2, 40), (3, 160), (9, 3600)):
        waits = [pace.wait(attempts, random.Random(seed)) for seed in range(200)]
        assert middle * 0.5 <= min(waits) < middle * 0.6 and middle * 1.4 < max(waits) <= middle * 1.5
    assert [pace.open(failures, random.Random(1)) > 0 for failures in (1, 4, 5, 2000)] == [False, False, True, True]


def test_a_receiver_is_left_alone_for_as_long_as_it_wants(queue, sender_to, receiving):
    add(queue)
    sender_to(receiving(MoodyReceiver(lambda: "HTTP/1.1 503 Busy\r\nRetry-After: 1000\r\n\r\n"))).step()
    [found] = queue.latest(5)
    assert 990 < found.due - time.time() <= 1000


def test_an_open_circuit_costs_nobody_an_attempt(queue, sender_to, receiving):
    receiver = receiving(MoodyReceiver(lambda: "error"))
    add(queue, 9)
    sender = sender_to(receiver, Pace(first=0.0, jitter=0.0, trip_after=3, open_for=100.0), retries=20)
    pauses = [sender.step() for _ in range(6)]
    assert len(receiver.received) == 3
    assert pauses[:3] == [0, 0, 0] and min(pauses[3:]) > 0
    assert sum(each.attempts for each in queue.latest(20)) == 3
    assert 90 < queue.circuit("hook").open_until - time.time() <= 100


def test_one_that_arrives_closes_the_circuit(queue, sender_to, receiving):
    receiver = receiving(MoodyReceiver.scripted(["error", "error"]))
    add(queue, 3)
    sender = sender_to(receiver, Pace(first=0.0, jitter=0.0, trip_after=2, open_for=0.0), retries=20)
    for _ in range(6):
        sender.step()
    assert queue.circuit("hook").failures == 0
    assert queue.counts("hook") == {"waiting": 0, "arrived": 3, "failed": 0}


def refused(name):
    raise SettingsError("keys.toml can be read by others")


@pytest.mark.parametrize(
    ("find", "told"),
    [(lambda name: None, "there is no key WEBHOOK_KEY: khoj-ls config key WEBHOOK_KEY"), (refused, "can be read by others")],
)
def test_without_its_key_nothing_is_sent_and_nothing_counted(find, told, queue, sender_to, receiver):
    add(queue)
    sender_to(receiver, find=find).step()
    [found] = queue.latest(5)
    assert (found.state, found.attempts, receiver.received) == ("waiting", 0, [])
    assert told in found.error and found.due > time.time()
