"""What a search is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from types import MappingProxyType
from typing import Literal

from khoj_ls.config.profiles import retuned
from khoj_ls.config.settings import Tuning
from khoj_ls.core.errors import UsageError
from khoj_ls.core.places import Place
from khoj_ls.core.types import Span
from khoj_ls.query.parse import is_pasted

Mode = Literal["hybrid", "lexical", "dense"]
"""Which retrievers run: both, words alone, meaning alone."""

MODES = ("hybrid", "lexical", "dense")
MAX_LIMIT = 100


@dataclass(frozen=True)
class SearchRequest:
    """A search. Raises UsageError when the limit or the mode is not one there is."""

    query: str
    """Words or a question. `"..."` must occur exactly so, `-"..."` must not occur."""
    limit: int = 10
    """Most hits, 1 to 100."""
    mode: Mode = "hybrid"
    tuning: Tuning = field(default_factory=lambda: Tuning(score_threshold=0.0))
    """The numbers that order hits, as the profile has them; where none are given, everything is kept that was found."""
    max_per_file: InitVar[int | None] = None
    """Short for this number of `tuning`, which is where it is read."""
    score_threshold: InitVar[float | None] = None
    """Short for this number of `tuning`, which is where it is read."""
    rerank: bool | None = None
    """Whether the best candidates are read again with the cross-encoder; None leaves it to `tuning`."""
    explain: bool = False
    """Whether each hit tells how it came to stand where it does."""
    profile: str = "default"
    """The name that `tuning` goes by, for the explanation."""
    paths: tuple[str, ...] | None = None
    """Only these notes and folders (relative to the vault, posix); None searches everything."""
    prefix: bool = False
    """Whether the last word may be the beginning of one, for a query that is still being typed."""
    symmetric: bool | None = None
    """Whether passages like the query are looked for, not those that answer it: it is then embedded as they are. None leaves it
    to what the query is: a long text, or one of several lines, is a passage."""

    def __post_init__(self, max_per_file: int | None, score_threshold: float | None) -> None:
        """Check what came from outside."""
        # Half a surrogate pair, which JSON can hold, is no text for a database.
        object.__setattr__(self, "query", self.query.encode(errors="replace").decode())
        given = {"max_per_file": max_per_file, "score_threshold": score_threshold}
        if numbers := {name: number for name, number in given.items() if number is not None}:
            object.__setattr__(self, "tuning", retuned(self.tuning, numbers))
        check_limit(self.limit)
        if self.mode not in MODES:
            raise UsageError(f"there is no search mode {self.mode!r}: use one of {', '.join(MODES)}")

    @property
    def wants_rerank(self) -> bool:
        """Whether a cross-encoder is to read the best candidates."""
        return self.tuning.rerank if self.rerank is None else self.rerank

    @property
    def as_passage(self) -> bool:
        """Whether the query is embedded as passages are."""
        return is_pasted(self.query) if self.symmetric is None else self.symmetric


@dataclass(frozen=True)
class RelatedRequest:
    """What belongs to a place, a region, a note or a text. Raises UsageError when nothing or a wrong limit is named."""

    path: str | None
    """The note to start from (relative, posix), which is never among the hits; None for free text."""
    line: int | None = None
    """1-based line: compare the passage that covers it."""
    end_line: int | None = None
    """Last line of a region that begins at `line`."""
    text: str | None = None
    """Text to compare instead of what is stored: a region of an unsaved buffer, or free text."""
    limit: int = 5
    symmetric: bool | None = None
    """Whether `text` is embedded as passages are, and not as a question. None: what stands in a note is a passage; free text is
    one if it is long or has several lines."""

    def __post_init__(self) -> None:
        """Check what came from outside."""
        check_limit(self.limit)
        if self.path is None and not (self.text and self.text.strip()):
            raise UsageError("nothing to compare: name a note or give a text")

    @property
    def as_passage(self) -> bool:
        """Whether `text` is embedded as passages are."""
        if self.symmetric is not None:
            return self.symmetric
        return self.path is not None or is_pasted(self.text or "")


def check_limit(limit: int) -> None:
    """Raise UsageError unless `limit` is 1 to 100."""
    if not 1 <= limit <= MAX_LIMIT:
        raise UsageError(f"the limit is 1 to {MAX_LIMIT}, not {limit}")


@dataclass(frozen=True)
class Source:
    """How one retriever saw a hit."""

    rank: int
    """1-based place in that retriever's own order."""
    score: float
    """0..1: the saturated BM25 score, the clipped cosine, or the cross-encoder's probability."""


@dataclass(frozen=True)
class Step:
    """One thing that moved a hit, or might have."""

    name: str
    """What it was: note_share, names, word_for_word, rerank, type, recency, diversity, cap, threshold, behind."""
    before: float
    """The hit's score before it, 0..1."""
    after: float
    """And after it."""
    why: str
    """What happened, for people."""
    numbers: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """What it was made of."""


@dataclass(frozen=True)
class Explanation:
    """How a hit came to stand where it does."""

    retrievers: Mapping[str, Source]
    """How it was seen: the passage by `lexical`, `dense` and `rerank`, its note by `lexical_note`, `dense_note` and `names`."""
    fused: float
    """Its score when all of them were put together."""
    rank: int
    """1-based place it had then, among all candidates."""
    steps: tuple[Step, ...]
    """What moved it, first things first."""
    score: float
    """Its score as it is shown."""
    profile: str
    """The profile in use."""
    tuning: Tuning
    """Its numbers."""
    embedded_as: Literal["query", "passage"] | None = None
    """What the query was embedded as; None where it was not: only words were looked for, or no model was ready."""


@dataclass(frozen=True)
class SearchHit:
    """A passage that was found."""

    path: str
    """Relative to the vault, posix."""
    span: Span
    """The passage: whole lines, or a piece of a long one (see `place.columns`)."""
    title: str
    """Title of the note, or its file name where it has none."""
    heading: str
    """Heading of the entry; empty for text before any heading."""
    outline: tuple[str, ...]
    """Headings from the outermost down to the entry's own."""
    snippet: str
    """An excerpt of the passage on one line, markup reduced."""
    highlights: tuple[tuple[int, int], ...]
    """[start, end) code-point offsets in `snippet` of words that matched."""
    score: float
    """0..1, absolute: low means that nothing fits well. Never rises from one hit to the next."""
    type: str
    """Content type of the note."""
    tags: tuple[str, ...]
    date: str | None
    """The entry's first date, else the note's (ISO)."""
    entry_id: int
    sources: Mapping[str, Source] = field(default_factory=lambda: MappingProxyType({}))
    """Which retrievers found it: `lexical`, `dense`; and `rerank` where a cross-encoder read it."""
    place: Place | None = None
    """Where it stands in a file with pages, rows or cells."""
    linked: bool = False
    """For related notes: whether one of the two links the other already."""
    explanation: Explanation | None = None
    """How it came to stand where it does, where that was asked."""


@dataclass(frozen=True)
class SearchResult:
    """Hits, best first, and how complete the answer is."""

    hits: tuple[SearchHit, ...]
    degraded: bool = False
    """Whether a part is missing: vectors still being made, a model that does not answer."""
    reason: str | None = None
    """Why the answer is degraded, for people."""
    coverage: float = 1.0
    """Share of the notes' passages that have their vector, 0..1."""
    timings: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Milliseconds per stage, and `total`."""
    respelled: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Where nothing holds any word of the query: the stem that was looked for in the place of each."""
