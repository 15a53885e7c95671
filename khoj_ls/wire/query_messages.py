"""Parameters and result of khoj/completeQuery; see `messages` for what all of them have in common."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CompleteQueryParams:
    """A query that is being typed, with the caret in it."""

    query: str
    """As it stands, filters included."""
    offset: int | None = None
    """The caret, in characters (code points) from the beginning; the end when absent."""
    vault: str | None = None
    """Folder or URI of one vault; all vaults of the session when absent."""


@dataclass(frozen=True)
class QueryCompletion:
    """One way to go on: a piece of the query gives way to `text`."""

    start: int
    """First character (code point) of the piece."""
    end: int
    """The character after it."""
    text: str
    """A filter's name with its sign (`tag:`), or a value, quoted where it has to be."""
    kind: str
    """name or value."""
    detail: str
    """What it does, for people."""


@dataclass(frozen=True)
class CompleteQueryResult:
    """Ways to go on, likeliest first."""

    completions: list[QueryCompletion]
    """At most 50; empty where plain words are typed."""
