"""The index of one vault while it is open: who writes it, what reads it, and what happens when it is damaged.

One process writes (`store/lock`); any other reads, and takes over when the writer is gone. A damaged database is set aside and
a new one filled from the notes, while questions wait for the words of it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import EmbeddingSettings, Settings
from khoj_ls.content.registry import ProcessorRegistry
from khoj_ls.core.errors import ModelError, StoreError, VaultError
from khoj_ls.core.protocols import RerankModel
from khoj_ls.embed.service import EncoderService
from khoj_ls.indexing.encoder import IndexingEncoder
from khoj_ls.indexing.indexer import Indexer, IndexerClosed, IndexEvent
from khoj_ls.indexing.models import active_model
from khoj_ls.indexing.overlay import Overlays
from khoj_ls.indexing.parsers import ParserPlugins
from khoj_ls.indexing.root import check_root
from khoj_ls.plugins.hooks import PRE_INDEX
from khoj_ls.plugins.manager import PluginManager
from khoj_ls.search.chunk_cache import ChunkCache
from khoj_ls.search.context import SearchContext
from khoj_ls.search.filters.cache import ScopeCache
from khoj_ls.search.matching import WordFinder
from khoj_ls.search.statistics import StatisticsCache
from khoj_ls.search.word_states import WordStates
from khoj_ls.store.chunks import ActiveModel
from khoj_ls.store.database import DamagedDatabase, Database
from khoj_ls.store.lock import WriterLock
from khoj_ls.store.recovery import open_database, rebuild_database, rescue, take_over_vectors
from khoj_ls.store.vectors import VectorIndex
from khoj_ls.vault.hooked import tell_plugins
from khoj_ls.vault.read_ahead import ReadAhead

log = logging.getLogger(__name__)

_ASK_FOR_LOCK_SECONDS = 2.0
"""How often a vault that only reads looks whether it may write now."""

_REREAD_SECONDS = 60.0
"""How long a question waits for the words of an index that was damaged and is built anew."""

_LOOK_SECONDS = 0.02

_HOOK_SHARE = 1 / 12
"""What hooks may take at most of the time that a parser has for a large file: half of what it has for a small one."""

_SAVE_AFTER = 2000
"""So many new vectors make it worth while to write the whole HNSW file again; at the end it is written for any."""

_WORDS = "words.postings"
_DELETED = "was deleted while it was in use, and was built anew from the notes"

Answer = TypeVar("Answer")

EncoderFactory = Callable[[EmbeddingSettings, str], EncoderService]
"""Gives the (shared) encoder for a model name under some settings."""


class OpenIndex:
    """Database, vector index and indexer of one vault. Thread-safe."""

    def __init__(
        self,
        root: Path,
        settings: Settings,
        folders: Folders,
        encoder_for: EncoderFactory,
        registry: ProcessorRegistry,
        *,
        reranker: RerankModel | None,
        plugins: PluginManager,
        watch: bool,
        yes: bool,
    ) -> None:
        """Open what is stored and begin to index, or only read where another process writes.

        Raises VaultError when the folder is missing or refused (`yes` overrides the latter), StoreError when the database
        cannot be used.
        """
        self.root = root
        self.settings = settings
        self.folder = folders.vault(root)
        self._registry = registry
        self._encoder_for = encoder_for
        self._reranker = reranker
        self._plugins = plugins
        self._watch = watch
        self._listeners: list[Callable[[IndexEvent], None]] = []
        self._guard = threading.RLock()
        self._reread = self._closed = False
        self._vectors: VectorIndex | None = None
        self._statistics, self._scopes, self._finder = StatisticsCache(), ScopeCache(), WordFinder()
        self._chunks, self._words = ChunkCache(), WordStates(self.folder / _WORDS)
        self._ahead = ReadAhead()
        self._overlays = Overlays(settings.index.buffer_rest_seconds)
        self.message = ""
        """What happened to this index, for people; empty when nothing did."""
        check_root(root, settings, known=(self.folder / "index.db").exists(), yes=yes)
        self._lock = WriterLock(self.folder)
        self.read_only = not self._lock.acquire()
        self._asked_for_lock = time.monotonic()
        try:
            self._open()
        except BaseException:  # whatever it was, others may write this index; it is raised again
            self._lock.release()
            raise

    def close(self) -> None:
        """Stop indexing, store what is cached, give the write lock back."""
        self._ahead.close()
        with self._guard:
            self._closed = True
            if self.indexer:
                self.indexer.close()
                self._save_vectors()
            self.database.close()
            self._lock.release()

    # -- reading -----------------------------------------------------------------------------------------------------

    def answer(self, question: Callable[[], Answer]) -> Answer:
        """Ask; where the database turns out to be damaged, build a new one and ask that."""
        self._take_over()
        self._find_again()
        self._wait_for_words()
        asked = self.database
        try:
            return question()
        except StoreError as error:
            if self.read_only:
                raise
            if isinstance(error, DamagedDatabase):
                self._rebuild(error, asked)
            with self._guard:  # a rebuild that goes on is waited for: it closes what others still read
                if self.database is asked:
                    raise
            self._wait_for_words()
            return question()

    def search_context(self) -> SearchContext:
        """What a search needs, as things stand now."""
        self._ahead.renew(self._words, self.database)
        with self.database.read() as connection:
            model = active_model(connection)
        words_alone = SearchContext(
            self.database,
            None,
            None,
            None,
            statistics=self._statistics,
            scopes=self._scopes,
            chunks=self._chunks,
            words=self._words,
            finder=self._finder,
            reranker=self._reranker,
            rerank_candidates=self.settings.rerank.candidates,
            rerank_timeout=self.settings.rerank.timeout_seconds,
        )
        if model is None:
            return words_alone
        self._ahead.begin(self._chunks, self.database, model)
        # While a new model is being prepared the old one goes on answering: it is known by the name it was set with.
        encoder = self._encoder_for(self.settings.embedding, model.name)
        return replace(
            words_alone,
            model=model,
            index=self._vectors_of(model),
            embed_query=encoder.embed_query,
            embed_passage=encoder.embed_passage,
            begin_query=encoder.begin_query,
            remote=_sends_away(encoder),
        )

    @property
    def vectors_kind(self) -> str:
        """`empty`, `exact` or `hnsw`."""
        return self._vectors.kind if self._vectors else "empty"

    # -- writing -----------------------------------------------------------------------------------------------------

    def writer(self) -> Indexer:
        """The indexer. Raises VaultError when another process writes."""
        self._take_over()
        if self.indexer is None:
            raise VaultError(f"another process writes the index of {self.root}: end it, or ask through it")
        return self.indexer

    def write(self, work: Callable[[Indexer], Answer]) -> Answer:
        """Do what may take long with the indexer; where another takes its place meanwhile, with that. Raises VaultError."""
        while True:
            indexer = self.writer()
            try:
                return work(indexer)
            except IndexerClosed:
                with self._guard:  # the next one may just be being made
                    if self.indexer is indexer or self._closed:
                        raise

    def adopt(self, settings: Settings) -> None:
        """Go on under other settings: with another indexer, which finds out what they change. Buffers and a pause stay."""
        with self._guard:
            if self._closed:
                return
            if settings.search.exact_vectors_below != self.settings.search.exact_vectors_below:
                self._save_vectors()
                self._vectors = None
            self.settings = settings
            self._overlays.rest_seconds = settings.index.buffer_rest_seconds
            if self.indexer is not None:
                paused = self.indexer.paused
                self.indexer.close()
                try:
                    self._start_indexer(paused=paused)
                except DamagedDatabase as error:
                    self._replace_database(error)

    def subscribe(self, listener: Callable[[IndexEvent], None]) -> Callable[[], None]:
        """Call `listener` with every index event, from the indexer's thread; returns how to stop that."""
        with self._guard:
            self._listeners = [*self._listeners, listener]

        def unsubscribe() -> None:
            with self._guard:
                self._listeners = [known for known in self._listeners if known is not listener]

        return unsubscribe

    # -- inside ------------------------------------------------------------------------------------------------------

    def _open(self, rescued: Path | None = None) -> None:
        """Open the database, and write it where this process may; with the vectors of a `rescued` one, where there is any."""
        path = self.folder / "index.db"
        self.indexer: Indexer | None = None
        if self.read_only:
            if not path.exists():
                raise VaultError(
                    f"{self.root} is just being indexed for the first time by another process: try again in a moment"
                )
            self.database = Database(path, read_only=True)
            return
        self.database, kept = open_database(path)
        self.message, self._reread = (_rebuilt(kept), True) if kept else ("", False)
        if rescued:
            take_over_vectors(rescued, self.database)
        (self.folder / "root.txt").write_text(f"{self.root}\n", errors="surrogateescape")
        try:
            self._start_indexer()
        except DamagedDatabase as error:
            self._replace_database(error)

    def _start_indexer(self, *, paused: bool = False) -> None:
        encoder = self._encoder_for(self.settings.embedding, self.settings.embedding.model)
        indexer = Indexer(
            self.root,
            self.database,
            self._registry,
            IndexingEncoder(encoder),
            self.settings,
            partial(self._on_event, self.database),
            catch_up=self._catch_up,
            plugins=self._parser_plugins(),
            overlays=self._overlays,
        )
        if paused:
            indexer.pause()
        indexer.start(watch=self._watch)
        self.indexer = indexer

    def _parser_plugins(self) -> ParserPlugins:
        # A hook that hangs must be given up before the worker is.
        most = self.settings.index.parser_timeout_seconds * _HOOK_SHARE
        hooks = self._plugins.hooks
        return ParserPlugins(self._plugins.order(str(self.root), most), hooks.reported, partial(hooks.left_out, PRE_INDEX))

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
            self.database.close()
            self._vectors = None
            self._open()

    def _find_again(self) -> None:
        """Where the database was deleted or replaced while it is open, go on with the one that is there, or a new one."""
        asked = self.database
        if not asked.lost:
            return
        with self._guard:
            if self.database is asked and not self.read_only:
                self._replace_database(DamagedDatabase(f"{asked.path} {_DELETED}"))
            elif self.database is asked and asked.path.exists():
                asked.close()
                self._forget_caches()
                self.database = Database(asked.path, read_only=True)

    def _forget_caches(self) -> None:
        self._vectors = None
        self._statistics, self._scopes, self._chunks = StatisticsCache(), ScopeCache(), ChunkCache()
        self._words = WordStates(self.folder / _WORDS)

    def _vectors_of(self, model: ActiveModel) -> VectorIndex:
        with self._guard:
            if self._vectors is None or self._vectors.model != model:
                cache = self.folder / f"vectors-{model.id}.hnsw"
                below = self.settings.search.exact_vectors_below
                self._vectors = VectorIndex(self.database, model, cache, exact_below=below)
            return self._vectors

    def _catch_up(self) -> None:
        """Take new vectors into the index now, so that no search has to; only one that searches use already."""
        if (vectors := self._vectors) is not None:
            vectors.catch_up()
            vectors.renew(lambda: self._closed or self._vectors is not vectors)

    def _save_vectors(self, *, at_least: int = 1) -> None:
        if self._vectors is not None and not self.read_only:
            try:
                self._vectors.save(at_least=at_least)
            except (OSError, StoreError, RuntimeError) as error:
                log.warning("the vector index of %s was not saved and will be rebuilt: %s", self.root, error)

    def _wait_for_words(self) -> None:
        """After a rebuild there is nothing to find before the notes were read again: wait for that, once."""
        until = time.monotonic() + _REREAD_SECONDS
        while self._reread and time.monotonic() < until:
            if self.indexer is not None and self.indexer.state().phase in ("scan", "words"):
                self.indexer.wait(_LOOK_SECONDS)
            else:
                self._reread = False

    def _rebuild(self, error: DamagedDatabase, damaged: Database) -> None:
        with self._guard:
            # Another thread may have been here first; and an error of the disk may have been one of the moment.
            if self.database is damaged and not (error.of_the_disk and damaged.intact()):
                self._replace_database(error)

    def _replace_database(self, error: DamagedDatabase) -> None:
        log.error("%s", error)
        if self.indexer:
            self.indexer.close()
        self._forget_caches()
        if self.database.lost:
            rescued = rescue(self.database)
            self.database.close()
            # The lock may be gone with the folder: it is taken anew, on the file that others see.
            self._lock.release()
            self.read_only = not self._lock.acquire()
            self._open(rescued)
            self.message, self._reread = f"the index {_DELETED}", not self.read_only
            return
        self.database.close()
        self.database, kept = rebuild_database(self.folder / "index.db")
        self.message, self._reread = _rebuilt(kept), True
        self._start_indexer()

    def _on_event(self, database: Database, event: IndexEvent) -> None:
        if event.kind == "idle":
            self._save_vectors(at_least=_SAVE_AFTER)
        if isinstance(event.error, DamagedDatabase):
            # Not on the indexer's own thread, which is about to be ended.
            rebuild = threading.Thread(target=self._rebuild, args=(event.error, database), name="khoj-rebuild", daemon=True)
            rebuild.start()
        tell_plugins(self._plugins.hooks, self.root, event)
        for listener in self._listeners:
            listener(event)


def _sends_away(encoder: EncoderService) -> bool:
    """Whether texts would leave this machine; also where that is not known, as of a plugin's model that is not made yet."""
    try:
        return bool(encoder.remote)
    except ModelError:
        return True


def _rebuilt(kept: Path) -> str:
    return f"the index was damaged and was built anew from the notes; the old file is kept as {kept}"
