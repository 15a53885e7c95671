"""Tags and texts of HTML and XML, in one pass over the source, each with where it stands.

Nothing is ever fetched, no entity but the standard ones is known, and what is malformed is skipped as browsers do. The time is
linear in the length of the source: behind a tag that is never closed the scan goes on where it stopped.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

_NAME = re.compile(r"[A-Za-z_][^\s/<>]*")
_PLAIN = re.compile(r"""[^"'<>]*""")
_ATTRIBUTE = re.compile(r"""([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_RAW = frozenset({"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"})
"""Elements of HTML whose content holds no tags (WHATWG HTML, 13.1.2)."""
_CLOSING: Mapping[str, re.Pattern[str]] = MappingProxyType({name: re.compile(rf"</{name}(?=[\s/>])", re.I) for name in _RAW})
_MOST_ATTRIBUTES = 200


class Token(NamedTuple):
    """A tag or a text."""

    kind: Literal["open", "close", "text"]
    name: str
    """Of a tag, in lower case, without its namespace's prefix in XML; empty for texts."""
    start: int
    end: int
    """Where it stands: characters [start, end) of the source."""
    text: str = ""
    """A text as it stands in the source; the attributes of a tag that opens."""
    literal: bool = False
    """Of a text: whether `&` means itself (CDATA, scripts)."""

    @property
    def shown(self) -> str:
        """A text with its character references resolved."""
        return self.text if self.literal or "&" not in self.text else html.unescape(self.text)

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes of a tag by name, lower case, without prefixes in front of a colon; of two the first counts."""
        found: dict[str, str] = {}
        for at, each in enumerate(_ATTRIBUTE.finditer(self.text)):
            if at >= _MOST_ATTRIBUTES:
                break
            name = each[1].lower().rpartition(":")[2]
            found.setdefault(name, html.unescape(each[2] or each[3] or each[4] or ""))
        return found


def scan(source: str, *, xml: bool = False) -> Iterator[Token]:
    """The tags and texts of `source`, in order. With `xml`, `<a/>` opens and closes, and CDATA is text; comments never are."""
    at = 0
    while at < len(source):
        opening = source.find("<", at)
        opening = opening if opening >= 0 else len(source)
        if opening > at:
            yield Token("text", "", at, opening, source[at:opening])
        if source[opening + 1 : opening + 2] in ("!", "?"):
            at, cdata = _declaration(source, opening, xml)
            if cdata is not None:
                yield cdata
            continue
        tag, at = _tag(source, opening, xml)
        if tag is not None:
            yield tag
            content = _closed(tag) if xml else _raw(source, tag)
            if content is not None:
                yield content
                at = content.end


def _closed(tag: Token) -> Token | None:
    """What a tag like `<a/>` closes at once."""
    return Token("close", tag.name, tag.end, tag.end) if tag.kind == "open" and tag.text.endswith("/") else None


def _raw(source: str, tag: Token) -> Token | None:
    """The content of an element that holds no tags."""
    if tag.kind != "open" or tag.name not in _RAW:
        return None
    closing = _CLOSING[tag.name].search(source, tag.end)
    end = closing.start() if closing else len(source)
    return Token("text", "", tag.end, end, source[tag.end : end], literal=tag.name not in ("title", "textarea"))


def _tag(source: str, at: int, xml: bool) -> tuple[Token | None, int]:
    """What begins with the `<` at `at`, a tag or a mere sign (None for what is broken), and where to go on."""
    if at >= len(source):
        return None, at
    closes = source.startswith("</", at)
    name = _NAME.match(source, at + 1 + closes)
    if name is None:
        return (None if closes else Token("text", "", at, at + 1, "<")), at + 1
    end, whole = _end_of_tag(source, name.end())
    if not whole:
        return None, end
    called = name[0].lower().rpartition(":")[2] if xml else name[0].lower()
    if closes:
        return Token("close", called, at, end), end
    return Token("open", called, at, end, source[name.end() : end - 1]), end


def _end_of_tag(source: str, at: int) -> tuple[int, bool]:
    """Behind the `>` of a tag, quotes minded; where it breaks off and False when it is never closed."""
    while True:
        found = _PLAIN.match(source, at)
        at = found.end() if found else at
        sign = source[at : at + 1]
        if sign == ">":
            return at + 1, True
        if sign in ("", "<"):
            return at, False
        closing = source.find(sign, at + 1)
        at = closing + 1 if closing >= 0 else at + 1


def _declaration(source: str, at: int, xml: bool) -> tuple[int, Token | None]:
    """Behind a comment, a doctype, a processing instruction or CDATA, with the text of the last."""
    if source.startswith("<!--", at):
        return _behind(source, "-->", at + 2), None
    if xml and source.startswith("<![CDATA[", at):
        start = at + len("<![CDATA[")
        end = source.find("]]>", start)
        end = end if end >= 0 else len(source)
        return end + len("]]>"), Token("text", "", start, end, source[start:end], literal=True)
    if xml and source.startswith("<?", at):
        return _behind(source, "?>", at), None
    closing = source.find(">", at)
    subset = source.find("[", at, closing) if closing >= 0 else -1
    return (_behind(source, "]>", subset) if xml and subset >= 0 else _behind(source, ">", at)), None


def _behind(source: str, mark: str, at: int) -> int:
    """Behind the next `mark`; the end of the source when there is none, as browsers read it."""
    found = source.find(mark, at)
    return found + len(mark) if found >= 0 else len(source)
