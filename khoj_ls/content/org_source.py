"""The lines of an Org file: which are text, table, code, drawer, keyword or planning, and where blocks begin.

Follows the Org Syntax document (https://orgmode.org/worg/org-syntax.html): a line of stars and a blank is a heading wherever
it stands, in a block too, unless escaped by a comma; a block or drawer without its end before the next heading is plain text.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from khoj_ls.content.org_dates import beside_planning
from khoj_ls.core.text import LineIndex

HEADING = re.compile(r"\*+ ")
"""How a heading line begins."""

_BEGIN = re.compile(r"[ \t]*#\+begin_(\S+)(?:[ \t]|$)", re.IGNORECASE)
_DYNAMIC = re.compile(r"[ \t]*#\+begin:[ \t]*\S", re.IGNORECASE)
_KEYWORD = re.compile(r"[ \t]*#\+([^\s:\[]+)(?:\[.*?\])?:[ \t]*(.*)")
_DRAWER = re.compile(r"[ \t]*:([\w-]+):[ \t]*$")
_PROPERTY = re.compile(r"[ \t]*:(\S+):(?:[ \t]+(.*))?[ \t]*$")
_FIXED_WIDTH = re.compile(r"[ \t]*:(?: |$)")
_PLANNING = re.compile(r"[ \t]*(?:SCHEDULED|DEADLINE|CLOSED):[ \t]*[<\[]")
_CLOCK = re.compile(r"[ \t]*CLOCK:[ \t]*\[")
# What org-log-note-headings writes into LOGBOOK (or the body, without org-log-into-drawer); a note's own words follow below it.
_LOG = re.compile(
    r'[ \t]*- (?:State "|Note taken on |Rescheduled from |Not scheduled, was |New deadline from |Removed deadline, was '
    r"|Refiled on |CLOSING NOTE ).*[\]\"](?:[ \t]*\\\\)?[ \t]*$"
)
_ITEM = re.compile(r"[ \t]*(?:[-+]|\d+[.)])(?:[ \t]|$)|[ \t]+\*(?:[ \t]|$)")
_FOOTNOTE = re.compile(r"\[fn:([\w-]+)\]")
_RULE = re.compile(r"[ \t]*-{5,}[ \t]*$")
_LATEX = re.compile(r"[ \t]*\\begin\{([A-Za-z0-9*]+)\}")
_CLOSING = re.compile(r"[ \t]*(?:#\+end_(\S+)|:(end):|#\+end(:?))[ \t]*$|.*\\end\{([A-Za-z0-9*]+)\}[ \t]*$", re.IGNORECASE)
_PGP, _PGP_END = "-----BEGIN PGP MESSAGE-----", "-----END PGP MESSAGE-----"

# Blocks whose content is not Org; the last five are how Org wrote export blocks before version 9.
_LITERAL = frozenset({"src", "example", "export", "comment", "html", "latex", "ascii", "beamer", "md"})

ElementKind = Literal["prose", "row", "code", "fixed", "keyword", "property", "planning", "footnote"]


@dataclass(frozen=True)
class Element:
    """Lines `first`..`last` (0-based, inclusive) of one kind. Lines that are in no element are left out of the text."""

    kind: ElementKind
    first: int
    last: int
    column: int = 0
    """Where on the first line the text begins: behind `#+caption:`, `[fn:1]`, or the colon of fixed-width lines."""
    name: str = ""
    """Of a keyword (as written), a property, a footnote."""
    value: str = ""


@dataclass
class Section:
    """What stands between two headings."""

    elements: list[Element] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    """Lines at which a paragraph, list item, block or table begins, ascending."""


class OrgText:
    """The text of an Org file with its lines."""

    def __init__(self, text: str) -> None:
        """Index `text`."""
        self.text = text
        self.index = LineIndex(text)
        self.lines = [line.rstrip("\r\n") for line in self.index.lines]
        """Without line breaks."""
        self.headings = [number for number, line in enumerate(self.lines) if line.startswith("*") and HEADING.match(line)]
        """0-based numbers of the heading lines."""


def is_encrypted(text: str) -> bool:
    """Whether the whole text is a PGP message."""
    return text.lstrip().startswith(_PGP)


def scan(lines: list[str], first: int, last: int) -> Section:
    """Sort the lines `first`..`last` between two headings, heading lines excluded."""
    scanner = _Scanner(lines, first, last)
    line = first
    while line <= last:
        line = scanner.read(line)
    scanner.close_prose(last)
    return scanner.section


class _Scanner:
    """Reads one section from top to bottom; each reader returns the next line to read, or None when the line is not its own."""

    def __init__(self, lines: list[str], first: int, last: int) -> None:
        self.lines, self.first, self.last = lines, first, last
        self.section = Section()
        self.prose: int | None = None  # first line of the paragraph or item being read
        self.column = 0  # where on that line it begins
        self.previous: str = ""  # kind of the line above, "" after a blank or a line left out
        self.whole = -1  # last line of the enclosing block: nothing begins inside it
        self.markers: set[int] = set()  # lines that close a drawer or block met before
        self.drawer_end = -1  # last line of the property drawer being read
        self.closings: dict[str, list[int]] | None = None

    def read(self, line: int) -> int:
        text = self.lines[line]
        stripped = text.lstrip()
        if not stripped or line in self.markers:
            return self.leave_out(line)
        if line <= self.drawer_end and (found := _PROPERTY.match(text)):
            return self.put(Element("property", line, line, found.start(2), found[1], (found[2] or "").rstrip()), fact=True)
        reader = _READERS.get(stripped[0])
        following = reader(self, line, text) if reader else None
        return self.read_prose(line, text) if following is None else following

    # Bookkeeping

    def close_prose(self, last: int) -> None:
        if self.prose is not None:
            self.section.elements.append(Element("prose", self.prose, last, self.column))
            self.prose = None

    def begin(self, line: int) -> None:
        if line > self.whole and self.previous != "caption":
            self.section.starts.append(line)

    def leave_out(self, line: int, last: int | None = None) -> int:
        self.close_prose(line - 1)
        self.previous = ""
        return (line if last is None else last) + 1

    def put(self, element: Element, *, fact: bool = False) -> int:
        self.close_prose(element.first - 1)
        self.section.elements.append(element)
        if fact and self.previous != "caption":  # #+attr_html may stand between a caption and its table
            self.previous = ""
        return element.last + 1

    def closing(self, key: str, after: int) -> int | None:
        if self.closings is None:
            self.closings = {}
            for line in range(self.first, self.last + 1):
                if found := _CLOSING.match(self.lines[line]):
                    self.closings.setdefault(_closed_by(found), []).append(line)
        lines = self.closings.get(key, [])
        place = bisect.bisect_right(lines, after)
        return lines[place] if place < len(lines) else None

    # Readers, by the first character of the line

    def read_prose(self, line: int, text: str) -> int:
        footnote = _FOOTNOTE.match(text)
        if footnote:
            self.put(Element("footnote", line, line, footnote.end(), footnote[1]))
        if self.previous != "prose" or footnote or _ITEM.match(text):
            self.close_prose(line - 1)
            self.begin(line)
            self.prose, self.column = line, footnote.end() if footnote else 0
        self.previous = "prose"
        return line + 1

    def read_hash(self, line: int, text: str) -> int | None:
        stripped = text.strip()
        if stripped == "#" or stripped.startswith("# "):
            return self.leave_out(line)
        if begin := _BEGIN.match(text):
            return self.read_block(line, begin[1].lower())
        if _DYNAMIC.match(text):
            return self.read_container(line, self.closing("end:", line))
        if keyword := _KEYWORD.match(text):
            if keyword[1].lower() == "caption":
                self.close_prose(line - 1)
                self.begin(line)
                self.previous = "caption"
                return self.put(Element("prose", line, line, keyword.start(2)))
            return self.put(Element("keyword", line, line, keyword.start(2), keyword[1], keyword[2].rstrip()), fact=True)
        return None

    def read_block(self, line: int, name: str) -> int | None:
        end = self.closing(name, line)
        if end is None or name not in _LITERAL:
            return self.read_container(line, end)
        if name == "comment":
            return self.leave_out(line, end)
        return self.read_code(line, end)

    def read_code(self, line: int, end: int) -> int:
        self.close_prose(line - 1)
        self.begin(line)
        self.previous = ""
        return self.put(Element("code", line, end))

    def read_container(self, line: int, end: int | None) -> int | None:
        if end is None:
            return None
        self.close_prose(line - 1)
        self.begin(line)
        self.whole = max(self.whole, end)
        self.markers.add(end)
        return self.leave_out(line)

    def read_colon(self, line: int, text: str) -> int | None:
        if fixed := _FIXED_WIDTH.match(text):
            if self.previous != "fixed":
                self.begin(line)
            self.previous = "fixed"
            return self.put(Element("fixed", line, line, fixed.end()))
        if not (drawer := _DRAWER.match(text)):
            return None
        name = drawer[1].lower()
        end = line if name == "end" else self.closing(":end:", line)
        if name == "properties":
            self.drawer_end = self.last_property(line) if end is None else end - 1
        elif end is None:
            return None
        if end is not None:
            self.markers.add(end)
        return self.leave_out(line)

    def last_property(self, line: int) -> int:
        # A drawer someone forgot to close: the properties right below it are still properties.
        while line < self.last and _PROPERTY.match(self.lines[line + 1]):
            line += 1
        return line

    def read_bar(self, line: int, text: str) -> int:
        if text.lstrip().startswith("|-"):
            self.close_prose(line - 1)
            if self.previous != "row":
                self.begin(line)
            self.previous = "row"
            return line + 1
        if self.previous != "row":
            self.begin(line)
        self.previous = "row"
        return self.put(Element("row", line, line))

    def read_dash(self, line: int, text: str) -> int | None:
        if text.startswith(_PGP):
            end = next((at for at in range(line, self.last + 1) if self.lines[at].startswith(_PGP_END)), self.last)
            return self.leave_out(line, end)
        return self.leave_out(line) if _RULE.match(text) or _LOG.match(text) else None

    def read_planning(self, line: int, text: str) -> int | None:
        if _CLOCK.match(text):
            return self.leave_out(line)
        if not _PLANNING.match(text):
            return None
        self.put(Element("planning", line, line), fact=True)
        return self.read_prose(line, text) if beside_planning(text) else line + 1

    def read_latex(self, line: int, text: str) -> int | None:
        environment = _LATEX.match(text)
        end = self.closing("\\" + environment[1].lower(), line - 1) if environment else None
        return None if end is None else self.read_code(line, end)


def _closed_by(line: re.Match[str]) -> str:
    block, drawer, dynamic, latex = line.groups()
    if block:
        return str(block).lower()
    if drawer:
        return ":end:"
    return "end:" if dynamic is not None else f"\\{latex}".lower()


_READERS: MappingProxyType[str, Callable[[_Scanner, int, str], int | None]] = MappingProxyType(
    {
        "#": _Scanner.read_hash,
        ":": _Scanner.read_colon,
        "|": _Scanner.read_bar,
        "-": _Scanner.read_dash,
        "\\": _Scanner.read_latex,
        **dict.fromkeys("SDC", _Scanner.read_planning),
    }
)
