"""Entries of a text whose headings are known: each runs from its heading to the next, in lines of the file."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from khoj_ls.content.long_lines import LinePieces
from khoj_ls.content.rendering import paragraphs
from khoj_ls.core.places import Place
from khoj_ls.core.text import LineIndex
from khoj_ls.core.types import Anchor, Entry, EntryDate, Link, ParsedFile, Problem, Span


@dataclass(frozen=True)
class Head:
    """Where an entry begins."""

    line: int
    """1-based."""
    heading: str = ""
    level: int = 0
    """Depth of the heading, from 1; 0 for a piece without one."""
    lines: int = 1
    """How many lines the heading itself takes, marks under or over it included: they are not shown again."""
    place: Place | None = None
    under: int | None = None
    """Of a piece without a heading: the depth of the heading it still belongs to; None for the last one, whatever that is."""
    tags: tuple[str, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    at: int | None = None
    """Of a piece of a line: the character of the source at which it begins. It goes to the next piece of the line, else to the
    end of the line, behind which another head must begin."""
    said: str = ""
    """What such a piece says beside its heading."""


def outlined(
    type_: str,
    title: str | None,
    text: str,
    heads: Iterable[Head],
    *,
    shown: Sequence[str] | None = None,
    links: Sequence[Link] = (),
    anchors: Sequence[Anchor] = (),
    tags: Sequence[str] = (),
    properties: Sequence[tuple[str, str]] = (),
    dates: Sequence[EntryDate] = (),
    aliases: Sequence[str] = (),
    problems: Sequence[Problem] = (),
) -> ParsedFile:
    """A parsed file of the decoded source `text`, cut at `heads` (ascending; at most one per line but for pieces of it).

    `shown`: what is worth reading, a line for each line of the source, empty for what is markup; the source itself by default.
    What stands before the first head is an entry of its own where it is worth reading. `links` and `anchors` go to the entry
    they lie in.
    """
    index = LineIndex(text)
    readable = [line.rstrip("\r\n") for line in index.lines] if shown is None else list(shown)
    if len(readable) != len(index):
        raise ValueError(f"{len(readable)} lines are shown of a text of {len(index)}")
    cuts = list(heads)
    if not cuts or cuts[0].line > 1:
        cuts.insert(0, Head(1))
    entries: list[Entry] = []
    path: list[tuple[int, str, int]] = []
    waiting = deque(sorted(links, key=lambda link: link.span.start))
    named = deque(sorted(anchors, key=lambda anchor: anchor.span.start))
    pieces = LinePieces(text, index)
    for head, behind in zip(cuts, [*cuts[1:], Head(len(index) + 1)], strict=True):
        if head.at is None and behind.line <= head.line:
            continue
        heading = " ".join(head.heading.split())
        level = max(1, head.level) if heading else 0
        if level or head.under is not None:
            path = [step for step in path if step[0] < (level or (head.under or 0) + 1)]
        span, raw, lines, place = _source(pieces, index, head, behind, readable)
        within = []
        while waiting and waiting[0].span.start < span.end:
            within.append(waiting.popleft())
        own = list(
            head.anchors or ((Anchor("heading", heading, index.span_of_lines(head.line, head.line)),) if heading else ())
        )
        while named and named[0].span.start < span.end:
            own.append(named.popleft())
        entries.append(
            Entry(
                span=span,
                level=level,
                heading=heading,
                outline=tuple(step[1] for step in path),
                parent=path[-1][2] if path else None,
                raw=raw,
                text="\n".join(lines),
                blocks=paragraphs(lines),
                tags=head.tags,
                anchors=tuple(own),
                links=tuple(within),
                place=place,
            )
        )
        if level:
            path.append((level, heading, len(entries) - 1))
    if entries and not entries[0].heading and not entries[0].text.strip() and len(entries) > 1 and not entries[0].links:
        entries = [_shifted(entry) for entry in entries[1:]]
    return ParsedFile(
        type_,
        title,
        tuple(entries),
        aliases=tuple(aliases),
        tags=tuple(tags),
        properties=tuple(properties),
        dates=tuple(dates),
        problems=tuple(problems),
    )


def with_pieces(heads: Iterable[Head], pieces: Mapping[int, Sequence[Head]], lines: int) -> list[Head]:
    """The heads of a text of so many `lines`, of which those with `pieces` have these in place of what begins there."""
    found = {head.line: [head] for head in heads} | {line: list(own) for line, own in pieces.items() if own}
    for line in pieces:
        if line < lines:
            found.setdefault(line + 1, [Head(line + 1)])
    return [head for line in sorted(found) for head in found[line]]


def _source(
    pieces: LinePieces, index: LineIndex, head: Head, behind: Head, readable: Sequence[str]
) -> tuple[Span, str, list[str], Place | None]:
    """What `head` begins, before `behind` does: where, its source, what is worth reading of each line, and its place."""
    if head.at is not None:
        start, whole = index.char_starts[head.line - 1], index.lines[head.line - 1]
        end = behind.at if behind.at is not None and behind.line == head.line else start + len(whole)
        span, place = pieces.piece(head.line, head.at, end)
        return span, whole[head.at - start : end - start], [head.said.rstrip()], place
    first, last = head.line, behind.line - 1
    skipped = min(head.lines, behind.line - first) if head.heading.strip() else 0
    lines = [*[""] * skipped, *(line.rstrip() for line in readable[first - 1 + skipped : last])]
    return index.span_of_lines(first, last), "".join(index.lines[first - 1 : last]), lines, head.place


def _shifted(entry: Entry) -> Entry:
    """The entry once the first, which held nothing, is gone."""
    return replace(entry, parent=None if entry.parent is None else entry.parent - 1)
