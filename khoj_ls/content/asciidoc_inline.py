"""Inline markup of AsciiDoc: links, anchors, and what a reader sees of a text."""

from __future__ import annotations

import re
from collections.abc import Mapping

from khoj_ls.content.line_markup import Found, replaced

_MARKUP = re.compile(
    r"(?P<escape>\\(?P<escaped>[\w\[*_`#^~{<:+]))"
    r"|(?P<anchor>\[\[(?P<id>[\w:.-]{1,200})(?:,[^\]]{0,200})?\]\])"
    r"|(?P<cross><<(?P<to>[^<>,\s][^<>,]{0,300})(?:,(?P<crosslabel>[^<>]{0,500}))?>>)"
    r"|(?P<macro>(?<!\w)(?P<name>link|xref|mailto|image|icon|video|audio|footnote|footnoteref|kbd|btn|menu|anchor|pass|stem|latexmath"
    r"|asciimath|indexterm2?|include)::?(?P<target>[^\s\[\]]{0,1000})\[(?P<label>[^\]]{0,1000})\])"
    r"|(?P<address>(?:https?|ftp|irc)://[^\s\[\]<>\"]{1,2000})\[(?P<addresslabel>[^\]]{0,1000})\]"
    r"|(?P<term>\(\(\(?(?P<terms>[^()]{1,200})\)?\)\))"
    r"|(?P<attribute>\{(?P<of>[\w-]{1,80})\})"
    r"|(?P<passed>\+\+\+?(?P<plain>[^+]{1,1000})\+\+\+?)"
    r"|(?P<role>\[[.#%][\w.#% -]{0,100}\](?=[#*_`]))"
    r"|(?P<double>(?P<pair>\*\*|__|``|##)(?P<doubled>[^\s](?:[^\n]{0,500}?[^\s])?)(?P=pair))"
    r"|(?P<single>(?<![\w*_`#+\\])(?P<sign>[*_`#+^~])(?P<singled>[^\s*](?:[^\n*`#]{0,500}?[^\s])?)(?P=sign)(?![\w*`#]))"
)
_UNSAID = frozenset({"anchor", "indexterm", "include", "icon"})
_NAMES = ("escaped", "plain", "terms")


def readable(text: str, start: int, found: Found, attributes: Mapping[str, str]) -> str:
    """What a reader sees of `text`, in as many lines; links and anchors are added to `found`.

    It begins at character `start` of the file. References to `attributes` are replaced once.
    """

    def said(match: re.Match[str]) -> str:
        begin, end = start + match.start(), start + match.end()
        if match["anchor"]:
            found.anchor(match["id"], begin, end)
            return ""
        if match["cross"]:
            return _cross(match["to"], match["crosslabel"], (begin, end), found)
        if match["macro"]:
            return _macro(match, (begin, end), found)
        if match["address"]:
            label = _label(match["addresslabel"])
            found.link(match["address"], label, begin, end)
            return label or match["address"]
        if match["attribute"]:
            return attributes.get(match["of"].lower(), match[0])
        if match["role"]:
            return ""
        if emphasized := match["doubled"] or match["singled"]:
            return _NESTED.sub(r"\g<said>", emphasized)  # *_both_*
        return next((match[name] for name in _NAMES if match[name] is not None), match[0])

    shown = replaced(text, _MARKUP, said)
    found.urls(text, start)
    return shown


_NESTED = re.compile(r"(?<![\w*_`])(?P<sign>[*_`])(?P<said>[^\s*_`](?:[^\n*_`]{0,500}[^\s*_`])?)(?P=sign)(?![\w*_`])")


def _cross(to: str, label: str | None, where: tuple[int, int], found: Found) -> str:
    path, mark, place = to.strip().partition("#")
    target = to.strip() if mark or path.endswith((".adoc", ".asciidoc")) else f"#{path}"
    found.link(target, label, *where, "file")
    return (label or place or path).strip()


def _macro(match: re.Match[str], where: tuple[int, int], found: Found) -> str:
    name, target, label = match["name"], match["target"], _label(match["label"])
    if name == "xref":
        return _cross(target, label, where, found)
    if name == "link":
        found.link(target.removeprefix("++").removesuffix("++"), label, *where)
        return label or target
    if name == "mailto":
        found.link(f"mailto:{target}", label, *where)
        return label or target
    if name in ("image", "video", "audio", "include"):
        found.link(target, None, *where)
        return label.partition(",")[0] if name == "image" else ""
    if name == "anchor":
        found.anchor(target, *where)
    if name == "menu":
        return f"{target} > {label}" if label else target
    return "" if name in _UNSAID else label


def _label(attributes: str) -> str:
    """The text among the attributes in the brackets of a macro: the first that has no name."""
    text = attributes.strip()
    if text.startswith('"') and '"' in text[1:]:
        return text[1 : text.index('"', 1)]
    first = re.split(r",(?=\s*[\w-]+=)", text, maxsplit=1)[0]
    return "" if re.match(r"[\w-]+=", first) else first.rstrip("^")
