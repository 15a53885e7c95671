"""The chats of one vault: what a turn works with, put together, and which turns are under way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from khoj_ls.chat.desk import ChatDesk, Models
from khoj_ls.chat.types import ChatEvent, ChatRequest, Failed, Sources, Started
from khoj_ls.config.settings import ChatSettings, SearchSettings
from khoj_ls.core.errors import UsageError
from khoj_ls.core.jobs import CancelToken

_ENDING_SECONDS = 2.0
"""So long a question waits for the end of a turn that was called off: its editor may have died, and asks again."""
_BUSY = "this conversation is being answered: wait for the end of the answer, or call it off first"


@dataclass(frozen=True)
class ChatShared:
    """What the chats of all vaults have in common."""

    models: Callable[[], Models]
    """The chat models; made when they are first wanted."""
    settings: Callable[[Path], ChatSettings]
    """What holds for the vault at a root, as the user's files have it now."""
    asked_for: Callable[[str], None] = lambda host: None
    """Called with a host for which a yes is asked."""


class Chatting:
    """The turns of chats in one vault. Thread-safe; opens nothing before the first."""

    def __init__(self, lay_desk: Callable[[], ChatDesk], shared: ChatShared) -> None:
        """Answer at copies, with the settings of each turn, of the desk that is laid for the first."""
        self._lay_desk = lay_desk
        self._shared = shared
        self._lock = threading.Condition()
        """Notified when a turn has ended."""
        self._under_way: dict[str, str] = {}
        """Turn by conversation."""
        self._tokens: dict[str, CancelToken] = {}
        """By turn, of those that are being answered."""

    @cached_property
    def desk(self) -> ChatDesk:
        """What turns work with."""
        return self._lay_desk()

    def clear_desk(self) -> None:
        """Lay it anew for the next turn: what it was laid with is old."""
        self.__dict__.pop("desk", None)

    def begin(self, request: ChatRequest, settings: ChatSettings, search: SearchSettings) -> Started:
        """Keep the question. `answer` must follow. Raises UsageError, also while the conversation is being answered."""
        from khoj_ls.chat.engine import begin

        with self._lock:
            self._lock.wait_for(lambda: not self._is_ending(request), _ENDING_SECONDS)
            if self._under_way_for(request):
                raise UsageError(_BUSY)
            started = begin(self._at(settings, search), request)
            if started.conversation in self._under_way:  # it was named by a turn of it
                self.desk.conversations.finish(started.turn, Failed(_BUSY, UsageError.code))
                raise UsageError(_BUSY)
            self._under_way[started.conversation] = started.turn
        return started

    def answer(
        self, request: ChatRequest, started: Started, token: CancelToken, settings: ChatSettings, search: SearchSettings
    ) -> Iterator[ChatEvent]:
        """The turn's events: `Sources` first, exactly one `Done` or `Failed` last. Never raises.

        May be called again for a turn that has ended, as after a yes of the user.
        """
        from khoj_ls.chat.engine import answer

        with self._lock:
            busy = self._under_way.setdefault(started.conversation, started.turn) != started.turn
            if not busy:
                self._tokens[started.turn] = token
        if busy:
            yield Sources(())
            yield Failed(_BUSY, UsageError.code)
            return
        try:
            for event in answer(self._at(settings, search), request, started, token):
                if isinstance(event, Failed) and event.consent is not None:
                    self._shared.asked_for(event.consent.host)
                yield event
        finally:
            with self._lock:
                self._tokens.pop(started.turn, None)
                if self._under_way.get(started.conversation) == started.turn:
                    del self._under_way[started.conversation]
                self._lock.notify_all()

    def _under_way_for(self, request: ChatRequest) -> list[str]:
        """The turns that keep a question waiting."""
        # The beginning of an id names a conversation, too.
        named = request.conversation
        return [
            turn
            for conversation, turn in self._under_way.items()
            if (named is not None and conversation.startswith(named)) or turn == request.replaces
        ]

    def _is_ending(self, request: ChatRequest) -> bool:
        """Whether all that keeps it waiting was called off."""
        waited_for = [self._tokens.get(turn) for turn in self._under_way_for(request)]
        return bool(waited_for) and all(token is not None and token.cancelled for token in waited_for)

    def _at(self, settings: ChatSettings, search: SearchSettings) -> ChatDesk:
        return replace(self.desk, settings=settings, search_settings=search)
