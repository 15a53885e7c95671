"""What the indexer tells the world: events, its state, and the report of one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from khoj_ls.core.jobs import Progress

EventKind = Literal["progress", "changed", "idle", "problem"]


@dataclass(frozen=True)
class IndexEvent:
    """Something happened in the index. Delivered on the indexer's own thread: take note and return."""

    kind: EventKind
    """`progress`: see `progress`. `changed`: the words, links or anchors of `paths` are new. `idle`: all is indexed that can
    be. `problem`: indexing stands still, `message` says why."""
    paths: tuple[str, ...] = ()
    """Relative, posix; those of removed and moved files among them."""
    moved: tuple[tuple[str, str], ...] = ()
    """Old and new path of files that were found at another path with the content they had."""
    progress: Progress | None = None
    message: str = ""
    error: Exception | None = None
    """What stopped the indexer for good (a damaged database); None for what it retries by itself."""


@dataclass(frozen=True)
class IndexState:
    """What the indexer is doing."""

    queue: int
    """Files that wait to be looked at, or are being read and parsed."""
    pending: int
    """Files that wait to be cut into chunks plus texts that wait for a vector."""
    phase: str
    """`offline`, `paused`, `scan`, `words`, `model` (being prepared), `chunk`, `embed`, `waiting` (for what `message` says: a
    consent, a model, space on the disk), `idle`."""
    paused: bool
    scanning: bool
    working: bool
    """Whether it gets on by itself: false when all is done, and when it waits for somebody (`offline`, `paused`, `waiting`, or
    called off)."""
    eta_seconds: float | None = None
    """Until the running phase is through; None while that is not known."""
    message: str = ""
    """What keeps the index from being complete, and what to do about it."""


@dataclass(frozen=True)
class IndexReport:
    """What one run came to."""

    files: int
    """Files in the index now."""
    entries: int
    chunks: int
    embedded: int
    """Texts sent to the encoder since the index was last at rest."""
    reused: int
    """Chunks whose vector was there already, from before or from an equal text."""
    removed: int
    """Files taken out of the index since it was last at rest."""
    failures: tuple[tuple[str, str], ...]
    """(path, reason) of files and folders that are not indexed, or only by their words, though they should be."""
    warnings: tuple[tuple[str, int, str], ...]
    """(path, line, reason) of what was left out or guessed in files that are indexed."""
    seconds: float


@dataclass
class Tally:
    """What was done since the program started."""

    looked: int = 0
    """Changes looked at."""
    read: int = 0
    """Files read from disk."""
    parsed: int = 0
    removed: int = 0
    embedded: int = 0
