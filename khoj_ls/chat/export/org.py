"""A conversation as Org, whose structure is ours whatever was asked and answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import tzinfo
from pathlib import Path
from typing import Any

from khoj_ls.chat.export.text import (
    CODE,
    is_plain,
    lines_of,
    marked_answer,
    moment,
    name_of,
    one_line,
    quote_of,
    state_of,
    unmarked,
    where_of,
)
from khoj_ls.chat.kept.records import KeptConversation, KeptTurn
from khoj_ls.chat.types import Citation, Source
from khoj_ls.links.encode import encode

_TOP = 2
"""Level of the heading above an answer; the answer's own stand below it."""
_ZERO_WIDTH = "\u200b"
"""Org's own way to keep a sign from meaning something (Org manual, "Escape Character")."""
_MEANS_SOMETHING = re.compile(
    r"\*+(?:\s|$)|\s*(?:#|:|\[fn:|%%|CLOCK:|(?:SCHEDULED|DEADLINE|CLOSED):|\\begin\b|DIARY)", re.IGNORECASE
)
_COMMA = re.compile(r"(?=,*(?:\*|#\+))")
_BULLET = re.compile(r"^(\s*)[*+](?=\s)")
_TABLE_RULE = re.compile(r"\s*\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?\s*)?\|?\s*")
_KEYWORD = re.compile(r"[A-Z]{2,}(?:\s|$)|\[#|COMMENT")
_LINK = re.compile(r"(?<!!)\[([^\[\]]+)\]\(<?([^()\s<>\[\]]+)>?\)")
_BOLD = re.compile(r"(?<![\w*])(\*\*|__)(?=\S)(.{1,500}?)(?<=\S)\1(?![\w*])")
"""At most so long, as in CODE."""
_ITALIC = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*]*[^\s*])\*(?![\w*])")
_RUNS = re.compile(r"\b(elisp|shell)(?=:)|\b(src|call)(?=_\w)", re.IGNORECASE)
"""Links and calls that Org would run."""
_ADDRESS = re.compile(r"(?:https?://|mailto:)|(?![a-z][a-z0-9+.-]*:)", re.IGNORECASE)
_STAR = "\ue002"


def org(conversation: KeptConversation, root: Path, zone: tzinfo | None) -> str:
    """The turns that hold; see `export.export`."""
    parts = [f"#+title: {one_line(conversation.title)}", f"#+date: {_stamp(conversation.created, zone)}"]
    for number, turn in enumerate(conversation.turns, 1):
        parts += ["", *_turn(turn, number, root, zone)]
    return "\n".join(parts) + "\n"


def _turn(turn: KeptTurn, number: int, root: Path, zone: tzinfo | None) -> Iterator[str]:
    yield f"* Question {number}"
    yield from (":PROPERTIES:", f":ASKED: {_stamp(turn.asked, zone)}", ":END:")
    yield from _question(turn.question)
    yield f"{'*' * _TOP} Answer {number}"
    known = [("MODEL", one_line(turn.model)), ("STATE", state_of(turn))]
    told = [f":{name}: {value}" for name, value in known if value]
    yield from ([":PROPERTIES:", *told, ":END:"] if told else [])
    if turn.answer.strip():
        yield unmarked("\n".join(_body(marked_answer(turn))), turn, lambda each: _link(str(each.number), each, root))
    if turn.sources:
        yield f"{'*' * _TOP} Sources of answer {number}"
        yield from (_source(turn, source, root) for source in turn.sources)


def _stamp(seconds: float, zone: tzinfo | None) -> str:
    when, day = moment(seconds, zone)
    return f"[{when[:10]} {day} {when[11:]}]"


def _question(text: str) -> list[str]:
    """A question word for word: quoted, or as an example block where some of it could be taken for markup."""
    lines = lines_of(text)
    if is_plain(lines):
        return ["#+begin_quote", *lines, "#+end_quote"]
    return ["#+begin_example", *map(_in_block, lines), "#+end_example"]


