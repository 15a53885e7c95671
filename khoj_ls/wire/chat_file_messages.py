"""Commands of chats as files, which work on texts that the editor shows: `khoj.chat.x` alone, with no request `khoj/...`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from khoj_ls.chat.file.layout import Format
from khoj_ls.wire.chat_messages import ChatStarted
from khoj_ls.wire.messages import Position, Range, TextDocument


@dataclass(frozen=True)
class ChatFileParams:
    """A chat to begin in a file of its own."""

    textDocument: TextDocument | None = None
    """The note it is about; none: the whole vault."""
    range: Range | None = None
    """What of the note it is about: whole lines."""
    format: Format | None = None
    """markdown or org; that of the note, when absent."""
    vault: str | None = None
    """Folder or URI of the vault, where there is no `textDocument`; the session's first, when absent."""
    message: str = ""
    """What stands there as the first question."""


@dataclass(frozen=True)
class ChatFileResult:
    """The file that was made."""

    uri: str
    """The file."""
    shown: bool
    """Whether the editor shows it; else the user is told where it is."""


@dataclass(frozen=True)
class ChatTurnParams:
    """A chat file, and one of its answers."""

    textDocument: TextDocument
    """The chat file."""
    turn: str | None = None
    """Id of the answer's turn; khoj.chat.send: the last question is asked, when absent."""


@dataclass(frozen=True)
class ChatStopResult:
    """Whether there was something to stop."""

    stopped: bool
    """False where the file waits for no answer."""


@dataclass(frozen=True)
class ChatRestResult:
    """Whether the rest was written."""

    inserted: bool
    """False where the editor has not made the edit."""


@dataclass(frozen=True)
class ChatApplyParams:
    """An answer to put into a note: one of a chat file, or one of a conversation."""

    turn: str
    """Id of the answer's turn."""
    chat: TextDocument | None = None
    """The chat file that shows the answer; what it shows is put in."""
    position: Position | None = None
    """A place in the chat file: the block there is meant."""
    conversation: str | None = None
    """In place of `chat`: whose answer is put in as it was kept."""
    textDocument: TextDocument | None = None
    """The note; that which the question was about, when absent."""
    range: Range | None = None
    """Which lines of the note are replaced, or stand above; what the question was about, when absent."""
    how: Literal["replace", "below"] = "replace"
    """below: nothing is replaced, so that any note will do; only what the model was given can be."""


@dataclass(frozen=True)
class ChatApplyResult:
    """What was put where."""

    applied: bool
    """Whether the editor has made the change."""
    what: str
    """The change in words."""
    uri: str
    """The note."""
    edit: dict[str, Any] | None = None
    """The LSP WorkspaceEdit, for a client that does not make the edits it is sent; else null."""


@dataclass(frozen=True)
class ChatCommand:
    """A command `khoj.chat.<name>`."""

    name: str
    params: type
    result: type
    summary: str
    """What it does, in one sentence."""

    @property
    def command(self) -> str:
        """Its whole name."""
        return f"khoj.chat.{self.name}"


BEGIN = ChatCommand("file", ChatFileParams, ChatFileResult, "Begin a chat in a file of its own, and show it.")
SEND = ChatCommand(
    "send", ChatTurnParams, ChatStarted, "Ask the last question of a chat file, or one again; the answer follows by edits."
)
STOP = ChatCommand("stop", ChatTurnParams, ChatStopResult, "Call off the answer that a chat file waits for.")
REST = ChatCommand(
    "rest", ChatTurnParams, ChatRestResult, "Write what a chat file lacks of an answer that could not be written there."
)
APPLY = ChatCommand(
    "apply", ChatApplyParams, ChatApplyResult, "Put what an answer proposes into a note, by an edit that the user sees first."
)
CHAT_COMMANDS = (BEGIN, SEND, STOP, REST, APPLY)
"""All of them, in the order of the documentation."""
