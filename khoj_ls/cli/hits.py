"""Hits as the wire has them, for programs and for people."""

from __future__ import annotations

import json
import os
import shutil
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import click

from khoj_ls.cli.output import note, plural, printable, short_path

_RETRIEVERS = (("lexical", "words"), ("dense", "meaning"), ("rerank", "rerank"))
_SEEN = (
    *_RETRIEVERS,
    ("lexical_note", "words of the note"),
    ("dense_note", "meaning of the note"),
    ("names", "title and path"),
)

_IN_WORDS = ("age_days", "number", "most", "nearest", "threshold")
"""Numbers of an explanation that its words tell already."""


def result_json(result: Mapping[str, Any]) -> dict[str, Any]:
    """The documented JSON of `search` and `related`: absolute paths, 1-based inclusive lines; grouped too if that was asked.

    A piece of a very long line has 1-based inclusive columns, in characters, as well.
    """
    notes = result.get("notes")
    return {
        "hits": [_hit_json(hit) for hit in result["hits"]],
        "degraded": result["degraded"],
        "coverage": result["coverage"],
        "timings": result["timings"],
        **({"respelled": respelled} if (respelled := result.get("respelled")) else {}),
        **({"notes": [_note_json(each) for each in notes]} if notes is not None else {}),
    }


def show_hits(result: Mapping[str, Any], nothing: str) -> None:
    """Print hits best first, or `nothing` to stderr; each begins with `path:line:`, where editors can jump.

    Where they are grouped, a line with the note's title stands before those of one note; where they are explained, what moved
    each follows it, and the numbers of the profile stand at the end. What the answer lacks, and the `messages` of its vaults,
    follow on stderr.
    """
    for group in result.get("notes") or ():
        count = len(group["hits"])
        about = click.style(f"({group['score']:.2f}, {plural(count, 'hit')})", dim=True)
        click.echo(f"{click.style(printable(group['title']), bold=True)} {about}")
        for hit in group["hits"]:
            _show(hit, heading=False)
    for hit in result["hits"] if not result.get("notes") else ():
        _show(hit)
    for line in dict.fromkeys(_profile(hit["explanation"]) for hit in result["hits"] if hit.get("explanation")):
        click.echo(line)
    if not result["hits"]:
        note(nothing)
    if result.get("respelled"):
        note(f"no note has {', '.join(result['respelled'])}: words that are spelled nearly so were looked for")
    if result["degraded"]:
        reason = result.get("reason") or "a part of the index is missing"
        covered = f" (meaning covers {result['coverage']:.0%} of the notes)" if result["coverage"] < 1 else ""
        note(reason + covered)
    for message in result["messages"]:
        if message != result.get("reason"):
            note(message)


def path_of(uri: str) -> str:
    """Path of a file URI; bytes that are no UTF-8 come back as Python's surrogate escapes."""
    path = os.fsdecode(unquote_to_bytes(urlsplit(uri).path))
    # file:///C:/notes on Windows
    return path[1:].replace("/", "\\") if len(path) > 2 and path[2] == ":" else path


def _hit_json(hit: Mapping[str, Any]) -> dict[str, Any]:
    start, end = hit["range"]["start"], hit["range"]["end"]
    return {
        "path": path_of(hit["uri"]),
        "line": start["line"] + 1,
        # Of whole lines the wire's end is the line after the last one; what has no lines stands at the first.
        "end_line": end["line"] + 1 if end["character"] else max(1, end["line"]),
        **({"column": start["character"] + 1, "end_column": end["character"]} if end["character"] else {}),
        **{name: hit[name] for name in ("title", "outline", "snippet", "highlights", "score", "type")},
        **{name: hit.get(name) for name in ("page", "place", "tags", "date", "sources")},
        **({"explanation": hit["explanation"]} if hit.get("explanation") else {}),
    }


def _note_json(group: Mapping[str, Any]) -> dict[str, Any]:
    hits = [_hit_json(hit) for hit in group["hits"]]
    return {"path": path_of(group["uri"]), "title": group["title"], "score": group["score"], "hits": hits}


