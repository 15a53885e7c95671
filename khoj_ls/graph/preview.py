"""What is shown of a note, or a place in it, to somebody who has not opened it: title, outline, tags, and the first lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from khoj_ls.core.text import text_lines
from khoj_ls.graph.incoming import Opened
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.links.anchors import Place
from khoj_ls.links.resolve import Destination
from khoj_ls.store import links as link_store
from khoj_ls.store import navigation as store
from khoj_ls.store.fts import display_title

_MOST_SECTIONS = 40
_LONGEST_LINE = 200


@dataclass(frozen=True)
class Preview:
    """A note or a place in it, in plain text."""

    path: str
    title: str
    outline: tuple[str, ...]
    """Headings from the outermost down to the place's own; empty for the note as a whole."""
    line: int
    """1-based line of the place; 1 for the note as a whole."""
    tags: tuple[str, ...]
    lines: tuple[str, ...]
    """The first lines, markup reduced, long ones cut."""
    more: bool
    """Whether there is more than `lines`."""


def preview_of(network: LinkNetwork, target: Destination, opened: Opened, most: int) -> Preview | None:
    """What is shown of where a link leads, at most `most` lines of text; None for a file that is no note."""
    note = opened(target.path)
    if note is not None:
        title = note.parsed.title
        sections = [
            store.Section(at, each.level, each.heading, each.outline, each.span, each.raw, each.text, each.tags)
            for at, each in enumerate(note.parsed.entries)
        ]
        entry = next((at for at, each in enumerate(sections) if target.place and _holds(each, target.place)), 0)
        sections = sections[entry : entry + _MOST_SECTIONS]
    elif target.file_id is not None:
        _, title = store.titles(network.connection, [target.file_id]).get(target.file_id, ("", None))
        line = target.place.span.line if target.place else 1
        ordinal = link_store.entry_at(network.connection, target.file_id, line) if target.place else 0
        sections = store.sections_from(network.connection, target.file_id, ordinal or 0, _MOST_SECTIONS)
    else:
        return None
    if not sections:
        return Preview(target.path, display_title(target.path, title), (), 1, (), (), False)
    return _preview(target, display_title(target.path, title), sections, most)


def _holds(section: store.Section, place: Place) -> bool:
    return section.span.line <= place.span.line <= section.span.end_line


def _preview(target: Destination, title: str, sections: Sequence[store.Section], most: int) -> Preview:
    first, place = sections[0], target.place
    own = first.heading if place else ""
    outline = (*first.outline, own) if own else first.outline if place else ()
    whole = place is None or place.kind == "heading" or place.span.line == first.span.line
    shown = _squeezed(_from_start(sections, place is None, title) if whole or place is None else _around(first, place))
    line = place.span.line if place else 1
    lines = tuple(_cut(text) for text in shown[:most])
    return Preview(target.path, title, outline, line, first.tags, lines, len(shown) > most)


def _from_start(sections: Sequence[store.Section], note: bool, title: str) -> Iterator[str]:
    """The lines of an entry and of those below it; of a note all, without its title once more."""
    level = sections[0].level
    for number, section in enumerate(sections):
        if number and not note and section.level <= level:
            return
        if section.heading and (number or note) and not (section.heading == title and number < 2):
            yield ""
            yield section.heading
        yield from _lines(section.text)


def _around(section: store.Section, place: Place) -> Iterator[str]:
    """The paragraph that holds a place; its source where nothing of it is readable text."""
    at = place.span.line - section.span.line
    lines = _lines(section.text)
    if not 0 <= at < len(lines) or not lines[at].strip():
        lines = _lines(section.raw)
    first = last = max(0, min(at, len(lines) - 1))
    while first > 0 and lines[first - 1].strip():
        first -= 1
    while last + 1 < len(lines) and lines[last + 1].strip():
        last += 1
    yield from lines[max(first, at - 3) : last + 1]


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text_lines(text)]


def _squeezed(lines: Iterable[str]) -> list[str]:
    """Several blank lines as one, none at the ends."""
    found: list[str] = []
    for line in lines:
        if line or (found and found[-1]):
            found.append(line)
    return found[:-1] if found and not found[-1] else found


def _cut(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE].rstrip() + "…"


def display_titles(network: LinkNetwork, file_ids: Iterable[int]) -> dict[int, str]:
    """What notes are called, by id."""
    return {file_id: display_title(*named) for file_id, named in store.titles(network.connection, file_ids).items()}
