"""What styles and lists make of a paragraph of a DOCX file: a heading of some depth, an item with its number.

ECMA-376, Part 1, 17.7 (styles) and 17.9 (numbering).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from khoj_ls.content.xml_tree import Node

_HEADING = re.compile(r"heading (\d)")
_LEVELS = 9
_MOST_BASES = 30
_WORTHS = (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1)
_ROMAN = tuple(zip(_WORTHS, ("m", "cm", "d", "cd", "c", "xc", "l", "xl", "x", "ix", "v", "iv", "i"), strict=True))


@dataclass(frozen=True)
class Style:
    """A paragraph style, with what it takes from those it is based on."""

    name: str = ""
    level: int = 0
    """Outline level from 1; 0 for body text."""
    list_id: str = ""
    list_level: int = 0


def read_styles(nodes: Iterable[Node]) -> dict[str, Style]:
    """Paragraph styles by their ids, from the `style` elements of the styles part."""
    raw = {node.get("styleId"): node for node in nodes if node.get("type", "paragraph") == "paragraph"}
    return {style_id: _style(style_id, raw) for style_id in raw}


def _style(style_id: str, raw: dict[str, Node]) -> Style:
    name = value(raw[style_id].find("name")).lower()
    chain = list(_bases(style_id, raw))
    found = _HEADING.fullmatch(name)
    outline = int(found[1]) if found else next((level for node in chain if (level := outline_level(node)) is not None), 0)
    listed = next((node for each in chain if (node := each.find("pPr", "numPr"))), None)
    return Style(name, outline, value(listed.find("numId")) if listed else "", number(listed.find("ilvl")) if listed else 0)


def _bases(style_id: str, raw: dict[str, Node]) -> Iterator[Node]:
    for _ in range(_MOST_BASES):  # styles may be based on each other
        if style_id not in raw:
            return
        yield raw[style_id]
        style_id = value(raw[style_id].find("basedOn"))


def outline_level(node: Node) -> int | None:
    """The outline level that a style or paragraph sets, from 1; 0 for body text; None where it sets none."""
    found = node.find("pPr", "outlineLvl")
    if found is None:
        return None
    level = number(found)
    return level + 1 if 0 <= level < _LEVELS else 0


def value(node: Node | None) -> str:
    """What an element says in `val`; empty where it is not there."""
    return node.get("val") if node else ""


def number(node: Node | None) -> int:
    """What an element says in `val` as a number; 0 where that is none."""
    written = value(node)
    return int(written) if re.fullmatch(r"-?[0-9]{1,9}", written) else 0


@dataclass(frozen=True)
class ListLevel:
    """How items of one depth are marked."""

    kind: str = "bullet"
    """`decimal`, `lowerRoman`, `bullet`, ..."""
    pattern: str = "%1."
    """`%2` stands for the number of the second depth."""
    start: int = 1


class Numbering:
    """The lists of a document, and how far each has been counted."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        """From the `abstractNum` and `num` elements of the numbering part."""
        self._kinds: dict[str, dict[int, ListLevel]] = {}
        self._lists: dict[str, tuple[str, dict[int, int]]] = {}
        self._counts: dict[str, list[int]] = {}
        for node in nodes:
            if node.name == "abstractNum":
                levels = (each for each in node.nodes() if each.name == "lvl")
                self._kinds[node.get("abstractNumId")] = {_depth(each): _level(each) for each in levels}
            else:
                overrides = (each for each in node.nodes() if each.find("startOverride"))
                starts = {_depth(each): number(each.find("startOverride")) for each in overrides}
                self._lists[node.get("numId")] = (value(node.find("abstractNumId")), starts)

    def label(self, list_id: str, depth: int) -> str:
        """What stands before the next item: `- `, `2. `, `1.3 `; empty where it is in no list that is known."""
        if list_id not in self._lists or not 0 <= depth < _LEVELS:
            return ""
        kind, starts = self._lists[list_id]
        levels = self._kinds.get(kind, {})
        level = levels.get(depth, ListLevel())
        # Lists of one kind count on, unless one says where it starts.
        counts = self._counts.setdefault(list_id if starts else kind, [0] * _LEVELS)
        for at in range(depth):
            counts[at] = counts[at] or starts.get(at, levels.get(at, ListLevel()).start)
        counts[depth] = counts[depth] + 1 if counts[depth] else starts.get(depth, level.start)
        counts[depth + 1 :] = [0] * (_LEVELS - depth - 1)
        if level.kind == "bullet":
            return "- "
        if level.kind == "none":
            return ""
        shown = level.pattern[:50]
        for at in range(_LEVELS):
            shown = shown.replace(f"%{at + 1}", written(counts[at], levels.get(at, ListLevel()).kind))
        return f"{shown} " if shown.strip() else ""


def _depth(node: Node) -> int:
    found = node.get("ilvl")
    return int(found) if re.fullmatch("[0-9]", found) else 0


def _level(node: Node) -> ListLevel:
    start = number(node.find("start")) if node.find("start") else 1
    return ListLevel(value(node.find("numFmt")) or "decimal", value(node.find("lvlText")), start)


def written(count: int, kind: str) -> str:
    """A number as a list of this kind writes it: 4 is `d` in lowerLetter."""
    if kind in ("lowerLetter", "upperLetter") and 0 < count <= 26 * 26:
        letter = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 + 1)
        return letter if kind == "lowerLetter" else letter.upper()
    if kind in ("lowerRoman", "upperRoman") and 0 < count < 4000:
        roman = ""
        for worth, sign in _ROMAN:
            roman += sign * (count // worth)
            count %= worth
        return roman if kind == "lowerRoman" else roman.upper()
    return str(count)
