"""The plain values that travel between floors: what a note is made of once it has been read.

All of them are frozen dataclasses without behaviour beyond small derived facts, so they can be compared, hashed where their
fields allow it, encoded to MessagePack or JSON as they are, and sent to another process.

Positions: lines are 1-based and inclusive; byte offsets are 0-based, half-open, and count bytes of the UTF-8 source text
(for a UTF-8 file: bytes of the file; for a file that is no text: of the text that was made from it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from khoj_ls.core.places import Place

Severity = Literal["error", "warning", "info"]
"""`error`: the file is not indexed. `warning`: indexed, but something was left out or guessed. `info`: nothing was lost."""

DateKind = Literal["content", "scheduled", "deadline", "closed", "created", "updated", "note"]
"""Where a date was found: in the text, in Org planning, in properties or front matter, or (`note`) as the note's own date."""

LinkKind = Literal[
    "wikilink", "embed", "markdown", "org", "id", "file", "citation", "block", "url", "tag", "heading", "footnote"
]
"""The syntax family of a link; what it points at is decided by the resolver, not here."""

AnchorKind = Literal["heading", "custom_id", "id", "block", "target", "footnote"]
"""What makes a place in a file addressable."""


@dataclass(frozen=True)
class Span:
    """A piece of a source text: bytes [start, end), lines `line`..`end_line` (1-based, inclusive)."""

    start: int
    end: int
    line: int
    end_line: int


@dataclass(frozen=True)
class Problem:
    """Something wrong with one file, told to the user with the place and what to do."""

    severity: Severity
    code: str
    """Stable short name, e.g. `invalid-utf8`, `front-matter`, `too-large`."""
    message: str
    """What is wrong and what to do about it, one sentence."""
    line: int = 1


GIVEN_UP = "parser"
"""Code of the Problem of a file whose reading took too much time or memory, or ended its process: another try may go well."""


@dataclass(frozen=True)
class EntryDate:
    """One date of an entry, as an ISO day or instant (`2024-05-01` or `2024-05-01T09:30`)."""

    kind: DateKind
    start: str
    end: str | None = None


@dataclass(frozen=True)
class Link:
    """An explicit reference as written in the source, not yet resolved."""

    kind: LinkKind
    target: str
    """Raw target text without markup, percent-decoding or alias: `note#heading`, `id:1234`, `../b.md#c`."""
    label: str | None
    """Display text where the syntax has one."""
    span: Span
    """The whole link, markup included."""


@dataclass(frozen=True)
class Anchor:
    """A stable address inside a file."""

    kind: AnchorKind
    name: str
    """What a link writes after `#`, `^`, `id:` or `<<`; for headings the heading text."""
    span: Span


@dataclass(frozen=True)
class Entry:
    """A citable unit: an Org heading, a Markdown section, or the text of a note before any heading (level 0).

    An entry's own text runs from its heading line to the line before the next heading; descendants are entries of their
    own. `text` is line-aligned with `raw`: line i of `text` is line `span.line + i` of the source, and lines that are left out
    of the embedded text (drawers, planning, front matter, property lines) are empty there.
    """

    span: Span
    level: int
    """0 for text before the first heading, else the heading's depth as written (1 = `#` or `*`)."""
    heading: str
    """Heading text without markers, TODO word, priority and tags; empty at level 0."""
    outline: tuple[str, ...]
    """Headings of the ancestors, outermost first; neither the note's title nor the entry's own heading."""
    parent: int | None
    """Index of the parent in `ParsedFile.entries`; None at the top."""
    raw: str
    """The source text of the span, as it stands in the file."""
    text: str
    """Compiled text: what is worth embedding, inline markup reduced to its readable part, line-aligned with `raw`.
    The heading line is blank in `text` (the heading travels in `heading`)."""
    blocks: tuple[int, ...] = ()
    """0-based line offsets in `text` at which a top-level block (paragraph, list item, fence, table) begins: the places where
    a chunk may be cut without splitting a block. Ascending."""
    todo: str | None = None
    priority: str | None = None
    tags: tuple[str, ...] = ()
    """Own and inherited tags, without `#` or colons, in order of appearance, no duplicates."""
    properties: tuple[tuple[str, str], ...] = ()
    """Own properties (drawer, `key:: value`), names as written."""
    dates: tuple[EntryDate, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    links: tuple[Link, ...] = ()
    private: bool = False
    """True when the note or an ancestor marks this entry as private: it never leaves the machine."""
    place: Place | None = None
    """Where it stands as people count there, in a file that has pages, rows or cells. Where `place.lined` is false, the file is
    no text: `span`, `raw` and `text` are of a text that was made from it (see `content.rendering`)."""


@dataclass(frozen=True)
class ParsedFile:
    """What a content processor makes of one file."""

    type: str
    """Content type as users write it in `type:` filters: `markdown`, `org`, `text`, ..."""
    title: str | None
    """The title found inside the file (front matter, `#+title`, a leading level-1 heading); None when it has none."""
    entries: tuple[Entry, ...]
    """In source order; together their spans cover every indexed line exactly once."""
    aliases: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """Tags of the whole file: front matter, FILETAGS."""
    properties: tuple[tuple[str, str], ...] = ()
    """Front matter or file-level keywords and properties, nested values as JSON text."""
    dates: tuple[EntryDate, ...] = ()
    private: bool = False
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Chunk:
    """The piece of a file that gets one vector. It covers consecutive entries of one subtree, or a part of one entry."""

    entry: int
    """Index in `ParsedFile.entries` of the first (outermost) entry covered."""
    last_entry: int
    """Index of the last entry covered; equal to `entry` unless a small subtree is kept whole."""
    ordinal: int
    """Position among the chunks of the file, from 0."""
    span: Span
    text: str
    """What is embedded: title and outline from inside the file, then the compiled text. Never over the model's limit."""
    tokens: int
    """Length of `text` in tokens of the model's tokenizer, special tokens included."""
    private: bool = False


CODED_TYPES = frozenset({"html", "json", "latex", "mail", "notebook"})
"""Content types whose source is not what a person reads: it is encoded, escaped, or more markup than text. Where the words of
an entry are wanted, and not a place in the file, its `text` is taken, never its `raw`."""


Vector = bytes
"""A unit-length embedding as little-endian float32 bytes: what SQLite stores and a worker sends, with no numpy in between."""
