"""A chat's turn on its way to a client: a thread of its own makes the events, whoever serves the client takes them.

What a client has not taken yet is kept as one piece of text: one that reads slowly, or not at all, holds no more than the
answer itself, and holds up nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from khoj_ls.chat.types import ChatEvent, Done, Failed, Source, Sources, Started, TextDelta
from khoj_ls.core.errors import KhojError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.wire.chat_events import event_to_wire
from khoj_ls.wire.chat_messages import AnyChatEvent, ChatDeltaEvent, ChatDoneEvent, ChatFailedEvent, ChatStarted, ShownFormat

log = logging.getLogger(__name__)

PACE_SECONDS = 1 / 30
"""Pieces of an answer that come faster than this are sent together."""

Follow = Callable[["Turn"], None]
"""Takes a turn over from the request that has begun it: its events are to be sent once that request is answered."""


def _nobody(hurry: bool) -> None:
    """Nobody listens yet."""


class Turn:
    """One turn under way. Thread-safe."""

    def __init__(self, root: Path, started: Started, format: ShownFormat | None = None) -> None:
        """A turn in the vault at `root` that `run` will answer; its last event shows the answer in `format`, too."""
        self.started = ChatStarted(started.conversation, started.turn)
        self.token = CancelToken()
        self._root = root
        self._format = format
        self._sources: tuple[Source, ...] = ()
        self._changed = threading.Condition()
        self._pending: deque[ChatEvent | list[str]] = deque()
        self._seq = 0
        self._listener: Callable[[bool], None] = _nobody

    def run(self, events: Iterator[ChatEvent], ended: Callable[[], None]) -> None:
        """Answer in a thread of its own: put what `events` yields, up to the end; then call `ended`."""
        thread = threading.Thread(target=self._run, args=(events, ended), name="khoj-chat", daemon=True)
        thread.start()

    def cancel(self) -> None:
        """Call the turn off; it ends with `Failed`, if it has not ended."""
        self.token.cancel()

    def put(self, event: ChatEvent) -> None:
        """Add an event; pieces of text that nobody has taken yet become one."""
        with self._changed:
            if not isinstance(event, TextDelta):
                self._pending.append(event)
            elif self._pending and isinstance(last := self._pending[-1], list):
                last.append(event.text)
            else:
                self._pending.append([event.text])
            self._changed.notify_all()
            listener = self._listener
        listener(not isinstance(event, TextDelta))

    def take(self, seconds: float = 0.0) -> AnyChatEvent | None:
        """The next event, waited for up to `seconds`; None when there is none."""
        with self._changed:
            if not self._pending:
                self._changed.wait_for(lambda: bool(self._pending), seconds)
            if not self._pending:
                return None
            event = self._pending.popleft()
            self._seq += 1
            seq = self._seq
            if isinstance(event, Sources):
                self._sources = event.sources
            sources = self._sources
        said = TextDelta("".join(event)) if isinstance(event, list) else event
        return event_to_wire(self._root, self.started, seq, said, self._format, sources)

    @property
    def hurries(self) -> bool:
        """Whether more than pieces of text waits to be taken."""
        with self._changed:
            return any(not isinstance(event, list) for event in self._pending)

    def listen(self, listener: Callable[[bool], None]) -> None:
        """Call `listener` whenever something is there to be taken; with True when it is more than a piece of text."""
        with self._changed:
            self._listener = listener

    def _run(self, events: Iterator[ChatEvent], ended: Callable[[], None]) -> None:
        end: ChatEvent | None = None
        try:
            for event in events:
                if isinstance(event, (Done, Failed)):
                    end = event  # told when all else is over: the client may go on at once
                else:
                    self.put(event)
        except Exception as error:  # the boundary of the thread: the client hears of it, and the turn has its end
            log.error("a turn failed", exc_info=error)
        try:
            ended()
        except Exception as error:  # likewise
            log.error("a turn could not be put away", exc_info=error)
        self.put(end or Failed("internal error; the log says more: khoj-ls daemon logs", KhojError.code))


async def forward(turn: Turn, send: Callable[[AnyChatEvent], Awaitable[None]]) -> None:
    """Send a turn's events as they come, up to the last; pieces of text at most 30 times a second, all else at once.

    Where that ends early - `send` fails, or this is cancelled - the turn is called off.
    """
    loop = asyncio.get_running_loop()
    ready, hurry = asyncio.Event(), asyncio.Event()

    def wake(hurries: bool) -> None:
        ready.set()
        if hurries:
            hurry.set()

    def listener(hurries: bool) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is there to be told
            loop.call_soon_threadsafe(wake, hurries)

    turn.listen(listener)
    try:
        while True:
            ready.clear()
            event = turn.take()
            if event is None:
                await ready.wait()
                continue
            await send(event)
            if isinstance(event, (ChatDoneEvent, ChatFailedEvent)):
                return
            hurry.clear()
            if isinstance(event, ChatDeltaEvent) and not turn.hurries:
                with contextlib.suppress(asyncio.TimeoutError, TimeoutError):
                    await asyncio.wait_for(hurry.wait(), PACE_SECONDS)
    finally:
        turn.listen(_nobody)
        turn.cancel()
