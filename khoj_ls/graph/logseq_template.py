"""Logseq's templates: a block with `template:: name`, and all below it. Found in a note, and written as a new page begins.

As Logseq inserts them: without the properties that belong to the template, with `<% ... %>` filled in, and without the block
itself where it says `template-including-parent:: false`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from khoj_ls.core.errors import UsageError
from khoj_ls.graph.dates import written_day
from khoj_ls.links.conventions import Conventions
from khoj_ls.links.text import fold
from khoj_ls.query.dates import days_of

PROPERTY = "template"
_PARENT = "template-including-parent"
_NOT_KEPT = frozenset({PROPERTY, _PARENT, "id"})
_TAB = 4
_BULLET = re.compile(r"(?P<blanks>[ \t]*)-(?:[ \t]+|$)")
_STARS = re.compile(r"(?P<stars>\*+)(?:[ \t]+|$)")
_FIELD = re.compile(r"[ \t]*(?:-[ \t]+)?(?P<name>[^\s:`\[\]]+)::(?:[ \t]+(?P<value>.*))?$")
_DRAWER_FIELD = re.compile(r"[ \t]*:(?P<name>[^\s:]+):(?:[ \t]+(?P<value>.*))?$")
_FENCE = re.compile(r"[ \t]*(?:-[ \t]+)?(`{3,}|~{3,})")
_BEGIN, _END = re.compile(r"[ \t]*(?:-[ \t]+)?#\+begin_(\w+)", re.I), re.compile(r"[ \t]*#\+end_(\w+)", re.I)
_VARIABLE = re.compile(r"<%([^%]*)%>")


@dataclass(frozen=True)
class _Block:
    """A block without those below it."""

    depth: int
    """Columns of its bullet (Markdown), or its stars (Org)."""
    lines: Sequence[str]

    @property
    def fields(self) -> Mapping[str, str]:
        """Its properties, names folded."""
        found = (_field(line) for line in self.lines)
        return {fold(each["name"]): (each["value"] or "").strip() for each in found if each}


def template_text(source: str, name: str, *, org: bool) -> str | None:
    """What the template called `name` in the text of a note holds, its variables as they are; None where there is none."""
    blocks = _blocks(source.splitlines(), org=org)
    for at, block in enumerate(blocks):
        if fold(block.fields.get(PROPERTY, "")) != fold(name):
            continue
        below = next((end for end in range(at + 1, len(blocks)) if blocks[end].depth <= block.depth), len(blocks))
        own = [] if fold(block.fields.get(_PARENT, "")) == "false" else [block]
        taken = [*own, *blocks[at + 1 : below]]
        return _written(taken, org=org) if taken else ""
    return None


def filled(text: str, conventions: Conventions, page: str, now: datetime) -> str:
    """`text` with its variables filled in, for the page called `page`: links to days, the time, a date in words.

    What is none of these stays as the words that stand there.
    """

    def day(of: date) -> str:
        return f"[[{written_day(datetime(of.year, of.month, of.day), conventions.journal_title, 'logseq')}]]"

    known = {
        "today": day(now.date()),
        "yesterday": day(now.date() - timedelta(1)),
        "tomorrow": day(now.date() + timedelta(1)),
        "time": f"{now:%H:%M}",
        "current page": f"[[{page}]]",
    }

    def fill(found: re.Match[str]) -> str:
        words = found[1].strip()
        written = known.get(" ".join(words.lower().split())) if words else ""
        if written is not None:
            return written
        try:
            since, before = days_of(words, now.date())
        except UsageError:
            return words
        first = date.fromisoformat(since)
        return day(first) if date.fromisoformat(before) == first + timedelta(1) else words

    return _VARIABLE.sub(fill, text)


def _blocks(lines: Sequence[str], *, org: bool) -> list[_Block]:
    """The blocks of a note in source order; what stands before the first bullet is one."""
    found: list[tuple[int, list[str]]] = []
    closed_by = ""
    for line in lines:
        start = None if closed_by else _depth(line, org=org)
        if start is not None:
            found.append((start, []))
        elif not found:
            found.append((0, []))
        found[-1][1].append(line)
        closed_by = _closed_by(line, closed_by)
    return [_Block(depth, own) for depth, own in found]


def _depth(line: str, *, org: bool) -> int | None:
    """How deep a block lies that begins with `line`; None where none does."""
    if org:
        stars = _STARS.match(line)
        return len(stars["stars"]) if stars else None
    bullet = _BULLET.match(line)
    return len(bullet["blanks"].expandtabs(_TAB)) if bullet else None


def _closed_by(line: str, before: str) -> str:
    """What ends the code or the `#+begin_` block that goes on behind `line`; empty where none does."""
    if before.startswith(("`", "~")):
        fence = _FENCE.match(line)
        return "" if fence and fence[1].startswith(before) else before
    if before:
        end = _END.match(line)
        return "" if end and end[1].lower() == before else before
    if fence := _FENCE.match(line):
        return fence[1]
    begin = _BEGIN.match(line)
    return begin[1].lower() if begin else ""


def _field(line: str) -> re.Match[str] | None:
    return _FIELD.match(line) or _DRAWER_FIELD.match(line)


def _written(blocks: Sequence[_Block], *, org: bool) -> str:
    """Blocks as the text of a page: the outermost at its edge, without what belongs to the template alone."""
    lines = [line for block in blocks for line in _kept(block, org=org)]
    if org:
        more = min(block.depth for block in blocks) - 1
        return "".join(f"{line[more:] if _STARS.match(line) else line}\n" for line in lines)
    edge = re.match(r"[ \t]*", lines[0])
    blanks = edge[0] if edge else ""
    return "".join(f"{line[len(blanks) :] if line.startswith(blanks) else line.lstrip()}\n" for line in lines)


def _kept(block: _Block, *, org: bool) -> Iterable[str]:
    """The lines of a block without the properties that are not taken over; its bullet stays."""
    first, *rest = block.lines
    kept = [line for line in rest if not ((found := _field(line)) and fold(found["name"]) in _NOT_KEPT)]
    if org:
        if [line.strip().upper() for line in kept[:2]] == [":PROPERTIES:", ":END:"]:
            del kept[:2]
        return [first, *kept]
    bullet = _BULLET.match(first)
    found = _field(first)
    if found and fold(found["name"]) in _NOT_KEPT:
        # The first line of what is left takes the bullet.
        return [f"{bullet[0] if bullet else '- '}{kept[0].lstrip() if kept else ''}".rstrip() or "-", *kept[1:]]
    return [first if bullet else f"- {first}", *kept]
