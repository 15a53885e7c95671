"""Conversations as they are kept: plain values, and how they are written into the database."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from khoj_ls.chat.types import Citation, Done, Failed, Source, Statement
from khoj_ls.core.chat import Usage
from khoj_ls.store.conversations import ConversationRow, TurnRow

log = logging.getLogger(__name__)

INTERRUPTED = "khoj.interrupted"
"""Code of a turn whose process ended before the answer did."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class Outcome:
    """How a turn ended, beside its answer."""

    citations: tuple[Citation, ...] = ()
    removed: tuple[str, ...] = ()
    unsupported: tuple[Statement, ...] = ()
    usage: Usage | None = None
    cost: float | None = None
    reason: str = ""
    notices: tuple[str, ...] = ()
    message: str = ""
    """What went wrong and what to do; empty where nothing did."""
    code: str = ""
    """Of that error."""


@dataclass(frozen=True)
class KeptTurn:
    """A question, its answer, and all that is known of them."""

    id: str
    question: str
    answer: str
    """What had arrived, where the turn is under way or went wrong."""
    state: str
    """running | done | failed | cancelled"""
    persona: str
    model: str
    """`PROVIDER/NAME`; empty where no model was asked."""
    asked: float
    """Seconds since the epoch."""
    ended: float | None
    private: bool
    """Whether it may hold words of private notes."""
    sources: tuple[Source, ...]
    outcome: Outcome
    replaces: str | None = None
    """Id of the turn that this one was asked instead of: an earlier version of it."""
    superseded_by: str | None = None
    """Id of the turn since which this one does not hold any more."""


@dataclass(frozen=True)
class Summary:
    """What a list tells of a conversation."""

    id: str
    title: str
    persona: str
    created: float
    updated: float
    """Seconds since the epoch."""
    turns: int
    """Those that hold."""


@dataclass(frozen=True)
class KeptConversation:
    """A whole conversation."""

    id: str
    title: str
    persona: str
    created: float
    updated: float
    turns: tuple[KeptTurn, ...]
    """Those that hold, in the order they were asked."""
    superseded: tuple[KeptTurn, ...] = field(default=())
    """Those that were asked anew, and what followed them: kept aside."""

    def versions(self, turn: KeptTurn) -> list[KeptTurn]:
        """Earlier versions of a turn, the first one first."""
        known = {each.id: each for each in (*self.turns, *self.superseded)}
        found: list[KeptTurn] = []
        while turn.replaces in known and len(found) < len(known):
            turn = known[turn.replaces]
            found.append(turn)
        return found[::-1]


def summary_of(row: ConversationRow) -> Summary:
    """The summary of a stored conversation."""
    return Summary(row.key, row.title, row.persona, row.created, row.updated, row.turns)


def conversation_of(row: ConversationRow, turns: Sequence[TurnRow], superseded: Sequence[TurnRow]) -> KeptConversation:
    """A stored conversation with its turns."""
    held, aside = tuple(map(turn_of, turns)), tuple(map(turn_of, superseded))
    return KeptConversation(row.key, row.title, row.persona, row.created, row.updated, held, aside)


def turn_of(row: TurnRow) -> KeptTurn:
    """A stored turn."""
    return KeptTurn(
        row.key,
        row.question,
        row.answer,
        row.state,
        row.persona,
        row.model,
        row.asked,
        row.ended,
        row.private,
        _read(row.sources, tuple[Source, ...], ()),
        _read(row.outcome, Outcome, Outcome()),
        row.replaces,
        row.superseded_by,
    )


def sources_json(sources: Sequence[Source]) -> str:
    """Sources, as they are stored."""
    return _written(list(sources))


def outcome_json(event: Done | Failed) -> str:
    """How a turn ended, as it is stored."""
    if isinstance(event, Failed):
        return failure_json(event.message, event.code)
    return _written(
        Outcome(event.citations, event.removed, event.unsupported, event.usage, event.cost, event.reason, event.notices)
    )


def failure_json(message: str, code: str) -> str:
    """How a turn failed, as it is stored."""
    return _written(Outcome(message=message, code=code))


def clean(text: str) -> str:
    """`text` with halves of characters that came without the other half, which cannot be stored, shown as U+FFFD."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _written(value: Any) -> str:
    # ASCII: names of files may hold bytes that are no text (surrogate escapes), which come back as they were.
    return json.dumps(msgspec.to_builtins(value))


def _read(text: str, kind: type[Value], instead: Value) -> Value:
    try:
        return msgspec.convert(json.loads(text), kind)
    except (ValueError, msgspec.ValidationError) as error:  # of a rescued row; the words are worth more than this
        log.warning("a part of a kept turn cannot be read and is left out: %s", error)
        return instead
