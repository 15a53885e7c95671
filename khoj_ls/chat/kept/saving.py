"""A turn is kept as it goes. A full disk does not take the answer away from who waits for it: it is told beside it."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace

from khoj_ls.chat.desk import Conversations
from khoj_ls.chat.types import Done, Failed, Source
from khoj_ls.core.errors import KhojError

_log = logging.getLogger(__name__)
_CHARS_PER_SECOND = 5_000_000
"""Putting a long answer together at every piece must not cost more than a small part of the time."""


def unkept(error: KhojError) -> str:
    """What the user hears of a turn that could not be kept."""
    return f"this turn could not be kept: {error}"


class Saving:
    """Keeps one turn, once its end at most; with `keep` off, nothing."""

    def __init__(self, conversations: Conversations, turn: str, *, keep: bool, problem: str = "") -> None:
        """Keep the turn `turn`; `problem` is told at its end."""
        self._conversations = conversations
        self._turn = turn
        self._keep = keep
        self._ended = False
        self._next = 0.0
        self._problem = problem

    def given(self, sources: Sequence[Source], *, private_history: bool) -> None:
        """Keep what the model is given, and whether earlier turns that it is given are private."""
        if self._keep:
            try:
                self._conversations.given(self._turn, sources, private_history=private_history)
            except KhojError as error:
                self._failed(error)

    def arrived(self, pieces: Sequence[str]) -> None:
        """Keep what arrived; when it is written is the conversations' to say."""
        if self._keep and time.monotonic() >= self._next:
            text = "".join(pieces)
            self._next = time.monotonic() + len(text) / _CHARS_PER_SECOND
            try:
                self._conversations.arrived(self._turn, text)
            except KhojError as error:
                self._failed(error)

    def finish(self, end: Done | Failed) -> Done | Failed:
        """Keep how the turn ended; returns it with what could not be kept."""
        if self._keep and not self._ended:
            self._ended = True
            try:
                self._conversations.finish(self._turn, end)
            except KhojError as error:
                self._failed(error)
        if not self._problem:
            return end
        if isinstance(end, Failed):
            return replace(end, message=f"{end.message} ({self._problem})")
        return replace(end, notices=(*end.notices, self._problem))

    def _failed(self, error: KhojError) -> None:
        _log.warning("a chat turn could not be kept: %s", error)
        self._problem = unkept(error)
