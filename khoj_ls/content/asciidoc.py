"""AsciiDoc as entries: a section per title, in lines of the file; ids are anchors.

A line reader of the parts of the language that matter to a search (docs.asciidoctor.org: AsciiDoc Language): titles, blocks,
attributes and inline markup. It includes no file and evaluates no condition.
"""

from __future__ import annotations

import re
from types import MappingProxyType

from khoj_ls.content.asciidoc_inline import readable
from khoj_ls.content.line_markup import Found, parsed_by
from khoj_ls.content.outlined import Head
from khoj_ls.core.text import LineIndex, text_lines
from khoj_ls.core.types import ParsedFile

_TITLE = re.compile(r"(?P<marks>={1,6}|#{1,6})\s+(?P<text>\S.*)")
_UNDERLINES = MappingProxyType({"=": 1, "-": 2, "~": 3, "^": 4, "+": 5})
_ATTRIBUTE = re.compile(r":(?P<name>!?[A-Za-z0-9_][\w-]{0,80}!?):(?:\s+(?P<value>.*))?\s*")
_ID = re.compile(r"\s*\[(?:\[(?P<block>[^\],]+)(?:,[^\]]*)?\]|[^\[\]]*?#(?P<short>[\w:.-]+)[^\]]*)\]\s*")
_BLOCK_ATTRIBUTES = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\s*")
_BLOCK_TITLE = re.compile(r"\.(?P<text>[^\s.].*)")
_FENCE = re.compile(r"(?P<fence>-{4,}|\.{4,}|={4,}|\*{4,}|_{4,}|\+{4,}|/{4,}|```+|--|[|,:!]={3,})(?P<rest>[\w,-]*)\s*")
_PREPROCESSOR = re.compile(r"(?:ifdef|ifndef|ifeval|endif)::\S*\[(?P<text>.*)\]\s*")
_AUTHOR = re.compile(r"(?P<name>[^\W\d_][^<>:;]{0,99}[^<>:;\s])(?:\s*<(?P<mail>[^<>\s]+)>)?\s*")
_REVISION = re.compile(r"(?:v?(?P<version>\d[^,:]*),\s*)?(?P<date>[^:,]+)(?::.*)?\s*")
_VERBATIM = frozenset("-.`")
_HIDDEN = frozenset("/+")


