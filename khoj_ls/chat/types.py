"""What a chat is asked, and the events it answers with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from khoj_ls.core.chat import Image, StopReason, Usage
from khoj_ls.core.places import Place

ContextKind = Literal["selection", "note", "folder", "tag"]


@dataclass(frozen=True)
class ContextItem:
    """Something of the vault that the user wants the answer to be about, beside what a search finds."""

    kind: ContextKind
    name: str
    """A path (relative to the vault, posix) of a note or folder, or a tag without `#`."""
    line: int | None = None
    """First line of a selection, from 1."""
    end_line: int | None = None
    """Its last line."""
    text: str | None = None
    """What the editor shows there, which may be newer than the index; None takes what is indexed."""


@dataclass(frozen=True)
class ChatRequest:
    """One turn of a conversation."""

    message: str
    """What the user says: a question, or a slash command with its words. Filters of the query language steer the search."""
    conversation: str | None = None
    """Id of the conversation that goes on; None begins one."""
    replaces: str | None = None
    """Id of the turn that is asked anew: with other words (edit), or with the same ones (retry, when `message` is empty)."""
    persona: str | None = None
    """None: the conversation's, else the one of the settings."""
    model: str | None = None
    """`PROVIDER/NAME` or a preset; None: the persona's, else the one of the settings; `none`: excerpts, no model."""
    base_url: str | None = None
    """Where the model is asked instead of where the settings say."""
    profile: str | None = None
    """Search profile."""
    context: tuple[ContextItem, ...] = ()
    images: tuple[Image, ...] = ()
    subqueries: bool | None = None
    """Whether the model is asked first what to search for; None: as the settings say."""
    keep: bool = True
    """Whether the turn is saved."""


@dataclass(frozen=True)
class Started:
    """The ids under which a turn is kept, and called off."""

    conversation: str
    turn: str
    unkept: str = ""
    """Why nothing of the turn is kept, where it should be."""


@dataclass(frozen=True)
class Source:
    """A passage that the model was given."""

    number: int
    """From 1; `[1]` in the answer means it."""
    path: str
    """Relative to the vault, posix."""
    title: str
    outline: tuple[str, ...]
    """Headings around the passage, outermost first, its own heading last."""
    line: int
    end_line: int
    text: str
    """What the model reads."""
    score: float | None = None
    """Of the search; None for what the user chose."""
    private: bool = False
    place: Place | None = None
    """Where it stands in a file with pages, rows or cells."""


@dataclass(frozen=True)
class Citation:
    """A place in the answer that names a source, checked."""

    number: int
    path: str
    outline: tuple[str, ...]
    line: int
    """Lines of `quote` in the note, from 1."""
    end_line: int
    quote: str
    """The sentence of the source that is nearest to what the answer says there, as it stands in the note."""
    start: int
    """Characters of the answer's text that are the citation: [start, end)."""
    end: int
    place: Place | None = None
    """Of the source."""


@dataclass(frozen=True)
class Statement:
    """A sentence of the answer that names no source: characters [start, end) of its text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Sources:
    """What was found, before the model is asked. Sent once, first; again only when more is given after sub-queries."""

    sources: tuple[Source, ...]
    degraded: tuple[str, ...] = ()
    """Parts of the search that were missing."""
    left_out_private: int = 0
    """Private passages that were found and are not given to this model."""


@dataclass(frozen=True)
class Status:
    """What is being done, for people."""

    message: str


@dataclass(frozen=True)
class TextDelta:
    """The next piece of the answer. All pieces together are the text of `Done`."""

    text: str


@dataclass(frozen=True)
class Done:
    """The end of a turn that went well. Nothing follows."""

    text: str
    citations: tuple[Citation, ...] = ()
    removed: tuple[str, ...] = ()
    """Citations that named no source and were taken out: `[7]`."""
    unsupported: tuple[Statement, ...] = ()
    usage: Usage | None = None
    """None where no model was asked."""
    cost: float | None = None
    """US dollars; None where the price is not known or nothing is paid."""
    model: str = ""
    """`PROVIDER/NAME`; empty where no model was asked."""
    reason: StopReason = "stop"
    notices: tuple[str, ...] = ()
    """What the user should know: older messages were left out, how to add a model, an image that the model cannot see."""


@dataclass(frozen=True)
class Consent:
    """What would be sent where: the user is asked, once per host."""

    host: str
    tokens: int
    cost: float | None


@dataclass(frozen=True)
class Failed:
    """The end of a turn that went wrong. Nothing follows."""

    message: str
    """What is wrong and what to do."""
    code: str
    """Of the error (`khoj.model.unreachable`); `khoj.cancelled` when it was called off."""
    text: str = ""
    """What had arrived."""
    consent: Consent | None = None
    """With the code `khoj.consent`: nothing was sent; after a yes the turn can be asked again."""


ChatEvent = Sources | Status | TextDelta | Done | Failed
"""A turn yields `Sources` first, any number of `Status` and `TextDelta`, and exactly one `Done` or `Failed`, last."""
