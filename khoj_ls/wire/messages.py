"""Parameters and results of the khoj/* requests, and the notifications. docs/protocol.md is generated from these docstrings.

Names are camelCase on the wire only where LSP itself has the word (`textDocument`); all else is one lower-case word or
snake_case. Positions are LSP's: 0-based lines, and within a line the units of the session's position encoding.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from khoj_ls.wire.metrics_messages import Metrics
from khoj_ls.wire.tuning_messages import Explanation as Explanation
from khoj_ls.wire.tuning_messages import Source as Source

Mode = Literal["hybrid", "lexical", "dense"]


@dataclass(frozen=True)
class Position:
    """A place in a document, as in LSP."""

    line: int
    """0-based line."""
    character: int = 0
    """Offset in the line, in the units of the session's position encoding."""


@dataclass(frozen=True)
class Range:
    """From `start` up to but not including `end`."""

    start: Position
    """First position."""
    end: Position
    """Position behind the last."""


@dataclass(frozen=True)
class TextDocument:
    """Names a document."""

    uri: str
    """A file URI."""


@dataclass(frozen=True)
class Hit:
    """One result."""

    uri: str
    """The note."""
    range: Range
    """The passage: whole lines, or a piece of one that is very long."""
    title: str
    """Title of the note, or its file name where it has none."""
    outline: list[str]
    """Headings from the outermost down to the passage's own."""
    snippet: str
    """A short excerpt on one line."""
    highlights: list[list[int]]
    """[start, end) offsets in `snippet`, in Unicode code points, of the words that matched."""
    score: float
    """0..1, absolute: low means that nothing fits well."""
    type: str
    """Content type: markdown, org, text."""
    vault: str
    """Folder of the vault."""
    page: int | None = None
    """Page or slide that the passage begins on, in a file that has some."""
    place: str | None = None
    """Where the passage stands as people count there, in a file with pages, rows or cells: `page 3`, `Costs, rows 2 to 21`,
    and in a very long line, as in a page without line breaks: `column 4420`.
    In a file that is no text the range is empty and at its beginning."""
    tags: list[str] = field(default_factory=list)
    """Tags of the entry and its note."""
    date: str | None = None
    """The entry's own date, where it has one (ISO)."""
    sources: dict[str, Source] = field(default_factory=dict)
    """Which retrievers found it: lexical, dense; and rerank where a cross-encoder read it."""
    linked: bool = False
    """`khoj/related`: whether the two notes link each other already."""
    explanation: Explanation | None = None
    """How it came to stand where it does, where that was asked."""


@dataclass(frozen=True)
class SearchParams:
    """Search the notes by words and by meaning."""

    query: str
    """Words or a question; words in double quotes must occur exactly so."""
    limit: int | None = None
    """Most hits to return, 1 to 100; what the profile says, else the setting search.limit, when absent."""
    mode: Mode | None = None
    """Which retrievers run; the setting search.mode when absent."""
    vault: str | None = None
    """Folder or URI of one vault; all vaults of the session when absent."""
    profile: str | None = None
    """A search profile, as khoj/choices lists them; the setting search.profile when absent."""
    tuning: dict[str, Any] | None = None
    """Numbers in place of the profile's, for this question."""
    rerank: bool | None = None
    """Whether a cross-encoder reads the best candidates again; what the profile says when absent."""
    explain: bool = False
    """Whether each hit tells how it came to stand where it does."""
    group: bool = False
    """Whether the hits are put together by note as well."""
    within: list[str] | None = None
    """Only these notes and folders (absolute paths or URIs): to search within what another search has found."""
    prefix: bool = False
    """Whether the last word may be the beginning of one, for a query that is still being typed."""
    symmetric: bool | None = None
    """Whether passages like the query are looked for, and not those that answer it; when absent, for a query that is long or
    has several lines."""


@dataclass(frozen=True)
class NoteHits:
    """What was found in one note."""

    uri: str
    """The note."""
    title: str
    """Its title, or its file name where it has none."""
    vault: str
    """Folder of the vault."""
    score: float
    """That of its best hit."""
    hits: list[Hit]
    """Its hits, best first."""


@dataclass(frozen=True)
class SearchResult:
    """Hits, best first."""

    hits: list[Hit]
    """At most `limit`."""
    degraded: bool
    """Whether a part is missing: vectors that are still being made, a model that does not answer."""
    coverage: float
    """Share of the notes' passages that have their vector, 0..1."""
    timings: dict[str, float]
    """Milliseconds per stage, and `total`."""
    reason: str | None = None
    """Why the answer is degraded."""
    notes: list[NoteHits] | None = None
    """The same hits by note, the note with the best hit first, where that was asked."""
    respelled: dict[str, str] = field(default_factory=dict)
    """Where no note holds any word of the query: the stem of the word that was looked for in the place of each."""


@dataclass(frozen=True)
class RelatedParams:
    """Find notes like this place, region, file or text; never the note itself."""

    textDocument: TextDocument | None = None
    """The note to start from. May be absent when `text` is given."""
    position: Position | None = None
    """A place in it: its entry is compared."""
    range: Range | None = None
    """A region of it."""
    text: str | None = None
    """Free text to compare instead."""
    limit: int | None = None
    """Most hits to return, 1 to 100; 5 when absent."""
    vault: str | None = None
    """Folder or URI of the vault, for free text."""
    symmetric: bool | None = None
    """Whether `text` is compared as a passage, and not as a question; when absent, for text of a note, and for free text that
    is long or has several lines."""


