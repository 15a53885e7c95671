"""An index of a vault built from scratch, in this process alone: what all others are held against."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from khoj_ls.config.load import load_user_settings, load_vault_settings
from khoj_ls.config.paths import folders
from khoj_ls.content.registry import default_registry
from khoj_ls.core.types import Vector
from khoj_ls.embed.service import EncoderService
from khoj_ls.embed.vectors import unit_rows
from khoj_ls.indexing.encoder import IndexingEncoder
from khoj_ls.indexing.indexer import Indexer
from khoj_ls.indexing.messages import Answer, Parse
from khoj_ls.indexing.models import ModelInfo
from khoj_ls.indexing.tools import ContentTools
from khoj_ls.models.onnx_backend import OnnxBackend
from khoj_ls.store.database import Database


class Scratch:
    """Builds such indexes; what it loads for one serves the next."""

    def __init__(self) -> None:
        self._tools = ContentTools("", lambda pages: None)
        self._backend: OnnxBackend | None = None
        self._info: ModelInfo | None = None
        self._vectors: dict[str, Vector] = {}

    def build(self, vault: Path, path: Path) -> None:
        """Index `vault` by its settings of now into a new database at `path`."""
        settings = load_vault_settings(load_user_settings(folders())[0], vault.resolve())
        if self._info is None:
            service = EncoderService(settings.embedding, folders().models)
            self._info = IndexingEncoder(service).info()
            self._backend = OnnxBackend(Path(self._info.tokenizer), self._info.max_tokens, 1, unit_rows)
        database = Database(path)
        with self._inline():
            indexer = Indexer(vault, database, default_registry(), self, settings, lambda event: None)
        try:
            indexer.start(watch=False)
            indexer.index()
        finally:
            indexer.close()
            database.close()

    # -- the encoder of the indexer -----------------------------------------------------------------------------------

    def info(self) -> ModelInfo:
        assert self._info is not None
        return self._info

    def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        assert self._backend is not None
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        self._vectors.update(zip(new, self._backend.compute(new), strict=True))
        return [self._vectors[text] for text in texts]

    # -- its parsers --------------------------------------------------------------------------------------------------

    @contextmanager
    def _inline(self) -> Iterator[None]:
        def pool(settings: Any, wake: Callable[[], None], **options: Any) -> _InlinePool:
            return _InlinePool(self._tools, wake)

        with patch("khoj_ls.indexing.pipeline.ParserPool", pool):
            yield


class _InlinePool:
    """Does at once what parser workers do."""

    width = slow_width = 8
    trouble = ""

    def __init__(self, tools: ContentTools, wake: Callable[[], None]) -> None:
        self._tools = tools
        self._wake = wake
        self._done: deque[Any] = deque()

    def submit(self, job: Any) -> None:
        work = job.work
        if isinstance(work, Parse):
            answer = Answer(parsed=self._tools.parse(work.data, work.path))
        else:
            answer = Answer(chunks=tuple(self._tools.cut(work.title, work.entries, work.tokenizer, work.max_tokens)))
        self._done.append((job, answer))
        self._wake()

    def results(self) -> list[Any]:
        done, self._done = list(self._done), deque()
        return done

    def withdraw(self) -> list[Any]:
        return []  # nothing ever waits

    def close(self) -> None:
        """Nothing runs."""
