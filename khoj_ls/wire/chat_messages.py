"""Parameters, results and events of chats; see `messages` for what all requests have in common.

Offsets into an answer (`start`, `end`) count Unicode code points, as the highlights of a hit do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from khoj_ls.chat.types import ContextKind
from khoj_ls.core.chat import StopReason
from khoj_ls.wire.messages import Range, TextDocument

ShownFormat = Literal["markdown", "org"]

CHAT_EVENT = "khoj/chatEvent"
"""The notification that carries an event."""


@dataclass(frozen=True)
class ChatContext:
    """Something of the vault that the answer is to be about, beside what a search finds."""

    kind: ContextKind
    """selection, note, folder or tag."""
    textDocument: TextDocument | None = None
    """The note or folder; with a selection, the note it stands in."""
    range: Range | None = None
    """What is selected. Its text is taken as the session shows it, saved or not."""
    name: str | None = None
    """In place of `textDocument`: the path of a note or folder in the vault; or a tag, without `#`."""


@dataclass(frozen=True)
class ChatParams:
    """One turn of a conversation."""

    message: str
    """What the user says: a question with or without filters of the query language, or a slash command (`/help`)."""
    conversation: str | None = None
    """Id of the conversation that goes on; a new one when absent."""
    replaces: str | None = None
    """Id of the turn that is asked anew; with an empty `message` in the same words."""
    persona: str | None = None
    """Who answers, as khoj/choices lists them; the conversation's own, else the setting chat.persona, when absent."""
    model: str | None = None
    """`PROVIDER/NAME` or a preset; `none`: the passages themselves; the persona's, else the setting chat.model, when absent."""
    baseUrl: str | None = None
    """Where the model is asked, instead of where the settings say."""
    profile: str | None = None
    """Search profile; the persona's, else the setting chat.profile, when absent."""
    context: list[ChatContext] = field(default_factory=list)
    """What the answer is to be about."""
    images: list[str] = field(default_factory=list)
    """Pictures for a model that sees: paths in the vault, file URIs, or `data:` URIs."""
    subqueries: bool | None = None
    """Whether the model is asked first what to search for; the setting chat.subqueries when absent."""
    keep: bool = True
    """Whether the turn is saved."""
    format: ShownFormat | None = None
    """What the event `done` holds beside the text: the answer as a file of that format shows it, in `shown` and `below`."""
    vault: str | None = None
    """Folder or URI of the vault; that of `textDocument`, else of `context`, else the session's first, when absent."""
    textDocument: TextDocument | None = None
    """The note that the user is in: what `/links` and `/summarize` are about where nothing else is named."""


@dataclass(frozen=True)
class ChatStarted:
    """The ids of a turn that is under way. Its events follow as notifications khoj/chatEvent, to the asking session only."""

    conversation: str
    """Id of the conversation."""
    turn: str
    """Id of the turn."""


@dataclass(frozen=True)
class ChatSource:
    """A passage that the model is given."""

    number: int
    """From 1: `[1]` in the answer means it."""
    uri: str
    """The note."""
    path: str
    """The same, relative to the vault."""
    range: Range
    """The passage: whole lines."""
    title: str
    """Title of the note."""
    outline: list[str]
    """Headings from the outermost down to the passage's own."""
    text: str
    """What the model reads."""
    score: float | None = None
    """Of the search, 0..1; null for what the user chose."""
    private: bool = False
    """Whether it is private; only a model on this machine is ever given such, and only where the user said so."""
    page: int | None = None
    """Page or slide that it begins on, in a file that has some."""
    place: str | None = None
    """Where it stands as people count there, as of a hit; in a file that is no text the range is empty."""


@dataclass(frozen=True)
class ChatCitation:
    """A place in the answer that names a source; checked."""

    number: int
    """The source's number."""
    uri: str
    """The note."""
    path: str
    """The same, relative to the vault."""
    range: Range
    """Lines of `quote` in the note."""
    outline: list[str]
    """Headings around it, outermost first."""
    quote: str
    """The sentence of the source that is nearest to what the answer says there, as it stands in the note."""
    start: int
    """Where the citation begins in the answer's text, in characters (code points)."""
    end: int
    """Where it ends."""
    page: int | None = None
    """Page or slide of the source."""
    place: str | None = None
    """Where the source stands as people count there; in a file that is no text the range is empty."""


@dataclass(frozen=True)
class ChatStatement:
    """A sentence of the answer that names no source."""

    text: str
    """The sentence."""
    start: int
    """Where it begins in the answer's text, in characters (code points)."""
    end: int
    """Where it ends."""


@dataclass(frozen=True)
class ChatUsage:
    """Tokens that were read and written."""

    input_tokens: int
    """Read by the model."""
    output_tokens: int
    """Written by it."""
    estimated: bool = False
    """Whether the provider did not say, and they were counted here."""


@dataclass(frozen=True)
class ChatConsent:
    """What would be sent where: asked of the user once per service. khoj/allowHost is the yes."""

    host: str
    """The service."""
    tokens: int
    """About how many tokens would be sent."""
    cost: float | None = None
    """About how many US dollars that costs; null where it is not known."""


