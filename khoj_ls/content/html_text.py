"""What an HTML document says to its reader: paragraphs, headings, links and anchors, each with where it stands.

Scripts, styles, menus, page heads and feet and what is hidden are left out. Where a page marks its main part, and most of what
it says is in there, the rest is left out as well.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import MappingProxyType

from khoj_ls.content.long_lines import MOST_PIECE, pieces
from khoj_ls.content.markup_scan import Token, scan


def names(text: str) -> frozenset[str]:
    """The words of `text`."""
    return frozenset(text.split())


_UNREAD = names(
    "script style template noscript iframe object canvas audio video svg select datalist button dialog textarea xmp noembed "
    "noframes nav annotation annotation-xml"
)
_NEVER_TEXT = frozenset({"script", "style", "textarea"})
_FRAME = frozenset({"header", "footer", "aside"})
"""Left out where they frame the page; inside of an article or a section they belong to it."""
_ROLES = names("navigation banner contentinfo search menu menubar toolbar tablist dialog alertdialog")
_CLASSES = names(
    "navbar navbox breadcrumb breadcrumbs toc table-of-contents mw-editsection mw-jump-link mw-portlet noprint "
    "headerlink hash-link header-anchor"
)
_CLOSED = names("a div section span ul ol table aside header footer nav form")
"""Elements whose end tag HTML requires: others that are hidden could hide all that follows."""
_ZONES = ("main", "article")
_EVERYWHERE = ("", *_ZONES)
_HEADINGS = MappingProxyType({f"h{level}": level for level in range(1, 7)})
_BLOCKS = names(
    "address article aside blockquote body br caption center dd details dialog dir div dl dt fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol option p pre section summary table tbody tfoot "
    "thead tr ul"
)
_HEAD_OF_PAGE = frozenset({"title", "meta", "base", "link"})
_CELLS = frozenset({"td", "th"})
_WORTH = 200
_LEAST_SHARE = 0.3


@dataclass
class Block:
    """A paragraph, an item, a table row, a heading: what stands on lines of its own."""

    level: int = 0
    """Of a heading, 1 to 6."""
    start: int = 0
    """Where its first tag or text stands, a character of the source."""
    parts: list[tuple[int, str]] = field(default_factory=list)
    """Its text, cut at the line breaks of the source: where a part begins, and the part."""
    zone: str = ""
    """`main` or `article`, where it is in such a part of the page."""
    literal: bool = False
    """Whether its blanks count (`pre`)."""
    soft: bool = False
    """Whether it is but a further line of the paragraph before it (`br`)."""

    @property
    def text(self) -> str:
        """All of it in one line, or in its own lines where it is literal."""
        joined = "".join(text for _, text in self.parts)
        return joined.strip("\n") if self.literal else " ".join(joined.split())


@dataclass(frozen=True)
class PageLink:
    """A link as written in the page."""

    target: str
    label: str
    start: int
    end: int
    """The tag that opens it: characters [start, end)."""
    zone: str = ""
    """As of blocks."""


@dataclass(frozen=True)
class PageText:
    """What a page says."""

    title: str
    meta: tuple[tuple[str, str], ...]
    """Names (lower case) and contents of its `meta` tags."""
    blocks: tuple[Block, ...]
    links: tuple[PageLink, ...]
    anchors: tuple[tuple[str, int, int], ...]
    """Names that links may lead to, with the tag that has them."""
    base: str
    """The address of the page on the web, by which its relative links count; empty when it does not say one."""


def page_text(source: str, *, xml: bool = False, whole: bool = False) -> PageText:
    """What the HTML (XHTML where `xml`) in `source` says. Never raises; takes linear time.

    `whole`: it is no page of a site but a chapter or a message: there is no frame around a main part.
    """
    reader = _Reader(frugal=True, framed=not whole)
    reader.read(source, xml)
    if reader.skipping:  # what was left out is never closed: the rest of the page must not be lost with it
        reader = _Reader(frugal=False, framed=not whole)
        reader.read(source, xml)
    zones = _EVERYWHERE if whole else _zones_worth_reading(reader.blocks)
    return PageText(
        " ".join(reader.title.split()),
        tuple(reader.meta),
        tuple(block for block in reader.blocks if block.zone in zones),
        tuple(link for link in reader.links if link.zone in zones),
        tuple(reader.anchors),
        reader.base,
    )


def _zones_worth_reading(blocks: list[Block]) -> tuple[str, ...]:
    """The page's main part, or else its articles, when they hold enough of its text; else all of it."""
    sizes = Counter[str]()
    for block in blocks:
        sizes[block.zone] += len(block.text)
    for zones in (("main",), ("article", "main")):
        size = sum(sizes[zone] for zone in zones)
        if size >= _WORTH and size >= _LEAST_SHARE * sizes.total():
            return zones
    return _EVERYWHERE


