"""Rich Text Format: paragraphs under headings, with tables row by row, footnotes and comments.

Rich Text Format Specification 1.9.1.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from khoj_ls.content.flowing import Block, pieces_of
from khoj_ls.content.office_package import about
from khoj_ls.content.refusal import Refused
from khoj_ls.content.rendering import rendered
from khoj_ls.content.rtf_scan import CODE_PAGES, SIGNS, Token, tokens_of
from khoj_ls.core.types import ParsedFile, Problem

MOST_DEPTH = 1_000
MOST_BLOCKS = 200_000
_BEGIN = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{\\rtf")
_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
_SAID = frozenset({"title", "author", "subject", "keywords", "doccomm", "category", "operator"})
_TOLD = MappingProxyType({"author": "creator", "doccomm": "description", "operator": "lastModifiedBy"})
_DATES = frozenset({"creatim", "revtim"})
_IGNORED = frozenset(
    {"colortbl", "pict", "object", "header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf",
     "fldinst", "themedata", "colorschememapping", "datastore", "latentstyles", "listtable", "listoverridetable", "xe", "tc",
     "nonshppict", "bkmkstart", "bkmkend", "filetbl", "revtbl", "rsidtbl", "generator", "pgdsctbl", "pntext", "sp", "buptim",
     "printim"}
)  # fmt: skip
"""Groups that say nothing a reader sees, or say it again."""
_READ_BEHIND_STAR = frozenset({"shpinst", "annotation", "atnauthor"})
"""Groups marked as new that a reader of then may pass over, and we do not."""
_NUMBERS = frozenset({"uc", "u", "f", "deff", "ansicpg", "fcharset", "s", "outlinelevel", "yr", "mo", "dy", "hr", "min"})


class RtfProcessor:
    """Reads RTF."""

    name = "rtf"
    extensions: tuple[str, ...] = (".rtf",)
    priority = 0
    binary = True

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` decides nothing. Raises Refused where nothing can be read."""
        if not _BEGIN.match(data):
            raise Refused("damaged", "the file is damaged, or no RTF file")
        reader = RtfReader()
        pieces = list(pieces_of(reader.blocks(tokens_of(data[data.index(b"{") :]))))
        if not pieces:
            raise Refused("no-text", "the document holds no text: at most pictures, which are not read")
        told = about(reader.said, {"creatim": "created", "revtim": "updated"})
        return rendered(
            self.name,
            told.title,
            pieces,
            tags=told.tags,
            properties=told.properties,
            dates=told.dates,
            problems=reader.problems,
        )


@dataclass(frozen=True)
class _Group:
    """What holds in a group; those within begin with it."""

    into: str = "body"
    """Where text goes: `body`, `note`, `comment`, a name of `_SAID`, or nowhere (empty)."""
    font: int | None = None
    unicode_skip: int = 1
    """How many characters stand behind one in Unicode for those who do not know it."""
    is_deleted: bool = False


@dataclass
class _Paragraph:
    text: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    style: int | None = None
    level: int | None = None
    in_table: bool = False


