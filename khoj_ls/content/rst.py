"""reStructuredText as entries: a section per title, in lines of the file; labels are anchors.

A line reader of the parts of the format that matter to a search (docutils: reStructuredText Markup Specification): titles,
explicit markup, fields and inline markup. It resolves nothing and runs no directive.
"""

from __future__ import annotations

import re

from khoj_ls.content.line_markup import Found, parsed_by
from khoj_ls.content.outlined import Head
from khoj_ls.content.rst_inline import readable
from khoj_ls.core.text import LineIndex, text_lines
from khoj_ls.core.types import ParsedFile

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1+")
_LABEL = re.compile(r"\.\. _(?P<name>`[^`]+`|(?:[^:\\]|\\.)+):(?:\s+(?P<target>\S.*))?")
_DIRECTIVE = re.compile(r"(?P<indent>\s*)\.\. (?:\|[^|]+\| )?(?P<name>[A-Za-z][\w:+.-]*)::(?:\s+(?P<argument>.*))?")
_NOTE = re.compile(r"\.\. \[(?P<name>[^\]]+)\]\s*(?P<text>.*)")
_COMMENTED = re.compile(r"\.\. (?P<name>title|date|updated|tags|category|author|description|slug|status): (?P<value>\S.*)")
_FIELD = re.compile(r":(?P<name>[^:\s][^:]{0,80}):(?:\s+(?P<value>.*))?$")
_OPTION = re.compile(r"\s+:(?P<name>[\w-]+):(?:\s+(?P<value>.*))?")
_FENCE = re.compile(r"\s*(?:\+[-=+]{3,}|={2,}(?: +={2,})+)\s*")
_TOC = re.compile(r"(?:.*<(?P<target>[^<>]+)>|(?P<name>\S+))\s*$")
_UNSAID = frozenset(
    {"code-block", "sourcecode", "code", "highlight", "image", "figure", "list-table", "math", "only", "parsed-literal"}
)
"""Directives whose argument is none of the text."""
_UNREAD = frozenset(
    {"raw", "meta", "index", "toctree", "contents", "include", "literalinclude", "default-role", "role", "highlight",
     "tabularcolumns", "sectnum", "section-numbering", "sectionauthor", "codeauthor", "module", "currentmodule"}
)  # fmt: skip
"""Directives of which nothing is text."""
_FILES = frozenset({"include", "literalinclude", "image", "figure"})


