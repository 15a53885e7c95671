"""A turn between the thread that makes its events and the client that is sent them."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from khoj_ls.chat.types import Done, Failed, Source, Sources, Started, Status, TextDelta
from khoj_ls.wire.turns import Turn, forward

SOURCE = Source(1, "a b.md", "A", ("A", "Part"), 3, 5, "text", 0.123456)


def turn_of(events=(), *, run=True):
    turn = Turn(Path("/notes"), Started("c", "t"))
    ended = threading.Event()
    if run:
        turn.run(iter(events), ended.set)
        assert ended.wait(10)
    return turn


def taken(turn):
    """All events, up to the last."""
    events = []
    while not events or events[-1].kind not in ("done", "failed"):
        event = turn.take(10)
        assert event is not None, "the turn has no end"
        events.append(event)
    assert turn.take() is None
    return events


def test_events_are_numbered_and_carry_the_ids():
    events = taken(turn_of([Sources((SOURCE,)), Status("asking"), TextDelta("a"), Done("a")]))
    assert [(each.kind, each.seq, each.conversation, each.turn) for each in events] == [
        (kind, number, "c", "t") for number, kind in enumerate(("sources", "status", "delta", "done"), 1)
    ]
    (source,) = events[0].sources
    assert (source.uri, source.path, source.score) == ("file:///notes/a%20b.md", "a b.md", 0.1235)
    assert (source.range.start.line, source.range.end.line) == (2, 5)


def test_pieces_that_nobody_took_are_one_piece():
    events = taken(turn_of([Sources(()), *(TextDelta(str(number % 10)) for number in range(1000)), Done("x")]))
    assert [each.kind for each in events] == ["sources", "delta", "done"]
    assert events[1].text == "0123456789" * 100


def test_pieces_before_and_after_a_status_stay_apart():
    events = taken(turn_of([TextDelta("a"), TextDelta("b"), Status("more"), TextDelta("c"), Failed("m", "khoj.model", "abc")]))
    assert [getattr(each, "text", each.kind) for each in events] == ["ab", "status", "c", "abc"]


@pytest.mark.parametrize("events", [[Sources(())], []], ids=["no end", "nothing"])
def test_a_turn_without_an_end_has_failed(events):
    assert taken(turn_of(events))[-1].code == "khoj.error"


def test_a_turn_that_breaks_has_failed_without_a_word_of_what_broke_it():
    def broken():
        yield TextDelta("a")
        raise ValueError("a sentence out of a note")

    *_, last = taken(turn_of(broken()))
    assert (last.kind, last.code) == ("failed", "khoj.error")
    assert "sentence" not in last.message


def test_a_turn_that_cannot_be_put_away_has_its_end():
    def not_ended():
        raise OSError

    turn = turn_of(run=False)
    turn.run(iter([TextDelta("a"), Done("a")]), not_ended)
    assert [each.kind for each in taken(turn)] == ["delta", "done"]


def test_the_turn_is_over_before_its_end_is_told():
    turn, over, seen = Turn(Path("/notes"), Started("c", "t")), threading.Event(), []
    turn.listen(lambda hurry: seen.append(over.is_set()))
    turn.run(iter([TextDelta("a"), Done("a")]), over.set)
    assert [each.kind for each in taken(turn)] == ["delta", "done"]
    assert seen == [False, True]


class Client:
    """Keeps what it is sent; reads when it is let."""

    def __init__(self):
        self.events = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.asked = asyncio.Event()

    async def send(self, event):
        self.asked.set()
        await self.reads.wait()
        self.events.append(event)


@pytest.mark.asyncio
async def test_the_first_piece_goes_at_once_and_fast_ones_go_together():
    client, turn, loop = Client(), turn_of(run=False), asyncio.get_running_loop()
    sending = asyncio.create_task(forward(turn, client.send))
    begun = loop.time()
    for _ in range(200):
        turn.put(TextDelta("x"))
        await asyncio.sleep(0.001)  # a model that writes faster than a client is told
    turn.put(Done("x" * 200))
    await asyncio.wait_for(sending, 10)
    *pieces, last = client.events
    assert pieces[0].text.strip("x") == "" and len(pieces[0].text) < 10
    assert sum(len(each.text) for each in pieces) == 200
    assert last.kind == "done"
    assert [each.seq for each in client.events] == list(range(1, len(client.events) + 1))
    assert len(pieces) <= (loop.time() - begun) * 30 + 2


@pytest.mark.asyncio
async def test_a_client_that_does_not_read_holds_one_piece_and_misses_nothing():
    client, turn = Client(), turn_of(run=False)
    client.reads.clear()
    sending = asyncio.create_task(forward(turn, client.send))
    turn.put(Sources(()))
    await client.asked.wait()
    for number in range(10_000):
        turn.put(TextDelta(f"{number} "))
    assert len(turn._pending) == 1
    turn.put(Done("all"))
    client.reads.set()
    await asyncio.wait_for(sending, 10)
    assert [each.kind for each in client.events] == ["sources", "delta", "done"]
    assert client.events[1].text.split()[-1] == "9999"


@pytest.mark.asyncio
@pytest.mark.parametrize("how", ["fails", "is cancelled"])
async def test_a_client_that_is_gone_calls_the_turn_off(how):
    turn, asked = turn_of(run=False), asyncio.Event()

    async def send(event):
        asked.set()
        if how == "fails":
            raise ConnectionResetError
        await asyncio.Event().wait()

    sending = asyncio.create_task(forward(turn, send))
    turn.put(Sources(()))
    await asked.wait()
    if how == "is cancelled":
        sending.cancel()
    await asyncio.wait({sending})
    assert turn.token.cancelled
    sending.exception() if how == "fails" else None