class RtfReader:
    """Reads one document. `said` and `problems` are complete when all blocks have been taken."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self.said: dict[str, str] = {}
        self.problems: list[Problem] = []
        self._stack: list[_Group] = []
        self._group = _Group()
        self._page = "cp1252"
        self._fonts: dict[int, str] = {}
        self._levels: dict[int, int] = {}
        self._bytes = bytearray()
        self._skip = 0
        self._high = 0
        self._aside: list[str] = []
        """The text of the note, comment, style or property that is being read."""
        self._author = ""
        self._paragraph = _Paragraph()
        self._style = 0
        self._is_star = False
        self._time: dict[str, int] = {}

    def blocks(self, tokens: Iterator[Token]) -> Iterator[Block]:
        """Paragraphs and rows in order, as far as the limit goes. Raises Refused for what is nested too deep."""
        many = 0
        for token in tokens:
            if (block := self._take(token)) is not None:
                many += 1
                yield block
                if many >= MOST_BLOCKS:
                    what = f"only the first {MOST_BLOCKS:,} paragraphs are read: split the document"
                    self.problems.append(Problem("warning", "too-long", what))
                    return
        self._flush()
        if (block := self._row()) or (block := self._end_paragraph()):
            yield block

    def _take(self, token: Token) -> Block | None:
        if token.kind in ("text", "byte"):
            self._text(token.data)
            return None
        if token.kind == "word" and token.name in ("par", "sect", "page", "column", "row", "cell", "nestcell", "nestrow"):
            self._flush()
            return self._end(token.name)
        if token.kind in ("open", "close"):
            self._flush()
            self._open() if token.kind == "open" else self._close()
            return None
        if token.name == "*":
            self._is_star = True
        elif token.name in ("\n", "\r"):
            self._flush()
            return self._end("par")
        elif token.name in SIGNS:
            self._flush()
            self._say(SIGNS[token.name])
        elif token.kind == "word":
            self._word(token.name, token.number)
        return None

    def _text(self, data: bytes) -> None:
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        self._bytes += data[skipped:]

    def _flush(self) -> None:
        """Say what has gathered, in the encoding of its font."""
        if self._bytes:
            page = self._fonts.get(-1 if self._group.font is None else self._group.font) or self._page
            text = self._bytes.decode(page, "replace")
            self._bytes.clear()
            self._say(text)

    def _say(self, text: str) -> None:
        if self._group.is_deleted or not self._group.into:
            return
        if self._group.into == "body":
            self._paragraph.text.append(text)
        else:
            self._aside.append(text)

    def _open(self) -> None:
        if len(self._stack) >= MOST_DEPTH:
            raise Refused(
                "too-large", f"the document has more than {MOST_DEPTH:,} groups within each other: no document needs that"
            )
        self._stack.append(self._group)
        self._is_star = False

    def _close(self) -> None:
        self._skip = 0
        ended = self._group
        self._group = self._stack.pop() if self._stack else _Group()
        if ended.into == self._group.into and ended.into != "style":
            return
        text = " ".join("".join(self._aside).split())
        if ended.into in ("note", "comment"):
            self._aside.clear()
            self._note(ended.into, text)
        elif ended.into == "style":
            self._aside.clear()
            if found := _HEADING.match(text):
                self._levels[self._style] = int(found[1])
        elif ended.into == "atnauthor":
            self._aside.clear()
            self._author = text
        elif ended.into in _SAID:
            self._aside.clear()
            self.said[_TOLD.get(ended.into, ended.into)] = text
        elif ended.into in _DATES:
            time = [self._time.get(name, 0) for name in ("yr", "mo", "dy", "hr", "min")]
            self.said[ended.into] = "{:04}-{:02}-{:02}T{:02}:{:02}".format(*time)

    def _note(self, kind: str, text: str) -> None:
        if not text:
            return
        if kind == "comment":
            self._paragraph.notes.append(f"Comment by {self._author}: {text}" if self._author else f"Comment: {text}")
            self._author = ""
        else:
            self._paragraph.notes.append(f"Footnote: {text}")

    def _word(self, name: str, number: int | None) -> None:
        is_star, self._is_star = self._is_star, False
        if name in _IGNORED or (is_star and name not in _READ_BEHIND_STAR):
            self._flush()
            self._group = replace(self._group, into="")
        elif name in _NUMBERS and number is not None:
            self._numbered(name, number)
        elif self._group.into:
            self._named(name, number)

    def _named(self, name: str, number: int | None) -> None:
        into = {"footnote": "note", "annotation": "comment", "atnauthor": "atnauthor", "fonttbl": "font", "stylesheet": "style"}
        if name in into or name in _DATES or (name in _SAID and self._group.into == "info"):
            self._flush()
            self._aside.clear()
            self._time.clear()
            self._style = 0
            self._group = replace(self._group, into=into.get(name, name))
        elif name == "info":
            self._group = replace(self._group, into="info")
        elif name in ("pard", "intbl"):
            if name == "pard":
                self._paragraph.style = self._paragraph.level = None
            self._paragraph.in_table = name == "intbl"
        elif name in ("deleted", "plain"):
            self._flush()
            self._group = replace(self._group, is_deleted=name == "deleted" and number != 0)

    def _numbered(self, name: str, number: int) -> None:
        if name == "u":
            self._unicode(number)
        elif name == "uc":
            self._group = replace(self._group, unicode_skip=max(0, min(number, 10)))
        elif name == "ansicpg":
            self._page = _known(f"cp{number}") or self._page
        elif name in ("f", "deff"):
            self._flush()
            self._group = replace(self._group, font=number)
        elif name == "fcharset":
            if self._group.into == "font" and self._group.font is not None and number in CODE_PAGES:
                self._fonts[self._group.font] = CODE_PAGES[number]
        elif name == "s":
            self._style = number
            self._paragraph.style = number if self._group.into == "body" else self._paragraph.style
        elif name == "outlinelevel":
            self._outline(number)
        else:
            self._time[name] = min(max(number, 0), 9999)

    def _outline(self, number: int) -> None:
        if self._group.into == "style" and 0 <= number < 9:
            self._levels[self._style] = number + 1
        elif self._group.into == "body":
            self._paragraph.level = number + 1 if 0 <= number < 9 else 0

    def _unicode(self, number: int) -> None:
        self._flush()
        self._skip = self._group.unicode_skip
        code = number + 0x10000 if number < 0 else number
        if 0xD800 <= code < 0xDC00:
            self._high = code
        elif 0xDC00 <= code < 0xE000:
            self._say(chr(0x10000 + ((self._high - 0xD800) << 10) + code - 0xDC00) if self._high else "\ufffd")
            self._high = 0
        elif 0 <= code < 0x110000:
            self._say(chr(code))

    def _end(self, what: str) -> Block | None:
        if self._group.into != "body":
            self._say(" ")
            return None
        if what in ("cell", "nestcell"):
            self._paragraph.cells.append(" ".join("".join(self._paragraph.text).split()))
            self._paragraph.text.clear()
            return None
        if what in ("row", "nestrow"):
            return self._row()
        if self._paragraph.in_table:
            self._say(" ")
            return None
        return self._row() or self._end_paragraph()

    def _row(self) -> Block | None:
        cells, notes = self._paragraph.cells, self._paragraph.notes
        if not cells:
            return None
        text = " | ".join(cells) if any(cells) else ""
        if not self._paragraph.text:
            self._paragraph.notes = []
        self._paragraph.cells = []
        return Block(text, close=True, notes=tuple(notes))

    def _end_paragraph(self) -> Block | None:
        now = self._paragraph
        text = "\n".join(" ".join(line.split()) for line in "".join(now.text).split("\n")).strip()
        level = self._levels.get(now.style or 0, 0) if now.level is None else now.level
        # Style and depth hold until the next \pard.
        self._paragraph = _Paragraph(style=now.style, level=now.level, in_table=now.in_table)
        if not text and not now.notes:
            return None
        is_item = text.startswith(("•", "- ", "· "))
        return Block(text, 0 if is_item else level, is_item, tuple(now.notes))


def _known(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        return ""
