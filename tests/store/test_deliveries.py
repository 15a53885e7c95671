"""The queue on the disk."""

from __future__ import annotations

import stat

import pytest

from khoj_ls.core.errors import StoreError
from khoj_ls.store.deliveries import KEPT_SECONDS, Deliveries

NOW = 1_800_000_000.0


@pytest.fixture
def queue(tmp_path):
    found = Deliveries(tmp_path / "webhooks" / "queue.db")
    yield found
    found.close()


def add(queue, *webhooks, at=NOW, most=100):
    return queue.add([(webhook, "index.completed", f"body for {webhook}".encode()) for webhook in webhooks], at, most=most)


def test_what_was_added_is_there_for_the_next_process(queue):
    [first, second] = add(queue, "a", "b")
    again = Deliveries(queue.path)
    delivery, body = again.next("b")
    assert (delivery.id, delivery.state, delivery.attempts, body) == (second, "waiting", 0, b"body for b")
    assert again.next("a")[0].id == first
    assert again.next("c") is None
    again.close()


def test_only_its_owner_can_read_it(queue):
    add(queue, "a")
    assert stat.S_IMODE(queue.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(queue.path.parent.stat().st_mode) == 0o700


def test_the_text_of_what_arrived_is_gone_from_the_disk(queue):
    queue.add([("a", "chat.message", b"the answer is Albatross")], NOW, most=9)
    queue.arrived(queue.next("a")[0], 204, NOW + 1)
    queue.close()
    assert all(b"Albatross" not in path.read_bytes() for path in queue.path.parent.iterdir())
    assert queue.counts("a") == {"waiting": 0, "arrived": 1, "failed": 0}


def test_they_come_in_the_order_in_which_they_are_due(queue):
    ids = [add(queue, "a", at=NOW + delay)[0] for delay in (0, 0, 5)]
    queue.failed(queue.next("a")[0], 500, "HTTP 500", NOW, due=NOW + 9, open_until=0)
    came = []
    while found := queue.next("a"):
        came.append(found[0].id)
        queue.arrived(found[0], 204, NOW)
    assert came == [ids[1], ids[2], ids[0]]


def test_a_full_queue_drops_and_counts_for_its_webhook_alone(queue):
    for _ in range(4):
        add(queue, "a", "b", most=2 if queue.counts("a")["waiting"] else 9)
    assert [queue.counts(name)["waiting"] + queue.circuit(name).dropped for name in "ab"] == [4, 4]
    assert queue.circuit("a").dropped == 2


def test_what_failed_can_be_sent_again(queue):
    [name] = add(queue, "a")
    for due in (NOW + 1, None):
        queue.failed(queue.next("a")[0], 500, "HTTP 500", NOW, due=due, open_until=NOW + 99)
    assert (queue.next("a"), queue.circuit("a").failures) == (None, 2)
    assert queue.retry(["ffff" if not name.startswith("ffff") else "0000"], NOW) == []
    assert queue.retry([name[:6]], NOW + 5) == [name]
    delivery, body = queue.next("a")
    assert (delivery.state, delivery.attempts, delivery.due, body) == ("waiting", 0, NOW + 5, b"body for a")
    assert queue.circuit("a").open_until == 0
    queue.arrived(delivery, 204, NOW)
    assert (queue.retry([name], NOW), queue.retry(None, NOW)) == ([], [])


def test_old_ones_are_forgotten(queue):
    add(queue, "a", at=NOW - KEPT_SECONDS - 1)
    add(queue, "a", at=NOW)
    queue.clear_old(NOW)
    assert [each.created for each in queue.latest(9)] == [NOW]


def test_a_damaged_file_is_kept_aside_and_a_new_one_made(queue):
    add(queue, "a")
    queue.close()
    queue.path.write_bytes(b"no database at all" * 1000)
    assert len(add(queue, "a")) == 1
    assert len(list(queue.path.parent.glob("queue.db.damaged-*"))) == 1


def test_one_of_a_newer_version_is_left_as_it_is(queue):
    import sqlite3

    add(queue, "a")
    queue.close()
    with sqlite3.connect(queue.path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="newer khoj-ls"):
        add(queue, "a")