class RstProcessor:
    """Reads .rst files. The levels of titles are those of the order in which their adornments appear."""

    name = "rst"
    extensions: tuple[str, ...] = (".rst", ".rest")
    priority = 0

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` decides nothing. Never raises on content."""
        return parsed_by(_Reader, self.name, data)


class _Reader:
    """Reads the lines of one file, from the first to the last."""

    def __init__(self, text: str, index: LineIndex) -> None:
        self._source = text
        self.lines = lines = [line.rstrip("\r\n") for line in index.lines]
        self.heads: list[Head] = []
        self.shown = [""] * len(lines)
        self.fields: list[tuple[str, str]] = []
        self.found = Found(index)
        self._starts = index.char_starts
        self._styles: list[tuple[str, bool]] = []
        self._labels = frozenset(
            match["name"].strip("`").casefold() for line in lines if line.startswith(".. _") and (match := _LABEL.match(line))
        )
        self._label_at: int | None = None
        """The line of the first label above the line that is read, when only labels stand in between."""
        self._paragraph: tuple[int, int] | None = None
        """The line that a paragraph began with, not shown yet, and the character it began at."""
        self._text_begun = False

    def read(self) -> None:
        """Read everything."""
        at = 0
        while at < len(self.lines):
            after = self._markup(at)
            if after > at:
                self._end_paragraph(at)
            elif self._paragraph is None:
                self._begin_paragraph(at)
            at = max(after, at + 1)
        self._end_paragraph(at)

    def _markup(self, at: int) -> int:
        """The line behind a blank line, a title or explicit markup at `at`; `at` itself where it is text."""
        line = self.lines[at]
        bare = line.lstrip()
        if not bare:
            return at + 1
        if taken := self._title(at):
            return at + taken
        if label := _LABEL.match(line):
            self._label(at, label)
            return at + 1
        if bare.startswith(".. ") or bare.rstrip() == "..":
            return self._explicit(at)
        if not self._text_begun and (field := _FIELD.match(line)):
            return self._field(at, field)
        return at

    def _title(self, at: int) -> int:
        """How many lines the title that begins at `at` takes; 0 when there is none."""
        line = self.lines[at]
        following = self.lines[at + 1 : at + 3]
        over = len(following) == 2 and following[1].rstrip() == line.rstrip() and bool(_ADORNMENT.fullmatch(line.rstrip()))
        if over and following[0].strip() and not _ADORNMENT.fullmatch(following[0].strip()):
            self._head(at, following[0], 3, (line[0], True))
            return 3
        goes_on = self._paragraph is not None and not self.lines[at - 1][:1].isspace()
        if following and not line[0].isspace() and _underlines(following[0], line) and not goes_on:
            self._head(at, line, 2, (following[0][0], False))
            return 2
        return 0

    def _head(self, at: int, heading: str, lines: int, style: tuple[str, bool]) -> None:
        if style not in self._styles:
            self._styles.append(style)
        first = at if self._label_at is None else self._label_at
        start = self._starts[at + (lines == 3)] + len(heading) - len(heading.lstrip())
        said = readable(heading.strip(), start, self.found, self._labels)
        self.heads.append(Head(first + 1, said, self._styles.index(style) + 1, lines=at - first + lines))
        self._label_at = None

    def _label(self, at: int, label: re.Match[str]) -> None:
        start = self._starts[at]
        if target := label["target"]:
            if not target.endswith("_"):
                name = label["name"].strip("`")
                self.found.link(target, None if name == "_" else name, start, start + label.end())
            return
        self.found.anchor(label["name"].strip("`"), start, start + label.end())
        self._label_at = at if self._label_at is None else self._label_at

    def _explicit(self, at: int) -> int:
        """Explicit markup, and where to go on."""
        line = self.lines[at]
        if directive := _DIRECTIVE.match(line):
            return self._directive(at, directive)
        if note := _NOTE.match(line.lstrip()):
            self._begin_paragraph(at, offset=line.index("["))
            self._end_paragraph(at + 1)
            self.found.anchor(note["name"].lstrip("#"), self._starts[at], self._starts[at] + len(line), "footnote")
            return at + 1
        if field := _COMMENTED.match(line):
            self.fields.append((field["name"], field["value"].strip()))
            return at + 1
        return self._behind_block(at)

    def _directive(self, at: int, directive: re.Match[str]) -> int:
        name = directive["name"].lower().rpartition(":")[2]
        argument = (directive["argument"] or "").strip()
        start = self._starts[at] + (directive.start("argument") if argument else 0)
        if argument and name in _FILES:
            self.found.link(argument, None, start, start + len(argument), "file" if "://" not in argument else "url")
        if argument and name not in _UNSAID | _UNREAD:
            self.shown[at] = readable(argument, start, self.found, self._labels)
        self._label_at = None
        end = self._behind_block(at)
        at += 1
        while at < end and (option := _OPTION.match(self.lines[at])):
            if option["name"] in ("alt", "caption", "name", "title") and option["value"] and name not in _UNREAD:
                self.shown[at] = option["value"].strip()
            at += 1
        if name == "toctree":
            self._toctree(at, end)
        return end if name in _UNREAD else at

    def _toctree(self, at: int, end: int) -> None:
        for line in range(at, end):
            if entry := _TOC.match(self.lines[line].strip()):
                target = entry["target"] or entry["name"]
                begin = self._starts[line] + self.lines[line].find(target)
                if target != "self" and "*" not in target:
                    self.found.link(target, None, begin, begin + len(target))

    def _behind_block(self, at: int) -> int:
        """The line behind what is indented below `at`."""
        line = self.lines[at]
        indent = len(line) - len(line.lstrip())
        at += 1
        while at < len(self.lines):
            line = self.lines[at]
            if line.strip() and len(line) - len(line.lstrip()) <= indent:
                break
            at += 1
        return at

    def _field(self, at: int, field: re.Match[str]) -> int:
        """A field of the head of the file; further lines of it are indented."""
        end = self._behind_block(at)
        value = " ".join([field["value"] or "", *(line.strip() for line in self.lines[at + 1 : end])]).split()
        said = readable(" ".join(value), self._starts[at], Found(self.found.index), self._labels)
        self.fields.append((field["name"].strip().lower(), said))
        return end

    def _begin_paragraph(self, at: int, offset: int = 0) -> None:
        self._text_begun, self._label_at = True, None
        self._paragraph = at, self._starts[at] + offset

    def _end_paragraph(self, behind: int) -> None:
        """Show the paragraph that ends before the line `behind`."""
        if self._paragraph is None:
            return
        at, start = self._paragraph
        self._paragraph = None
        shown = readable(self._source[start : self._starts[behind]], start, self.found, self._labels)
        for line, text in enumerate(text_lines(shown), start=at):
            self.shown[line] = _plain(text.rstrip())


def _plain(line: str) -> str:
    """A line of text without what draws tables and lines, and the `::` before literal blocks."""
    if _FENCE.fullmatch(line) or _ADORNMENT.fullmatch(line.strip()):
        return ""
    if line.endswith("::"):
        return line.removesuffix("::").rstrip() + ":" if line.strip() != "::" else ""
    if line.startswith("|") and line.endswith("|") and len(line) > 1:
        return " | ".join(cell.strip() for cell in line.strip("|").split("|") if cell.strip())
    return line.removeprefix("| ")


def _underlines(line: str, title: str) -> bool:
    """Whether `line` underlines `title`: as long as it, or at least four signs (docutils warns of those)."""
    line = line.rstrip()
    return (
        bool(_ADORNMENT.fullmatch(line))
        and len(line) >= min(4, len(title.rstrip()))
        and not _ADORNMENT.fullmatch(title.rstrip())
    )
