"""The answer on its way to the user: unknown citations taken out, nothing in it that could act; however it is cut into pieces.

What is code is left as it is, where every reader of Markdown agrees that it is code. Where readers may differ (a fence in a
list that is left early, a run of backticks that is not closed), text is treated as both: it keeps its brackets, and can do
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from khoj_ls.chat.answer.citations import BEGUN, MARK, MOST_MARK_CHARS, read_mark
from khoj_ls.chat.answer.defang import MOST_CHARS, addresses, inert, may_lead_there, org_acts, picture, tag
from khoj_ls.chat.answer.fences import Fences
from khoj_ls.chat.types import Source

_WORD = r"[^\\`!<\[\]【［ \t\r\n]+"
_PLAIN = re.compile(rf"{_WORD}(?:[ \t]+{_WORD})*")
"""Words, and the blanks between them: those before anything else may go with a citation that is taken out."""
_REST_OF_LINE = re.compile(r"[^\r\n]*")
_TICKS = re.compile(r"`+")
_LETTER = re.compile(r"[^\W\d_]")
_LINE_CHARS = 4096
_PIECE_CHARS = 1024
"""A longer piece is read in parts: each step copies what is left of its part."""
_MOST_CODE = 1000
_RISKY_END = frozenset("!<[`\\(&~:*_#|>-+=")
"""After one of these, what follows a citation that is taken out must not close up."""


@dataclass(frozen=True)
class Placed:
    """A citation where it stands in the answer as it is shown: characters [start, end)."""

    numbers: tuple[int, ...]
    start: int
    end: int


@dataclass
class AnswerFilter:
    """Reads pieces of an answer and gives out what may be shown. The same for any way to cut the answer into pieces."""

    numbers: Collection[int]
    """Of the sources that were given."""
    known: Collection[str] = ()
    """Addresses that may be linked to."""
    removed: list[str] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)
    code: list[tuple[int, int]] = field(default_factory=list)
    """Characters [start, end) of `text` that are code."""
    _given: list[str] = field(default_factory=list)
    _size: int = 0
    _last: str = ""
    _fences: Fences = field(default_factory=Fences)
    _held: str = ""
    _line: str = ""
    """What was given out of the line."""
    _begun: bool = False
    """Whether it is known what the line begins with."""
    _open_run: bool = False
    """Whether the paragraph has a run of backticks that closes nothing on its line."""
    _closed_up: bool = False
    """Whether something was taken out just before."""
    _escaped: bool = False
    """Whether the last character given out is only itself."""

    @property
    def text(self) -> str:
        """All that was given out."""
        return "".join(self._given)

    def feed(self, piece: str) -> str:
        """What can be given out after this piece; often less than it, sometimes more."""
        parts = (piece[start : start + _PIECE_CHARS] for start in range(0, len(piece), _PIECE_CHARS))
        return "".join([self._advance(self._held + part, whole=False) for part in parts])

    def end(self) -> str:
        """The rest."""
        return self._advance(self._held, whole=True)

    def _advance(self, rest: str, *, whole: bool) -> str:
        before, at = len(self._given), 0
        while at < len(rest):
            taken = self._step(rest[at:], whole)
            if taken is None:
                break
            at += taken
        self._held = rest[at:]
        return "".join(self._given[before:])

    # Each step returns how many characters it has dealt with; None: more must be known first.

    def _step(self, rest: str, whole: bool) -> int | None:
        if rest[0] in "\r\n":
            return self._line_end(rest, whole)
        if not self._begun:
            return self._line_start(rest, whole)
        if self._fences.open is not None:
            return self._code_line(rest, whole)
        if found := _PLAIN.match(rest):
            return self._give(found[0])
        if rest[0] in " \t":
            return self._blanks(rest, whole)
        return self._marked(rest, whole)

    def _give(self, text: str, *, taken: int | None = None, code: bool = False) -> int:
        """Give `text` out in the place of `taken` characters, or of as many as it has."""
        if text and not self._escaped:
            closing_up = self._closed_up and (self._last in _RISKY_END or (self._last == "]" and text[0] in "([:"))
            if closing_up or (self._last == "!" and text[0] == "[" and not code):
                self._put(" ")
        if code and text:
            start = self.code.pop()[0] if self.code and self.code[-1][1] == self._size else self._size
            self.code.append((start, self._size + len(text)))
        self._put(text)
        self._closed_up = self._escaped = False
        return len(text) if taken is None else taken

    def _put(self, text: str) -> None:
        if text:
            self._given.append(text)
            self._size += len(text)
            self._last = text[-1]
            # All that is asked of a line is known by its first letter.
            if len(self._line) < _LINE_CHARS and not _LETTER.search(self._line):
                self._line += text

    # -- lines and fences ------------------------------------------------------------------------------------------

    def _line_end(self, rest: str, whole: bool) -> int | None:
        if rest == "\r" and not whole:
            return None
        if not self._line.strip(" \t>"):
            self._open_run = False
        ended = "\r\n" if rest.startswith("\r\n") else rest[0]
        self._give(ended)
        self._line, self._begun = "", False
        return len(ended)

    def _line_start(self, rest: str, whole: bool) -> int | None:
        if not self._size:
            if not whole and rest in ("-", "--", "+", "++"):
                return None
            # Front matter, to some readers.
            self._fences.doubtful = self._fences.doubtful or rest.startswith(("---", "+++"))
        line = self._fences.read(rest, whole=whole)
        if line is None:
            return None
        self._begun = True
        if line.kind == "fence":
            self._open_run = False
            shown = rest[: line.length]
            return self._give(inert(shown) if self._fences.doubtful else shown, taken=line.length, code=True)
        if line.kind == "text" and rest[line.length : line.length + 1] in ("[", "【", "［") and not rest[: line.length].strip():
            # Blanks go with a citation behind them that is taken out.
            return self._blanks(rest, whole)
        return self._give(rest[: line.length]) if line.length else 0

    def _code_line(self, rest: str, whole: bool) -> int | None:
        """The next of a line of code: as far as it is known where that is sure, else all of it, inert."""
        line = _REST_OF_LINE.match(rest)[0]  # type: ignore[index]  # it matches anything
        if not self._fences.doubtful:
            return self._give(line, code=True)
        if len(line) == len(rest) and not whole and len(line) < MOST_CHARS:
            return None
        return self._give(inert(line[:MOST_CHARS]), taken=len(line[:MOST_CHARS]), code=True)

    # -- text ------------------------------------------------------------------------------------------------------

    def _marked(self, rest: str, whole: bool) -> int | None:
        if rest[0] in "[【［":
            return self._bracket(rest, 0, whole)
        if len(rest) == 1 and not whole:
            return None
        if rest[0] == "\\":
            taken = self._give(rest[:1] if rest[1:2] in ("", "\r", "\n") else rest[:2])
            self._escaped = taken == 2
            return taken
        if rest[0] == "`":
            return self._run(rest, whole)
        if rest[0] == "!":
            return self._exclamation(rest, whole)
        if rest[0] == "<":
            return self._angle(rest, whole)
        return self._closing(rest, whole)

    def _blanks(self, rest: str, whole: bool) -> int | None:
        blanks = rest[: len(rest) - len(rest.lstrip(" \t"))]
        if len(blanks) == len(rest):
            return self._give(rest) if whole else None
        return self._bracket(rest, len(blanks), whole) if rest[len(blanks)] in "[【［" else self._give(blanks)

    def _bracket(self, rest: str, at: int, whole: bool) -> int | None:
        """A bracket, behind `at` blanks: a citation or not."""
        inside = rest[at : at + MOST_MARK_CHARS + 1]
        found = MARK.match(inside)
        if not whole and len(inside) <= MOST_MARK_CHARS and (BEGUN.fullmatch(inside) or (found and found.end() == len(inside))):
            return None
        behind = inside[found.end() : found.end() + 1] if found else ""
        defines = behind == ":" and not self._line.strip() and found is not None and "^" not in found[0]
        if found is None or behind == "(" or defines:
            return self._give(rest[: at + 1] + (" " if org_acts(inside) else ""), taken=at + 1)
        mark = read_mark(found, self.numbers)
        self.removed += mark.removed
        if not mark.text:
            if not _LETTER.search(self._line):
                # Nothing but the signs of a list or quotation stands before: the line may come to be another than it seemed.
                self._fences.doubtful = self._fences.doubtful or bool(self._line.strip())
                self._begun = bool(self._line.strip())
            self._closed_up, self._escaped = True, False
            return at + found.end()
        self._give(rest[:at])
        self._give(mark.text)
        self.placed.append(Placed(mark.numbers, self._size - len(mark.text), self._size))
        return at + found.end()

    def _run(self, rest: str, whole: bool) -> int | None:
        """Backticks: code where the same number of them closes it on this line."""
        line = _REST_OF_LINE.match(rest[:_MOST_CODE])[0]  # type: ignore[index]  # it matches anything
        opened = _TICKS.match(line)[0]  # type: ignore[index]  # the line begins with one
        closing = next((run for run in _TICKS.finditer(line, len(opened)) if len(run[0]) == len(opened)), None)
        ends = len(line) < len(rest) or len(line) == _MOST_CODE or whole
        if not ends and (closing is None or closing.end() == len(line)):
            return None
        if closing is None:
            self._open_run = True
            return self._give(opened)
        span = line[: closing.end()]
        sure = not (self._open_run or self._fences.doubtful or "|" in span)
        return self._give(span if sure else inert(span), taken=len(span), code=True)

    def _exclamation(self, rest: str, whole: bool) -> int | None:
        if rest[1:2] != "[":
            return self._give("!")
        if found := picture(rest, self.known.__contains__):
            return self._give(found[0], taken=found[1])
        if not whole and len(rest) < MOST_CHARS and "\n" not in rest and "\r" not in rest:
            return None
        return self._give("", taken=1)

    def _angle(self, rest: str, whole: bool) -> int | None:
        if not whole and len(rest) < MOST_CHARS and not re.search(r"[>\s]", rest):
            return None
        shown, taken = tag(rest, in_text=bool(_LETTER.search(self._line)))
        return self._give(shown, taken=taken)

    def _closing(self, rest: str, whole: bool) -> int | None:
        """A bracket that closes: before `(` or, at the start of a line, `:` stands where a link leads."""
        if rest[1:2] not in ("(", ":"):
            return self._give("]")
        allowed = may_lead_there(rest[2:], whole=whole)
        if allowed is None:
            return None
        return self._give("](" if rest[1] == "(" else "]:") if allowed else self._give(f"] {rest[1]}", taken=2)


def shown(text: str, sources: Sequence[Source]) -> AnswerFilter:
    """A text that is there as a whole, with citations of `sources`."""
    answer = AnswerFilter(frozenset(source.number for source in sources), addresses(*(source.text for source in sources)))
    answer.feed(text)
    answer.end()
    return answer
