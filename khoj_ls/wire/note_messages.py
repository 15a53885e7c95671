"""Parameters and result of the requests that change notes; see `messages` for what all of them have in common.

The editor makes the change (`workspace/applyEdit`) and shows the place (`window/showDocument`) where it can; an editor that
cannot gets both as values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from khoj_ls.wire.messages import Position, Range, TextDocument


@dataclass(frozen=True)
class InsertLinkParams:
    """A place in a note, or words there, and what they should link to."""

    textDocument: TextDocument
    """The note."""
    target: str
    """URI of the note to link to."""
    position: Position | None = None
    """Where the link goes; one of `position` and `range` is wanted."""
    range: Range | None = None
    """Words that become the link's label."""
    label: str | None = None
    """Another label."""
    heading: str | None = None
    """A heading in the target."""


@dataclass(frozen=True)
class PlaceParams:
    """A place in a note."""

    textDocument: TextDocument
    """The note."""
    position: Position
    """A place in it."""


@dataclass(frozen=True)
class RelatedSectionParams:
    """A note that is to list what it is related to."""

    textDocument: TextDocument
    """The note."""
    limit: int = 5
    """Most notes listed, 1 to 100."""


@dataclass(frozen=True)
class TocParams:
    """A note that is to have a table of contents."""

    textDocument: TextDocument
    """The note."""
    position: Position | None = None
    """Above which line a new table goes; the first section when absent. One that is there is brought up to date where it is."""
    depth: int = 3
    """How many levels of headings it holds."""


@dataclass(frozen=True)
class RefileParams:
    """A section and where it should go."""

    textDocument: TextDocument
    """The note that holds the section."""
    position: Position
    """A place in the section's own text."""
    target: str
    """URI of the note it goes to, of the same format."""
    heading: str | None = None
    """The heading in that note below which it goes; the end of the note when absent."""


@dataclass(frozen=True)
class DailyParams:
    """A day."""

    day: str = "today"
    """`today`; `previous` or `next`, seen from `textDocument`'s day or else from today; or a date: `2024-05-01`."""
    textDocument: TextDocument | None = None
    """The note that `previous` and `next` count from."""
    vault: str | None = None
    """Folder or URI of the vault; that of `textDocument`, or the session's first, when absent."""


@dataclass(frozen=True)
class CaptureParams:
    """A new note: from a title and a text, or from words selected in another note, where a link to it is left."""

    title: str = ""
    """Its title; made of the first words of the text when empty."""
    text: str = ""
    """What it says."""
    textDocument: TextDocument | None = None
    """The note beside which it is made, where the vault's tool has no folder for new notes."""
    range: Range | None = None
    """Words of `textDocument` that move into the new note."""
    vault: str | None = None
    """Folder or URI of the vault; that of `textDocument`, or the session's first, when absent."""


@dataclass(frozen=True)
class NoteEditResult:
    """What was changed, and where to look."""

    applied: bool
    """Whether the editor has made the change; false also when nothing had to be changed."""
    uri: str | None = None
    """The note to show."""
    position: Position | None = None
    """The place in it."""
    edit: dict[str, Any] | None = None
    """The LSP WorkspaceEdit, for a client that does not make the edits it is sent; else null."""
