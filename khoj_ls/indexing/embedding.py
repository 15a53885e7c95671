"""Second half of the meaning path: texts that wait get their vectors, one small batch and one transaction at a time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.core.errors import ModelError
from khoj_ls.core.types import Vector
from khoj_ls.indexing.cutting import PRIORITY
from khoj_ls.indexing.models import Encoder, ModelInfo
from khoj_ls.indexing.queue import Lane
from khoj_ls.indexing.task import Background, Task
from khoj_ls.store.chunks import ActiveModel, PendingText, next_pending, pending_count, pending_tokens, store_vectors
from khoj_ls.store.database import Database

_GULP = 1024
_ENOUGH_TEXTS = 2048
"""Work for half a minute and more: cutting further ahead of the encoder only keeps the processor from those who wait."""
_MOST_TEXTS = 256
_MEMORY = 0.8


def _is_backlog(text: PendingText) -> bool:
    return text.priority <= PRIORITY[Lane.BACKLOG]


@dataclass(frozen=True)
class Catch:
    """What was fetched from the store's queue."""

    texts: list[PendingText]
    count: int
    """How many texts wait in all, about, and their tokens."""
    tokens: int


@dataclass(frozen=True)
class Batch:
    """Texts that are with the encoder."""

    texts: list[PendingText]
    begun: float
    task: Task[list[Vector]]


class Embedding:
    """The texts that wait and the batch that is being embedded. For the writer thread only."""

    def __init__(
        self,
        database: Database,
        encoder: Encoder,
        settings: EmbeddingSettings,
        wake: Callable[[], None],
        backlog_waits: Callable[[], float],
    ) -> None:
        """Embed with `encoder`; `wake` is called when a batch is through, `backlog_waits` tells how long the backlog should."""
        self._database = database
        self._encoder = encoder
        self._settings = settings
        self._wake = wake
        self._backlog_waits = backlog_waits
        self.waits = 0.0
        """Seconds that the backlog should have waited at the last look; 0 when it need not."""
        self._thread = Background("khoj-embedding")
        self._buffer: deque[PendingText] = deque()
        self._fetching: Task[Catch] | None = None
        self._batch: Batch | None = None
        self._drained = False
        """The last catch held all there was, and nothing was stored since."""
        self._rate = 0.0
        self.texts = 0
        """How many texts wait, about."""
        self.tokens = 0

    @property
    def running(self) -> bool:
        """Whether a batch is with the encoder, its vectors are not stored yet, or texts are being fetched."""
        return self._batch is not None or self._fetching is not None

    @property
    def far_behind(self) -> bool:
        """Whether no more texts are needed yet: so many wait for a batch that is under way, or the backlog waits."""
        return self.waits > 0 or (self.running and self.texts >= _ENOUGH_TEXTS)

    def eta_seconds(self, more: int) -> float | None:
        """Until all texts have their vectors, and `more` tokens that do not wait yet."""
        tokens = self.tokens + more
        return tokens / self._rate if self._rate and tokens else None

    def close(self) -> None:
        """Let the thread end."""
        self._thread.close()

    def refresh(self, *, urgent: bool = True) -> None:
        """New texts wait: with `urgent` they go before those already fetched."""
        self._drained = False
        if urgent:
            self._buffer.clear()
            self._fetching = None

    def expect(self, texts: int, tokens: int) -> None:
        """So many more wait, about, until they are counted again."""
        self.texts += texts
        self.tokens += tokens

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
        """Send the next batch, or fetch more texts, unless that is under way; False when there is none, or it `waits`."""
        if self.running:
            return False
        # Assigned once: other threads tell from it what goes on.
        self.waits = self._backlog_waits() if self._buffer and _is_backlog(self._buffer[0]) else 0.0
        if self.waits:
            return False
        if self._buffer:
            texts = self._take()
            call = self._encoder.embed_documents
            task = self._thread.run(lambda: call([text.text for text in texts]), self._wake)
            self._batch = Batch(texts, time.monotonic(), task)
        elif self._drained:
            return False
        else:
            # Texts stored from here on may be missing from the catch.
            self._drained = True
            self._fetching = self._thread.run(lambda: self._fetch(model, private=not info.remote), self._wake)
        return True

    def store(self, model: ActiveModel) -> int:
        """Store the vectors of a batch that is through; how many. Raises ModelError, and StoreError: then call it again."""
        self._land()
        batch = self._batch
        if batch is None or not batch.task.done:
            return 0
        try:
            vectors = batch.task.result()
            self._check(vectors, batch, model)
        except Exception:  # raised again: the writer says what is wrong and tries later
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

    def _fetch(self, model: ActiveModel, *, private: bool) -> Catch:
        """On the thread. Many at a time: ordering a long queue costs more than a batch."""
        with self._database.read() as connection:
            texts = next_pending(connection, model, _GULP, private=private)
            if len(texts) < _GULP:
                return Catch(texts, len(texts), sum(text.tokens for text in texts))
            return Catch(texts, pending_count(connection, model), pending_tokens(connection, model))

    def _land(self) -> bool:
        """Take in what was fetched; True when there was something."""
        task = self._fetching
        if task is None or not task.done:
            return False
        self._fetching = None
        try:
            catch = task.result()
        except Exception:  # raised again, as above; what was fetched is fetched anew
            self.refresh()
            raise
        self._buffer.extend(catch.texts)
        self.texts, self.tokens = catch.count, catch.tokens
        self._drained &= len(catch.texts) < _GULP
        return True

    def _take(self) -> list[PendingText]:
        texts = [self._buffer.popleft()]
        longest = texts[0].tokens
        alike = _is_backlog(texts[0])
        while self._buffer and len(texts) < _MOST_TEXTS and _is_backlog(self._buffer[0]) == alike:
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