def _show(hit: Mapping[str, Any], *, heading: bool = True) -> None:
    """Print one hit; without `heading` its note's title stands above it already."""
    path = printable(short_path(path_of(hit["uri"])))
    own = [name for name in hit["outline"] if name != hit["title"]]
    names = [hit["title"], *own] if heading else own
    start, end = hit["range"]["start"], hit["range"]["end"]
    # What is no text has no lines; only of a long line the columns are told.
    line = f":{start['line'] + 1}" if end["line"] or end["character"] else ""
    column = f":{start['character'] + 1}" if end["character"] else ""
    place = f"{click.style(path, fg='magenta')}{line}{column}:"
    found = " + ".join(word for name, word in _RETRIEVERS if name in hit["sources"])
    # What filters alone let through was found by nobody and has no score; the newest comes first.
    told = [printable(hit["place"])] if hit.get("place") else []
    told += [f"{hit['score']:.2f}", found] if found else [hit["date"]] if hit.get("date") else []
    told += ["linked"] if hit.get("linked") else []
    about = click.style(f"({', '.join(told)})", dim=True) if told else ""
    title = [click.style(printable(" > ".join(names)), bold=True)] if names else []
    click.echo(" ".join([place, *title, *filter(None, [about])]))
    for line in _lines(hit["snippet"], hit["highlights"]):
        click.echo(f"    {line}")
    if hit.get("explanation"):
        for line in _told(hit["explanation"]):
            click.secho(f"      {printable(line)}", dim=True)


def _told(how: Mapping[str, Any]) -> Iterator[str]:
    """What an explanation says, a line for each thing that moved the hit."""
    seen = [
        f"{word} {source['score']:.3f} (no. {source['rank']})"
        for name, word in _SEEN
        if (source := how["retrievers"].get(name)) is not None
    ]
    yield f"{'fused':<15}{how['fused']:.3f}, no. {how['rank']} of all: {', '.join(seen) or 'nobody found it'}"
    for step in how["steps"]:
        moved = f"{step['before']:.3f} -> {step['after']:.3f}  " if step["before"] != step["after"] else ""
        numbers = ", ".join(f"{name} {number:g}" for name, number in step["numbers"].items() if name not in _IN_WORDS)
        yield f"{step['name']:<15}{moved}{step['why']}{f' ({numbers})' if numbers else ''}"


def _profile(how: Mapping[str, Any]) -> str:
    numbers = ", ".join(f"{name} = {json.dumps(number)}" for name, number in how["numbers"].items())
    embedded = f"; the query was embedded as a {how['embedded_as']}" if how.get("embedded_as") else ""
    return printable(f"profile {how['profile']}: {numbers}{embedded}")


def _lines(snippet: str, highlights: list[list[int]]) -> Iterator[str]:
    """The snippet with its matched words marked: broken at the terminal's width, one line where nobody looks."""
    marked = [False] * len(snippet)
    for start, end in highlights:
        marked[start:end] = [True] * (min(end, len(snippet)) - start)
    width = max(20, min(shutil.get_terminal_size().columns, 120) - 4) if sys.stdout.isatty() else sys.maxsize
    for start, end in _broken(snippet, width):
        yield "".join(
            click.style(printable(text), fg="red", bold=True) if mark else printable(text)
            for text, mark in _runs(snippet, marked, start, end)
        )


def _runs(snippet: str, marked: list[bool], start: int, end: int) -> Iterator[tuple[str, bool]]:
    first = start
    for at in range(start, end):
        if marked[at] != marked[first]:
            yield snippet[first:at], marked[first]
            first = at
    if first < end:
        yield snippet[first:end], marked[first]


def _broken(text: str, width: int) -> Iterator[tuple[int, int]]:
    """Ranges of `text` that fit into `width` columns, broken after spaces and between wide characters."""
    start, used, chance = 0, 0, 0
    for at, char in enumerate(text):
        wide = unicodedata.east_asian_width(char) in "WF"
        if wide or char == " ":
            chance = at + (char == " ")
        used += 1 + wide
        if used > width and char != " ":
            end = chance if chance > start else at
            yield start, end
            start, chance = end, end
            used = sum(1 + (unicodedata.east_asian_width(later) in "WF") for later in text[start : at + 1])
    if start < len(text):
        yield start, len(text)
