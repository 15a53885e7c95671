"""What the hooks are told and what they answer with: one frozen dataclass for each hook.

A hook is called with one of these as `event`. Where it may replace something it returns `dataclasses.replace(event, ...)`, and
None where it leaves all as it is. Fields that a hook may not replace are named here; changing them changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from khoj_ls.core.places import Place
from khoj_ls.core.types import ParsedFile

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class PreIndex:
    """What was read of a file, before it is written into the index. `parsed` may be replaced."""

    vault: Path
    """Root of the vault."""
    path: str
    """Of the file, relative to the vault, posix."""
    parsed: ParsedFile
    """Entries keep their places. What is private stays so; more may be made private."""


@dataclass(frozen=True)
class PostIndex:
    """Files whose words, links or anchors are new in the index."""

    vault: Path
    paths: tuple[str, ...]
    """Relative, posix; those of removed and moved files among them."""
    moved: tuple[tuple[str, str], ...] = ()
    """Old and new path of files that were found at another path with the content they had."""


@dataclass(frozen=True)
class PreSearch:
    """A search before it begins. All but `vault` may be replaced."""

    vault: Path
    query: str
    """In the query language: words, phrases, filters."""
    limit: int
    """Most hits, 1 to 100."""
    mode: Literal["hybrid", "lexical", "dense"]
    paths: tuple[str, ...] | None = None
    """Only these notes and folders; None searches everything. It may be narrowed, not widened."""


@dataclass(frozen=True)
class Hit:
    """A passage that was found."""

    path: str
    line: int
    end_line: int
    """Lines of the passage, from 1, inclusive."""
    title: str
    outline: tuple[str, ...]
    """Headings from the outermost down to the passage's own."""
    snippet: str
    score: float
    """0..1."""
    type: str
    """Content type of the note."""
    tags: tuple[str, ...]
    """Of the entry, inherited ones and the note's with them."""
    date: str | None
    place: Place | None = None
    """Where it stands in a file with pages, rows or cells."""


@dataclass(frozen=True)
class PostSearch:
    """What was found. `hits` may be replaced by fewer of the same: what is added or changed is not taken."""

    vault: Path
    query: str
    """As it was searched for; of related notes, the text that was compared, or nothing."""
    kind: Literal["search", "related"]
    hits: tuple[Hit, ...]
    """Best first."""


@dataclass(frozen=True)
class PreChat:
    """A question before anything is searched or sent. All but `vault` may be replaced; what is kept is the user's own words."""

    vault: Path
    message: str
    """What the user says, a slash command included."""
    persona: str
    """Name of the persona that answers."""
    model: str
    """`PROVIDER/NAME` or a preset; empty or `none`: excerpts. The user's yes is asked for each host that is new."""
    profile: str
    """Search profile; empty: as the persona or the settings have it."""


@dataclass(frozen=True)
class Given:
    """A passage that the model was given."""

    number: int
    """`[1]` in the answer means it."""
    path: str
    title: str
    line: int
    end_line: int
    private: bool


@dataclass(frozen=True)
class PostChat:
    """An answer before it is shown. `text` may be replaced by one from which something was taken out."""

    vault: Path
    question: str
    text: str
    """Markdown. What replaces it passes the same filter as a model's answer: unknown citations go, nothing in it can act."""
    sources: tuple[Given, ...]
    model: str
    """`PROVIDER/NAME`; empty where no model was asked."""
    complete: bool = True
    """Whether the answer came to its end; else it is what had arrived when it was called off or failed."""


@dataclass(frozen=True)
class OnError:
    """Something went wrong. Nothing can be replaced."""

    where: Literal["plugin", "index", "search", "chat"]
    message: str
    """As the user is told."""
    code: str = ""
    """Stable short name: `khoj.model.unreachable`."""
    vault: Path | None = None
    plugin: str = ""
    """The plugin that failed, where one did."""
    hook: str = ""
    """In which hook."""
    details: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class HookCall:
    """How a call of a hook went, as one process tells another."""

    plugin: str
    hook: str
    fault: str = ""
    """What went wrong; empty where nothing did."""
