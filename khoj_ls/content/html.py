"""HTML as entries: a section per heading, in lines of the file or pieces of a long one, without what is no text of the page."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from urllib.parse import urljoin

from khoj_ls.content.charsets import decode_declared
from khoj_ls.content.html_pieces import BETWEEN, LongLines
from khoj_ls.content.html_text import Block, PageText, names, page_text
from khoj_ls.content.outlined import Head, outlined
from khoj_ls.content.rendering import clean
from khoj_ls.content.said_dates import said_date
from khoj_ls.core.text import LineIndex
from khoj_ls.core.types import Anchor, EntryDate, Link, ParsedFile

_CREATED = names("article:published_time date dc.date dc.date.created dcterms.created datepublished pubdate")
_UPDATED = names("article:modified_time last-modified dcterms.modified dc.date.modified og:updated_time")
_SAID = frozenset({"author", "article:author", "description", "keywords", "generator"})
_OUTSIDE = ("http:", "https:", "mailto:", "ftp:", "tel:", "//")
_NO_LINKS = ("javascript:", "data:", "vbscript:", "blob:", "about:")


class HtmlProcessor:
    """Reads HTML and XHTML files. `id`s are anchors; links to other files and pages are links."""

    name = "html"
    extensions: tuple[str, ...] = (".html", ".htm", ".xhtml")
    priority = 0
    version = 2

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` tells whether it is XHTML. Never raises on content."""
        text, problems = decode_declared(data)
        page = page_text(text, xml=path.lower().endswith(".xhtml"))
        index = LineIndex(text)
        heads, shown = _lines(page, index)
        title = page.title or next((block.text for block in page.blocks if block.level == 1), None)
        return outlined(
            self.name,
            clean(title) if title else None,
            text,
            heads,
            shown=shown,
            links=_links(page, index),
            anchors=[Anchor("custom_id", clean(name), index.span_of_chars(start, end)) for name, start, end in page.anchors],
            properties=[(name, clean(value)) for name, value in page.meta if name in _SAID],
            dates=_dates(page),
            problems=problems,
        )


def _lines(page: PageText, index: LineIndex) -> tuple[list[Head], list[str]]:
    """Where sections begin, at most one in a line, and what each line of the source says beside these headings."""
    heads: list[Head] = []
    said: defaultdict[int, list[str]] = defaultdict(list)
    named: defaultdict[int, dict[str, Anchor]] = defaultdict(dict)
    long = LongLines(index)
    for block in page.blocks:
        line = index.line_of_char(block.start)
        if block.level:
            heading = " ".join(clean(block.text).split())
            if line in long:
                long.heading(line, block, heading)
                continue
            named[line][heading] = Anchor("heading", heading, index.span_of_lines(line, line))
            if not heads or line > heads[-1].line:
                heads.append(Head(line, heading, block.level, lines=0))
                continue
            if heads[-1].heading and block.level <= heads[-1].level:
                said[line].insert(0, heads[-1].heading)
            heads[-1] = _with_another(heads[-1], block.level)
        for at, text in _by_line(block, index):
            if at in long:
                long.text(at, block)
            elif block.soft and said[at]:
                said[at][-1] = f"{said[at][-1]} {text}"
            else:
                said[at].append(text)
    heads = [replace(head, anchors=tuple(named[head.line].values())) for head in heads]
    return long.woven(heads), [_joined(said.get(line, [])) for line in range(1, len(index) + 1)]


def _with_another(head: Head, level: int) -> Head:
    """The head of a line in which a heading of `level` stands as well.

    It heads what is below it. Where the other is not, as in a page without line breaks, the line has no heading.
    """
    if not head.heading:
        return head if level > (head.under or 0) else replace(head, under=level - 1)
    return head if level > head.level else replace(head, heading="", level=0, under=level - 1)


def _by_line(block: Block, index: LineIndex) -> list[tuple[int, str]]:
    """The text of a block, for each line that it stands on."""
    lines: dict[int, str] = {}
    for at, text in block.parts:
        line = index.line_of_char(at)
        lines[line] = lines.get(line, "") + text
    if block.literal:
        return [(line, clean(text.rstrip())) for line, text in lines.items()]
    return [(line, " ".join(clean(text).split())) for line, text in lines.items()]


def _joined(blocks: list[str]) -> str:
    """What several blocks on one line say, told apart."""
    return BETWEEN.join(text for text in blocks if text.strip())


def _links(page: PageText, index: LineIndex) -> list[Link]:
    """Links to the web, and those to files where the page is not a copy of one of the web."""
    found = []
    base = page.base if page.base.lower().startswith(_OUTSIDE) else ""
    for link in page.links:
        target = clean(link.target)
        if target.lower().startswith(_NO_LINKS):
            continue
        if base and not target.startswith("#"):
            target = _joined_to(base, target)
        outside = target.lower().startswith(_OUTSIDE)
        label = clean(link.label) or None
        found.append(Link("url" if outside else "file", target, label, index.span_of_chars(link.start, link.end)))
    return found


def _joined_to(base: str, target: str) -> str:
    try:
        return urljoin(base, target)
    except ValueError:  # an address that is none, such as http://[
        return target


def _dates(page: PageText) -> list[EntryDate]:
    """When the page was made and last changed, as its head says."""
    dates = []
    for name, value in page.meta:
        day = said_date(value) if name in _CREATED | _UPDATED else None
        if day:
            dates.append(EntryDate("created" if name in _CREATED else "updated", day))
    return list(dict.fromkeys(dates))
