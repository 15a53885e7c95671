"""Vectors by model and text, kept on disk, so that a second evaluation embeds nothing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from khoj_ls.core.errors import StoreError
from khoj_ls.core.jobs import Progress, ProgressCallback
from khoj_ls.core.types import Vector
from khoj_ls.embed.service import EncoderService
from khoj_ls.store.chunks import chunk_hash

_AT_ONCE = 256
"""So many texts are embedded between two commits: what was made before an interruption is kept."""
_LOOKED_UP = 500


class VectorCache:
    """Vectors of one model in a SQLite file that several models and processes may share."""

    def __init__(self, path: Path, encoder: EncoderService) -> None:
        """Open or make the cache at `path`. Raises StoreError."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = path
        self._encoder = encoder
        with self._guarded():
            # A search asks for its query's vector on a thread of its own, one at a time.
            self._db = sqlite3.connect(path, timeout=600, check_same_thread=False)
            self._db.execute("CREATE TABLE IF NOT EXISTS vector (key BLOB PRIMARY KEY, vector BLOB)")

    def embed(
        self,
        texts: Sequence[str],
        kind: Literal["document", "query"] = "document",
        progress: ProgressCallback | None = None,
        *,
        done: int = 0,
        total: int = 0,
    ) -> list[Vector]:
        """Vectors of `texts`, in order; those not known yet are made, and kept. Raises ModelError, StoreError.

        Progress tells of `done` texts before these and of `total`, where these are a part of more.
        """
        model = self._encoder.id
        keys = [chunk_hash(f"{model}\0{kind}\0{text}") for text in texts]
        known: dict[bytes, Vector] = {}
        for start in range(0, len(keys), _LOOKED_UP):
            part = keys[start : start + _LOOKED_UP]
            marks = ", ".join("?" * len(part))
            with self._guarded():
                known.update(self._db.execute(f"SELECT key, vector FROM vector WHERE key IN ({marks})", part))
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        # Texts of like length together waste the least of a batch.
        ordered = sorted(missing.items(), key=lambda item: len(item[1]))
        begun, before, total = time.monotonic(), done + len(texts) - len(missing), total or len(texts)
        for start in range(0, len(ordered), _AT_ONCE):
            some = ordered[start : start + _AT_ONCE]
            if progress:
                spent = time.monotonic() - begun
                left = spent / start * (total - before - start) if start else None
                progress(Progress("embed", before + start, total, eta_seconds=left))
            known.update(self._make(some, kind))
        return [known[key] for key in keys]

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _make(self, some: Sequence[tuple[bytes, str]], kind: Literal["document", "query"]) -> list[tuple[bytes, Vector]]:
        texts = [text for _, text in some]
        query, documents = self._encoder.embed_query, self._encoder.embed_documents
        made = [query(text) for text in texts] if kind == "query" else documents(texts)
        rows = list(zip((key for key, _ in some), made, strict=True))
        with self._guarded(), self._db:
            self._db.executemany("INSERT OR IGNORE INTO vector VALUES (?, ?)", rows)
        return rows

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(
                f"{self._path} cannot be used as a cache of vectors ({error}): delete it, or name another folder with --cache"
            ) from error
