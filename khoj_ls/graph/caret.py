"""What is being written at a caret: which link, tag or citation, how far it has come, and what is already there behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from khoj_ls.graph.mentions import without_code
from khoj_ls.graph.open_note import OpenNote

SpotKind = Literal["note", "place", "id", "file", "path", "tag", "org_tag", "block", "citation"]
"""What belongs there.

`note` a note's name in `[[`; `place` a heading, block or other anchor of a note; `id` behind Org's `id:`; `file` a path in
an Org link; `path` a path in a Markdown link; `tag` behind `#`; `org_tag` between the colons of an Org heading; `block`
behind Logseq's `((`; `citation` behind `@`.
"""

_WIKI = re.compile(r"(!?)\[\[([^\[\]\n]*)$")
_ORG = re.compile(r"\[\[([^\[\]\n]*)$")
_INLINE = re.compile(r"!?\[((?:[^\[\]\\\n]|\\.)*)\]\((?:<([^<>\n]*)|([^()<>\s]*))$")
_BLOCK = re.compile(r"\(\(([^()\n]*)$")
_TAG = re.compile(r"(?:^|(?<=[\s(,;]))#((?!\d+$)[\w/.-]*)$")
_ORG_TAG = re.compile(r"^(?:\*+[ \t].*[ \t]|\*+[ \t]+|#\+filetags:[ \t]*):(?:[\w@#%]+:)*([\w@#%]*)$", re.I)
_CITATION = re.compile(r"(?:^|(?<=[\s\[;(,-]))@([\w:.#$%&+?~/-]*)$")
_ORG_CITATION = re.compile(r"\[cite[^\[\]\n]*@([^\s\[\]@;]*)$|\bcite[a-z]*:(?:[^\s,]*,)*&?@?([^\s,\]]*)$")
_ORG_PATH = re.compile(r"(file:|(?=\.{1,2}/|~/|/))(.*)$", re.I)
_END_OF_WIKI = re.compile(r"([^\[\]\n|]*)(\||\]\]?)")
_END_OF_ORG = re.compile(r"([^\[\]\n]*)(\]\[|\]\]?)")
_END_OF_PATH = re.compile(r"([^()<>\s]*)(\)|(?=[ \t]+[\"']))")
_END_OF_ANGLED = re.compile(r"([^<>\n]*)(>\)?)")
_END_OF_BLOCK = re.compile(r"([^()\n]*)(\)\)?)")
_REST_OF_WORD = re.compile(r"[\w/-]*")


@dataclass(frozen=True)
class Spot:
    """A place where something is being written. Offsets are bytes of the text."""

    kind: SpotKind
    open: int
    """Where the link's opening mark begins, a `!` before it included."""
    start: int
    """Where what is completed begins."""
    caret: int
    end: int
    """Behind what is replaced: the rest of a name that was there."""
    typed: str
    """From `start` to the caret."""
    missing: str = ""
    """What must follow to close the link; empty when it is there."""
    closed: int = 0
    """Bytes behind `end` that close the link."""
    labelled: bool = False
    """Whether a label follows, which stays."""
    note: str = ""
    """The note that the link names, of which a place is asked; empty for the note itself."""
    mark: str = ""
    """Of a place: `^` for blocks, `*` for headings of Org, `#` for custom ids; empty for any."""
    label: str = ""
    """The label that stands before, of a Markdown link."""
    embed: bool = False
    style: Literal["wiki", "org", "markdown", "angled", "none"] = "none"


def spot_at(note: OpenNote, offset: int, *, tool: str = "plain") -> Spot | None:
    """What is being written at the byte `offset`; None when it is nothing that has a target, or stands in code."""
    source = note.source
    offset = max(0, min(offset, len(source)))
    begin = max(source.rfind(b"\n", 0, offset), source.rfind(b"\r", 0, offset)) + 1
    stops = [at for at in (source.find(b"\n", offset), source.find(b"\r", offset)) if at >= 0]
    before = source[begin:offset].decode(errors="replace")
    after = source[offset : min(stops, default=len(source))].decode(errors="replace")
    line = _Line(begin, offset, before, after)
    found = (_org if note.path.lower().endswith(".org") else _markdown)(line, tool)
    return None if found is None or _in_code(note, found.start) else found


@dataclass(frozen=True)
class _Line:
    begin: int
    caret: int
    before: str
    after: str

    def byte(self, character: int) -> int:
        """Byte of a character of `before`."""
        return self.begin + len(self.before[:character].encode(errors="replace"))

    def rest(self, pattern: re.Pattern[str]) -> tuple[int, str]:
        """Where a name that goes on behind the caret ends, and the mark that closes the link there."""
        found = pattern.match(self.after)
        return (self.caret + len(found[1].encode(errors="replace")), found[2]) if found else (self.caret, "")


def _markdown(line: _Line, tool: str) -> Spot | None:
    before = line.before
    if found := _WIKI.search(before):
        return _wiki(line, found, tool)
    if found := _BLOCK.search(before):
        return _block(line, found)
    if found := _INLINE.search(before):
        return _inline(line, found)
    if (found := _TAG.search(before)) and (found[1] or found.start() > 0):
        return _word(line, "tag", found, 1)
    if found := _CITATION.search(before):
        return _word(line, "citation", found, 1)
    return None


