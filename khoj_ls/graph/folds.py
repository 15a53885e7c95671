"""What can be folded in a note: sections, front matter, drawers, blocks of code and others, lists, comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from khoj_ls.core.text import text_lines
from khoj_ls.core.types import Entry, ParsedFile
from khoj_ls.graph.open_note import OpenNote

FoldKind = Literal["section", "block", "comment"]

_FENCE = re.compile(r"[ \t]*(?:>[ \t]*)*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*(`{3,}|~{3,})([^`]*)$")
_BEGIN = re.compile(r"[ \t]*#\+begin(?:_(\S+)|:)", re.IGNORECASE)
_END = re.compile(r"[ \t]*#\+end(?:_(\S+)|:)", re.IGNORECASE)
_DRAWER = re.compile(r"[ \t]*:([\w-]+):[ \t]*$")
_DRAWER_END = re.compile(r"[ \t]*:end:[ \t]*$", re.IGNORECASE)
_ITEM = re.compile(r"([ \t]*)(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)")
_INDENT = re.compile(r"[ \t]*")
_TAB = 4


@dataclass(frozen=True)
class Fold:
    """Lines that can be hidden behind the first of them; 1-based, inclusive."""

    line: int
    end_line: int
    kind: FoldKind


def folds(note: OpenNote) -> list[Fold]:
    """All folds of a note, by first line; those of more lines first."""
    lines = [line.rstrip("\r\n") for line in text_lines(note.text)]
    org = note.parsed.type == "org"
    taken: list[Fold] = []
    if note.parsed.type in ("markdown", "org"):
        taken = list(_org_blocks(lines) if org else _markdown_blocks(lines))
    found = [*_sections(note.parsed, lines), *taken, *_lists(lines, taken, org)]
    unique = {(each.line, each.end_line): each for each in reversed(found) if each.end_line > each.line}
    return sorted(unique.values(), key=lambda each: (each.line, -each.end_line))


def _sections(parsed: ParsedFile, lines: Sequence[str]) -> Iterator[Fold]:
    """Each heading with all that stands under it, blank lines at the end left out."""
    open_: list[Entry] = []
    for entry in parsed.entries:
        while open_ and entry.level <= open_[-1].level:
            yield _section(open_.pop(), entry.span.line - 1, lines)
        if entry.level:
            open_.append(entry)
    for entry in open_:
        yield _section(entry, len(lines), lines)


def _section(entry: Entry, last: int, lines: Sequence[str]) -> Fold:
    while last > entry.span.line and not lines[last - 1].strip():
        last -= 1
    return Fold(entry.span.line, last, "section")


def _markdown_blocks(lines: Sequence[str]) -> Iterator[Fold]:
    """Front matter, fenced code (CommonMark 0.31, 4.5) and comments."""
    at = 0
    if lines and re.fullmatch(r"(---|\+\+\+)[ \t]*", lines[0]):
        fence = lines[0].strip()
        end = next(
            (n for n, line in enumerate(lines[1:], 1) if line.rstrip() in (fence, "..." if fence == "---" else fence)), 0
        )
        if end:
            yield Fold(1, end + 1, "block")
            at = end + 1
    while at < len(lines):
        end = at
        if fenced := _FENCE.match(lines[at]):
            end = _fence_end(lines, at, fenced[1])
            yield Fold(at + 1, end + 1, "block")
        elif lines[at].lstrip().startswith("<!--") and "-->" not in lines[at]:
            end = next((n for n in range(at + 1, len(lines)) if "-->" in lines[n]), at)
            yield Fold(at + 1, end + 1, "comment")
        at = end + 1


def _fence_end(lines: Sequence[str], at: int, fence: str) -> int:
    closing = re.compile(rf"[ \t]*(?:>[ \t]*)*{re.escape(fence[0])}{{{len(fence)},}}[ \t]*$")
    return next((number for number in range(at + 1, len(lines)) if closing.match(lines[number])), len(lines) - 1)


def _org_blocks(lines: Sequence[str]) -> Iterator[Fold]:
    """Blocks, drawers and runs of comment lines; none of them holds a heading (Org syntax, "Greater Elements")."""
    at = 0
    while at < len(lines):
        end = at
        if begun := _BEGIN.match(lines[at]):
            end = _org_end(lines, at, begun[1])
        elif _DRAWER.match(lines[at]) and not _DRAWER_END.match(lines[at]):
            end = next((n for n in _body(lines, at) if _DRAWER_END.match(lines[n])), at)
        elif re.match(r"[ \t]*#(?: |$)", lines[at]):
            while end + 1 < len(lines) and re.match(r"[ \t]*#(?: |$)", lines[end + 1]):
                end += 1
            yield Fold(at + 1, end + 1, "comment")
            at = end + 1
            continue
        if end > at:
            yield Fold(at + 1, end + 1, "block")
        at = end + 1


def _org_end(lines: Sequence[str], at: int, name: str | None) -> int:
    for number in _body(lines, at):
        ended = _END.match(lines[number])
        if ended and (ended[1] or "").lower() == (name or "").lower():
            return number
    return at


def _body(lines: Sequence[str], at: int) -> Iterator[int]:
    """The lines behind `at` up to the next heading."""
    for number in range(at + 1, len(lines)):
        if re.match(r"\*+[ \t]", lines[number]):
            return
        yield number


def _lists(lines: Sequence[str], blocks: Sequence[Fold], org: bool) -> Iterator[Fold]:
    """List items with what is indented below them."""
    hidden = {number for fold in blocks if _is_unlisted(fold, lines) for number in range(fold.line, fold.end_line + 1)}
    open_: list[tuple[int, int]] = []
    last = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        indent = _width(_INDENT.match(line))
        item = _ITEM.match(line) if number not in hidden else None
        if org and line.startswith("*"):
            item = None  # a heading
        while open_ and indent <= open_[-1][0] and not (number in hidden and indent):
            yield Fold(open_.pop()[1], last, "block")
        if item is not None:
            open_.append((indent, number))
        last = number
    for _, first in open_:
        yield Fold(first, last, "block")


def _is_unlisted(fold: Fold, lines: Sequence[str]) -> bool:
    """Whether a block is none that begins on an item's own line."""
    return _ITEM.match(lines[fold.line - 1]) is None


def _width(blanks: re.Match[str] | None) -> int:
    return len(blanks[0].expandtabs(_TAB)) if blanks else 0
