"""What is told of an answer beside its text: where it stands in the notes, what stands nowhere, and what it took."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from khoj_ls.cli.output import plural, printable, short_path

_MOST_SHOWN = 3
"""Statements without a source that are told with their words; of more the number is told."""
_SHOWN_CHARACTERS = 70


def place_of(root: Path, source: Mapping[str, Any]) -> str:
    """`path:line` of a source, from the current folder where it lies in it, so that editors and terminals can jump there.

    Of a file with pages, rows or cells the place is told as well, and no line where it has none.
    """
    return printable(short_path(str(root / source["path"]))) + within(source)


def within(source: Mapping[str, Any]) -> str:
    """What follows the path of a source: `:12`, `, page 3`, `:12, cell 4`."""
    place = source.get("place")
    line = f":{source['line']}" if not place or source["line"] > 1 else ""
    return line + (f", {printable(place)}" if place else "")


def heading_of(source: Mapping[str, Any]) -> str:
    """Title and headings of a source: `Home network > Wi-Fi`."""
    own = [name for name in source["outline"] if name != source["title"]]
    return printable(" > ".join([source["title"], *own]))


def cited(done: Mapping[str, Any], sources: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The sources that an answer cites, in the order of their numbers; each with the first line that it cites."""
    known = {source["number"]: source for source in sources}
    first: dict[int, Mapping[str, Any]] = {}
    for citation in done["citations"]:
        first.setdefault(citation["number"], citation)
    return [{**known.get(number, {"title": "", **first[number]}), "line": first[number]["line"]} for number in sorted(first)]


def asides(done: Mapping[str, Any]) -> Iterator[str]:
    """What the person should know of an answer: notices, citations taken out, statements without a source."""
    yield from (message for message in done["notices"] if message not in done["text"])
    if done["removed"]:
        yield f"taken out, as no passage has that number: {', '.join(dict.fromkeys(done['removed']))}"
    # Where no passage is named at all, that is told instead.
    if (unsupported := done["unsupported"]) and (done["citations"] or not done["model"]):
        shown = "; ".join(f'"{_short(statement["text"])}"' for statement in unsupported[:_MOST_SHOWN])
        more = f"; and {len(unsupported) - _MOST_SHOWN} more" if len(unsupported) > _MOST_SHOWN else ""
        yield f"without a source: {shown}{more}"


def taken(done: Mapping[str, Any], seconds: float) -> str:
    """`openai/gpt-4o-mini: 1,234 tokens read, 210 written, $0.0003, 2.1 s`; empty where no model was asked."""
    usage = done["usage"]
    if not done["model"] or usage is None:
        return ""
    about = "about " if usage["estimated"] else ""
    told = [f"{about}{plural(usage['input_tokens'], 'token')} read", f"{about}{usage['output_tokens']:,} written"]
    if done["cost"] is not None:
        told.append(dollars(done["cost"]))
    return f"{done['model']}: {', '.join([*told, f'{seconds:.1f} s'])}"


def dollars(amount: float) -> str:
    """An amount of US dollars with as many places as it needs to be more than nothing."""
    if amount == 0 or amount >= 0.01:
        return f"${amount:.2f}"
    return f"${amount:.4f}" if amount >= 0.0001 else "under $0.0001"


def found(event: Mapping[str, Any]) -> Iterator[str]:
    """What the search lacked."""
    yield from event["degraded"]
    if left_out := event["left_out_private"]:
        yield f"{plural(left_out, 'private passage')} found and kept from this model"


def link_to(root: Path, source: Mapping[str, Any]) -> str:
    """Target of a Markdown link from the current folder to the note, quoted as CommonMark wants it."""
    path = short_path(str(root / source["path"])).replace(os.sep, "/")
    path = "".join(char if char.isprintable() else quote(char, safe="", errors="surrogateescape") for char in path)
    return f"<{path}>" if any(char in path for char in " ()<>") else path


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _SHOWN_CHARACTERS else words[: _SHOWN_CHARACTERS - 1].rstrip() + "…"
