"""Where plugins have their say on searches and on the index: what they are shown of it, and what is taken of their answers."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from khoj_ls.core.errors import Cancelled, KhojError, UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.indexing.types import IndexEvent
from khoj_ls.plugins.events import Hit, OnError, PostIndex, PostSearch, PreSearch
from khoj_ls.plugins.hooks import POST_INDEX, POST_SEARCH, PRE_SEARCH, Hooks
from khoj_ls.query.parse import parse
from khoj_ls.search.types import MAX_LIMIT, RelatedRequest, SearchHit, SearchRequest, SearchResult
from khoj_ls.store.entries import entry_rows

_SNIPPET = 200
"""Characters of a passage that is shown where no query says which."""

R = TypeVar("R", SearchRequest, RelatedRequest)


def searched(
    hooks: Hooks, root: Path, request: SearchRequest, ask: Callable[[SearchRequest], SearchResult], token: CancelToken | None
) -> SearchResult:
    """What `ask` finds for the request as the plugins would have it, without what they take out. Raises what `ask` raises."""
    wanted = _as_plugins_want(hooks, root, request, token)
    return _reported(hooks, root, lambda: _filtered(hooks, root, wanted, ask, token, "search", wanted.query))


def belonging(
    hooks: Hooks, root: Path, request: RelatedRequest, ask: Callable[[RelatedRequest], SearchResult], token: CancelToken | None
) -> SearchResult:
    """Related notes, without what plugins take out. Raises what `ask` raises."""
    return _reported(hooks, root, lambda: _filtered(hooks, root, request, ask, token, "related", request.text or ""))


def entries_left(hooks: Hooks, root: Path, connection: sqlite3.Connection, found: Mapping[int, float]) -> frozenset[int]:
    """Which of some entries (score by id), near to a place in a note, plugins leave of what is about to be told."""
    rows = entry_rows(connection, sorted(found, key=lambda entry: -found[entry]))
    shown = {
        entry: Hit(
            row.path,
            row.span.line,
            row.span.end_line,
            row.title,
            (*row.outline, row.heading) if row.heading else row.outline,
            " ".join(row.raw[: 2 * _SNIPPET].split())[:_SNIPPET],
            found[entry],
            row.type,
            row.tags,
            row.dates[0].start if row.dates else None,
            row.place,
        )
        for entry, row in rows.items()
    }
    left = _left(hooks, PostSearch(root, "", "related", tuple(sorted(shown.values(), key=lambda hit: -hit.score))))
    return frozenset(entry for entry, hit in shown.items() if hit in left)


def tell_plugins(hooks: Hooks, root: Path, event: IndexEvent) -> None:
    """Have plugins hear of what happened in the index. Returns at once."""
    if event.kind == "changed":
        hooks.tell(POST_INDEX, PostIndex(root, event.paths, event.moved))
    elif event.kind == "problem":
        hooks.error(OnError("index", event.message, getattr(event.error, "code", KhojError.code), root))


def _as_plugins_want(hooks: Hooks, root: Path, request: SearchRequest, token: CancelToken | None) -> SearchRequest:
    if not hooks.has(PRE_SEARCH):
        return request

    def admitted(before: PreSearch, after: PreSearch) -> PreSearch:
        if after.query != before.query:
            parse(after.query)
        return _event(root, _changed(request, replace(after, paths=_narrowed(before.paths, after.paths))))

    event = _event(root, request)
    wanted = hooks.passed(PRE_SEARCH, event, admitted, token)
    return request if wanted == event else _changed(request, wanted)


def _event(root: Path, request: SearchRequest) -> PreSearch:
    return PreSearch(root, request.query, request.limit, request.mode, request.paths)


def _changed(request: SearchRequest, event: PreSearch) -> SearchRequest:
    """Raises UsageError for what no search can be asked for, TypeError where a part is of the wrong kind."""
    if not isinstance(event.query, str) or type(event.limit) is not int:
        raise TypeError("the query is a text, and the limit a whole number")
    return replace(request, query=event.query, limit=event.limit, mode=event.mode, paths=event.paths)


def _narrowed(before: tuple[str, ...] | None, after: object) -> tuple[str, ...] | None:
    """The paths of an answer. Raises UsageError where they hold more than those before: whoever asked has named these."""
    if after is None or after == before:
        if before is not None and after is None:
            raise UsageError("the search stays within some notes: paths may be narrowed, not widened")
        return before
    if not isinstance(after, tuple) or not all(isinstance(each, str) for each in after):
        raise TypeError("paths is a tuple of texts, or None")
    for each in after:
        if before is not None and not any(each == path or each.startswith(f"{path.rstrip('/')}/") for path in before):
            raise UsageError(f"the search stays within some notes, and {each} is none of them")
    return after


def _filtered(
    hooks: Hooks, root: Path, request: R, ask: Callable[[R], SearchResult], token: CancelToken | None, kind: str, query: str
) -> SearchResult:
    result = ask(request)
    if not hooks.has(POST_SEARCH) or not result.hits:
        return result
    until = time.monotonic() + hooks.limit(POST_SEARCH)
    kept = _kept(hooks, root, result.hits, kind, query, token, until)
    if len(kept) < len(result.hits) == request.limit < MAX_LIMIT:
        # What was taken out must not leave places empty that others could have.
        asked = time.monotonic()
        result = ask(replace(request, limit=MAX_LIMIT))
        until += time.monotonic() - asked
        kept = _kept(hooks, root, result.hits, kind, query, token, until)[: request.limit]
    return replace(result, hits=kept)


def _kept(
    hooks: Hooks, root: Path, hits: tuple[SearchHit, ...], kind: str, query: str, token: CancelToken | None, until: float
) -> tuple[SearchHit, ...]:
    """The hits that all plugins leave, as they were: what they hand back says only which. Hooks have the time `until` then."""
    shown = tuple(_shown(hit) for hit in hits)
    left = _left(hooks, PostSearch(root, query, "search" if kind == "search" else "related", shown), token, until)
    return tuple(hit for hit, as_shown in zip(hits, shown, strict=True) if as_shown in left)


def _left(hooks: Hooks, event: PostSearch, token: CancelToken | None = None, until: float | None = None) -> frozenset[Hit]:
    def admitted(before: PostSearch, after: PostSearch) -> PostSearch:
        left = frozenset(after.hits)
        return replace(before, hits=tuple(hit for hit in before.hits if hit in left))

    return frozenset(hooks.passed(POST_SEARCH, event, admitted, token, until).hits)


def _shown(hit: SearchHit) -> Hit:
    return Hit(
        hit.path,
        hit.span.line,
        hit.span.end_line,
        hit.title,
        hit.outline,
        hit.snippet,
        hit.score,
        hit.type,
        hit.tags,
        hit.date,
        hit.place,
    )


def _reported(hooks: Hooks, root: Path, ask: Callable[[], SearchResult]) -> SearchResult:
    try:
        return ask()
    except (UsageError, Cancelled):
        raise
    except KhojError as error:
        hooks.error(OnError("search", str(error), error.code, root))
        raise