@dataclass(frozen=True, kw_only=True)
class ChatEvent:
    """What all events of a turn have."""

    conversation: str
    """Id of the conversation."""
    turn: str
    """Id of the turn."""
    seq: int
    """From 1, without gaps."""


@dataclass(frozen=True, kw_only=True)
class ChatSourcesEvent(ChatEvent):
    """What was found: the first event; it comes again only where more was found later, and then holds all."""

    kind: Literal["sources"] = "sources"
    """sources"""
    sources: list[ChatSource]
    """What the model is given."""
    degraded: list[str] = field(default_factory=list)
    """Parts of the search that were missing."""
    left_out_private: int = 0
    """Private passages that were found, and that this model is not given."""


@dataclass(frozen=True, kw_only=True)
class ChatStatusEvent(ChatEvent):
    """What is being done."""

    kind: Literal["status"] = "status"
    """status"""
    message: str
    """For people."""


@dataclass(frozen=True, kw_only=True)
class ChatDeltaEvent(ChatEvent):
    """The next piece of the answer."""

    kind: Literal["delta"] = "delta"
    """delta"""
    text: str
    """Never empty. All pieces together are the text that the model wrote."""


@dataclass(frozen=True, kw_only=True)
class ChatDoneEvent(ChatEvent):
    """The end of a turn that went well: the last event."""

    kind: Literal["done"] = "done"
    """done"""
    text: str
    """The whole answer, its citations checked."""
    citations: list[ChatCitation] = field(default_factory=list)
    """The places that name a source."""
    removed: list[str] = field(default_factory=list)
    """Citations that named no source and were taken out: `[7]`."""
    unsupported: list[ChatStatement] = field(default_factory=list)
    """Sentences that name no source."""
    usage: ChatUsage | None = None
    """Tokens; null where no model was asked."""
    cost: float | None = None
    """US dollars; null where the price is not known or nothing is paid."""
    model: str = ""
    """`PROVIDER/NAME`; empty where no model was asked."""
    reason: StopReason = "stop"
    """Why the answer ends: stop, length or filtered."""
    notices: list[str] = field(default_factory=list)
    """What the user should know."""
    shown: str | None = None
    """The answer as a file of the `format` that was asked for shows it, its citations links; headings begin below level 2
    (Markdown) or 1 (Org). Null where none was asked for."""
    below: str | None = None
    """What such a file tells beneath the answer: its sources, statements without one, citations taken out, the price."""


@dataclass(frozen=True, kw_only=True)
class ChatFailedEvent(ChatEvent):
    """The end of a turn that went wrong: the last event."""

    kind: Literal["failed"] = "failed"
    """failed"""
    message: str
    """What is wrong, and what to do."""
    code: str
    """The kind of error, as `data.code` of a request's error; `khoj.cancelled` when it was called off."""
    text: str = ""
    """What had arrived."""
    shown: str | None = None
    """The same, as for the event `done`."""
    consent: ChatConsent | None = None
    """With the code `khoj.consent`: nothing was sent. After khoj/allowHost the turn can be asked again with `replaces`."""


AnyChatEvent = ChatSourcesEvent | ChatStatusEvent | ChatDeltaEvent | ChatDoneEvent | ChatFailedEvent
"""Notification khoj/chatEvent."""


@dataclass(frozen=True)
class AskResult:
    """An answer. Where there is none, the error's `data` holds the event `failed`: what had arrived, and the consent wanted."""

    text: str
    """The whole answer, its citations checked."""
    citations: list[ChatCitation]
    """The places that name a source."""
    removed: list[str]
    """Citations that named no source and were taken out."""
    unsupported: list[ChatStatement]
    """Sentences that name no source."""
    sources: list[ChatSource]
    """What the model was given."""
    usage: ChatUsage | None
    """Tokens; null where no model was asked."""
    cost: float | None
    """US dollars; null where the price is not known or nothing is paid."""
    model: str
    """`PROVIDER/NAME`; empty where no model was asked."""
    notices: list[str]
    """What the user should know."""
    conversation: str
    """Id of the conversation."""
    turn: str
    """Id of the turn."""
    reason: StopReason = "stop"
    """Why the answer ends: stop, length or filtered."""
    degraded: list[str] = field(default_factory=list)
    """Parts of the search that were missing."""
    left_out_private: int = 0
    """Private passages that were found, and that this model was not given."""
    shown: str | None = None
    """With a `format`: the answer as a file shows it, its citations links. As in the event `done`."""
    below: str | None = None
    """With a `format`: what such a file tells beneath the answer."""


@dataclass(frozen=True)
class ChatCancelParams:
    """Call a turn off."""

    turn: str
    """Id of a turn of this session."""


@dataclass(frozen=True)
class ChatCancelResult:
    """Whether there was something to call off."""

    cancelled: bool
    """False where the turn had ended already. Otherwise it ends with the event `failed`, code `khoj.cancelled`; or with `done`,
    where the whole answer had just arrived."""


@dataclass(frozen=True)
class AllowHostParams:
    """The user's yes to sending passages of notes to a service."""

    host: str
    """The host of a `consent` that was asked for since the daemon was started; others are refused."""


@dataclass(frozen=True)
class AllowHostResult:
    """What the user allows."""

    hosts: list[str]
    """All services that passages may be sent to: the setting chat.allowed_hosts."""
