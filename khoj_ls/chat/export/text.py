"""What the exports of a conversation have in common: where citations stand, what is literal text, how times are told."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, tzinfo

from khoj_ls.chat.kept.records import KeptTurn
from khoj_ls.chat.types import Citation, Source
from khoj_ls.core.places import spoken

_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"{_OPEN}(\\d+){_CLOSE}")
_LINE_ENDS = re.compile(r"\r\n?")
_PLAIN_LINE = re.compile(r"[^\W\d_][^<>\[\]\\`*_|~$%#&{}^=+/\n]*")
CODE = re.compile(r"(?<!`)(`+)(?!`)(.{1,1000}?)(?<!`)\1(?!`)")
"""Code within a line of Markdown. Longer code, and emphasis, is left as it is: to look for the end of each span to the end of
a long line would take time that grows with its square."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def marked_answer(turn: KeptTurn) -> str:
    """The answer with a mark in the place of each citation, which `unmarked` turns into what a format has for it."""
    # Characters for private use mean nothing in a text; ours must be the only ones.
    text = turn.answer.replace(_OPEN, "\ufffd").replace(_CLOSE, "\ufffd").replace("\0", "\ufffd")
    last = len(text)
    for number, citation in sorted(enumerate(turn.outcome.citations), key=lambda pair: -pair[1].start):
        if 0 <= citation.start < citation.end <= last:
            text = f"{text[: citation.start]}{_OPEN}{number}{_CLOSE}{text[citation.end :]}"
            last = citation.start
    return _without_marks_in_code(_LINE_ENDS.sub("\n", text).strip("\n"), turn)


def _without_marks_in_code(text: str, turn: KeptTurn) -> str:
    """`text` with what was taken for a citation within code as it was."""
    from markdown_it import MarkdownIt

    if _OPEN not in text:
        return text
    lines = text.split("\n")
    for token in MarkdownIt("commonmark").parse(text):
        if token.type in ("fence", "code_block") and token.map:
            first, last = token.map
            lines[first:last] = [unmarked(line, turn, in_brackets) for line in lines[first:last]]
    return "\n".join(CODE.sub(lambda code: unmarked(code[0], turn, in_brackets), line) for line in lines)


def in_brackets(citation: Citation) -> str:
    """A citation as it stands in the answer."""
    return f"[{citation.number}]"


def unmarked(text: str, turn: KeptTurn, write: Callable[[Citation], str]) -> str:
    """`text` with each mark written by `write`."""
    return _MARK.sub(lambda mark: write(turn.outcome.citations[int(mark[1])]), text)


def lines_of(text: str) -> list[str]:
    """Lines of a question."""
    return _LINE_ENDS.sub("\n", text.replace("\0", "\ufffd")).strip("\n").split("\n")


def is_plain(lines: list[str]) -> bool:
    """Whether lines say the same in every markup: they begin with letters, and hold no sign that means anything."""
    return all(not line or (_PLAIN_LINE.fullmatch(line) and line.isprintable() and not line.endswith("  ")) for line in lines)


def one_line(text: str) -> str:
    """`text` on one line, without control characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def moment(seconds: float, zone: tzinfo | None) -> tuple[str, str]:
    """A time as people write it (`2026-11-21 13:15`), and the day of the week."""
    when = datetime.fromtimestamp(seconds, zone) if zone else datetime.fromtimestamp(seconds).astimezone()
    return f"{when:%Y-%m-%d %H:%M}", _DAYS[when.weekday()]


def state_of(turn: KeptTurn) -> str:
    """What is to be said of an answer that is not whole; empty for one that is."""
    if turn.state == "done":
        return "cut off at the longest that was allowed" if turn.outcome.reason == "length" else ""
    if turn.state == "cancelled":
        return "called off"
    return "under way" if turn.state == "running" else one_line(f"failed: {turn.outcome.message}")


def where_of(source: Source) -> str:
    """Where a source stands in its file, as people count there."""
    if source.place:
        return spoken(source.place)
    return f"line {source.line}" if source.line == source.end_line else f"lines {source.line} to {source.end_line}"


def name_of(source: Source) -> str:
    """What a source is called: the note's title and the headings around the passage."""
    names = [source.title or source.path, *source.outline]
    # The first heading of a note often is its title.
    return one_line(" > ".join(name for number, name in enumerate(names) if number == 0 or name != names[number - 1]))


def quote_of(turn: KeptTurn, source: Source) -> str:
    """The sentence of a source that the answer cites first; empty when it cites none."""
    return next((one_line(each.quote) for each in turn.outcome.citations if each.number == source.number and each.quote), "")
