"""Whole notes of each dialect: `NAME.md` beside `NAME.json`, what is made of it. A new case is two new files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from khoj_ls.content.markdown import MarkdownProcessor
from khoj_ls.core.types import Entry, ParsedFile

DATA = Path(__file__).parents[1] / "data" / "markdown"


def described(parsed: ParsedFile) -> dict[str, Any]:
    return {
        "title": parsed.title,
        "aliases": list(parsed.aliases),
        "tags": list(parsed.tags),
        "properties": dict(parsed.properties),
        "dates": [f"{date.kind} {date.start}" for date in parsed.dates],
        "entries": [described_entry(entry) for entry in parsed.entries],
    }


def described_entry(entry: Entry) -> dict[str, Any]:
    known = {
        "lines": f"{entry.span.line}-{entry.span.end_line}",
        "heading": f"{entry.level} {entry.heading}",
        "outline": " > ".join(entry.outline),
        "todo": entry.todo,
        "private": entry.private,
        "tags": list(entry.tags),
        "properties": dict(entry.properties),
        "dates": [f"{date.kind} {date.start}" for date in entry.dates],
        "anchors": [f"{anchor.kind} {anchor.name} @{anchor.span.line}-{anchor.span.end_line}" for anchor in entry.anchors],
        "links": [f"{link.kind} {link.target} | {link.label or ''} @{link.span.line}" for link in entry.links],
        "blocks": " ".join(map(str, entry.blocks)),
        "text": entry.text.split("\n"),
    }
    return {name: value for name, value in known.items() if value}


@pytest.mark.parametrize("note", sorted(DATA.glob("*.md")), ids=lambda path: path.stem)
def test_note(note: Path) -> None:
    found = described(MarkdownProcessor().parse(note.read_bytes(), note.name))
    assert found == json.loads(note.with_suffix(".json").read_text(encoding="utf-8"))
