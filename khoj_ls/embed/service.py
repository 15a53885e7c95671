"""The encoder as the rest of the program sees it: start on first need, one worker for all vaults, gone when idle."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import psutil

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.core.errors import Cancelled, ModelError
from khoj_ls.core.jobs import CancelToken, Progress, ProgressCallback
from khoj_ls.core.protocols import Tokenizer
from khoj_ls.core.types import Vector
from khoj_ls.embed.messages import Embed, ModelFile, Reply
from khoj_ls.embed.prepare import folder_of, read_model
from khoj_ls.embed.presets import ModelSpec, resolve_model
from khoj_ls.embed.remote import RemoteEncoder, is_loopback
from khoj_ls.embed.tokenizer import load_tokenizer
from khoj_ls.workers.child import Child, ChildGone

State = Literal["off", "preparing", "loading", "ready", "failed"]

_PIECE = 64
"""Texts in one message: few enough that cancelling and crashing cost less than a second or two."""
_CACHED_QUERIES = 256
_PREPARE_SECONDS = 900.0
_LOAD_SECONDS = 120.0
_WORKER_ENVIRONMENT = (
    ("HF_HUB_OFFLINE", "1"),
    ("TRANSFORMERS_OFFLINE", "1"),
    ("HF_HUB_DISABLE_TELEMETRY", "1"),
    ("TOKENIZERS_PARALLELISM", "false"),
    ("TQDM_DISABLE", "1"),
)


@dataclass(frozen=True)
class EncoderStatus:
    """How the encoder is."""

    state: State
    pid: int | None
    rss_bytes: int
    model: str
    backend: str | None
    error: str | None = None


class EncoderService:
    """A bi-encoder (core.protocols.EmbeddingModel) in a worker process. Thread-safe; making one starts nothing."""

    def __init__(
        self,
        settings: EmbeddingSettings,
        models_folder: Path,
        *,
        nice: int = 10,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Serve the model that `settings` name; prepared models are kept in `models_folder`."""
        self.settings = settings
        self._models = models_folder
        self._nice = nice
        self._environment = environment if environment is not None else {}
        self._lock = threading.RLock()
        self._prepare_lock = threading.Lock()
        self._worker: _Worker | None = None
        self._remote: RemoteEncoder | None = None
        self._model: ModelFile | None = None
        self._preparing = False
        self._error: str | None = None
        self._queries: OrderedDict[str, Vector] = OrderedDict()
        self._closed = False

    # -- the model -------------------------------------------------------------------------------------------------

    @functools.cached_property
    def spec(self) -> ModelSpec:
        """What the settings mean. Raises ModelError."""
        return resolve_model(self.settings)

    @property
    def prepared(self) -> bool:
        """Whether everything about the model is known and on disk."""
        return self.spec.remote or self._read() is not None

    @property
    def id(self) -> str:
        """Names the weights and all that changes a vector. Raises ModelError before the model is prepared."""
        if self.spec.remote:
            return f"{self.spec.source} {self.settings.remote_model} {self.spec.dimensions}"
        return self._known().id

    @property
    def dimensions(self) -> int:
        """Length of the vectors."""
        return self.spec.dimensions if self.spec.remote else self._known().dimensions

    @property
    def max_tokens(self) -> int:
        """Longest input in tokens."""
        return self.spec.max_tokens if self.spec.remote else self._known().max_tokens

    @property
    def remote(self) -> str:
        """Where texts are sent; empty for a model on this machine, an endpoint on loopback included."""
        return self.spec.source if self.spec.remote and not is_loopback(self.spec.source) else ""

    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer, loaded in this process."""
        return load_tokenizer(*self.tokenizer_source())

    def tokenizer_source(self) -> tuple[str, int]:
        """What `load_tokenizer` wants, for another process."""
        if self.spec.remote:
            return "", self.spec.max_tokens
        self._known()
        return str(folder_of(self._models, self.spec)), self.max_tokens

    def prepare(self, progress: ProgressCallback | None = None, token: CancelToken | None = None) -> None:
        """Make the model ready for use, once: seconds to a minute. Raises ModelError, Cancelled."""
        with self._prepare_lock:
            if self.prepared:
                return
            self._preparing = True
            try:
                self._prepare(progress, token)
                self._error = None
            except ModelError as error:
                self._error = str(error)
                raise
            finally:
                self._preparing = False

    # -- work ------------------------------------------------------------------------------------------------------

    def embed_documents(self, texts: Sequence[str], token: CancelToken | None = None) -> list[Vector]:
        """Vectors of `texts`, in order; stops between small pieces. Raises ModelError, Cancelled."""
        if self.spec.remote:
            return self._remote_encoder().embed([self.spec.document_prefix + text for text in texts], token)
        self.prepare(None, token)
        prefix = self._known().document_prefix
        vectors: list[Vector] = []
        for start in range(0, len(texts), _PIECE):
            if token:
                token.raise_if_cancelled()
            vectors += self._ask([prefix + text for text in texts[start : start + _PIECE]], query=False)
        return vectors

    def embed_query(self, text: str, timeout: float | None = None) -> Vector:
        """Vector of a search query; asked again it comes from memory. Raises ModelError, also after `timeout` seconds."""
        with self._lock:
            known = self._queries.get(text)
            if known is not None:
                self._queries.move_to_end(text)
                return known
        if self.spec.remote:
            [vector] = self._remote_encoder().embed([self.spec.query_prefix + text], timeout=timeout)
        else:
            [vector] = self._ask([self._known().query_prefix + text], query=True, timeout=timeout)
        with self._lock:
            self._queries[text] = vector
            while len(self._queries) > _CACHED_QUERIES:
                self._queries.popitem(last=False)
        return vector

    def warm(self) -> None:
        """Start the worker in the background, so that the first query finds it ready."""

        def start() -> None:
            with contextlib.suppress(ModelError):  # asked for by nobody: whoever needs it hears the reason
                if not self.spec.remote and self.prepared:
                    self._running()

        threading.Thread(target=start, name="khoj-warm", daemon=True).start()

    def status(self) -> EncoderStatus:
        """How the worker is."""
        worker = self._worker
        state: State = "off"
        pid = None
        rss = 0
        if self._preparing:
            state = "preparing"
        elif worker is not None and worker.alive:
            state = "ready" if worker.ready.is_set() else "loading"
            pid = worker.pid
            with contextlib.suppress(psutil.Error):
                rss = psutil.Process(pid).memory_info().rss
        elif self._error:
            state = "failed"
        model = self._model
        return EncoderStatus(state, pid, rss, self.settings.model, model.backend if model else None, self._error)

    def close(self) -> None:
        """End the worker."""
        with self._lock:
            self._closed = True
            worker, self._worker = self._worker, None
            if self._remote:
                self._remote.close()
        if worker:
            worker.close()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _read(self) -> ModelFile | None:
        if self._model is None:
            self._model = read_model(folder_of(self._models, self.spec))
        return self._model

    def _known(self) -> ModelFile:
        model = self._read()
        if model is None:
            raise ModelError(self._error or "the embedding model is still being prepared")
        return model

    def _prepare(self, progress: ProgressCallback | None, token: CancelToken | None) -> None:
        steps = 0
        child = Child("khoj_ls.embed.prepare", environment=dict(_WORKER_ENVIRONMENT))
        done = threading.Event()
        if token:
            threading.Thread(target=_end_when_cancelled, args=(child, token, done), daemon=True).start()
        try:
            child.send((self.spec, str(self._models)))
            while True:
                reply = msgspec.msgpack.decode(child.receive(_PREPARE_SECONDS), type=Reply)
                if reply.error:
                    raise ModelError(reply.error)
                if reply.ready:
                    return
                if progress and reply.progress:
                    progress(Progress("model", steps, 2, reply.progress))
                steps += 1
        except ChildGone as error:
            if token and token.cancelled:
                raise Cancelled("cancelled while the model was being prepared") from error
            raise ModelError(
                "preparing the embedding model failed: its process ended; `khoj-ls daemon logs` says more"
            ) from error
        finally:
            done.set()
            child.close()

    def _remote_encoder(self) -> RemoteEncoder:
        with self._lock:
            if self._remote is None:
                self._remote = RemoteEncoder(self.settings, self._environment)
            return self._remote

    def _ask(self, texts: list[str], *, query: bool, timeout: float | None = None) -> list[Vector]:
        for attempt in range(2):
            try:
                return self._running(timeout).ask(texts, query=query, timeout=timeout)
            except ChildGone as error:
                if attempt:
                    sample = " ".join(max(texts, key=len).split())[:60]
                    raise ModelError(f"the encoder ended twice while embedding a text that begins with {sample!r}") from error
        raise AssertionError("unreachable")

    def _running(self, timeout: float | None = None) -> _Worker:
        """The worker, started if it is not. Raises ModelError."""
        self._known()
        with self._lock:
            if self._closed:
                raise ModelError("the encoder is closed")
            if self._worker is None or not self._worker.alive:
                self._worker = self._start()
            worker = self._worker
        if not worker.ready.wait(timeout if timeout is not None else _LOAD_SECONDS):
            raise ModelError("the embedding model is still being loaded")
        if worker.error:
            self._error = worker.error
            self._model = None  # its folder may be gone: then it is prepared anew
            raise ModelError(worker.error)
        self._error = None
        return worker

    def _start(self) -> _Worker:
        threads = self.settings.threads or min(4, os.cpu_count() or 1)
        arguments = (
            str(folder_of(self._models, self.spec)),
            str(threads),
            str(self.settings.batch_tokens),
            str(self._nice),
            self.settings.device,
        )
        environment = {**dict(_WORKER_ENVIRONMENT), "OMP_NUM_THREADS": str(threads)}
        return _Worker(Child("khoj_ls.embed.worker", arguments, environment=environment), self.settings.idle_unload_seconds)


class _Worker:
    """One running worker, and who waits for which of its answers."""

    def __init__(self, child: Child, idle_seconds: float) -> None:
        self._child = child
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._waiting: dict[int, _Answer] = {}
        self._next = 0
        self._last_used = time.monotonic()
        self._gone = False
        self.ready = threading.Event()
        self.error: str | None = None
        threading.Thread(target=self._read, name="khoj-encoder", daemon=True).start()
        threading.Thread(target=self._unload_when_idle, name="khoj-encoder-idle", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.alive and self.error is None

    def ask(self, texts: list[str], *, query: bool, timeout: float | None) -> list[Vector]:
        """Vectors of `texts`. Raises ChildGone, ModelError."""
        answer = _Answer()
        with self._lock:
            if self._gone:
                raise ChildGone(f"worker {self.pid} is gone")
            self._next += 1
            number = self._next
            self._waiting[number] = answer
            self._last_used = time.monotonic()
        # Half of a surrogate pair, which JSON may hold and UTF-8 may not, is sent as a question mark.
        self._child.send(Embed(number, [text.encode(errors="replace").decode() for text in texts], query))
        if not answer.done.wait(timeout):
            with self._lock:
                self._waiting.pop(number, None)
            raise ModelError(f"the embedding model did not answer within {timeout:g} s")
        if answer.reply is None:
            raise ChildGone(f"worker {self.pid} is gone")
        if answer.reply.error:
            raise ModelError(answer.reply.error)
        return answer.reply.vectors or []

    def close(self) -> None:
        self._child.close()

    def _read(self) -> None:
        try:
            while True:
                reply = msgspec.msgpack.decode(self._child.receive(), type=Reply)
                if reply.id == 0:
                    self.error = reply.error
                    self._last_used = time.monotonic()
                    self.ready.set()
                    continue
                with self._lock:
                    answer = self._waiting.pop(reply.id, None)
                    self._last_used = time.monotonic()
                if answer:
                    answer.reply = reply
                    answer.done.set()
        except ChildGone as error:
            if not self.ready.is_set():
                self.error = self.error or f"the encoder did not start ({error}): `khoj-ls daemon logs` says more"
                self.ready.set()
            with self._lock:
                self._gone = True
                waiting, self._waiting = list(self._waiting.values()), {}
            for answer in waiting:
                answer.done.set()

    def _unload_when_idle(self) -> None:
        while self._child.alive:
            with self._lock:
                busy = self._waiting or not self.ready.is_set()
                idle = 0.0 if busy else time.monotonic() - self._last_used
            if idle >= self._idle_seconds:
                self._child.close()
                return
            threading.Event().wait(max(0.05, min(5.0, self._idle_seconds - idle)))


class _Answer:
    """What one caller waits for."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.reply: Reply | None = None


def _end_when_cancelled(child: Child, token: CancelToken, done: threading.Event) -> None:
    while not done.is_set():
        if token.wait(0.1):
            if not done.is_set():
                child.kill()
            return