def _in_block(line: str) -> str:
    """A line of an example or source block (Org manual, "Literal Examples")."""
    return f",{line}" if _COMMA.match(line) else line


def _body(text: str) -> list[str]:
    """An answer, which is Markdown, as Org: blocks of code, headings, lists, tables, links and emphasis."""
    from markdown_it import MarkdownIt

    lines = text.split("\n")
    leaves = {token.map[0]: token for token in MarkdownIt("commonmark").parse(text) if token.map and token.type in _LEAVES}
    written: list[str] = []
    at = 0
    while at < len(lines):
        token = leaves.get(at)
        if token is None or token.map is None:
            written.append(_guarded(_inline(_row(lines[at]))))
            at += 1
        else:
            written += _leaf(token, lines[token.map[0] : token.map[1]])
            at = max(at + 1, token.map[1])
    return written


_LEAVES = frozenset(("fence", "code_block", "heading_open", "hr"))


def _leaf(token: Any, lines: list[str]) -> list[str]:
    """A block of code, a heading or a rule."""
    if token.type == "hr":
        return ["-----"]
    if token.type == "heading_open":
        marks = token.markup.startswith("#")
        text = lines[0].lstrip(" \t>*+-0123456789.)").strip("# \t") if marks else " ".join(line.strip() for line in lines[:-1])
        title = _inline(text)
        kept = _ZERO_WIDTH if _KEYWORD.match(title) else ""
        # A word between colons at the end would be a tag.
        return [f"{'*' * (_TOP + int(token.tag[1:]))} {kept}{title}{_ZERO_WIDTH if title.endswith(':') else ''}"]
    language = re.sub(r"[^\w+-]", "", (token.info.split() or [""])[0])
    kind = f"src {language}" if language else "example"
    content = token.content.removesuffix("\n").split("\n")
    return [f"#+begin_{kind}", *map(_in_block, content), f"#+end_{kind.split()[0]}"]


def _row(line: str) -> str:
    """A line with Org's way of list items and of the rule below a table's head."""
    if "|" in line and _TABLE_RULE.fullmatch(line):
        return "|" + "+".join("---" for _ in line.strip().strip("|").split("|")) + "|"
    return _BULLET.sub(r"\1-", line)


def _guarded(line: str) -> str:
    return _ZERO_WIDTH + line if _MEANS_SOMETHING.match(line) else line


def _inline(text: str) -> str:
    """Code, links and emphasis within a line."""
    written, at = [], 0
    for code in CODE.finditer(text):
        written += [_emphasis(text[at : code.start()]), _code(code[0], code[2].strip())]
        at = code.end()
    return "".join([*written, _emphasis(text[at:])])


def _code(whole: str, text: str) -> str:
    sign = next((sign for sign in "~=" if sign not in text), "")
    return f"{sign}{text}{sign}" if sign and text else whole


def _emphasis(text: str) -> str:
    text = _LINK.sub(lambda link: f"[[{link[2]}][{link[1]}]]" if _ADDRESS.match(link[2]) else link[0], text)
    text = _RUNS.sub(rf"\g<0>{_ZERO_WIDTH}", text)
    text = _BOLD.sub(lambda bold: f"{_STAR}{bold[2]}{_STAR}", text)
    return _ITALIC.sub(r"/\1/", text).replace(_STAR, "*")


def _source(turn: KeptTurn, source: Source, root: Path) -> str:
    quote = quote_of(turn, source)
    return f"{source.number}. {_link(name_of(source), source, root)}, {where_of(source)}" + (f": “{quote}”" if quote else "")


def _link(label: str, place: Source | Citation, root: Path) -> str:
    # As Emacs does: brackets in a label would end the link.
    inner = label.replace("]", f"]{_ZERO_WIDTH}").replace("[", f"[{_ZERO_WIDTH}")
    line = f"::{place.line}" if place.place is None or place.place.lined else ""
    return f"[[file:{encode((root / place.path).as_posix(), 'org')}{line}][{inner}]]"
