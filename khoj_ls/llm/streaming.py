"""One answer under way: an event loop in a thread of its own, which can be called off from anywhere, whatever the service does.

The thread looks at the token every few hundredths of a second, so a service that is silent, or a reader that is busy, delays
no cancelling; what is cancelled closes its connection. The thread ends with the answer.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass

from khoj_ls.core.chat import Delta, Finished
from khoj_ls.core.errors import Cancelled, KhojError, ModelError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.llm.connection import Connection
from khoj_ls.llm.failures import Trouble, broken, silent
from khoj_ls.models.endpoint import pause_before_next

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.03
"""How often a thread looks whether it was called off."""
_END_SECONDS = 0.1
"""How long whoever closes an answer waits for its thread: he is promised that it takes less than 200 ms."""
_CLOSING_SECONDS = 1.0
"""How long the thread waits for the service's connection to be closed in order."""
_LONGEST_PAUSE = 60.0
"""A service that wants to be left alone for longer is given up for now."""
_AHEAD = 2000
"""Pieces that are kept for a reader that is slower than the service."""
_MOST_CHARACTERS = 8_000_000
"""An answer longer than this is none."""

Piece = Delta | Finished | None
"""None: the service has said something that is no text, so it is alive."""
Ask = Callable[[], AsyncGenerator[Piece, None]]
"""One try at an answer. Raises Trouble."""


@dataclass(frozen=True)
class Patience:
    """How long and how often a service is waited for."""

    silence: float
    """Seconds without a piece after which an answer under way is given up."""
    tries: int
    slow_start: bool = False
    """Whether much comes before the first piece: a model on this machine reads the question at its pace, others think."""

    @property
    def first(self) -> float:
        """Seconds to wait for the first piece."""
        return self.silence * 10 if self.slow_start else self.silence


def stream(ask: Ask, connection: Connection, patience: Patience, token: CancelToken) -> Iterator[Delta | Finished]:
    """The pieces of an answer as they arrive, `Finished` last. Raises Cancelled, ModelError (see core.chat.ChatModel)."""
    token.raise_if_cancelled()
    answer = _Answer(ask, connection, patience, token)
    try:
        while True:
            piece = answer.next()
            yield piece
            if isinstance(piece, Finished):
                return
    finally:
        answer.close()


class _Answer:
    def __init__(self, ask: Ask, connection: Connection, patience: Patience, token: CancelToken) -> None:
        self._ask = ask
        self._connection = connection
        self._patience = patience
        self._token = token
        self._closed = threading.Event()
        self._queue: queue.Queue[Delta | Finished | BaseException] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="khoj-chat-answer", daemon=True)
        self._thread.start()

    def next(self) -> Delta | Finished:
        """The next piece."""
        while True:
            try:
                item = self._queue.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                # The thread may be held up where no cancelling reaches it: the first import of a library.
                self._token.raise_if_cancelled()
                continue
            if isinstance(item, BaseException):
                raise item
            self._token.raise_if_cancelled()
            return item

    def close(self) -> None:
        """End the request, if it is under way."""
        self._closed.set()
        self._thread.join(_END_SECONDS)

    def _run(self) -> None:
        try:
            asyncio.run(self._drive())
        except KhojError as error:
            self._queue.put(error)
        except BaseException as error:  # a thread's edge: the reader is told instead of waiting for ever
            log.exception("an answer of %s failed", self._connection.service.provider)
            self._queue.put(ModelError(f"{self._connection.host}: {type(error).__name__}; the log says more"))

    async def _drive(self) -> None:
        task = asyncio.ensure_future(self._tries())
        while not task.done():
            await asyncio.wait({task}, timeout=_LOOK_SECONDS)
            if self._token.cancelled or self._closed.is_set():
                task.cancel()
                self._queue.put(Cancelled("cancelled"))
                await asyncio.wait({task}, timeout=_CLOSING_SECONDS)
                return
        task.result()

    async def _tries(self) -> None:
        for attempt in range(self._patience.tries):
            begun = [False]
            try:
                await self._try(begun)
                return
            except Trouble as trouble:
                pause = pause_before_next(attempt, trouble.asked)
                if begun[0] or not trouble.again or attempt + 1 == self._patience.tries or pause > _LONGEST_PAUSE:
                    raise trouble.error from None
            await asyncio.sleep(pause)

    async def _try(self, begun: list[bool]) -> None:
        """One try; `begun[0]` is set with the first piece, after which there is no other."""
        length = 0
        async with aclosing(self._ask()) as pieces:
            while True:
                silence = self._patience.silence if begun[0] else self._patience.first
                try:
                    piece = await asyncio.wait_for(anext(pieces), silence)
                except asyncio.TimeoutError:
                    raise silent(self._connection) from None
                except StopAsyncIteration:
                    raise broken(self._connection) from None
                if piece is None:
                    continue
                begun[0] = True
                if isinstance(piece, Delta):
                    length += len(piece.text)
                    if length > _MOST_CHARACTERS:
                        raise Trouble(ModelError(f"{self._connection.host} does not end its answer: it was stopped"))
                while self._queue.qsize() > _AHEAD:
                    await asyncio.sleep(_LOOK_SECONDS)
                self._queue.put(piece)
                if isinstance(piece, Finished):
                    return
