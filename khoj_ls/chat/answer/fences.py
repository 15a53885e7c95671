"""Fences of code in an answer that is still being written, and whether every reader of Markdown sees them alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_PREFIX = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+[ \t>]*)*")
_FENCE = re.compile(r"(?P<sign>`{3,}|~{3,})(?P<info>[^\r\n]*)")
_MAY_BE_PREFIX = re.compile(r"[-*+]|\d{1,9}[.)]?|`{1,2}|~{1,2}|")


@dataclass(frozen=True)
class Line:
    """What a line begins as: `length` characters are its indent (text), the whole of it (fence), or nothing yet (code)."""

    kind: Literal["text", "fence", "code"]
    length: int


@dataclass
class _Open:
    sign: str
    length: int
    indent: int


@dataclass
class Fences:
    """The fence that is open, if any, and how sure that is."""

    open: _Open | None = None
    doubtful: bool = False
    """Whether readers may differ from here on about what is code."""

    def read(self, rest: str, *, whole: bool) -> Line | None:
        """What the line is that `rest` begins with; None: more of it must be known, unless that is the `whole` text."""
        found = _PREFIX.match(rest)
        indent = found[0] if found else ""
        after = rest[len(indent) :]
        if not whole and _MAY_BE_PREFIX.fullmatch(after):
            return None
        fence = _FENCE.match(after)
        if fence and "`" in fence["info"] and fence["sign"][0] == "`":
            fence = None
        if fence and fence.end() == len(after) and not whole:
            return None
        if self.open is None:
            return self._opened(indent, fence)
        return self._inside(self.open, indent, after, fence)

    def _opened(self, indent: str, fence: re.Match[str] | None) -> Line:
        if fence is None:
            return Line("text", len(indent))
        # In a list or a quotation, or so far in that it may be none, who reads it decides where it ends.
        if indent.strip(" ") or len(indent) > 3:
            self.doubtful = True
        self.open = _Open(fence["sign"][0], len(fence["sign"]), len(indent))
        return Line("fence", len(indent) + fence.end())

    def _inside(self, opened: _Open, indent: str, after: str, fence: re.Match[str] | None) -> Line:
        """A line where a fence is open: its end, a line of code, or a line that leaves the list that the fence stands in."""
        plain = not indent.strip(" ")
        if fence and fence["sign"][0] == opened.sign and len(fence["sign"]) >= opened.length and not fence["info"].strip():
            if plain and opened.indent == 0 and len(indent) > 3:
                return Line("code", 0)
            if opened.indent and len(indent) != opened.indent:
                self.doubtful = True
            self.open = None
            return Line("fence", len(indent) + fence.end())
        spaces = len(indent) - len(indent.lstrip(" "))
        if spaces < opened.indent and after[:1] not in ("", "\r", "\n"):
            self.doubtful = True
            if plain:
                self.open = None
                return Line("text", len(indent))
        return Line("code", 0)
