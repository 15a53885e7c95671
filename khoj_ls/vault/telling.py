"""What is told of a vault's work to those that the user wants to be told: made of it, without anything private.

A note counts as private here as a whole when any section of it does, when a rule makes it so now, or when the index does not
hold it any more: what cannot be known is not told.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from khoj_ls.automation.payloads import MOST_NOTES, ChatMessage, ErrorOccurred, IndexCompleted, SearchPerformed, ToldNote
from khoj_ls.chat.types import ChatEvent, ChatRequest, Done, Failed, Sources, Started
from khoj_ls.core import events
from khoj_ls.core.errors import Cancelled, ConsentNeeded, KhojError, UsageError
from khoj_ls.core.events import Occurrence, Tell
from khoj_ls.indexing.types import IndexEvent
from khoj_ls.search.types import SearchHit, SearchRequest, SearchResult

if TYPE_CHECKING:
    from khoj_ls.vault.vault import Vault

MOST_CHANGED = 10_000
"""Changed notes that are remembered until the index is complete; a first indexing of more tells of so many."""

_SAME_ERROR_SECONDS = 60.0
_NO_ERRORS = (UsageError.code, Cancelled.code, ConsentNeeded.code)
"""Codes of what the user did, or has not done yet."""
_TOLD_BY_ITS_TURN = "ask"


class Telling:
    """Hands events over. Any thread may call; nothing is waited for."""

    def __init__(self, tell: Tell) -> None:
        """Hand them to `tell`."""
        self._tell = tell
        self._lock = threading.Lock()
        self._errors: dict[tuple[str, str, str], float] = {}

    def follow(self, vault: Vault) -> None:
        """Tell of a vault's index from now on."""
        vault.subscribe(_Changes(vault, self).take)

    def searched(self, vault: Vault, request: SearchRequest, result: SearchResult) -> None:
        """A search was answered."""
        self._tell(Occurrence(events.SEARCH_PERFORMED, vault.root.name, partial(_search, vault, request, result)))

    def answered(self, vault: Vault, request: ChatRequest, started: Started, turn: Iterator[ChatEvent]) -> Iterator[ChatEvent]:
        """The events of a turn, passed on as they come; its end is told."""
        sources = Sources(())
        for event in turn:
            if isinstance(event, Sources):
                # A later one has more sources; what was left out before was left out all the same.
                sources = replace(event, left_out_private=max(event.left_out_private, sources.left_out_private))
            elif isinstance(event, (Done, Failed)):
                self._ended(vault, request, started, sources, event)
            yield event

    def failed(self, during: str, code: str, vault: str = "") -> None:
        """Something went wrong; what is the user's own doing is not told, nor the same thing twice within a minute."""
        if code in _NO_ERRORS or code.startswith(f"{UsageError.code}.") or during == _TOLD_BY_ITS_TURN:
            return
        key, now = (during, code, vault), time.monotonic()
        with self._lock:
            self._errors = {each: at for each, at in self._errors.items() if now - at < _SAME_ERROR_SECONDS}
            if self._errors.setdefault(key, now) != now:
                return
        self._tell(Occurrence(events.ERROR_OCCURRED, vault, lambda content: ErrorOccurred(during, code)))

    def indexed(self, vault: Vault, paths: Collection[str]) -> None:
        """All is indexed; `paths` have changed since the last time."""
        self._tell(Occurrence(events.INDEX_COMPLETED, vault.root.name, partial(_index, vault, tuple(paths))))

    def _ended(self, vault: Vault, request: ChatRequest, started: Started, sources: Sources, end: Done | Failed) -> None:
        if isinstance(end, Failed):
            if end.consent is not None or end.code in _NO_ERRORS:
                return
            self.failed("chat", end.code, vault.root.name)
        if request.keep:
            data = partial(_chat, vault, request, started, sources, end)
            self._tell(Occurrence(events.CHAT_MESSAGE, vault.root.name, data))


class _Changes:
    """The changes of one vault's index, collected until it is complete. For the indexer's thread."""

    def __init__(self, vault: Vault, telling: Telling) -> None:
        self._vault = vault
        self._telling = telling
        self._paths: set[str] = set()

    def take(self, event: IndexEvent) -> None:
        if event.kind == "changed":
            self._paths.update(event.paths[: max(0, MOST_CHANGED - len(self._paths))])
        elif event.kind == "problem":
            code = event.error.code if isinstance(event.error, KhojError) else KhojError.code
            self._telling.failed("index", code, self._vault.root.name)
        elif event.kind == "idle" and self._paths:
            paths, self._paths = self._paths, set()
            self._telling.indexed(self._vault, paths)


def _index(vault: Vault, paths: tuple[str, ...], content: bool) -> IndexCompleted | None:
    public = sorted(_public(vault, paths))
    return IndexCompleted(len(public), public[:MOST_NOTES]) if public else None


def _search(vault: Vault, request: SearchRequest, result: SearchResult, content: bool) -> SearchPerformed:
    public = _public(vault, {hit.path for hit in result.hits})
    hits = [_of_hit(hit, content) for hit in result.hits if hit.path in public]
    # Words that find nothing may be the name of what is private, too.
    whole = len(hits) == len(result.hits) > 0
    return SearchPerformed(
        request.mode,
        hits,
        result.degraded,
        round(result.timings.get("total", 0.0), 3),
        request.query if content and whole else None,
    )


def _chat(
    vault: Vault, request: ChatRequest, started: Started, sources: Sources, end: Done | Failed, content: bool
) -> ChatMessage:
    public = _public(vault, {source.path for source in sources.sources})
    is_public = (
        not sources.left_out_private
        and all(source.path in public and not source.private for source in sources.sources)
        and not _is_private(vault, started)
    )
    told = [
        ToldNote(
            source.path,
            source.line,
            source.end_line,
            None if source.score is None else round(source.score, 4),
            source.title if content else None,
            source.text if content else None,
        )
        for source in sources.sources
        if is_public
    ]
    words = content and is_public
    return ChatMessage(
        started.conversation,
        started.turn,
        "done" if isinstance(end, Done) else "failed",
        end.model if isinstance(end, Done) else "",
        told,
        end.code if isinstance(end, Failed) else None,
        request.message if words else None,
        end.text if words else None,
    )


def _is_private(vault: Vault, started: Started) -> bool:
    """Whether a turn may hold words of private notes, by what it was given or what was said before."""
    try:
        turns = vault.conversations.turns(started.conversation)
    except KhojError:  # it was deleted: what cannot be known is private
        return True
    return not any(turn.id == started.turn and not turn.private for turn in turns)


def _of_hit(hit: SearchHit, content: bool) -> ToldNote:
    return ToldNote(
        hit.path,
        hit.span.line,
        hit.span.end_line,
        round(hit.score, 4),
        hit.title if content else None,
        hit.snippet if content else None,
    )


def _public(vault: Vault, paths: Collection[str]) -> frozenset[str]:
    try:
        return vault.public(paths)
    except KhojError:  # the index is being closed or built anew: what cannot be known is private
        return frozenset()