def _wiki(line: _Line, found: re.Match[str], tool: str) -> Spot | None:
    inner = found[2].replace("\\|", "  ")
    begin = found.start(2)
    if "|" in inner:
        if tool != "dendron":
            return None  # a label
        begin += inner.rindex("|") + 1
        inner = inner[inner.rindex("|") + 1 :]
    end, mark = line.rest(_END_OF_WIKI)
    place = inner.rfind("#")
    kind: SpotKind = "note"
    name, sign = "", ""
    if place >= 0 or inner.startswith("^"):
        kind, name = "place", inner[: inner.index("#")] if place >= 0 else ""
        begin, inner = begin + place + 1, inner[place + 1 :]
        if inner.startswith("^"):
            sign, begin, inner = "^", begin + 1, inner[1:]
    return Spot(
        kind, line.byte(found.start()), line.byte(begin), line.caret, end, inner, _missing(mark, "]]", "|"),
        len(mark) if mark.startswith("]") else 0, mark == "|", name.strip(), sign, embed=bool(found[1]), style="wiki",
    )  # fmt: skip


def _missing(mark: str, closing: str, label: str) -> str:
    return "" if mark in (closing, label) else closing[len(mark) :]


def _block(line: _Line, found: re.Match[str]) -> Spot:
    end, mark = line.rest(_END_OF_BLOCK)
    return Spot(
        "block", line.byte(found.start()), line.byte(found.start(1)), line.caret, end, found[1], "))"[len(mark) :], len(mark)
    )


def _inline(line: _Line, found: re.Match[str]) -> Spot | None:
    angled = found[2] is not None
    inner, begin = (found[2], found.start(2)) if angled else (found[3], found.start(3))
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", inner):
        return None  # an address
    end, mark = line.rest(_END_OF_ANGLED if angled else _END_OF_PATH)
    closing = ">)" if angled else ")"
    missing = closing[len(mark) :] if mark or not _ends(line, angled) else ""
    path, place, fragment = inner.partition("#")
    style: Literal["angled", "markdown"] = "angled" if angled else "markdown"
    opened = line.byte(found.start())
    if not place:
        return Spot("path", opened, line.byte(begin), line.caret, end, inner, missing, len(mark), label=found[1], style=style)
    start, sign = begin + len(path) + 1, ""
    if fragment.startswith("^"):
        start, sign, fragment = start + 1, "^", fragment[1:]
    return Spot(
        "place", opened, line.byte(start), line.caret, end, fragment, missing, len(mark), note=path, mark=sign, style=style
    )


def _ends(line: _Line, angled: bool) -> bool:
    """Whether a title follows, so that nothing is to be closed."""
    found = (_END_OF_ANGLED if angled else _END_OF_PATH).match(line.after)
    return found is not None


def _word(line: _Line, kind: SpotKind, found: re.Match[str], group: int) -> Spot:
    rest = _REST_OF_WORD.match(line.after)
    end = line.caret + len(rest[0].encode()) if rest else line.caret
    return Spot(kind, line.byte(found.start()), line.byte(found.start(group)), line.caret, end, found[group])


def _org(line: _Line, tool: str) -> Spot | None:
    before = line.before
    if found := _ORG.search(before):
        return _org_link(line, found)
    if tool == "logseq" and (found := _BLOCK.search(before)):
        return _block(line, found)
    if found := _ORG_TAG.search(before):
        return _word(line, "org_tag", found, 1)
    if found := _ORG_CITATION.search(before):
        return _word(line, "citation", found, 1 if found[1] is not None else 2)
    if tool == "logseq" and (found := _TAG.search(before)) and (found[1] or found.start() > 0):
        return _word(line, "tag", found, 1)
    return None


def _org_link(line: _Line, found: re.Match[str]) -> Spot:
    inner, begin = found[1], found.start(1)
    end, mark = line.rest(_END_OF_ORG)
    closed = len(mark) if mark in ("]", "]]") else 0
    kind: SpotKind = "note"
    name, sign = "", ""
    if inner.startswith("id:"):
        kind, begin, inner = "id", begin + 3, inner[3:]
    elif inner[:1] in ("*", "#"):
        kind, sign, begin, inner = "place", inner[0], begin + 1, inner[1:]
    elif path := _ORG_PATH.match(inner):
        kind, inner, begin = "file", path[2], begin + len(path[1])
        if "::" in inner:
            kind, at = "place", inner.index("::") + 2
            name, inner, begin = inner[: at - 2], inner[at:], begin + at
            if inner[:1] in ("*", "#"):
                sign, begin, inner = inner[0], begin + 1, inner[1:]
    return Spot(
        kind, line.byte(found.start()), line.byte(begin), line.caret, end, inner, _missing(mark, "]]", "]["), closed,
        mark == "][", name, sign, style="org",
    )  # fmt: skip


def _in_code(note: OpenNote, offset: int) -> bool:
    """Whether a place stands in a code block or between backticks."""
    found = note.entry_at(offset) or (note.entry_at(offset - 1) if offset else None)
    if found is None:
        return False
    raw = found[1].raw
    at = len(note.source[found[1].span.start : offset].decode(errors="replace"))
    return at > 0 and without_code(raw, note.parsed.type)[at - 1 : at] != raw[at - 1 : at]
