"""Org files: headings, tasks, tags, properties, dates, links and anchors, and the text worth embedding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from khoj_ls.content.org_entry import Compiled, compile_heading, compile_section, identifier_anchors
from khoj_ls.content.org_file import FileFacts, is_private, leaves_out, link_abbreviations, read_facts
from khoj_ls.content.org_inline import Found
from khoj_ls.content.org_outline import DONE_WORDS, TODO_WORDS, Headline, read_outline, sets_todo
from khoj_ls.content.org_source import Element, OrgText, Section, is_encrypted, scan
from khoj_ls.core.text import decode_source
from khoj_ls.core.types import Anchor, Entry, EntryDate, ParsedFile, Problem

_DEEPEST = 64
"""Ancestors kept in an outline: of headings nested deeper the innermost ones, or it would grow with the square of the depth."""


class OrgProcessor:
    """Makes entries of Org files: one per heading, and one of level 0 for what stands before the first.

    * Every heading is an entry, one without text too. A file that begins with blank lines only has no entry for them.
    * Inline tasks are ordinary deep headings, their `END` line included: Org without org-inlinetask reads them so.
    * COMMENT subtrees, subtrees tagged :ARCHIVE: or :crypt:, files so tagged by FILETAGS, and PGP messages leave no trace.
    * Anchors ID and CUSTOM_ID lie on the first line of their entry, where a jump should land.
    * The title is what `#+title` says, else the heading under which all the rest stands, if there is one.
    """

    name = "org"
    extensions: tuple[str, ...] = (".org",)
    priority = 0

    def __init__(self, todo_words: Sequence[str] = TODO_WORDS, done_words: Sequence[str] = DONE_WORDS) -> None:
        """Take the TODO words of files that define none by `#+TODO`."""
        self._todo_words, self._done_words = tuple(todo_words), tuple(done_words)

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse an Org file. Never raises; what could not be read is in `problems`."""
        text, problems = decode_source(data)
        nothing = ParsedFile("org", None, (), problems=problems)
        if is_encrypted(text):
            return nothing
        source = OrgText(text)
        sections = _sections(source)
        todo_lines = [each.first for section in sections for each in _keywords(section) if _sets_words(each)]
        headlines, outline_problems = read_outline(source, todo_lines, self._todo_words, self._done_words)
        parts = list(_kept_parts(source, headlines, sections))
        keywords = [keyword for part in parts for keyword in _keywords(part.section)]
        drawer = [(each.name, each.value) for each in sections[0].elements if each.kind == "property"]
        facts = read_facts(keywords, drawer)
        if facts.left_out:
            return nothing
        entries = _Entries(source, facts, link_abbreviations(keywords))
        for part in parts:
            entries.add(part)
        return ParsedFile(
            "org",
            facts.title or _leading_title(entries.entries),
            tuple(entries.entries),
            facts.aliases,
            facts.tags,
            facts.properties,
            facts.dates,
            facts.private,
            (*problems, *outline_problems, *entries.problems()),
        )


@dataclass(frozen=True)
class _Part:
    """A heading with the lines below it, or (without headline) the lines before the first heading."""

    first: int
    last: int
    headline: Headline | None
    section: Section


def _sections(source: OrgText) -> list[Section]:
    """What stands before the first heading, then what stands below each."""
    begins = [0, *(line + 1 for line in source.headings)]
    ends = [*(line - 1 for line in source.headings), len(source.lines) - 1]
    return [scan(source.lines, first, last) for first, last in zip(begins, ends, strict=True)]


def _keywords(section: Section) -> Iterator[Element]:
    return (element for element in section.elements if element.kind == "keyword")


def _sets_words(keyword: Element) -> bool:
    return bool(keyword.value) and sets_todo(keyword.name)


def _kept_parts(source: OrgText, headlines: list[Headline], sections: list[Section]) -> Iterator[_Part]:
    before = source.headings[0] if source.headings else len(source.lines)
    if any(line.strip() for line in source.lines[:before]):
        yield _Part(0, before - 1, None, sections[0])
    left_out_below: int | None = None
    for headline, section in zip(headlines, sections[1:], strict=True):
        if left_out_below is not None and headline.level > left_out_below:
            continue
        left_out_below = headline.level if headline.commented or leaves_out(headline.tags) else None
        if left_out_below is None:
            yield _Part(headline.line, headline.last, headline, section)


