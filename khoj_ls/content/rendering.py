"""Entries of a file that is no text: a text is made from it, piece by piece; each knows where it stands in the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from khoj_ls.core.places import Place
from khoj_ls.core.types import Entry, EntryDate, ParsedFile, Problem, Span

_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""What cannot be stored or shown: control characters, halves of surrogate pairs, and what is no character."""


@dataclass(frozen=True)
class Piece:
    """A piece of a file that becomes an entry."""

    text: str
    """What it says, in lines; blank lines part its paragraphs."""
    place: Place
    heading: str = ""
    level: int = 0
    """Depth of the heading, from 1; 0 for a piece without one, which belongs to the heading before it only by its outline."""
    tags: tuple[str, ...] = ()
    dates: tuple[EntryDate, ...] = ()


def rendered(
    type_: str,
    title: str | None,
    pieces: Iterable[Piece],
    *,
    tags: Sequence[str] = (),
    properties: Sequence[tuple[str, str]] = (),
    dates: Sequence[EntryDate] = (),
    problems: Sequence[Problem] = (),
) -> ParsedFile:
    """A parsed file of pieces, in order; those without words are left out. Spans count in the text that is made of them."""
    entries: list[Entry] = []
    path: list[tuple[int, str, int]] = []
    byte, line = 0, 1
    for piece in pieces:
        heading = " ".join(clean(piece.heading).split())
        lines = [each.rstrip() for each in clean(piece.text).split("\n")]
        while lines and not lines[-1]:
            lines.pop()
        if not heading and not any(lines):
            continue
        level = max(1, piece.level) if heading else 0
        if level:
            path = [step for step in path if step[0] < level]
        written = [*([heading] if heading else []), *lines]
        raw = "".join(f"{each}\n" for each in written)
        shown = "".join(f"{each}\n" for each in ["", *lines]) if heading else raw
        end = byte + len(raw.encode())
        entries.append(
            Entry(
                span=Span(byte, end, line, line + len(written) - 1),
                level=level,
                heading=heading,
                outline=tuple(step[1] for step in path),
                parent=path[-1][2] if path else None,
                raw=raw,
                text=shown,
                blocks=paragraphs(shown.split("\n")),
                tags=piece.tags,
                dates=piece.dates,
                place=piece.place,
            )
        )
        if level:
            path.append((level, heading, len(entries) - 1))
        byte, line = end, line + len(written)
    title = " ".join(clean(title).split()) if title else None
    return ParsedFile(
        type_,
        title or None,
        tuple(entries),
        tags=tuple(tags),
        properties=tuple(properties),
        dates=tuple(dates),
        problems=tuple(problems),
    )


def clean(text: str) -> str:
    """`text` with LF line breaks and without what cannot be stored or shown."""
    return _UNFIT.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))


def paragraphs(lines: Sequence[str]) -> tuple[int, ...]:
    """The 0-based lines at which paragraphs begin: those behind a blank line, and the first that has words."""
    return tuple(at for at, line in enumerate(lines) if line.strip() and (at == 0 or not lines[at - 1].strip()))
