"""Vault: the notes of one folder, indexed and searchable. The composition root, and the face of the library.

Plain data in and out, no LSP words: `Vault(...).search(SearchRequest("..."))` works in any program.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

from khoj_ls.chat.desk import ChatDesk, Persona
from khoj_ls.chat.kept.conversations import KeptConversations
from khoj_ls.chat.notes.indexed import IndexedNotes
from khoj_ls.chat.question.commands import BUILT_IN
from khoj_ls.chat.types import ChatEvent, ChatRequest, Started
from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import ChatSettings, SearchSettings, Settings
from khoj_ls.content.registry import default_registry
from khoj_ls.core.chat import Image
from khoj_ls.core.errors import UsageError
from khoj_ls.core.jobs import CancelToken, ProgressCallback
from khoj_ls.core.protocols import RerankModel
from khoj_ls.core.slash import SlashCommand
from khoj_ls.core.types import Entry, ParsedFile
from khoj_ls.graph.files import VaultConventions, VaultFiles
from khoj_ls.graph.name_book import Shelf
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.open_note import NoteReader, OpenNote
from khoj_ls.indexing.ignore import Decision, IgnoreRules, Scope
from khoj_ls.indexing.indexer import Indexer, IndexEvent, IndexReport
from khoj_ls.plugins.brought import brought
from khoj_ls.plugins.hooks import POST_SEARCH
from khoj_ls.plugins.kinds import QueryFilter
from khoj_ls.plugins.manager import PluginManager, plugin_manager
from khoj_ls.query.own_filters import expanded
from khoj_ls.query.types import FILTERS
from khoj_ls.search.context import SearchContext
from khoj_ls.search.pipeline import search as search_pipeline
from khoj_ls.search.privacy import public_notes
from khoj_ls.search.related import related as related_pipeline
from khoj_ls.search.types import RelatedRequest, SearchRequest, SearchResult
from khoj_ls.vault.chatting import ChatShared, Chatting
from khoj_ls.vault.desk import NoModels, lay_desk
from khoj_ls.vault.hooked import belonging, entries_left, searched
from khoj_ls.vault.open_index import Answer, EncoderFactory, OpenIndex
from khoj_ls.vault.pictures import read_picture
from khoj_ls.vault.status import Status, settings_warnings, status_of

_OCCASION_SECONDS = 60.0


class Vault:
    """One open vault. All methods may be called from any thread; none but `index` waits for the indexer."""

    def __init__(
        self,
        root: Path,
        settings: Settings,
        folders: Folders,
        encoder_for: EncoderFactory,
        *,
        reranker: RerankModel | None = None,
        chats: ChatShared | None = None,
        plugins: PluginManager | None = None,
        watch: bool = True,
        yes: bool = False,
    ) -> None:
        """Open the vault at `root`: reads start to be answered from what is stored, indexing goes on in the background.

        Without `chats` there are no chat models: answers are excerpts. Without `plugins` there are those of installed packages.
        Raises VaultError when the folder is missing or refused (`yes` overrides the latter), StoreError when its database
        cannot be used. A second process finds the index locked and reads only.
        """
        self.root = root.resolve()
        self.settings = settings
        self.plugins = plugins if plugins is not None else plugin_manager([])
        self._registry = default_registry(self.plugins)
        self._notes = NoteReader(self._registry)
        self._files = VaultFiles(self.root)
        self.names = Shelf()
        """The names in its notes as they may begin to be written: read once for all sessions."""
        self._conventions = VaultConventions(self.root)
        self._guard = threading.Lock()
        self._occasions: dict[Hashable, float] = {}
        self._index = OpenIndex(
            self.root,
            settings,
            folders,
            encoder_for,
            self._registry,
            reranker=reranker,
            plugins=self.plugins,
            watch=watch,
            yes=yes,
        )
        self.conversations = KeptConversations(
            self.folder, lambda: encoder_for(self.settings.embedding, self.settings.embedding.model)
        )
        """What was asked and answered here."""
        self._chats = chats or ChatShared(NoModels, lambda root: self.settings.chat)
        self._chatting = Chatting(lambda: self._lay_desk(folders.config), self._chats)

    @property
    def folder(self) -> Path:
        """Where the index of this vault is kept."""
        return self._index.folder

    @property
    def read_only(self) -> bool:
        """Whether another process writes this index."""
        return self._index.read_only

    # -- questions -------------------------------------------------------------------------------------------------

    def search(self, request: SearchRequest, token: CancelToken | None = None) -> SearchResult:
        """Find passages. Answers from what is ready; says what is missing. Raises UsageError, Cancelled."""

        def ask(wanted: SearchRequest) -> SearchResult:
            return self._index.answer(lambda: search_pipeline(self.search_context(), wanted, token))

        wanted = replace(request, query=expanded(request.query, self.query_filters))
        return searched(self.plugins.hooks, self.root, wanted, ask, token)

    @cached_property
    def query_filters(self) -> Mapping[str, QueryFilter]:
        """The filters that plugins add to the query language, by name."""
        return brought(self.plugins, "khoj_query_filters", QueryFilter, FILTERS).by_name

    def related(self, request: RelatedRequest, token: CancelToken | None = None) -> SearchResult:
        """Find notes like a place, a region, a file or a text; never the note itself. Raises UsageError, Cancelled."""

        def ask(wanted: RelatedRequest) -> SearchResult:
            return self._index.answer(lambda: related_pipeline(self.search_context(), wanted, token))

        return belonging(self.plugins.hooks, self.root, request, ask, token)

    def links(self, question: Callable[[LinkNetwork], Answer]) -> Answer:
        """What `question` makes of the links of the vault, within one snapshot of the index; it may be asked again.

        The network must not leave the question.
        """
        return self._index.answer(lambda: self._ask_links(question))

    def search_context(self) -> SearchContext:
        """What the index and the model are, as they stand now: for questions that rank links by meaning."""
        hooks = self.plugins.hooks
        leave = partial(entries_left, hooks, self.root) if hooks.has(POST_SEARCH) else None
        return replace(self._index.search_context(), conventions=self._conventions.now, plugins_leave=leave)

    def _ask_links(self, question: Callable[[LinkNetwork], Answer]) -> Answer:
        conventions = self._conventions.now()
        with self._index.database.read() as connection:
            return question(LinkNetwork(connection, conventions, self._files))

    def parse(self, path: Path, text: str) -> ParsedFile:
        """A note as `text` has it, which may be newer than the index."""
        return self.note(path, text).parsed

    def outline(self, path: Path, text: str) -> tuple[Entry, ...]:
        """Entries of a note as `text` has them, which may be newer than the index; empty for files that no processor reads."""
        return self.parse(path, text).entries

    def note(self, path: Path, text: str) -> OpenNote:
        """The note at `path` as an editor shows it, parsed. Raises UsageError when it lies outside of the vault."""
        return self._notes.read(self.relative(path), text)

    def status(self) -> Status:
        """Counts, coverage, failures and what is going on."""
        return self._index.answer(lambda: status_of(self._index, self.root, self.settings.embedding.model))

    def why(self, path: Path) -> Decision:
        """Why a file is or is not indexed, and by which rule."""
        if not self.holds(path.absolute()):
            return Decision(False, f"it is outside the vault {self.root}", None, "outside")
        return self._index.writer().why(self.relative(path))

    def public(self, paths: Collection[str]) -> frozenset[str]:
        """Those of some notes that are indexed and of which nothing is private: what others may be told of."""

        def question() -> frozenset[str]:
            with self._index.database.read() as connection:
                return public_notes(connection, paths)

        # The rules as the files have them now: the index may not have heard yet.
        rules, known = self._rules(), dict[str, Scope | Decision]()
        return frozenset(path for path in self._index.answer(question) if not rules.is_private(path, known))

    @property
    def busy(self) -> bool:
        """Whether indexing is going on; not while it waits for somebody: for a consent, a disk, or to be resumed."""
        indexer = self._index.indexer
        return indexer is not None and indexer.state().working

    @property
    def reading(self) -> bool:
        """Whether changed notes are still being looked for or read: what links lead to may not be known yet."""
        indexer = self._index.indexer
        return indexer is not None and indexer.state().phase in ("scan", "words")

    # -- chats -----------------------------------------------------------------------------------------------------

    def chat_begin(
        self, request: ChatRequest, settings: ChatSettings | None = None, search: SearchSettings | None = None
    ) -> Started:
        """Keep a question; `chat` must follow and gives the answer. None: the vault's own settings, as they are now.

        Raises UsageError, also while another turn of the conversation is under way.
        """
        return self._chatting.begin(request, settings or self._chats.settings(self.root), search or self.settings.search)

    @property
    def personas(self) -> Mapping[str, Persona]:
        """Who can answer, by name, as the files have it now."""
        return self._chatting.desk.personas()

    def chat(
        self,
        request: ChatRequest,
        started: Started,
        token: CancelToken | None = None,
        settings: ChatSettings | None = None,
        search: SearchSettings | None = None,
    ) -> Iterator[ChatEvent]:
        """The events of a turn that was begun: `Sources` first, exactly one `Done` or `Failed` last. Never raises."""
        own, its_search = settings or self._chats.settings(self.root), search or self.settings.search
        return self._chatting.answer(request, started, token or CancelToken(), own, its_search)

    @property
    def commands(self) -> Mapping[str, SlashCommand]:
        """The slash commands by name, those of plugins with them."""
        return self._chatting.desk.commands or BUILT_IN

    def picture(self, reference: str) -> Image:
        """A picture for a chat: a path in the vault (or a file URI), or a `data:` URI. Raises UsageError."""
        return read_picture(reference, self.root, self.relative, self._chat_notes().picture)

    def _lay_desk(self, config: Path) -> ChatDesk:
        return lay_desk(self, self._chat_notes(), config, self._chats.models(), self.settings.chat)

    def _chat_notes(self) -> IndexedNotes:
        return IndexedNotes(self._rules(), self.links, self._notes, self.related)

    def _rules(self) -> IgnoreRules:
        """What is left out, and what is private, as the files with such rules have it now."""
        return IgnoreRules(self.root, self.settings.index, self._registry.extensions())

    # -- paths -----------------------------------------------------------------------------------------------------

    def holds(self, path: Path) -> bool:
        """Whether `path` lies in this vault."""
        # abspath takes `..` out, which a path may lead out of the vault with.
        plain = Path(os.path.abspath(path))  # noqa: PTH100 - absolute() keeps `..`
        return plain == self.root or self.root in plain.parents or self.root in Path(os.path.realpath(path)).parents

    def relative(self, path: Path) -> str:
        """`path` relative to the vault, posix. Raises UsageError when it lies outside."""
        # Unlike Path.resolve, realpath has an answer for a link that leads to itself.
        for candidate in (Path(os.path.abspath(path)), Path(os.path.realpath(path))):  # noqa: PTH100 - absolute() keeps `..`
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

        def work(indexer: Indexer) -> IndexReport:
            return indexer.index(progress, token, force=force, paths=relative, wait=wait)

        report = self._index.answer(lambda: self._index.write(work))
        return replace(report, warnings=(*settings_warnings(self.root), *report.warnings))

    def changed(self, path: Path) -> None:
        """Take note that a file was saved, created, renamed or deleted."""
        indexer = self._index.indexer
        if indexer and self.holds(path):
            indexer.changed(self.relative(path))

    def overlay(self, path: Path, text: str, version: int, session: str = "") -> None:
        """Index the unsaved text of an open buffer instead of the file; versions count within one `session`."""
        indexer = self._index.indexer
        if indexer and self.holds(path):
            indexer.overlay(self.relative(path), text, version, session)

    def overlay_closed(self, path: Path, session: str = "") -> None:
        """Go back to what is on disk, or in another session's buffer."""
        indexer = self._index.indexer
        if indexer and self.holds(path):
            indexer.overlay_closed(self.relative(path), session)

    def set_paused(self, paused: bool) -> None:
        """Stop indexing, or go on."""
        writer = self._index.writer()
        if paused:
            writer.pause()
        else:
            writer.resume()

    def subscribe(self, listener: Callable[[IndexEvent], None]) -> Callable[[], None]:
        """Call `listener` with every index event, from the indexer's thread; returns how to stop that."""
        return self._index.subscribe(listener)

    def adopt(self, settings: Settings) -> None:
        """Go on under other settings, for everything that was not asked yet; the index follows in the background.

        Raises StoreError, OSError, RuntimeError where indexing cannot start under them; it may be tried again.
        """
        self._index.adopt(settings)  # where it fails, who compares finds the old settings, and tries again
        self.settings = settings
        self._chatting.clear_desk()

    def first(self, occasion: Hashable) -> bool:
        """Whether nobody has asked about this occasion in the last minute: of many sessions one should speak to the user."""
        now = time.monotonic()
        with self._guard:
            self._occasions = {each: at for each, at in self._occasions.items() if now - at < _OCCASION_SECONDS}
            return self._occasions.setdefault(occasion, now) == now

    def close(self) -> None:
        """Stop indexing, store what is cached, give the write lock back."""
        self.conversations.close()
        self._index.close()
