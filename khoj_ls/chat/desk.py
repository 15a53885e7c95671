"""What a chat works with, handed in by the vault: nothing here opens a database, a file or a connection by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from khoj_ls.chat.types import ContextItem
from khoj_ls.config.settings import ChatSettings, SearchSettings
from khoj_ls.core.chat import ChatModel, Image, Message
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.places import Place
from khoj_ls.core.slash import Neighbours, SlashCommand
from khoj_ls.plugins.hooks import NO_HOOKS, Hooks
from khoj_ls.plugins.kinds import QueryFilter
from khoj_ls.search.types import SearchRequest, SearchResult


@dataclass(frozen=True)
class Persona:
    """Who answers, and how: a system prompt and a style."""

    name: str
    about: str
    """One line for lists."""
    prompt: str
    """What the model is told about its part, in its own words."""
    tone: str = ""
    style: str = "balanced"
    """concise | balanced | detailed"""
    citations: str = "inline"
    """inline | footnote | none"""
    always_cite: bool = True
    focus: tuple[str, ...] = ()
    """Domains it knows best."""
    max_answer: int = 2048
    """Most tokens of an answer."""
    greeting: str = ""
    profile: str = ""
    """Search profile; empty: that of the settings."""
    model: str = ""
    """`PROVIDER/NAME`; empty: that of the settings. Taken only from the user's own personas, never from a vault's."""
    source: str = "built-in"
    """built-in, or the file that it stands in."""


@dataclass(frozen=True)
class Section:
    """A whole section of a note, as it is indexed."""

    path: str
    title: str
    outline: tuple[str, ...]
    line: int
    end_line: int
    text: str
    """Source text of the lines, without those of its subsections."""
    private: bool
    place: Place | None = None
    """Where it stands in a file with pages, rows or cells, or in a very long line."""

    @property
    def column(self) -> int:
        """The column it begins at, from 1, where it is a piece of a line; else 0."""
        return self.place.first if self.place and self.place.columns else 0


class Notes(Protocol):
    """The notes of the vault, as they are indexed."""

    def section(self, path: str, line: int, column: int | None = None) -> Section | None:
        """The innermost section that holds the line (from 1).

        Of a line that is cut into pieces the one that holds the column (from 1), or all of the line.
        """
        ...

    def sections(self, path: str) -> Sequence[Section]:
        """All sections of a note, in order; empty where there is no such note."""
        ...

    def chosen(self, item: ContextItem) -> Sequence[Section]:
        """The sections that a context item means. Raises UsageError where there is no such note, folder or tag."""
        ...

    def images(self, path: str) -> Sequence[tuple[str, Image]]:
        """Pictures that are attached to a note or shown in it: path in the vault, and the picture, which may be private."""
        ...


@dataclass(frozen=True)
class Turn:
    """One question and its answer, as they are kept."""

    id: str
    question: str
    answer: str
    """Empty while it is under way or where it failed before the first word."""
    sources: tuple[tuple[int, str, int, int], ...] = ()
    """number, path, line, end_line of what was given."""
    private: bool = False
    """Whether it may hold words of private notes, which must not be sent to another machine with later questions."""


class Conversations(Protocol):
    """The kept conversations."""

    def begin(
        self, conversation: str | None, message: str, *, persona: str, model: str, replaces: str | None
    ) -> tuple[str, str]:
        """Keep a question; returns the ids of its conversation and its turn.

        With `replaces`, that turn and all after it are superseded (kept aside, not lost). Raises UsageError for ids that are
        not there.
        """
        ...

    def finish(self, turn: str, event: object) -> None:
        """Keep how a turn ended: a `Done` or `Failed`, with what had arrived."""
        ...

    def given(self, turn: str, sources: Sequence[object], *, private_history: bool | None = None) -> None:
        """Keep what the model was given: `Source`s; and whether earlier turns that it was given too are private.

        None: not known; then a turn counts as private where any before it does.
        """
        ...

    def arrived(self, turn: str, text: str) -> None:
        """Keep `text`, all of the answer so far. Cheap: to be called for every piece; written about once a second."""
        ...

    def turns(self, conversation: str) -> Sequence[Turn]:
        """The turns that hold, oldest first."""
        ...

    def persona(self, conversation: str) -> str:
        """The persona it was begun with; empty where it is not there."""
        ...


class Models(Protocol):
    """The chat models that may be asked."""

    def choose(self, name: str, base_url: str | None = None) -> ChatModel | None:
        """The model called `PROVIDER/NAME` or by a preset, ready to be asked; None where `name` is empty or `none`.

        Raises UsageError for a name that is not known (it lists the known ones), ModelError where it cannot be used.
        """
        ...

    def check_consent(self, model: ChatModel, messages: Sequence[Message], answer: int) -> None:
        """Raise ConsentNeeded, which says what would be sent where and at about what cost, unless the user said yes before.

        `answer` is the most tokens that may be answered.
        """
        ...


@dataclass(frozen=True)
class ChatDesk:
    """Everything that one turn needs."""

    settings: ChatSettings
    search_settings: SearchSettings
    search: Callable[[SearchRequest, CancelToken], SearchResult]
    notes: Notes
    conversations: Conversations
    models: Models
    personas: Callable[[], Mapping[str, Persona]]
    """All personas by name, as they are now."""
    commands: Mapping[str, SlashCommand] | None = None
    """The slash commands by name; None: the built-in ones."""
    hooks: Hooks = NO_HOOKS
    """Where plugins have their say."""
    filters: Mapping[str, QueryFilter] = field(default_factory=lambda: MappingProxyType({}))
    """Filters that plugins add to the query language."""
    root: Path = Path()
    """The vault's, for plugins."""
    neighbours: Callable[[str], Neighbours] | None = None
    """What the note at a path is tied to by links and by meaning, for `/links`; raises UsageError where there is no note."""
