"""What happens that others may be told of: the names of the events, and the door through which one is handed over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

INDEX_COMPLETED = "index.completed"
SEARCH_PERFORMED = "search.performed"
CHAT_MESSAGE = "chat.message"
AUTOMATION_EXECUTED = "automation.executed"
ERROR_OCCURRED = "error.occurred"

EVENTS = (INDEX_COMPLETED, SEARCH_PERFORMED, CHAT_MESSAGE, AUTOMATION_EXECUTED, ERROR_OCCURRED)
"""All events there are."""


@dataclass(frozen=True)
class Occurrence:
    """Something that happened."""

    event: str
    """One of EVENTS."""
    vault: str
    """The name of the vault's folder, without those above it; empty where no vault is meant."""
    data: Callable[[bool], object | None]
    """Makes what is told of it (a dataclass of plain values), with or without what notes and people say (True: with it).

    Called later and in another thread, where its cost is nobody's. None: of this nothing may be told.
    """


Tell = Callable[[Occurrence], None]
"""The door: takes note and returns at once. Never raises."""