class _Reader:
    """Reads the tokens of one page."""

    def __init__(self, *, frugal: bool, framed: bool) -> None:
        """Without `frugal`, only what is never text is left out; with `framed`, also what frames a page."""
        self.frugal = frugal
        self.framed = framed
        self.title = ""
        self.meta: list[tuple[str, str]] = []
        self.blocks: list[Block] = []
        self.links: list[PageLink] = []
        self.anchors: list[tuple[str, int, int]] = []
        self.base = ""
        self.skipping = ""
        """The element whose content is being left out."""
        self._depth = 0
        self._zones = {"main": 0, "article": 0, "section": 0}
        self._pre = 0
        self._heading = 0
        self._bullet = False
        self._link: tuple[str, int, int, int] | None = None
        self._block = Block()
        self._in_title = False

    def read(self, source: str, xml: bool) -> None:
        """Read all of `source`."""
        for token in scan(source, xml=xml):
            if token.kind == "text":
                self._text(token)
            elif token.kind == "open":
                self._open(token)
            else:
                self._close(token)
        self._flush(len(source))

    def _text(self, token: Token) -> None:
        if self._in_title:
            self.title += token.shown
        elif not self.skipping:
            self._say(token)

    def _say(self, token: Token) -> None:
        at = token.start
        for line in token.text.splitlines(keepends=True):
            # Where a long line is cut its blanks are kept, which stand in no reference to a character.
            for start, end in pieces(line) if len(line) > MOST_PIECE else ((0, len(line)),):
                part = token._replace(text=line[start:end]).shown
                if self._block.parts or part.strip() or self._pre:
                    self._add(at + start, part)
            at += len(line)

    def _add(self, at: int, part: str) -> None:
        if not self._block.parts and not self._block.level:
            self._block.start = at
        if self._bullet and part.strip():
            part, self._bullet = f"- {part.lstrip()}", False
        self._block.parts.append((at, part))

    def _open(self, token: Token) -> None:
        name = token.name
        if self.skipping:
            self._depth += name == self.skipping
            return
        attributes = token.attributes
        if anchor := attributes.get("id") or (attributes.get("name") if name == "a" else None):
            self.anchors.append((anchor, token.start, token.end))
        if name in _BLOCKS and not (name == "br" and self._heading):
            self._flush(token.start, soft=name == "br" and bool(self._block.parts))
        if self._is_unread(name, attributes):
            self.skipping, self._depth = name, 1
        elif name in _HEAD_OF_PAGE:
            self._head_of_page(name, attributes)
        else:
            self._enter(token, attributes)

    def _enter(self, token: Token, attributes: dict[str, str]) -> None:
        name = token.name
        if name in self._zones:
            self._zones[name] += 1
        elif name in _HEADINGS:
            self._heading = _HEADINGS[name]
        elif name == "pre":
            self._pre += 1
        elif name == "li":
            self._bullet = True
        else:
            self._inline(token, attributes)
        if not self._block.parts:
            self._block = self._fresh(token.start)

    def _inline(self, token: Token, attributes: dict[str, str]) -> None:
        name = token.name
        if name in _CELLS and self._block.parts:
            self._add(token.start, " | ")
        elif name == "br" and self._heading:
            self._add(token.start, " ")
        elif name == "img" and (alt := " ".join(attributes.get("alt", "").split())):
            self._add(token.start, f" {alt} ")
        elif name == "a" and (href := attributes.get("href", "").strip()):
            self._link = (href, token.start, token.end, len(self._block.parts))

    def _head_of_page(self, name: str, attributes: dict[str, str]) -> None:
        if name == "title":
            self._in_title = not self.title
        elif name == "base" or (name == "link" and attributes.get("rel", "").lower() == "canonical"):
            self.base = self.base or attributes.get("href", "").strip()
        elif name == "meta":
            called = (attributes.get("name") or attributes.get("property") or "").strip().lower()
            if called and attributes.get("content"):
                self.meta.append((called, " ".join(attributes["content"].split())))

    def _close(self, token: Token) -> None:
        name = token.name
        if self.skipping:
            self._depth -= name == self.skipping
            if self._depth == 0:
                self.skipping = ""
            return
        if name == "a" and self._link:
            self._end_link(*self._link)
        if name in _BLOCKS:
            self._flush(token.end)
        self._leave(name)
        if not self._block.parts:
            self._block = self._fresh(token.end)

    def _leave(self, name: str) -> None:
        if name == "title":
            self._in_title = False
        elif name in _HEADINGS:
            self._heading = 0
        elif name == "pre":
            self._pre = max(0, self._pre - 1)
        elif name in ("li", "ul", "ol"):
            self._bullet = False
        elif name in self._zones:
            self._zones[name] = max(0, self._zones[name] - 1)

    def _end_link(self, target: str, start: int, end: int, since: int) -> None:
        label = " ".join("".join(text for _, text in self._block.parts[since:]).split())
        self.links.append(PageLink(target, label, start, end, self._zone()))
        self._link = None

    def _flush(self, at: int, *, soft: bool = False) -> None:
        """End the block that is being read; what follows begins another, a `soft` one if it goes on in a new line."""
        if any(text.strip(" |\t\r\n") for _, text in self._block.parts):
            self.blocks.append(self._block)
            self._heading = 0  # also of a heading that is never closed
        self._block = self._fresh(at)
        self._block.soft = soft

    def _fresh(self, start: int) -> Block:
        return Block(self._heading, start, zone=self._zone(), literal=bool(self._pre), soft=self._block.soft)

    def _zone(self) -> str:
        return next((zone for zone in _ZONES if self._zones[zone]), "")

    def _is_unread(self, name: str, attributes: dict[str, str]) -> bool:
        if not self.frugal:
            return name in _NEVER_TEXT
        if name in _UNREAD or (self.framed and name in _FRAME and not any(self._zones.values())):
            return True
        return name in _CLOSED and (
            "hidden" in attributes
            or attributes.get("aria-hidden") == "true"
            or attributes.get("role", "").lower() in _ROLES
            or not _CLASSES.isdisjoint(attributes.get("class", "").lower().split())
            or "display:none" in attributes.get("style", "").replace(" ", "").lower()
        )
