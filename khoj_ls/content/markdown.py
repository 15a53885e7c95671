"""Markdown notes - CommonMark, and what Obsidian, Logseq, Dendron and Foam add to it - as entries."""

from __future__ import annotations

from khoj_ls.content.front_matter import Head, as_text, read_head
from khoj_ls.content.markdown_fields import FieldLine
from khoj_ls.content.markdown_meta import is_private, metadata
from khoj_ls.content.markdown_scan import Scan, scan_note
from khoj_ls.content.markdown_sections import cut_sections, entries_of, leading_title
from khoj_ls.content.markdown_source import Source
from khoj_ls.core.text import decode_source
from khoj_ls.core.types import ParsedFile


class MarkdownProcessor:
    """Reads Markdown of every dialect; a heading begins an entry, the text before the first one is an entry of level 0."""

    name = "markdown"
    extensions: tuple[str, ...] = (".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd")
    priority = 0

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` decides nothing. Never raises on content."""
        text, problems = decode_source(data)
        source = Source(text)
        if not source.lines:
            return ParsedFile(self.name, None, (), problems=problems)
        head = read_head(source.text)
        scan = scan_note(source, head, is_dendron=_is_dendron(head))
        page_fields = _page_fields(scan, source, head)
        meta = metadata([*head.fields.items(), *((found.name, found.value) for found in page_fields)])
        sections = cut_sections(scan, source, head, frozenset(page_fields))
        tags = tuple(dict.fromkeys((*meta.tags, *(tag for section in sections for tag in section.note_tags))))
        # What marks the text before the first heading marks the note.
        intro_tags = sections[0].tags if sections and sections[0].heading is None else []
        private = meta.private or is_private((*tags, *intro_tags))
        return ParsedFile(
            type=self.name,
            title=meta.title or leading_title(scan),
            entries=entries_of(sections, scan, source, tags, private=private),
            aliases=meta.aliases,
            tags=tags,
            properties=meta.properties,
            dates=meta.dates,
            private=private,
            problems=(*problems, *head.problems, *scan.problems),
        )


def _is_dendron(head: Head) -> bool:
    """Whether the head is one that Dendron writes: an id, a description, and the time of creation in milliseconds."""
    return {"id", "desc", "created"} <= head.fields.keys() and as_text(head.fields["created"]).strip().isdigit()


def _page_fields(scan: Scan, source: Source, head: Head) -> list[FieldLine]:
    """Logseq's page properties: the `key:: value` lines that a note begins with, outside any list."""
    by_line = {source.line_at(found.start): found for found in scan.fields if not found.is_item}
    line = head.lines
    while line < len(source.lines) and not source.lines[line].strip():
        line += 1
    found = []
    while line in by_line:
        found.append(by_line[line])
        line += 1
    return found
