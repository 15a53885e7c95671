"""RSS and Atom feeds as entries: one for each item, with its date, its author and its categories as tags."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType

from khoj_ls.content.charsets import decode_declared
from khoj_ls.content.html_text import page_text
from khoj_ls.content.markup_scan import Token, scan
from khoj_ls.content.rendering import Piece, rendered
from khoj_ls.content.said_dates import said_date
from khoj_ls.core.places import Place
from khoj_ls.core.types import DateKind, EntryDate, ParsedFile, Problem

_FEEDS = frozenset({"rss", "rdf", "feed"})
_ITEMS = frozenset({"item", "entry"})
_FIELDS = MappingProxyType(
    {"title": "title", "description": "summary", "summary": "summary", "subtitle": "summary", "encoded": "content",
     "content": "content", "pubdate": "created", "published": "created", "issued": "created", "date": "created",
     "updated": "updated", "modified": "updated", "lastbuilddate": "updated", "creator": "author", "author": "author",
     "category": "tag", "subject": "tag", "link": "link"}
)  # fmt: skip
"""What the elements of RSS 0.9 to 2.0 (with Dublin Core and content modules) and Atom say."""
_MARKUP = frozenset({"summary", "content", "title"})
_DATES: tuple[DateKind, ...] = ("created", "updated")


@dataclass
class _Item:
    """An item, or the feed itself: what its fields say, in order."""

    said: dict[str, list[str]] = field(default_factory=dict)

    def first(self, name: str) -> str:
        """The first value of a field, in one line."""
        return next((" ".join(value.split()) for value in self.said.get(name, []) if value.strip()), "")

    def dates(self) -> tuple[EntryDate, ...]:
        """When it was published and changed."""
        days = [(kind, said_date(self.first(kind))) for kind in _DATES]
        return tuple(EntryDate(kind, day) for kind, day in days if day)


class FeedProcessor:
    """Reads feeds that were saved. An item is called by its title: many feeds are but one line."""

    name = "feed"
    extensions: tuple[str, ...] = (".rss", ".atom", ".xml")
    priority = 0
    binary = True

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` decides nothing. XML that is no feed has no entries and a warning."""
        text, problems = decode_declared(data)
        root = next((token for token in scan(text, xml=True) if token.kind == "open"), None)
        if root is None or root.name not in _FEEDS:
            what = "XML that is no RSS or Atom feed is not read: no text can be told from its markup"
            return ParsedFile(self.name, None, (), problems=(Problem("warning", "no-feed", what),))
        feed, items = _read(text)
        properties = [(name, value) for name in ("link", "author") if (value := feed.first(name))]
        pieces = [_piece(item, number) for number, item in enumerate(items, start=1)]
        if summary := _lines(feed.first("summary")):
            pieces.insert(0, Piece(summary, Place("part", 1, 1, "the feed")))
        return rendered(
            self.name, _one_line(feed.first("title")), pieces, properties=properties, dates=feed.dates(), problems=problems
        )


def _piece(item: _Item, number: int) -> Piece:
    title = _one_line(item.first("title")) or f"Item {number}"
    summary, content = (_lines("\n".join(item.said.get(name, []))) for name in ("summary", "content"))
    said = [f"By {item.first('author')}" if item.first("author") else "", summary if summary not in content else "", content]
    said.append(item.first("link"))
    tags = tuple(dict.fromkeys(tag for tag in (" ".join(each.split()) for each in item.said.get("tag", [])) if tag))
    text = "\n\n".join(each for each in said if each)
    return Piece(text, Place("part", number, number, f"item {number}"), title, 1, tags=tags, dates=item.dates())


def _lines(markup: str) -> str:
    """The text of escaped HTML, a paragraph a line with blank ones between."""
    return "\n\n".join(block.text for block in page_text(markup, whole=True).blocks)


def _one_line(markup: str) -> str:
    return " ".join(_lines(markup).split())


def _read(source: str) -> tuple[_Item, list[_Item]]:
    """The feed and its items."""
    feed = current = _Item()
    items: list[_Item] = []
    inside: Token | None = None
    depth = 0
    said: list[str] = []
    for token in scan(source, xml=True):
        if inside is not None:
            depth += (token.kind == "open" and token.name == inside.name) - (
                token.kind == "close" and token.name == inside.name
            )
            if depth:
                said.append(_as_markup(token, inside))
                continue
            _keep(current, inside, "".join(said))
            inside = None
        elif token.kind == "open" and token.name in _ITEMS:
            current = _Item()
            items.append(current)
        elif token.kind == "close" and token.name in _ITEMS:
            current = feed
        elif token.kind == "open" and token.name in _FIELDS:
            inside, depth, said = token, 1, []
    return feed, items


def _as_markup(token: Token, inside: Token) -> str:
    """What stands in a field: escaped markup unescaped, elements of XHTML as they are."""
    if token.kind == "text":
        return token.text if inside.attributes.get("type") == "xhtml" else token.shown
    return f"<{token.name} {token.text}>" if token.kind == "open" else f"</{token.name}>"


def _keep(item: _Item, element: Token, said: str) -> None:
    name = _FIELDS[element.name]
    attributes = element.attributes
    if name == "link" and attributes.get("rel", "alternate") != "alternate":
        return
    value = said.strip() or attributes.get({"link": "href", "tag": "term"}.get(name, ""), "")
    if name not in _MARKUP:
        value = _one_line(value)
    if value:
        item.said.setdefault(name, []).append(value)
