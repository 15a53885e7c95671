"""The encoder as the rest of the program sees it: start on first need, one worker for all vaults, gone when idle."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
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
from khoj_ls.embed.attempts import Attempts
from khoj_ls.embed.client import POLL_SECONDS, WORKER_ENVIRONMENT, Ticket, WorkerClient
from khoj_ls.embed.messages import Load, ModelFile, Ready, Reply, Step, Unusable
from khoj_ls.embed.prepare import folder_of, read_current
from khoj_ls.embed.presets import ModelSpec, resolve_model
from khoj_ls.embed.remote import RemoteEncoder, is_loopback
from khoj_ls.embed.tokenizer import load_tokenizer
from khoj_ls.workers.child import Child, ChildGone

State = Literal["off", "preparing", "loading", "ready", "failed"]
OnVectors = Callable[[Sequence[int], Sequence[Vector]], None]
"""Hears of each batch: the places of its texts, and their vectors."""

_CACHED_QUERIES = 256
_PREPARE_SECONDS = 900.0


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
        """Serve the model that `settings` name; prepared models are kept in `models_folder`.

        `environment` holds the keys and proxies for a remote model, and may grow while the service lives.
        """
        self.settings = settings
        self._models = models_folder
        self._nice = nice
        self._environment = environment if environment is not None else {}
        self._lock = threading.RLock()
        self._prepare_lock = threading.Lock()
        self._worker: WorkerClient | None = None
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
            prefixes = f" {self.spec.document_prefix!r}" if self.spec.document_prefix else ""
            return f"{self.spec.source} {self.settings.remote_model} {self.spec.dimensions}{prefixes}"
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
            # A token has at least one byte, so this leaves room for the prefix whatever it is made of.
            return "", self.spec.max_tokens - len((self.spec.document_prefix or "").encode())
        self._known()
        return str(folder_of(self._models, self.spec)), self.max_tokens

    def prepare(self, progress: ProgressCallback | None = None, token: CancelToken | None = None) -> None:
        """Make the model ready for use, once: seconds to a minute. Raises ModelError, Cancelled."""
        while not self._prepare_lock.acquire(timeout=POLL_SECONDS):
            if token:
                token.raise_if_cancelled()
        try:
            if self.prepared:
                return
            self._preparing = True
            self._prepare(progress, token)
            self._error = None
        except ModelError as error:
            self._error = str(error)
            raise
        finally:
            self._preparing = False
            self._prepare_lock.release()

    # -- work ------------------------------------------------------------------------------------------------------

    def embed_documents(
        self, texts: Sequence[str], token: CancelToken | None = None, on_vectors: OnVectors | None = None
    ) -> list[Vector]:
        """Vectors of `texts`, in order; `on_vectors` hears of each batch as soon as it is there.

        Many texts at once are cut into better batches than few. Stops between two batches. Raises ModelError, Cancelled.
        """
        if self.spec.remote:
            prefix = self.spec.document_prefix or ""
            return self._remote_encoder().embed_documents([prefix + text for text in texts], token, on_vectors)
        self.prepare(None, token)
        prefix = self._known().document_prefix
        return self._embed([prefix + text for text in texts], False, token or CancelToken(), None, on_vectors)

    def embed_query(self, text: str, timeout: float | None = None, token: CancelToken | None = None) -> Vector:
        """Vector of a search query; asked again it comes from memory. Raises ModelError, also after `timeout` seconds."""
        with self._lock:
            known = self._queries.get(text)
            if known is not None:
                self._queries.move_to_end(text)
                return known
        if self.spec.remote:
            vector = self._remote_encoder().embed_query((self.spec.query_prefix or "") + text, timeout)
        else:
            query = self._known().query_prefix + text
            [vector] = self._embed([query], True, token or CancelToken(), timeout, None)
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
                    self._running(CancelToken(), math.inf)

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
        # One that was deleted since is prepared anew.
        if self._model is None or not folder_of(self._models, self.spec).is_dir():
            self._model = read_current(self._models, self.spec)
        return self._model

    def _known(self) -> ModelFile:
        model = self._read()
        if model is None:
            raise ModelError(self._error or "the embedding model is still being prepared")
        return model

    def _prepare(self, progress: ProgressCallback | None, token: CancelToken | None) -> None:
        child = Child("khoj_ls.embed.prepare", environment=dict(WORKER_ENVIRONMENT))
        done = threading.Event()
        if token:
            threading.Thread(target=_end_when_cancelled, args=(child, token, done), daemon=True).start()
        try:
            child.send((self.spec, str(self._models), self._nice))
            while True:
                reply = msgspec.msgpack.decode(child.receive(_PREPARE_SECONDS), type=Reply)
                if isinstance(reply, Unusable):
                    raise ModelError(reply.error)
                if isinstance(reply, Ready):
                    return
                if isinstance(reply, Step) and progress:
                    progress(Progress("model", reply.done, reply.total, reply.message))
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

    def _embed(
        self, texts: list[str], query: bool, token: CancelToken, timeout: float | None, on_vectors: OnVectors | None
    ) -> list[Vector]:
        until = math.inf if timeout is None else time.monotonic() + timeout
        vectors: list[Vector] = [b""] * len(texts)
        attempts = Attempts(len(texts))
        while attempt := attempts.next():
            token.raise_if_cancelled()
            worker = self._running(token, until)
            left = list(attempt.places)
            ticket: Ticket | None = None
            try:
                ticket = worker.ask([texts[place] for place in attempt.places], query=query, alone=attempt.alone)
                for answer in ticket.batches(token, until):
                    attempts.arrived()
                    places = [attempt.places[place] for place in answer.places]
                    for place, vector in zip(places, answer.vectors, strict=True):
                        vectors[place] = vector
                    if on_vectors:
                        on_vectors(places, answer.vectors)
            except ChildGone:
                left = [attempt.places[place] for place in sorted(ticket.missing)] if ticket else left
                self._ended(attempts, worker, ticket, attempt.places, left, texts)
            finally:
                if ticket:
                    worker.drop(ticket)
        return vectors

    def _ended(
        self,
        attempts: Attempts,
        worker: WorkerClient,
        ticket: Ticket | None,
        sent: list[int],
        left: list[int],
        texts: list[str],
    ) -> None:
        mine, others = worker.computing(ticket) if ticket else (set[int](), False)
        try:
            guilty = attempts.ended(left, {sent[place] for place in mine}, others=others)
        except RuntimeError as error:
            raise ModelError(f"the encoder does not stay up: {error}; `khoj-ls daemon logs` says more") from error
        if guilty is not None:
            sample = " ".join(texts[guilty].split())[:60]
            raise ModelError(f"the encoder ended twice while embedding the text that begins with {sample!r}")

    def _running(self, token: CancelToken, until: float) -> WorkerClient:
        """The worker, started if it is not, with its model loaded. Raises ModelError, Cancelled."""
        self._known()
        with self._lock:
            if self._closed:
                raise ModelError("the encoder is closed")
            if self._worker is None or not self._worker.alive:
                self._worker = self._start()
            worker = self._worker
        worker.wait_loaded(token, until)
        if worker.error:
            self._error = worker.error
            self._model = None  # its folder may be gone: then it is prepared anew
            raise ModelError(worker.error)
        self._error = None
        return worker

    def _start(self) -> WorkerClient:
        load = Load(
            folder=str(folder_of(self._models, self.spec)),
            threads=self.settings.threads or min(4, _cores()),
            batch_tokens=self.settings.batch_tokens,
            batch_texts=self.spec.batch,
            nice=self._nice,
        )
        return WorkerClient(load, self.settings.idle_unload_seconds)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _end_when_cancelled(child: Child, token: CancelToken, done: threading.Event) -> None:
    while not done.is_set():
        if token.wait(POLL_SECONDS):
            if not done.is_set():
                child.kill()
            return
