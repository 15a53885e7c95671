"""The kept conversations of one vault: begun, saved while they are answered, listed, renamed, asked anew, deleted."""

from __future__ import annotations

import logging
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from khoj_ls.chat.desk import Turn
from khoj_ls.chat.kept.arriving import Arriving
from khoj_ls.chat.kept.owners import is_alive, this_process
from khoj_ls.chat.kept.recall import Encoder, Recall, Recalled
from khoj_ls.chat.kept.records import (
    INTERRUPTED,
    KeptConversation,
    Summary,
    clean,
    conversation_of,
    failure_json,
    outcome_json,
    sources_json,
    summary_of,
    turn_of,
)
from khoj_ls.chat.types import Done, Failed, Source
from khoj_ls.core.errors import Cancelled, StoreError, UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.search.snippet import excerpt
from khoj_ls.store import conversations as store
from khoj_ls.store.conversations import ConversationRow, TurnRow
from khoj_ls.store.conversations_file import ConversationsFile

log = logging.getLogger(__name__)

_ID_BYTES = 8
_TITLE_CHARS = 60
_UNTITLED = "Untitled"
_INTERRUPTED = "the program ended before the answer did: ask again"


class KeptConversations:
    """The conversations of one vault (`desk.Conversations`). Thread-safe, and for several processes at once.

    Every method raises StoreError where the file cannot be used.
    """

    def __init__(self, folder: Path, encoder: Callable[[], Encoder] | None = None) -> None:
        """Keep them in the vault's data folder; opens nothing yet.

        `encoder` gives the vault's encoder when it is needed; None: past turns are found by words alone.
        """
        self._file = ConversationsFile(folder / "conversations.db")
        self._recall = Recall(self._file, encoder)
        self._arriving = Arriving(self._write_arrived)
        self._owner = this_process()
        self._lock = threading.Lock()
        self._under_way: set[str] = set()

    @property
    def message(self) -> str:
        """What happened to the conversations, for people: that they were damaged, and what was saved. Empty: nothing did."""
        return self._file.message

    # -- while a turn is under way -----------------------------------------------------------------------------------

    def begin(
        self, conversation: str | None, message: str, *, persona: str, model: str, replaces: str | None
    ) -> tuple[str, str]:
        """Keep a question; returns the ids of its conversation and its turn.

        With `replaces`, that turn and all after it are superseded, and an empty `message` asks the same again. The beginning
        of an id does where there is one such. Raises UsageError for ids that are not there.
        """

        def change(connection: sqlite3.Connection) -> tuple[str, str]:
            now = time.time()
            held = self._held(connection, conversation) if conversation is not None else None
            replaced = _replaced(connection, replaces, held) if replaces is not None else None
            if replaced and held is None:
                held = self._held(connection, replaced.conversation)
            question = clean(message) or (replaced.question if replaced else "")
            if held is None:
                key = secrets.token_hex(_ID_BYTES)
                number = store.add_conversation(connection, key, title_of(question), persona, now)
            else:
                key, number = held.key, held.number
                store.touch(connection, number, now)
                if replaced and not held.renamed and [replaced] == store.turns_of(connection, number)[:1]:
                    store.set_title(connection, number, title_of(question), renamed=False)
            turn = secrets.token_hex(_ID_BYTES)
            store.add_turn(
                connection, number, turn, question, persona=persona, model=model, owner=self._owner, now=now, replaces=replaced
            )
            return key, turn

        kept, turn = self._file.write(change)
        with self._lock:
            self._under_way.add(turn)
        return kept, turn

    def given(self, turn: str, sources: Sequence[object], *, private_history: bool | None = None) -> None:
        """Keep what the model was given: `Source`s; and whether earlier turns that it was given too are private."""
        own = [source for source in sources if isinstance(source, Source)]
        private = True if any(source.private for source in own) else private_history

        def change(connection: sqlite3.Connection) -> None:
            store.set_sources(connection, turn, sources_json(own))
            store.set_private(connection, turn, private)

        self._file.write(change)

    def arrived(self, turn: str, text: str) -> None:
        """Keep `text`, all of the answer so far. Never waits for the disk; what arrived is written within about a second."""
        self._arriving.put(turn, text)

    def finish(self, turn: str, event: object) -> None:
        """Keep how a turn ended: a `Done` or `Failed`, with what had arrived. Does nothing where the turn was deleted."""
        if not isinstance(event, Done | Failed):
            raise TypeError(f"a turn ends with Done or Failed, not with {type(event).__name__}")
        self._arriving.drop(turn)
        state, model = "done", ""
        if isinstance(event, Failed):
            state = "cancelled" if event.code == Cancelled.code else "failed"
        else:
            model = event.model
        # What was written while it arrived is kept where the event has nothing.
        answer = clean(event.text) if event.text or isinstance(event, Done) else None
        outcome, now = outcome_json(event), time.time()
        self._file.write(lambda connection: store.end_turn(connection, turn, state, answer, outcome, now, model=model))
        with self._lock:
            self._under_way.discard(turn)
        self._recall.wake()

    def _write_arrived(self, latest: Mapping[str, str]) -> None:
        def change(connection: sqlite3.Connection) -> None:
            for turn, text in latest.items():
                store.set_partial(connection, turn, clean(text))

        self._file.write(change)

    # -- what is kept ------------------------------------------------------------------------------------------------

    def turns(self, conversation: str) -> Sequence[Turn]:
        """The turns that hold, oldest first. Raises UsageError where there is no such conversation."""
        self._end_interrupted()
        rows = self._file.read(lambda c: store.turns_of(c, self._held(c, conversation).number))
        return [
            Turn(
                turn.id,
                turn.question,
                "" if turn.state == store.RUNNING else turn.answer,
                tuple((source.number, source.path, source.line, source.end_line) for source in turn.sources),
                turn.private,
            )
            for turn in map(turn_of, rows)
        ]

    def persona(self, conversation: str) -> str:
        """The persona it was begun with; empty where it is not there."""
        found = self._file.read(lambda connection: store.conversations_like(connection, conversation))
        return found[0].persona if len(found) == 1 else ""

    def latest(self, limit: int = 50, offset: int = 0) -> tuple[list[Summary], int]:
        """A page of all conversations, the last used first, and how many there are."""
        rows, total = self._file.read(lambda connection: store.latest_conversations(connection, limit, offset))
        return [summary_of(row) for row in rows], total

    def find(self, beginning: str) -> list[Summary]:
        """The conversations whose ids begin so, two at most; one whose whole id it is, alone."""
        rows = self._file.read(lambda connection: store.conversations_like(connection, beginning))
        return [summary_of(row) for row in rows]

    def get(self, conversation: str) -> KeptConversation:
        """A whole conversation, by its id or the beginning of it. Raises UsageError where there is none, or several are."""
        self._end_interrupted()

        def question(connection: sqlite3.Connection) -> KeptConversation:
            held = self._held(connection, conversation)
            aside = store.turns_of(connection, held.number, superseded=True)
            return conversation_of(held, store.turns_of(connection, held.number), aside)

        return self._file.read(question)

    def search(self, query: str, limit: int = 10, token: CancelToken | None = None) -> Recalled:
        """Turns that hold words of `query` or mean what it does, best first. Raises UsageError for an empty one, Cancelled."""
        if not query.strip():
            raise UsageError("say what to search the conversations for")
        self._end_interrupted()
        return self._recall.search(clean(query), limit, token or CancelToken())

    def rename(self, conversation: str, title: str) -> Summary:
        """Give a conversation a title that stays. Raises UsageError for an empty one."""
        words = " ".join(clean(title).split())
        if not words:
            raise UsageError("a title has at least one word")

        def change(connection: sqlite3.Connection) -> ConversationRow:
            store.set_title(connection, self._held(connection, conversation).number, words, renamed=True)
            return self._held(connection, conversation)

        return summary_of(self._file.write(change))

    def delete(self, conversation: str) -> Summary:
        """Delete a conversation for good: nothing of it is left in the file. Returns what it was."""

        def change(connection: sqlite3.Connection) -> ConversationRow:
            held = self._held(connection, conversation)
            store.delete_conversation(connection, held.number)
            return held

        return summary_of(self._file.write_for_good(change))

    def close(self) -> None:
        """Give the file back. Turns that are still under way have failed."""
        self._recall.close()
        self._arriving.flush()
        with self._lock:
            left, self._under_way = sorted(self._under_way), set()
        if left:
            try:
                self._file.write(lambda connection: _end_all(connection, left))
            except StoreError as error:  # whoever opens the file next finds that this process is gone
                log.warning("%s", error)
        self._file.close()

    # -- inside ------------------------------------------------------------------------------------------------------

    def _held(self, connection: sqlite3.Connection, conversation: str) -> ConversationRow:
        """The conversation of that id. Raises UsageError."""
        found = store.conversations_like(connection, conversation) if conversation else []
        if not found:
            raise UsageError(f"there is no conversation {conversation}: `khoj-ls conversations list` tells those there are")
        if len(found) > 1:
            raise UsageError(f"several conversations begin with {conversation}: write more of the id")
        return found[0]

    def _end_interrupted(self) -> None:
        """Turns whose process is gone have failed, with what had arrived."""
        running = self._file.read(store.running_turns)
        gone = [turn for turn, owner in running if owner != self._owner and not is_alive(owner)]
        if gone:
            self._file.write(lambda connection: _end_all(connection, gone))


def title_of(question: str) -> str:
    """What a conversation is called before anybody renames it: its first question, shortened."""
    words = " ".join(question.split())
    return excerpt(words, (), _TITLE_CHARS)[0] if words else _UNTITLED


def _replaced(connection: sqlite3.Connection, key: str, held: ConversationRow | None) -> TurnRow:
    """The turn that is asked anew. Raises UsageError."""
    turn = store.turn_by_key(connection, key)
    if turn is None or (held is not None and turn.conversation != held.key):
        raise UsageError(f"there is no turn {key}" + (f" in the conversation {held.key}" if held else ""))
    if turn.superseded_by is not None:
        raise UsageError(f"the turn {key} was asked anew already: ask anew what holds now ({turn.superseded_by})")
    return turn


def _end_all(connection: sqlite3.Connection, turns: Sequence[str]) -> None:
    now = time.time()
    for turn in turns:
        store.end_turn(connection, turn, "failed", None, failure_json(_INTERRUPTED, INTERRUPTED), now)
