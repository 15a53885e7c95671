"""Second half of the meaning path: texts that wait get their vectors, one small batch and one transaction at a time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.core.errors import ModelError
from khoj_ls.core.types import Vector
from khoj_ls.indexing.models import Encoder, ModelInfo
from khoj_ls.indexing.task import Task
from khoj_ls.store.chunks import ActiveModel, PendingText, next_pending, pending_count, pending_tokens, store_vectors
from khoj_ls.store.database import Database

_GULP = 512
_MOST_TEXTS = 256
_MEMORY = 0.8


@dataclass(frozen=True)
class Batch:
    """Texts that are with the encoder."""

    texts: list[PendingText]
    begun: float
    task: Task[list[Vector]]


class Embedding:
    """The texts that wait and the batch that is being embedded. For the writer thread only."""

    def __init__(self, database: Database, encoder: Encoder, settings: EmbeddingSettings, wake: Callable[[], None]) -> None:
        """Embed with `encoder`; `wake` is called when a batch is through."""
        self._database = database
        self._encoder = encoder
        self._settings = settings
        self._wake = wake
        self._buffer: deque[PendingText] = deque()
        self._batch: Batch | None = None
        self._fresh = False
        self._rate = 0.0
        self.texts = 0
        """How many texts wait, about."""
        self.tokens = 0

    @property
    def running(self) -> bool:
        """Whether a batch is with the encoder, or its vectors are not stored yet."""
        return self._batch is not None

    @property
    def eta_seconds(self) -> float | None:
        """Until all texts have their vectors."""
        return self.tokens / self._rate if self._rate and self.tokens else None

    def refresh(self, *, urgent: bool = True) -> None:
        """New texts wait: with `urgent` they go before those already fetched."""
        self._fresh = False
        if urgent:
            self._buffer.clear()

    def clear(self) -> None:
        """All is done: what still waits is private and never goes to this model."""
        self.texts = self.tokens = 0

    def count(self, model: ActiveModel) -> tuple[int, int]:
        """Texts and tokens that wait, counted now."""
        with self._database.read() as connection:
            self.texts, self.tokens = pending_count(connection, model), pending_tokens(connection, model)
        return self.texts, self.tokens

    def may_send(self, info: ModelInfo) -> bool:
        """Whether the notes may go to where this model runs."""
        return not info.remote or self._settings.allow_remote

    def begin(self, model: ActiveModel, info: ModelInfo) -> bool:
        """Send the next batch, if none is under way; False when no text waits."""
        if self._batch or not self._fetch(model, info):
            return False
        texts = self._take()
        call = self._encoder.embed_documents
        self._batch = Batch(texts, time.monotonic(), Task(lambda: call([text.text for text in texts]), self._wake))
        return True

    def store(self, model: ActiveModel) -> int:
        """Store the vectors of a batch that is through; how many. Raises ModelError, and StoreError: then call it again."""
        batch = self._batch
        if batch is None or not batch.task.done:
            return 0
        try:
            vectors = batch.task.result()
            self._check(vectors, batch, model)
        except Exception:
            # The texts are still in the store's queue.
            self._batch = None
            self.refresh()
            raise
        with self._database.write() as connection:
            store_vectors(connection, model, zip((text.hash for text in batch.texts), vectors, strict=True))
        self._batch = None
        self._learn(batch)
        return len(batch.texts)

    def _check(self, vectors: list[Vector], batch: Batch, model: ActiveModel) -> None:
        if len(vectors) != len(batch.texts) or any(len(vector) != 4 * model.dimensions for vector in vectors):
            lengths = sorted({len(vector) // 4 for vector in vectors})
            raise ModelError(
                f"the model {model.name} returned {len(vectors)} vectors of {lengths} numbers for {len(batch.texts)} texts; "
                f"{model.dimensions} numbers each were expected: check embedding.model and embedding.remote_dimensions"
            )

    def _fetch(self, model: ActiveModel, info: ModelInfo) -> bool:
        """Have texts at hand. They are fetched many at a time: ordering a long queue costs more than a batch."""
        if not self._buffer and not self._fresh:
            with self._database.read() as connection:
                self._buffer.extend(next_pending(connection, model, _GULP, private=not info.remote))
            self.count(model)
            # A short catch was all there is; the next look is when something new is stored.
            self._fresh = len(self._buffer) < _GULP
        return bool(self._buffer)

    def _take(self) -> list[PendingText]:
        texts = [self._buffer.popleft()]
        longest = texts[0].tokens
        while self._buffer and len(texts) < _MOST_TEXTS:
            longest = max(longest, self._buffer[0].tokens)
            if longest * (len(texts) + 1) > self._settings.batch_tokens:
                break
            texts.append(self._buffer.popleft())
        return texts

    def _learn(self, batch: Batch) -> None:
        tokens = sum(text.tokens for text in batch.texts)
        rate = tokens / max(1e-3, time.monotonic() - batch.begun)
        self._rate = self._rate * _MEMORY + rate * (1 - _MEMORY) if self._rate else rate
        self.texts = max(0, self.texts - len(batch.texts))
        self.tokens = max(0, self.tokens - tokens)
