"""Parameters and result of khoj/conversations; see `messages` for what all requests have in common.

Times are ISO 8601 in UTC. Offsets count Unicode code points.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from khoj_ls.wire.chat_messages import ChatCitation, ChatSource, ChatStatement, ChatUsage

Action = Literal["list", "get", "rename", "delete", "export", "search"]
Format = Literal["markdown", "org", "json"]


@dataclass(frozen=True)
class ConversationsParams:
    """What to do with the kept conversations."""

    action: Action = "list"
    """list (the last used first), search (by words and by meaning); get, rename, delete and export one of them."""
    conversation: str | None = None
    """get, rename, delete, export: its id, or the beginning of it where no other begins so."""
    title: str | None = None
    """rename: what it is called from now on."""
    format: Format | None = None
    """export: Markdown when absent. get: with `markdown` or `org` turns hold what a file shows, in `shown` and `below`."""
    query: str | None = None
    """search: words or a question."""
    limit: int | None = None
    """list, search: at most so many, 1 to 100; 50 and 10 when absent."""
    offset: int = 0
    """list: so many of the last used are left out, for the next page."""
    vault: str | None = None
    """Folder or URI of one vault; all vaults of the session when absent."""


@dataclass(frozen=True)
class ConversationInfo:
    """A conversation, as a list shows it."""

    id: str
    """What other requests call it."""
    title: str
    """Its first question, shortened, or what it was renamed to."""
    persona: str
    """Who it was begun with."""
    created: str
    """When it was begun."""
    updated: str
    """When it last went on."""
    turns: int
    """How many questions hold."""
    vault: str
    """Folder of the vault that it is about."""


@dataclass(frozen=True)
class ConversationTurn:
    """A question with its answer."""

    id: str
    """What `replaces` of khoj/chat calls it, to ask it anew."""
    question: str
    """What was asked."""
    answer: str
    """Its text, citations checked; what had arrived, where the turn is under way or went wrong."""
    state: str
    """running, done, failed or cancelled."""
    persona: str
    """Who answered."""
    model: str
    """`PROVIDER/NAME`; empty where no model was asked."""
    asked: str
    """When."""
    ended: str | None
    """When the answer ended; null while it is under way."""
    private: bool
    """Whether it may hold words of private notes."""
    sources: list[ChatSource] = field(default_factory=list)
    """What the model was given."""
    citations: list[ChatCitation] = field(default_factory=list)
    """The places of the answer that name a source."""
    removed: list[str] = field(default_factory=list)
    """Citations that named no source and were taken out."""
    unsupported: list[ChatStatement] = field(default_factory=list)
    """Sentences that name no source."""
    usage: ChatUsage | None = None
    """Tokens; null where no model was asked."""
    cost: float | None = None
    """US dollars; null where the price is not known or nothing was paid."""
    reason: str = ""
    """Why the answer ended: stop, length or filtered; empty where it went wrong."""
    notices: list[str] = field(default_factory=list)
    """What the user was told beside the answer."""
    message: str = ""
    """What went wrong, and what to do."""
    code: str = ""
    """The kind of error; `khoj.interrupted` where the program ended before the answer did."""
    replaces: str | None = None
    """Id of the turn that this one was asked instead of: its earlier version."""
    superseded_by: str | None = None
    """Id of the turn since which this one does not hold any more."""
    shown: str | None = None
    """With a `format`: the answer as a file shows it, its citations links. As in the event `done`."""
    below: str | None = None
    """With a `format`, of a turn that went well: what such a file tells beneath the answer."""


@dataclass(frozen=True)
class ConversationHit:
    """A question with its answer that was found."""

    conversation: str
    """Id of its conversation."""
    title: str
    """Title of its conversation."""
    turn: str
    """Its own id."""
    question: str
    """What was asked."""
    asked: str
    """When."""
    snippet: str
    """A short excerpt on one line."""
    highlights: list[list[int]]
    """[start, end) offsets in `snippet` of the words that matched."""
    score: float
    """0..1, absolute: low means that nothing fits well."""
    vault: str
    """Folder of the vault that it is about."""


@dataclass(frozen=True)
class ConversationsResult:
    """What was asked for; the rest is empty."""

    conversations: list[ConversationInfo] = field(default_factory=list)
    """list: the page, the last used first."""
    total: int = 0
    """list: how many there are."""
    conversation: ConversationInfo | None = None
    """get, rename, delete, export: which one it was; after rename with its new title."""
    turns: list[ConversationTurn] = field(default_factory=list)
    """get: the turns that hold, in the order they were asked."""
    superseded: list[ConversationTurn] = field(default_factory=list)
    """get: turns that were asked anew, and those behind them."""
    text: str | None = None
    """export: the file's text."""
    hits: list[ConversationHit] = field(default_factory=list)
    """search: best first; at most 3 of one conversation."""
    degraded: bool = False
    """search: whether meaning was not looked at, or not everywhere."""
    reason: str | None = None
    """search: why."""
    messages: list[str] = field(default_factory=list)
    """What happened to the conversations: that they were damaged, and what was saved."""