class AsciiDocProcessor:
    """Reads AsciiDoc. A document's title is of level 1, its sections of level 2 and below, as their signs say."""

    name = "asciidoc"
    extensions: tuple[str, ...] = (".adoc", ".asciidoc")
    priority = 0

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` decides nothing. Never raises on content."""
        return parsed_by(_Reader, self.name, data)


class _Reader:
    """Reads the lines of one file, from the first to the last."""

    def __init__(self, text: str, index: LineIndex) -> None:
        self._source = text
        self._starts = index.char_starts
        self.lines = [line.rstrip("\r\n") for line in index.lines]
        self.heads: list[Head] = []
        self.shown = [""] * len(self.lines)
        self.fields: list[tuple[str, str]] = []
        self.found = Found(index)
        self._attributes: dict[str, str] = {}
        self._paragraph: int | None = None
        self._id_at: int | None = None
        """The line of the first id above the line that is read, when only such lines stand in between."""
        self._open: str = ""
        """The fence of the block that is read as it stands."""
        self._in_header = False
        self._text_begun = False

    def read(self) -> None:
        """Read everything."""
        at = 0
        while at < len(self.lines):
            after = self._verbatim(at) if self._open else self._markup(at)
            if after > at:
                self._end_paragraph(at)
            elif self._paragraph is None:
                self._paragraph = at
                self._text_begun, self._in_header, self._id_at = True, False, None
            at = max(after, at + 1)
        self._end_paragraph(at)

    def _verbatim(self, at: int) -> int:
        line = self.lines[at].rstrip()
        if line == self._open:
            self._open = ""
        elif self._open[0] not in _HIDDEN:
            self.shown[at] = line
        return at + 1

    def _markup(self, at: int) -> int:
        """The line behind what is markup at `at`; `at` itself where it is text."""
        line = self.lines[at]
        if not line.strip():
            self._in_header = False
            return at + 1
        if line.startswith("//") and not line.startswith("///"):
            return at + 1
        if attribute := _ATTRIBUTE.fullmatch(line):
            self._attribute(attribute["name"], attribute["value"])
            return at + 1
        if taken := self._title(at):
            return at + taken
        if self._in_header:
            self._header(line)
            return at + 1
        return self._block(at)

    def _block(self, at: int) -> int:
        line = self.lines[at]
        if (fence := _FENCE.fullmatch(line)) and self._is_fence(fence):
            if line[0] in _VERBATIM | _HIDDEN and fence["fence"] != "--":
                self._open = fence["fence"] if line[0] == "`" else line.rstrip()
            return at + 1
        if condition := _PREPROCESSOR.fullmatch(line):
            self.shown[at] = condition["text"]
            return at + 1
        if identity := _ID.fullmatch(line):
            self.found.anchor(identity["block"] or identity["short"], self._starts[at], self._starts[at] + len(line))
            self._id_at = at if self._id_at is None else self._id_at
            return at + 1
        if _BLOCK_ATTRIBUTES.fullmatch(line):
            self._id_at = at if self._id_at is None else self._id_at
            return at + 1
        if title := _BLOCK_TITLE.fullmatch(line):
            self.shown[at] = self._readable(title["text"], self._starts[at] + title.start("text")).rstrip()
            return at + 1
        return at

    def _is_fence(self, fence: re.Match[str]) -> bool:
        """Whether the line opens a block, and does not underline the paragraph above it."""
        return fence["fence"][0] == "`" or not fence["rest"]

    def _title(self, at: int) -> int:
        """How many lines the title at `at` takes; 0 when there is none."""
        line = self.lines[at]
        if title := _TITLE.fullmatch(line):
            text, closing = title["text"].rstrip(), title["marks"]
            if text.endswith(closing) and text.removesuffix(closing)[-1:].isspace():
                text = text.removesuffix(closing).rstrip()
            self._head(at, text, len(closing), 1, title.start("text"))
            return 1
        under = self.lines[at + 1].rstrip() if at + 1 < len(self.lines) else ""
        level = _UNDERLINES.get(under[:1], 0)
        if not level or self._paragraph is not None or not line[0].isalnum() or under != under[0] * len(under):
            return 0
        if len(under) < 2 or abs(len(under) - len(line.rstrip())) > 1:
            return 0
        self._head(at, line.strip(), level, 2, 0)
        return 2

    def _head(self, at: int, heading: str, level: int, lines: int, offset: int) -> None:
        first = at if self._id_at is None else self._id_at
        said = self._readable(heading, self._starts[at] + offset)
        self._in_header = level == 1 and not self.heads and not self._text_begun
        self.heads.append(Head(first + 1, said, level, lines=at - first + lines))
        self._id_at = None

    def _header(self, line: str) -> None:
        """A line under the document's title: authors, then the revision."""
        if not any(name == "author" for name, _ in self.fields):
            for each in line.split(";"):
                if author := _AUTHOR.fullmatch(each.strip()):
                    self.fields.append(("author", author["name"].replace("_", " ")))
                    self.fields += [("email", author["mail"])] if author["mail"] else []
        elif revision := _REVISION.fullmatch(line):
            self.fields.append(("date", revision["date"].strip()))

    def _attribute(self, name: str, value: str | None) -> None:
        """An attribute of the document; those of its head say something about it."""
        name = name.lower()
        if name.startswith("!") or name.endswith("!"):
            self._attributes.pop(name.strip("!"), None)
            return
        self._attributes[name] = (value or "").strip()
        said = "tags" if name in ("keywords", "page-tags") else name.removeprefix("page-").replace("revdate", "date")
        if not self._text_begun and said in _SAID and (value or said == "private"):
            self.fields.append((said, (value or "true").strip()))

    def _end_paragraph(self, behind: int) -> None:
        """Show the paragraph that ends before the line `behind`."""
        if self._paragraph is None:
            return
        at, self._paragraph = self._paragraph, None
        start = self._starts[at]
        shown = self._readable(self._source[start : self._starts[behind]], start)
        for line, text in enumerate(text_lines(shown), start=at):
            self.shown[line] = _plain(text.rstrip())

    def _readable(self, text: str, start: int) -> str:
        return readable(text, start, self.found, self._attributes)


_SAID = frozenset({"author", "email", "date", "description", "tags", "title", "aliases", "private", "created", "updated"})


def _plain(line: str) -> str:
    """A line of text without list continuation, hard breaks and the bars of a table."""
    if line.strip() == "+":
        return ""
    if line.lstrip().startswith("|"):
        return " | ".join(cell.strip() for cell in line.strip().strip("|").split("|") if cell.strip())
    return line.removesuffix(" +")
