"""What is told of each event, and the bytes that are sent. docs/webhooks.schema.json is made of this; a test compares them.

`python -m khoj_ls.automation.payloads --write docs` brings the checked-in copy up to date.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from khoj_ls.core import events

TEST_EVENT = "webhook.test"
"""The event of `khoj-ls webhooks test`; its data is empty."""

MOST_NOTES = 100
"""Notes that one event names; `changed` counts the others."""


@dataclass(frozen=True)
class ToldNote:
    """A passage of a note. Nothing of private notes, nor of notes with a private section, is ever among them."""

    path: str
    """Relative to the vault, with forward slashes."""
    line: int
    """First line of the passage, from 1."""
    end_line: int
    score: float | None = None
    """0 to 1; null where the user chose the note himself."""
    title: str | None = None
    """With content only, as all that follows."""
    snippet: str | None = None


@dataclass(frozen=True)
class IndexCompleted:
    """All changes of the notes are indexed."""

    changed: int
    """Notes that are new or changed and not private."""
    notes: list[str]
    """Their paths, at most a hundred."""


@dataclass(frozen=True)
class SearchPerformed:
    """Somebody searched; searches that a chat or an editor does by itself are not told."""

    mode: str
    """hybrid, lexical or dense."""
    hits: list[ToldNote]
    degraded: bool
    """Whether a part of the answer was missing, such as vectors that are still being made."""
    milliseconds: float
    query: str | None = None
    """With content only, and where something was found and nothing of it private."""


@dataclass(frozen=True)
class ChatMessage:
    """A question was answered, or failed to be. Chats that are not kept are not told."""

    conversation: str
    turn: str
    status: Literal["done", "failed"]
    model: str
    """PROVIDER/NAME; empty where no model was asked."""
    sources: list[ToldNote]
    """What the answer drew on; empty where any of it was private."""
    code: str | None = None
    """Of the error, where it failed."""
    question: str | None = None
    """With content only, and where neither the sources nor what was said before was private; so the answer."""
    answer: str | None = None


@dataclass(frozen=True)
class AutomationExecuted:
    """An automation has run. Its place is kept: nothing sends it yet."""

    automation: str
    """Its name."""
    status: Literal["done", "failed"]
    seconds: float
    code: str | None = None
    """Of the error, where it failed."""


@dataclass(frozen=True)
class ErrorOccurred:
    """Something went wrong that is no fault of the request. The same is told once a minute at most."""

    during: str
    """index, chat, or the name of the request: search, reindex, ..."""
    code: str
    """Stable short name of the error, such as khoj.store. Its message may name notes, and stays in the log."""


@dataclass(frozen=True)
class Tested:
    """`khoj-ls webhooks test` asks whether deliveries arrive."""


PAYLOADS: Mapping[str, type] = MappingProxyType(
    {
        events.INDEX_COMPLETED: IndexCompleted,
        events.SEARCH_PERFORMED: SearchPerformed,
        events.CHAT_MESSAGE: ChatMessage,
        events.AUTOMATION_EXECUTED: AutomationExecuted,
        events.ERROR_OCCURRED: ErrorOccurred,
        TEST_EVENT: Tested,
    }
)
"""The class of the data of each event."""


@dataclass(frozen=True)
class Envelope:
    """The JSON body of every delivery."""

    id: str
    """Of the event: equal for all webhooks that are told of it."""
    event: str
    created: str
    """When it happened: ISO 8601, UTC."""
    vault: str
    """Name of the vault's folder; empty where no vault is meant."""
    data: Any = field(default_factory=dict)
    """As the event has it."""
    version: int = 1
    """Of this format. Keys may be added to it without another number."""


def body_of(number: str, event: str, at: float, vault: str, data: object) -> bytes:
    """The body of an event with the id `number` that happened `at` (Unix time)."""
    created = datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    whole = msgspec.to_builtins(Envelope(number, event, created, vault, data))
    # json, not msgspec: names of files that are not UTF-8 hold lone surrogates, which only json lets through.
    return json.dumps(whole, separators=(",", ":")).encode()


def schema_text() -> str:
    """A JSON schema (draft 2020-12) of the body, with the data of each event under $defs."""
    (envelope, *kinds), parts = msgspec.json.schema_components([Envelope, *PAYLOADS.values()], ref_template="#/$defs/{name}")
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "khoj-ls webhook deliveries",
        **envelope,
        "allOf": [
            {
                "if": {"properties": {"event": {"const": event}}},
                "then": {"properties": {"data": kind}},
            }
            for event, kind in zip(PAYLOADS, kinds, strict=True)
        ],
        "$defs": parts,
    }
    return json.dumps(whole, indent=2) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """Write the schema into a folder."""
    parser = argparse.ArgumentParser(prog="python -m khoj_ls.automation.payloads")
    parser.add_argument("--write", metavar="FOLDER", type=Path, required=True, help="where the file goes: docs")
    (parser.parse_args(arguments).write / "webhooks.schema.json").write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