def _leading_title(entries: Sequence[Entry]) -> str | None:
    """The only level-1 heading, where nothing but keywords and drawers stands before it."""
    if entries and entries[0].level == 0 and not entries[0].text.strip():
        entries = entries[1:]
    is_alone = [entry.level for entry in entries[:1]] == [1] and all(entry.level > 1 for entry in entries[1:])
    return entries[0].heading or None if is_alone else None


class _Entries:
    """The entries made so far, and which of them enclose the next."""

    def __init__(self, source: OrgText, facts: FileFacts, abbreviations: dict[str, str]) -> None:
        self.source, self.facts, self.abbreviations = source, facts, abbreviations
        self.entries: list[Entry] = []
        self.open: list[int] = []
        self.too_deep: int | None = None

    def add(self, part: _Part) -> None:
        compiled = compile_section(self.source, part.section, part.first, part.last, self.abbreviations)
        if part.headline is None:
            self.append(part, compiled, Found(), ("",), None)
            return
        while self.open and self.entries[self.open[-1]].level >= part.headline.level:
            self.open.pop()
        parent = self.open[-1] if self.open else None
        self.open.append(len(self.entries))
        found = Found()
        names = compile_heading(self.source, part.first, part.headline.title, found, self.abbreviations)
        self.append(part, compiled, found, names, parent)

    def append(self, part: _Part, compiled: Compiled, heading: Found, names: tuple[str, ...], parent: int | None) -> None:
        headline = part.headline
        above = self.entries[parent] if parent is not None else None
        own_tags = headline.tags if headline else ()
        body = compiled.found
        self.entries.append(
            Entry(
                span=self.source.index.span_of_lines(part.first + 1, part.last + 1),
                level=headline.level if headline else 0,
                heading=names[0],
                outline=self.outline(above, part.first),
                parent=parent,
                raw=self.raw(part),
                text="".join(f"{line}\n" for line in compiled.lines),
                blocks=tuple(line - part.first for line in part.section.starts),
                todo=headline.todo if headline else None,
                priority=headline.priority if headline else None,
                tags=tuple(dict.fromkeys((*(above.tags if above else self.facts.tags), *own_tags))),
                properties=tuple(compiled.properties),
                dates=self.dates(part, heading, compiled),
                anchors=(*self.anchors(part, names, compiled), *heading.anchors, *body.anchors),
                links=(*heading.links, *body.links),
                private=(above.private if above else self.facts.private) or is_private(own_tags, compiled.properties),
            )
        )

    def outline(self, above: Entry | None, line: int) -> tuple[str, ...]:
        if above is None:
            return ()
        outline = (*above.outline, above.heading)
        if len(outline) > _DEEPEST and self.too_deep is None:
            self.too_deep = line + 1
        return outline[-_DEEPEST:]

    def raw(self, part: _Part) -> str:
        starts = self.source.index.char_starts
        return self.source.text[starts[part.first] : starts[part.last + 1]]

    def dates(self, part: _Part, heading: Found, compiled: Compiled) -> tuple[EntryDate, ...]:
        # The drawer above the first heading speaks for the whole file: its dates are the file's.
        stated = compiled.dates if part.headline else [date for date in compiled.dates if date not in self.facts.dates]
        return tuple(dict.fromkeys((*heading.dates, *stated, *compiled.found.dates)))

    def anchors(self, part: _Part, names: tuple[str, ...], compiled: Compiled) -> Iterator[Anchor]:
        first_line = self.source.index.span_of_lines(part.first + 1, part.first + 1)
        yield from (Anchor("heading", name, first_line) for name in dict.fromkeys(names) if name)
        yield from identifier_anchors(compiled.properties, first_line)

    def problems(self) -> Iterator[Problem]:
        if self.too_deep is not None:
            message = f"headings are nested more than {_DEEPEST} deep: outlines name the innermost {_DEEPEST}"
            yield Problem("warning", "org-depth", message, self.too_deep)
