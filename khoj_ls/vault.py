"""Vault: the notes of one folder, indexed and searchable. The composition root, and the face of the library.

Plain data in and out, no LSP words: `Vault(...).search(SearchRequest("..."))` works in any program.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import EmbeddingSettings, Settings
from khoj_ls.content.registry import default_registry, parse_file
from khoj_ls.core.errors import StoreError, UsageError, VaultError
from khoj_ls.core.jobs import CancelToken, ProgressCallback
from khoj_ls.core.types import Entry, Vector
from khoj_ls.embed.service import EncoderService
from khoj_ls.indexing.encoder import IndexingEncoder
from khoj_ls.indexing.ignore import Decision
from khoj_ls.indexing.indexer import Indexer, IndexEvent, IndexReport
from khoj_ls.indexing.models import active_model
from khoj_ls.indexing.root import check_root
from khoj_ls.search.context import SearchContext
from khoj_ls.search.pipeline import search as search_pipeline
from khoj_ls.search.related import related as related_pipeline
from khoj_ls.search.types import RelatedRequest, SearchRequest, SearchResult
from khoj_ls.store.chunks import ActiveModel, coverage
from khoj_ls.store.counts import chunk_count, counts, problems
from khoj_ls.store.database import DamagedDatabase, Database
from khoj_ls.store.lock import WriterLock
from khoj_ls.store.recovery import open_database, rebuild_database
from khoj_ls.store.vectors import VectorIndex

log = logging.getLogger(__name__)

_ASK_FOR_LOCK_SECONDS = 2.0
"""How often a vault that only reads looks whether it may write now."""

_REREAD_SECONDS = 60.0
"""How long a question waits for the words of an index that was damaged and is built anew."""

_SAVE_AFTER = 2000
"""So many new vectors make it worth while to write the whole HNSW file again; at the end it is written for any."""

Answer = TypeVar("Answer")

EncoderFactory = Callable[[EmbeddingSettings, str], EncoderService]
"""Gives the (shared) encoder for a model name under some settings."""


@dataclass(frozen=True)
class Status:
    """How one vault is."""

    root: Path
    files: int
    entries: int
    chunks: int
    embedded: int
    queue: int
    failures: tuple[tuple[str, str], ...]
    """(relative path, reason) of files that are not indexed."""
    model: str
    database_bytes: int
    coverage: float
    phase: str
    message: str
    paused: bool
    vectors: str
    eta_seconds: float | None


class Vault:
    """One open vault. All methods may be called from any thread; none but `index` waits for the indexer."""

    def __init__(
        self,
        root: Path,
        settings: Settings,
        folders: Folders,
        encoder_for: EncoderFactory,
        *,
        watch: bool = True,
        yes: bool = False,
    ) -> None:
        """Open the vault at `root`: reads start to be answered from what is stored, indexing goes on in the background.

        Raises VaultError when the folder is missing or refused (`yes` overrides the latter), StoreError when its database
        cannot be used. A second process finds the index locked and reads only.
        """
        self.root = root.resolve()
        self.settings = settings
        self.folder = folders.vault(self.root)
        self._encoder_for = encoder_for
        self._watch = watch
        self._listeners: list[Callable[[IndexEvent], None]] = []
        self._guard = threading.RLock()
        self._message = ""
        self._reread = False
        self._registry = default_registry()
        self._index: VectorIndex | None = None
        check_root(self.root, settings, known=(self.folder / "index.db").exists(), yes=yes)
        self._lock = WriterLock(self.folder)
        self.read_only = not self._lock.acquire()
        self._asked_for_lock = time.monotonic()
        try:
            self._open()
        except BaseException:
            self._lock.release()
            raise

    # -- questions -------------------------------------------------------------------------------------------------

    def search(self, request: SearchRequest, token: CancelToken | None = None) -> SearchResult:
        """Find passages. Answers from what is ready; says what is missing. Raises UsageError, Cancelled."""
        return self._answer(lambda: search_pipeline(self._context(), request, token))

    def related(self, request: RelatedRequest, token: CancelToken | None = None) -> SearchResult:
        """Find notes like a place, a region, a file or a text; never the note itself. Raises UsageError, Cancelled."""
        return self._answer(lambda: related_pipeline(self._context(), request, token))

    def outline(self, path: Path, text: str) -> tuple[Entry, ...]:
        """Entries of a note as `text` has them, which may be newer than the index; empty for files that no processor reads."""
        return parse_file(self._registry, text.encode(errors="replace"), self.relative(path)).entries

    def status(self) -> Status:
        """Counts, coverage, failures and what is going on."""
        self._take_over()
        return self._answer(self._status)

    def _status(self) -> Status:
        state = self._indexer.state() if self._indexer else None
        with self._database.read() as connection:
            held = counts(connection)
            failed = {
                path: "; ".join(problem.message for problem in found) for path, found in problems(connection, failed_only=True)
            }
            if self._indexer:
                failed = {**self._indexer.refused(), **failed}
            model = active_model(connection)
            embedded, total = coverage(connection, model) if model else (0, held.files)
            chunks = chunk_count(connection, model.chunker_id) if model else 0
        index = self._index
        return Status(
            root=self.root,
            files=held.files,
            entries=held.entries,
            chunks=chunks,
            embedded=embedded,
            queue=state.queue + state.pending if state else 0,
            failures=tuple(sorted(failed.items())),
            model=model.name if model else self.settings.embedding.model,
            database_bytes=self._database.size_bytes(),
            coverage=embedded / total if total else 1.0,
            phase=state.phase if state else "read-only",
            message=(state.message if state else "another process writes this index") or self._message,
            paused=bool(state and state.paused),
            vectors=index.kind if index else "empty",
            eta_seconds=state.eta_seconds if state else None,
        )

    def why(self, path: Path) -> Decision:
        """Why a file is or is not indexed, and by which rule."""
        if not self.holds(path.absolute()):
            return Decision(False, f"it is outside the vault {self.root}", None, "outside")
        return self._writer().why(self.relative(path))

    @property
    def busy(self) -> bool:
        """Whether indexing is going on."""
        state = self._indexer.state() if self._indexer else None
        return bool(state and (state.queue or state.pending) and not state.paused)

    # -- paths -----------------------------------------------------------------------------------------------------

    def holds(self, path: Path) -> bool:
        """Whether `path` lies in this vault."""
        return path == self.root or self.root in path.parents or self.root in Path(os.path.realpath(path)).parents

    def relative(self, path: Path) -> str:
        """`path` relative to the vault, posix. Raises UsageError when it lies outside."""
        # Unlike Path.resolve, realpath has an answer for a link that leads to itself.
        for candidate in (path.absolute(), Path(os.path.realpath(path))):
            if candidate == self.root or self.root in candidate.parents:
                return candidate.relative_to(self.root).as_posix()
        raise UsageError(f"{path} is not in the vault {self.root}")

    # -- indexing --------------------------------------------------------------------------------------------------

    def index(
        self,
        progress: ProgressCallback | None = None,
        token: CancelToken | None = None,
        *,
        force: bool = False,
        paths: Sequence[Path] | None = None,
        wait: bool = True,
    ) -> IndexReport:
        """Bring the index up to date; with `wait` until words and vectors are complete. Raises Cancelled, VaultError."""
        relative = [self.relative(path) for path in paths] if paths is not None else None
        return self._answer(lambda: self._writer().index(progress, token, force=force, paths=relative, wait=wait))

    def changed(self, path: Path) -> None:
        """Take note that a file was saved, created, renamed or deleted."""
        if self._indexer and self.holds(path):
            self._indexer.changed(self.relative(path))

    def overlay(self, path: Path, text: str, version: int, session: str = "") -> None:
        """Index the unsaved text of an open buffer instead of the file; versions count within one `session`."""
        if self._indexer and self.holds(path):
            self._indexer.overlay(self.relative(path), text, version, session)

    def overlay_closed(self, path: Path, session: str = "") -> None:
        """Go back to what is on disk, or in another session's buffer."""
        if self._indexer and self.holds(path):
            self._indexer.overlay_closed(self.relative(path), session)

    def set_paused(self, paused: bool) -> None:
        """Stop indexing, or go on."""
        writer = self._writer()
        if paused:
            writer.pause()
        else:
            writer.resume()

    def subscribe(self, listener: Callable[[IndexEvent], None]) -> Callable[[], None]:
        """Call `listener` with every index event, from the indexer's thread; returns how to stop that."""
        with self._guard:
            self._listeners = [*self._listeners, listener]

        def unsubscribe() -> None:
            with self._guard:
                self._listeners = [known for known in self._listeners if known is not listener]

        return unsubscribe

    def close(self) -> None:
        """Stop indexing, store what is cached, give the write lock back."""
        with self._guard:
            if self._indexer:
                self._indexer.close()
                self._save_vectors()
            self._database.close()
            self._lock.release()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        path = self.folder / "index.db"
        self._indexer: Indexer | None = None
        if self.read_only:
            if not path.exists():
                raise VaultError(
                    f"{self.root} is just being indexed for the first time by another process: try again in a moment"
                )
            self._database = Database(path, read_only=True)
            return
        self._database, kept = open_database(path)
        self._message, self._reread = (_rebuilt(kept), True) if kept else ("", False)
        (self.folder / "root.txt").write_text(f"{self.root}\n", errors="surrogateescape")
        try:
            self._start_indexer()
        except DamagedDatabase as error:
            self._replace_database(error)

    def _start_indexer(self) -> None:
        encoder = self._encoder_for(self.settings.embedding, self.settings.embedding.model)
        indexer = Indexer(
            self.root,
            self._database,
            self._registry,
            IndexingEncoder(encoder),
            self.settings,
            partial(self._on_event, self._database),
            catch_up=self._catch_up,
        )
        indexer.start(watch=self._watch)
        self._indexer = indexer

    def _take_over(self) -> None:
        """Become the writer, when this is a reader and the process that wrote is gone."""
        with self._guard:
            if not self.read_only or time.monotonic() - self._asked_for_lock < _ASK_FOR_LOCK_SECONDS:
                return
            self._asked_for_lock = time.monotonic()
            if not self._lock.acquire():
                return
            log.info("the process that wrote the index of %s is gone: this one goes on", self.root)
            self.read_only = False
            self._database.close()
            self._index = None
            self._open()

    def _writer(self) -> Indexer:
        self._take_over()
        if self._indexer is None:
            raise VaultError(f"another process writes the index of {self.root}: end it, or ask through it")
        return self._indexer

    def _context(self) -> SearchContext:
        self._take_over()
        with self._database.read() as connection:
            model = active_model(connection)
        if model is None:
            return SearchContext(self._database, None, None, None)
        return SearchContext(self._database, model, self._vectors(model), self._query_encoder(model))

    def _vectors(self, model: ActiveModel) -> VectorIndex:
        with self._guard:
            if self._index is None or self._index.model != model:
                cache = self.folder / f"vectors-{model.id}.hnsw"
                below = self.settings.search.exact_vectors_below
                self._index = VectorIndex(self._database, model, cache, exact_below=below)
            return self._index

    def _catch_up(self) -> None:
        """Take new vectors into the index now, so that no search has to; only one that searches use already."""
        if self._index is not None:
            self._index.catch_up()

    def _query_encoder(self, model: ActiveModel) -> Callable[[str], Vector]:
        # While a new model is being prepared the old one goes on answering: it is known by the name it was set with.
        encoder = self._encoder_for(self.settings.embedding, model.name)
        return encoder.embed_query

    def _save_vectors(self, *, at_least: int = 1) -> None:
        if self._index is not None and not self.read_only:
            try:
                self._index.save(at_least=at_least)
            except (OSError, StoreError, RuntimeError) as error:
                log.warning("the vector index of %s was not saved and will be rebuilt: %s", self.root, error)

    def _answer(self, question: Callable[[], Answer]) -> Answer:
        """Ask; where the database turns out to be damaged, build a new one and ask that."""
        self._wait_for_words()
        asked = self._database
        try:
            return question()
        except StoreError as error:
            if self.read_only:
                raise
            if isinstance(error, DamagedDatabase):
                self._rebuild(error, asked)
            with self._guard:  # a rebuild that goes on is waited for: it closes what others still read
                if self._database is asked:
                    raise
            self._wait_for_words()
            return question()

    def _wait_for_words(self) -> None:
        """After a rebuild there is nothing to find before the notes were read again: wait for that, once."""
        until = time.monotonic() + _REREAD_SECONDS
        while self._reread and time.monotonic() < until:
            if self._indexer is None or self._indexer.wait(0.02):
                self._reread = False
            elif self._indexer.state().phase not in ("scan", "words"):
                # The first scan may not have begun yet: only notes that are there say that the words are.
                with self._database.read() as connection:
                    self._reread = counts(connection).files == 0

    def _rebuild(self, error: DamagedDatabase, damaged: Database) -> None:
        with self._guard:
            # Another thread may have been here first; and an error of the disk may have been one of the moment.
            if self._database is damaged and not ("i/o" in str(error).lower() and damaged.intact()):
                self._replace_database(error)

    def _replace_database(self, error: DamagedDatabase) -> None:
        log.error("%s", error)
        if self._indexer:
            self._indexer.close()
        self._database.close()
        self._index = None
        self._database, kept = rebuild_database(self.folder / "index.db")
        self._message, self._reread = _rebuilt(kept), True
        self._start_indexer()

    def _on_event(self, database: Database, event: IndexEvent) -> None:
        if event.kind == "idle":
            self._save_vectors(at_least=_SAVE_AFTER)
        if isinstance(event.error, DamagedDatabase):
            # Not on the indexer's own thread, which is about to be ended.
            rebuild = threading.Thread(target=self._rebuild, args=(event.error, database), name="khoj-rebuild", daemon=True)
            rebuild.start()
        for listener in self._listeners:
            listener(event)


def _rebuilt(kept: Path) -> str:
    return f"the index was damaged and was built anew from the notes; the old file is kept as {kept}"
