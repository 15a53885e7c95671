"""HTML inside Markdown: which `<...>` is a tag, the anchors in it, and the text it shows."""

from __future__ import annotations

import html
import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TAG = re.compile(r"</?(?P<name>[A-Za-z][A-Za-z0-9-]*)(?:[\s/][^<>]*)?>")
ANCHOR_NAME = re.compile(r"""\s(?:id|name)\s*=\s*(?:"([^"]+)"|'([^']+)'|([^\s"'=<>`]+))""", re.I)
_ALT = re.compile(r"""\salt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.I)

# Only these are taken out of running text: `List<String>` and `<your name>` are what somebody wrote, not markup.
_ELEMENTS = frozenset(
    re.findall(
        r"\w+",
        """
        a abbr acronym address area article aside audio b base bdi bdo big blockquote body br button canvas caption
        center cite code col colgroup datalist dd del details dfn dialog div dl dt em embed fieldset figcaption figure
        font footer form h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe img ins kbd label legend li map mark
        math menu meta meter nav nobr noscript ol optgroup p picture pre progress q rp rt ruby s samp script section
        select small span strike strong style sub summary sup svg table tbody td template textarea tfoot th thead tr
        track tt u ul use var video wbr
        """,
    )
)
# These are as often a placeholder (`cd <path>`) as an element: they need attributes, or to be a closing tag.
_AMBIGUOUS = frozenset(
    re.findall(r"\w+", "circle data defs g input line link main object option output param path rect source time title")
)
_UNSHOWN = re.compile(r"<!--|<(script|style)\b[^<>]*>", re.I)
_CLOSINGS = MappingProxyType(
    {"": re.compile("-->"), "script": re.compile(r"</script\s*>", re.I), "style": re.compile(r"</style\s*>", re.I)}
)
_BREAKS = frozenset({"br", "td", "th"})


def is_html(tag: re.Match[str]) -> bool:
    """Whether a match of `TAG` is a tag of HTML or SVG."""
    name = tag["name"].lower()
    return name in _ELEMENTS or (name in _AMBIGUOUS and (tag[0].startswith("</") or "=" in tag[0]))


def html_text(source: str) -> str:
    """What an HTML block shows, with as many line breaks as `source`: no tags, comments, scripts or styles.

    A comment that is never closed is kept: better found than lost.
    """
    shown = TAG.sub(_with_line_breaks, _without_unshown(source))
    if "&" not in shown:
        return shown
    return "\n".join(html.unescape(line).replace("\n", " ").replace("\r", " ") for line in shown.split("\n"))


def html_anchors(source: str) -> Iterator[tuple[str, int, int]]:
    """Each `id` or `name` in the tags of `source`, with the tag's start and end."""
    for tag in TAG.finditer(source):
        if name := ANCHOR_NAME.search(tag[0]):
            yield name[1] or name[2] or name[3], tag.start(), tag.end()


def tag_text(tag: re.Match[str]) -> str:
    """What a tag of HTML shows, on one line: an image its description; a blank where words would run together."""
    name = tag["name"].lower()
    if name == "img" and (alt := _ALT.search(tag[0])):
        return " ".join(html.unescape(alt[1] or alt[2] or "").split())
    return " " if name in _BREAKS else ""


def _with_line_breaks(tag: re.Match[str]) -> str:
    return tag_text(tag) + "\n" * tag[0].count("\n") if is_html(tag) else tag[0]


def _without_unshown(source: str) -> str:
    """`source` without comments, scripts and styles; each closing mark that is missing is searched for only once."""
    out: list[str] = []
    at = 0
    missing: set[str] = set()
    for opening in _UNSHOWN.finditer(source):
        name = (opening[1] or "").lower()
        if opening.start() < at or name in missing:
            continue
        closing = _CLOSINGS[name].search(source, opening.end())
        if not closing:
            missing.add(name)
            continue
        out += source[at : opening.start()], "\n" * source.count("\n", opening.start(), closing.end())
        at = closing.end()
    return "".join((*out, source[at:]))
