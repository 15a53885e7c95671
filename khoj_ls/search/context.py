"""What a search works on, and the query's vector, which is made while words are looked up."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial

from khoj_ls.core.errors import KhojError, ModelError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.protocols import RerankModel
from khoj_ls.core.types import Vector
from khoj_ls.links.conventions import PLAIN, Conventions
from khoj_ls.search.ahead import NearestAhead
from khoj_ls.search.chunk_cache import ChunkCache
from khoj_ls.search.filters.cache import ScopeCache
from khoj_ls.search.matching import WordFinder
from khoj_ls.search.statistics import StatisticsCache
from khoj_ls.search.word_states import WordStates
from khoj_ls.store.chunks import ActiveModel
from khoj_ls.store.database import Database
from khoj_ls.store.vectors import VectorIndex

_FLOAT_BYTES = 4
_CANCEL_POLL_SECONDS = 0.02
_MANY = 20_000
"""Among so many vectors the nearest are looked for while words are: of fewer, words are done before the vector is there."""


BeginQuery = Callable[[str, bool, Callable[[Vector], None] | None], Callable[[float], Vector | None] | None]


@dataclass(frozen=True)
class SearchContext:
    """One vault's index and the model that reads queries for it."""

    database: Database
    model: ActiveModel | None
    """None until a first model has embedded anything."""
    index: VectorIndex | None
    embed_query: Callable[[str], Vector] | None
    """Blocks; raises ModelError. Called on a thread of its own."""
    embed_passage: Callable[[str], Vector] | None = None
    """The same for a text that is compared as passages are with each other; None: the model makes no difference."""
    begin_query: BeginQuery | None = None
    """Has the vector of a query, or of a passage (True), made without a thread, where the model is ready; else gives None.

    What it gives waits for at most so many seconds, and gives the vector once it is there; it raises ModelError. Of a vector
    that is not there yet its last argument hears at once, on another thread.
    """
    remote: bool = False
    """Whether `embed_query` sends texts to another machine: then it is given nothing private (see `search.privacy`)."""
    reason: str | None = None
    """Why there is no model, for people."""
    patience_seconds: float = 5.0
    """How long a search waits for its query's vector before it answers from words alone."""
    statistics: StatisticsCache = field(default_factory=StatisticsCache)
    """Hand the same one to every search of a vault: it saves counting the index each time."""
    scopes: ScopeCache = field(default_factory=ScopeCache)
    """Likewise: it saves asking the same filters each time."""
    chunks: ChunkCache = field(default_factory=ChunkCache)
    """Likewise: it saves reading the same notes' chunks each time."""
    words: WordStates = field(default_factory=WordStates)
    """Likewise: it saves reading all words each time."""
    finder: WordFinder = field(default_factory=WordFinder)
    """Likewise: it saves making one each time."""
    conventions: Callable[[], Conventions] = lambda: PLAIN
    """How the vault's tool reads links: what `linksto:` leads to. It looks at files, and is asked where there are filters."""
    reranker: RerankModel | None = None
    """Reads the best candidates again where a search wants that."""
    rerank_candidates: int = 50
    rerank_timeout: float = 20.0
    """In seconds; where it takes longer the order stays."""
    plugins_leave: Callable[[sqlite3.Connection, Mapping[int, float]], Collection[int]] | None = None
    """Which of some entries, with their scores, plugins leave; None: all. Searches ask plugins themselves."""

    def left(self, connection: sqlite3.Connection, found: Mapping[int, float]) -> Collection[int]:
        """Those of some entries (score by id) that may be told as found."""
        return found if self.plugins_leave is None or not found else self.plugins_leave(connection, found)


class QueryVector:
    """The vector of one text, being made."""

    def __init__(self, context: SearchContext, text: str, *, passage: bool = False) -> None:
        """Begin, unless there is no model to ask; as a `passage` the text is embedded as those of the notes are."""
        self._context = context
        self._vector: Vector | None = None
        self._reason = context.reason or "no embedding model is ready"
        self._done = threading.Event()
        self._until = time.monotonic() + context.patience_seconds
        self._coming: Callable[[float], Vector | None] | None = None
        self.ahead: NearestAhead | None = None
        """What is near to it, where that may be known as soon as the vector is."""
        embed = (context.embed_passage if passage else None) or context.embed_query
        if context.model is None or context.index is None or embed is None:
            self._done.set()
            return
        self.ahead = NearestAhead(context.index) if len(context.index) >= _MANY else None
        self._patiently = partial(self._ask, embed, text)
        # To start a thread that asks, and to be woken by it, takes a search about a millisecond.
        with contextlib.suppress(ModelError):  # who asks patiently hears why
            if context.begin_query:
                self._coming = context.begin_query(text, passage, self.ahead.arrived if self.ahead else None)
        if self._coming is None:
            self._ask_patiently()

    def _ask_patiently(self) -> None:
        threading.Thread(target=self._patiently, name="khoj-query", daemon=True).start()

    def _ask(self, embed: Callable[[str], Vector], text: str) -> None:
        try:
            self._vector = embed(text)
        except KhojError as error:
            self._reason = str(error)
        except Exception as error:  # noqa: BLE001 - a thread's boundary: whatever a model does, the words still answer
            self._reason = f"the embedding model failed: {error or type(error).__name__}"
        finally:
            self._done.set()

    def _arrived(self, seconds: float) -> bool:
        if self._coming is not None:
            try:
                self._vector = self._coming(seconds)
                return self._vector is not None
            except ModelError:
                self._coming = None
                self._ask_patiently()
        return self._done.wait(seconds)

    def wait(self, token: CancelToken | None = None) -> tuple[Vector | None, str | None]:
        """The vector, or None and why there is none. Raises Cancelled."""
        while not self._arrived(_CANCEL_POLL_SECONDS):
            if token:
                token.raise_if_cancelled()
            if time.monotonic() > self._until:
                return None, f"the embedding model did not answer within {self._context.patience_seconds:g} s"
        if self._vector is None:
            return None, self._reason
        model = self._context.model
        if model and len(self._vector) != model.dimensions * _FLOAT_BYTES:
            return None, f"the embedding model was changed: the vectors of {model.name} cannot be compared with its own"
        return self._vector, None


def missing(share: float) -> str | None:
    """What to say about an index whose vectors are not all there yet."""
    return None if share >= 1.0 else f"{int(share * 100)} % of the notes are searchable by meaning so far"
