"""Parameters and result of khoj/links; see `messages` for what all of them have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from khoj_ls.wire.messages import Position, Range, TextDocument


@dataclass(frozen=True)
class LinksParams:
    """Links of a note or of a place in it, or of the whole vault: `textDocument` names the note, `select` asks the vault."""

    textDocument: TextDocument | None = None
    """The note; null with `select`."""
    position: Position | None = None
    """The section at this place instead of the whole note."""
    direction: Literal["incoming", "outgoing", "mentions", "all"] = "all"
    """What to tell of the note."""
    select: Literal["broken", "orphans", "mentions"] | None = None
    """What to look for in the whole vault: links that lead nowhere, notes no other links to, or names that are no links."""
    limit: int = 1000
    """Most links, mentions or notes in each list, 1 to 10,000."""
    vault: str | None = None
    """Folder or URI of one vault, with `select`; all vaults of the session when absent."""


@dataclass(frozen=True)
class LinkPlace:
    """Where a link leads."""

    uri: str
    """The note or file."""
    range: Range | None = None
    """Whole lines of the place in it; null for the note as a whole."""
    name: str | None = None
    """What the place is called: a heading, a block's id."""


@dataclass(frozen=True)
class LinkInfo:
    """A link, where it stands and where it leads; or the mention of a name, which leads there but is no link."""

    uri: str
    """The note it stands in."""
    range: Range
    """Its whole lines."""
    text: str
    """The line it begins on."""
    kind: str
    """Its syntax: wikilink, embed, markdown, org, id, file, block, heading, citation, tag, footnote, url; or mention."""
    target: str
    """As written, without markup."""
    label: str | None
    """What is shown instead, where the syntax has that."""
    state: str
    """resolved, broken, broken_anchor, ambiguous, external, unwritten (a page Logseq makes when it is opened); or mention."""
    targets: list[LinkPlace]
    """Where it leads; several when ambiguous."""
    why: str = ""
    """What is wrong, for people."""
    readable: str = ""
    """`text` without markup."""


@dataclass(frozen=True)
class LinksResult:
    """Links by direction; what was not asked for is empty."""

    incoming: list[LinkInfo] = field(default_factory=list)
    """Links in other notes that lead here."""
    outgoing: list[LinkInfo] = field(default_factory=list)
    """Links that stand here; with `select` `broken` those of all notes that lead nowhere."""
    mentions: list[LinkInfo] = field(default_factory=list)
    """Places in other notes that say this note's name without linking; with `select` those of all notes."""
    orphans: list[str] = field(default_factory=list)
    """URIs of notes that no other note links to."""


@dataclass(frozen=True)
class SuggestLinksParams:
    """A place in a note, as its editor shows it: a caret, or words that are selected."""

    textDocument: TextDocument
    """The note."""
    position: Position | None = None
    """The caret."""
    range: Range | None = None
    """Words to make a link of; one of both is wanted."""
    limit: int | None = None
    """Most suggestions, 1 to 100; 5 when absent."""


@dataclass(frozen=True)
class LinkSuggestion:
    """A note that belongs linked at the place."""

    uri: str
    """The note."""
    title: str
    """Its title, or its file name where it has none."""
    score: float
    """0..1."""
    linked: bool
    """Whether the note at the place links it already, elsewhere."""
    words: list[Position] | None
    """Beginning and end of the words at the place that name the note: what a link may be made of; null when no words do."""
    signals: dict[str, float]
    """What speaks for it, each 0..1: name, label, meaning, words, passages, neighbours, kinship, popular."""


@dataclass(frozen=True)
class SuggestLinksResult:
    """Suggestions, best first."""

    suggestions: list[LinkSuggestion]
    """At most `limit`."""
