"""Org files and how their parsed form is written down in the expected files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from khoj_ls.core.types import Entry, ParsedFile

_FILE_FIELDS = ("title", "aliases", "tags", "properties", "dates", "private", "problems")
_ENTRY_FIELDS = ("heading", "outline", "parent", "todo", "priority", "tags", "properties", "dates", "private", "blocks")


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return list(vars(value).values()) if hasattr(value, "__dict__") else value


def _entry_as_data(entry: Entry, source: bytes) -> dict[str, Any]:
    body = entry.text.split("\n")
    assert body.pop() == ""
    shown: dict[str, Any] = {
        "lines": [entry.span.line, entry.span.end_line],
        "level": entry.level,
        **{name: _plain(getattr(entry, name)) for name in _ENTRY_FIELDS},
        "anchors": [[anchor.kind, anchor.name, anchor.span.line] for anchor in entry.anchors],
        "links": [
            [link.kind, link.target, link.label, source[link.span.start : link.span.end].decode()] for link in entry.links
        ],
        "text": {str(entry.span.line + at): line for at, line in enumerate(body) if line},
    }
    return {name: value for name, value in shown.items() if value not in (None, [], {}, "", False)}


@pytest.fixture
def as_data() -> Callable[[ParsedFile, bytes], dict[str, Any]]:
    """A parsed file as JSON-like data: fields at their defaults left out, text by line number, links with what they span."""

    def convert(parsed: ParsedFile, source: bytes) -> dict[str, Any]:
        about = {name: _plain(getattr(parsed, name)) for name in _FILE_FIELDS}
        return {
            **{name: value for name, value in about.items() if value not in (None, [], False)},
            "entries": [_entry_as_data(entry, source) for entry in parsed.entries],
        }

    return convert
