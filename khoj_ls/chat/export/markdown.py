"""A conversation as Markdown (CommonMark), whose structure is ours whatever was asked and answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import tzinfo
from pathlib import Path

from khoj_ls.chat.export.text import (
    in_brackets,
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
from khoj_ls.core.places import fragment

_TOP = 3
"""Level of the heading above an answer; the answer's own stand below it."""
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_HEADING = re.compile(r" {0,3}#{1,6}(?=[ \t]|$)")
_FENCE = re.compile(r"`+")
_END = "khoj end of the answer"
_HARMLESS = re.compile(r"</?(?:b|br|code|details|em|hr|i|kbd|mark|p|s|small|strong|sub|summary|sup|u)\s*/?>", re.IGNORECASE)
_REMOTE = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)


def markdown(conversation: KeptConversation, root: Path, zone: tzinfo | None) -> str:
    """The turns that hold; see `export.export`."""
    begun, _ = moment(conversation.created, zone)
    parts = [f"# {escaped(conversation.title)}", f"Conversation `{conversation.id}`, begun {begun}."]
    for number, turn in enumerate(conversation.turns, 1):
        parts += _turn(turn, number, root, zone)
    return "\n\n".join(parts) + "\n"


def _turn(turn: KeptTurn, number: int, root: Path, zone: tzinfo | None) -> Iterator[str]:
    asked, _ = moment(turn.asked, zone)
    yield f"## Question {number}"
    yield f"Asked {asked}."
    yield _question(turn.question)
    yield f"{'#' * _TOP} Answer {number}"
    about = [f"By `{turn.model.replace('`', '')}`."] if turn.model else []
    about += [f"*{escaped(state)}*"] if (state := state_of(turn)) else []
    if about:
        yield " ".join(about)
    if turn.answer.strip():
        yield _answer(turn, root)
    if turn.sources:
        yield f"Sources of answer {number}:"
        yield "\n".join(_source(turn, source, root) for source in turn.sources)


def _question(text: str) -> str:
    """A question word for word: quoted, or fenced where some of it could be taken for markup."""
    lines = lines_of(text)
    return "\n".join(f"> {line}" if line else ">" for line in lines) if is_plain(lines) else _fenced("\n".join(lines))


def _fenced(text: str) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in _FENCE.findall(text)), default=0))
    return f"{fence}text\n{text}\n{fence}"


def _answer(turn: KeptTurn, root: Path) -> str:
    """The answer, which is Markdown, with links for its citations; fenced where it would not end by itself."""
    text = _with_lower_headings(marked_answer(turn))
    if _is_contained(text):
        return unmarked(text, turn, lambda citation: _link(str(citation.number), citation, root))
    return _fenced(unmarked(marked_answer(turn), turn, in_brackets))


def _with_lower_headings(text: str) -> str:
    from markdown_it import MarkdownIt

    lines = text.split("\n")
    for token in reversed(MarkdownIt("commonmark").parse(text)):
        if token.type != "heading_open" or token.level or token.map is None:
            continue
        first, last = token.map
        marks = "#" * min(6, _TOP + int(token.tag[1:]))
        if token.markup.startswith("#"):
            lines[first] = _HEADING.sub(marks, lines[first], count=1)
        else:  # underlined
            lines[first:last] = [f"{marks} {' '.join(line.strip() for line in lines[first : last - 1])}"]
    return "\n".join(lines)


def _is_contained(text: str) -> bool:
    """Whether what follows `text` stays what it is, no heading of it is as high as ours, and nothing is fetched by it."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").parse(f"{text}\n\n{_END}")
    behind = [(token.type, token.level, token.content) for token in tokens[-3:]]
    ends = behind == [("paragraph_open", 0, ""), ("inline", 1, _END), ("paragraph_close", 0, "")]
    headings = [token for token in tokens if token.type == "heading_open"]
    inline = [child for token in tokens for child in token.children or ()]
    fetched = any(child.type == "image" and _REMOTE.match(str(child.attrGet("src"))) for child in inline)
    html = [token.content for token in [*tokens, *inline] if token.type in ("html_block", "html_inline")]
    raw = any("<" in _HARMLESS.sub("", each) for each in html)
    return ends and not fetched and not raw and all(not each.level and int(each.tag[1:]) > _TOP for each in headings)


def _source(turn: KeptTurn, source: Source, root: Path) -> str:
    quote = quote_of(turn, source)
    return f"{source.number}. {_link(escaped(name_of(source)), source, root)}, {where_of(source)}" + (
        f": “{escaped(quote)}”" if quote else ""
    )


def _link(label: str, place: Source | Citation, root: Path) -> str:
    within = f"#L{place.line}" if place.place is None or place.place.lined else fragment(place.place, 1)
    return f"[{label}]({(root / place.path).as_uri()}{within})"


def escaped(text: str) -> str:
    """`text` on one line, its punctuation escaped where it could mean something."""
    return _PUNCTUATION.sub(_escape, one_line(text))


def _escape(sign: re.Match[str]) -> str:
    # Within a line these mean nothing, and the text stays readable.
    return sign[1] if sign[1] in "\"'(),-./:;?" and sign.start() else f"\\{sign[1]}"
