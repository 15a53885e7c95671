"""Chat models in GGUF files, run by llama.cpp in a worker process: no other program, no connection to anywhere."""

from __future__ import annotations

import importlib.util
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

import msgspec

from khoj_ls.core.chat import Delta, Finished, Message, ModelCard, Sampling
from khoj_ls.core.errors import ModelError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.llm.asking import tokens_of
from khoj_ls.llm.connection import Connection, Service
from khoj_ls.llm.counting import Counter, estimate
from khoj_ls.llm.gguf_worker import Start, Started
from khoj_ls.llm.openai_compatible import OpenAiCompatible
from khoj_ls.llm.streaming import Patience
from khoj_ls.workers.child import Child, ChildGone

MISSING = "models in GGUF files need the extra `local`: pip install 'khoj-ls[local]'"
_LOAD_SECONDS = 600.0
_LOOK_SECONDS = 0.05
_MOST_THREADS = 8

Connect = Callable[[Service, str], Connection]
"""Makes a connection to a service with a key of its own."""


class GgufModel:
    """A core.chat.ChatModel that runs here. Making one starts nothing; the worker starts with the first question or count."""

    def __init__(
        self,
        card: ModelCard,
        path: Path,
        connect: Connect,
        patience: Patience,
        *,
        threads: int,
        nice: int,
        idle_seconds: float,
    ) -> None:
        """Run the model in `path` with `threads` (0: one per core), and unload it after `idle_seconds` without a question."""
        self.card = card
        self.host = ""
        self.remote = False
        self._path = path
        self._connect = connect
        self._patience = patience
        self._threads = threads or min(_MOST_THREADS, os.cpu_count() or 1)
        self._nice = nice
        self._idle_seconds = idle_seconds
        self._lock = threading.RLock()
        self._running: Future[tuple[Child, OpenAiCompatible]] | None = None
        self._under_way = 0
        self._used = 0.0
        self._idle: threading.Timer | None = None

    def __repr__(self) -> str:
        return f"GgufModel({self.card.id})"

    def count(self, text: str) -> int:
        """Tokens of `text`: exact as soon as the model is loaded. Until then an estimate, while it loads.

        One that could not be loaded is not tried again for a count: the next question does that.
        """
        with self._lock:
            running = self._start(retry=False)
        if not running.done() or running.exception() is not None:
            return estimate(text)
        return running.result()[1].count(text)

    def stream(self, messages: Sequence[Message], sampling: Sampling, token: CancelToken) -> Iterator[Delta | Finished]:
        """The answer (see core.chat.ChatModel); the first one waits until the model is loaded."""
        token.raise_if_cancelled()
        with self._lock:
            self._under_way += 1
            running = self._start()
        try:
            while not running.done():
                token.wait(_LOOK_SECONDS)
                token.raise_if_cancelled()
            yield from running.result()[1].stream(messages, sampling, token)
        finally:
            with self._lock:
                self._under_way -= 1
                self._used = time.monotonic()

    def close(self) -> None:
        """Unload the model: its process ends, and answers under way with it."""
        with self._lock:
            running, self._running = self._running, None
            if self._idle is not None:
                self._idle.cancel()
                self._idle = None
        if running is not None:
            running.add_done_callback(_end)

    def _start(self, *, retry: bool = True) -> Future[tuple[Child, OpenAiCompatible]]:
        """The worker that runs or is starting; another one where it ended, and with `retry` where it could not start."""
        self._used = time.monotonic()
        running = self._running
        if running is not None and not running.done():
            return running
        if running is not None and (not retry if running.exception() else running.result()[0].alive):
            return running
        started: Future[tuple[Child, OpenAiCompatible]] = Future()
        self._running = started
        if self._idle is None or not self._idle.is_alive():
            self._look_again(self._idle_seconds)
        threading.Thread(target=self._load, args=(started,), name="khoj-chat-load", daemon=True).start()
        return started

    def _load(self, started: Future[tuple[Child, OpenAiCompatible]]) -> None:
        try:
            loaded = self._loaded()
            self._used = time.monotonic()
            started.set_result(loaded)
        except BaseException as error:  # noqa: BLE001  # a thread's edge: whoever waits for the model is told
            started.set_exception(error)

    def _loaded(self) -> tuple[Child, OpenAiCompatible]:
        if importlib.util.find_spec("xllamacpp") is None:
            raise ModelError(MISSING)
        if not self._path.is_file():
            raise ModelError(f"there is no file {self._path}: choose a model in GGUF format")
        key = secrets.token_urlsafe(32)
        child = Child("khoj_ls.llm.gguf_worker")
        try:
            child.send(Start(str(self._path), self.card.window, self._threads, self._nice, key))
            started = msgspec.msgpack.decode(child.receive(_LOAD_SECONDS), type=Started)
        except (ChildGone, msgspec.MsgspecError) as error:
            child.close()
            raise ModelError(f"{self._path.name} cannot be run: its process ended; is there enough memory?") from error
        if started.error:
            child.close()
            raise ModelError(
                MISSING if started.error == "missing" else f"{self._path.name} cannot be run ({started.error}): is it whole?"
            )
        service = Service("local", f"http://127.0.0.1:{started.port}/v1", start="the process of the model ended: ask again")
        connection = self._connect(service, key)
        counter = Counter(lambda text: tokens_of(connection, self.card.name, text))
        return child, OpenAiCompatible(self.card, connection, self._patience, counter=counter)

    def _look_again(self, seconds: float) -> None:
        self._idle = threading.Timer(seconds, self._unload)
        self._idle.daemon = True
        self._idle.start()

    def _unload(self) -> None:
        """End a worker that nobody has asked for long enough; else look again when that may be so."""
        with self._lock:
            if self._running is None:
                return
            busy = self._under_way or not self._running.done()
            left = self._idle_seconds if busy else self._used + self._idle_seconds - time.monotonic()
            if left <= 0:
                self.close()
            else:
                self._look_again(left)


def _end(running: Future[tuple[Child, OpenAiCompatible]]) -> None:
    if running.exception() is None:
        running.result()[0].close()
