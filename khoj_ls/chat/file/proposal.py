"""What an answer proposes to put into a note: a block of it, or all of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from khoj_ls.chat.answer.citations import MARK
from khoj_ls.chat.export.text import CODE
from khoj_ls.chat.file.answer import org_of, with_own_headings
from khoj_ls.chat.file.layout import Format
from khoj_ls.core.text import text_lines

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([^\s`]*)")
_BEGIN = re.compile(r"[ \t]*#\+begin_(src|example)(?:[ \t]+(\S+))?.*", re.IGNORECASE)
_NOTE_LANGUAGES = frozenset({"", "markdown", "md", "org", "text", "txt"})
"""What a block that is to stand in a note calls itself; `python` is an example."""
_NUMBERS = r"\[[\d\s,;^–-]+\]"
_CITED = re.compile(
    rf"[ \t]?(?:{_NUMBERS}\(file:[^()\s]*\)|\[\[file:(?:[^\[\]\\]|\\.)*\]{_NUMBERS}\]|{MARK.pattern})", re.IGNORECASE
)
"""A citation, as a chat file shows it or as it was written."""
_VERBATIM = re.compile(r"(?<!\w)([=~])(?=\S)(.{1,1000}?)(?<=\S)\1(?!\w)")
"""Code within a line of Org."""


@dataclass(frozen=True)
class Block:
    """A fenced block, or a source block of Org."""

    language: str
    text: str
    """With line breaks, without the lines that fence it."""
    start: int
    """Characters of the answer, fences included."""
    end: int


def blocks(answer: str) -> tuple[Block, ...]:
    """The blocks of an answer in either format; one that is never closed goes on to the end."""
    found: list[Block] = []
    at = start = 0
    closing: re.Pattern[str] | None = None
    language, inner, org = "", [""], False
    for line in text_lines(answer):
        if closing is None:
            fence, begin = _FENCE.match(line), _BEGIN.match(line)
            if fence:
                closing, language, org = re.compile(rf" {{0,3}}{re.escape(fence[1])}{fence[1][0]}*\s*"), fence[2], False
            elif begin:
                closing = re.compile(rf"[ \t]*#\+end_{begin[1]}\s*", re.IGNORECASE)
                language, org = begin[2] or "", True
            start, inner = at, []
        elif closing.fullmatch(line):
            found.append(Block(language.lower(), "".join(inner), start, at + len(line)))
            closing = None
        else:
            inner.append(re.sub(r"^([ \t]*),(,*(?:\*|#\+))", r"\1\2", line) if org else line)
        at += len(line)
    if closing is not None:
        found.append(Block(language.lower(), "".join(inner), start, at))
    return tuple(found)


def proposed(
    answer: str, note: Format | str, offset: int | None = None, *, written: Format = "markdown", shown: bool = False
) -> str:
    """The text that an answer proposes for a note of the type `note`; it ends in a line break.

    The block at character `offset`; else the last block meant for notes; else the answer itself, without its citations, and
    as Org where it is `written` in Markdown and the note is Org; its headings at their own level where it is `shown` in a
    chat file. Empty for an answer that says nothing.
    """
    found = blocks(answer)
    if offset is not None:
        for block in found:
            if block.start <= offset < block.end:
                return _ended(block.text)
    meant = [block for block in found if block.language in _NOTE_LANGUAGES]
    own = [block for block in meant if _is_of(block.language, str(note))]
    if own or meant:
        return _ended((own or meant)[-1].text)
    text = _without_citations(answer, found, written).strip()
    if shown and not found:
        text = with_own_headings(written, text)
    return _ended(org_of(text) if note == "org" and written == "markdown" else text)


def _without_citations(answer: str, code: tuple[Block, ...], written: Format) -> str:
    """An answer without its citations, as a model wrote them or as a chat file links them; `x[1]` in code is none."""
    pieces, at = [], 0
    for block in code:
        pieces += [_uncited(answer[at : block.start], written), answer[block.start : block.end]]
        at = block.end
    return "".join([*pieces, _uncited(answer[at:], written)])


def _uncited(text: str, written: Format) -> str:
    pieces, at = [], 0
    for code in (CODE if written == "markdown" else _VERBATIM).finditer(text):
        pieces += [_CITED.sub("", text[at : code.start()]), code[0]]
        at = code.end()
    return "".join([*pieces, _CITED.sub("", text[at:])])


def _is_of(language: str, note: str) -> bool:
    return language in ({"org"} if note == "org" else {"markdown", "md"})


def _ended(text: str) -> str:
    return text if not text.strip() or text.endswith("\n") else text + "\n"