@dataclass(frozen=True)
class StatusParams:
    """How the daemon and the vaults are."""

    vault: str | None = None
    """Folder or URI of one vault; all open vaults when absent."""


@dataclass(frozen=True)
class WorkerStatus:
    """The encoder process."""

    state: str
    """off, preparing, loading, ready or failed."""
    pid: int | None
    """Process id, null while it does not run."""
    rss_bytes: int
    """Resident memory."""
    model: str
    """The model, as set."""
    backend: str | None
    """onnx or sentence-transformers."""
    error: str | None = None
    """Why it failed, if it did."""


@dataclass(frozen=True)
class DaemonStatus:
    """The process that answers."""

    pid: int
    """Process id."""
    version: str
    """Version of khoj-ls that runs."""
    uptime_seconds: float
    """Since it was started."""
    rss_bytes: int
    """Resident memory, without its workers."""
    worker: WorkerStatus | None
    """The encoder process, null before it is first needed."""
    sessions: int = 0
    """Editors and shells connected now."""
    metrics: Metrics | None = None
    """What it has done and what it takes."""


@dataclass(frozen=True)
class Failure:
    """A file that is not indexed, or not wholly."""

    path: str
    """Absolute path."""
    reason: str
    """Why, and what to do."""


@dataclass(frozen=True)
class FileWarning:
    """Something in a file that is indexed was left out or guessed."""

    path: str
    """Absolute path."""
    line: int
    """1-based line."""
    reason: str
    """What, and what to do."""


@dataclass(frozen=True)
class VaultStatus:
    """One vault and its index."""

    root: str
    """Its folder."""
    files: int
    """Files that are indexed."""
    entries: int
    """Headings with their text, and texts before a heading."""
    chunks: int
    """Passages that get a vector."""
    embedded: int
    """Chunks that have their vector."""
    queue: int
    """Files waiting to be read plus texts waiting for their vector."""
    failures: list[Failure]
    """Files that are not indexed though they should be."""
    model: str
    """The model that answers."""
    database_bytes: int
    """Size of the database on disk."""
    coverage: float
    """Share of the passages that have their vector, 0..1."""
    phase: str
    """idle, scan, words, chunk, embed, model, paused, read-only, offline."""
    message: str = ""
    """What a person should know now, if anything."""
    paused: bool = False
    """Whether indexing is paused."""
    vectors: str = "empty"
    """What answers by meaning: empty, exact or hnsw."""
    eta_seconds: float | None = None
    """Until the running phase is through, if known."""
    warnings: list[FileWarning] = field(default_factory=list)
    """What was left out or guessed in files that are indexed: their encoding, a front matter that cannot be read; settings of
    the notes' tool that cannot be used."""


@dataclass(frozen=True)
class StatusResult:
    """The daemon and its vaults."""

    daemon: DaemonStatus | None
    """The process; null when there is none (`--in-process`)."""
    vaults: list[VaultStatus]
    """The open vaults."""


@dataclass(frozen=True)
class ReindexParams:
    """Bring the index up to date and wait until it is complete."""

    vault: str | None = None
    """Folder or URI of the vault; all vaults of the session when absent."""
    paths: list[str] | None = None
    """Only these files or folders (absolute paths or URIs)."""
    force: bool = False
    """Read and parse every file again, changed or not. Vectors of unchanged texts are kept."""
    wait: bool = True
    """Return when everything is embedded; else as soon as the work is under way."""
    yes: bool = False
    """Index a folder that is refused for its size, or the home folder, all the same."""


@dataclass(frozen=True)
class ReindexResult:
    """What an indexing run did."""

    vault: str
    """Its folder."""
    files: int
    """Files in the index now."""
    entries: int
    """Entries in the index now."""
    chunks: int
    """Chunks in the index now."""
    embedded: int
    """Texts sent to the model."""
    reused: int
    """Chunks whose vector was there already."""
    removed: int
    """Files that were forgotten because they are gone."""
    failures: list[Failure]
    """Files that are not indexed though they should be."""
    seconds: float
    """How long it took."""
    warnings: list[FileWarning] = field(default_factory=list)
    """What was left out or guessed in files that are indexed."""


@dataclass(frozen=True)
class VaultParams:
    """Names one vault."""

    vault: str | None = None
    """Folder or URI of the vault; all vaults of the session when absent."""


@dataclass(frozen=True)
class PauseResult:
    """Whether indexing is paused now."""

    paused: bool
    """Whether indexing is paused now."""
    vaults: list[str]
    """Folders of the vaults it was done to."""


@dataclass(frozen=True)
class WhyParams:
    """Say why a file is or is not indexed."""

    path: str
    """Absolute path or URI."""


@dataclass(frozen=True)
class WhyResult:
    """The decision about one file."""

    path: str
    """Absolute path."""
    indexed: bool
    """Whether it is in the index."""
    reason: str
    """One clause that says why."""
    rule: str | None = None
    """The rule that decided, with the file and line it stands in."""


@dataclass(frozen=True)
class IndexChanged:
    """Notification khoj/indexChanged: these notes have new words and links in the index; again once their meaning is in."""

    vault: str
    """Folder of the vault."""
    files: list[str]
    """URIs; empty when everything may have changed."""


Json = dict[str, Any]
"""A JSON object."""
