"""What stands on a slide: text in shapes, tables, charts. ECMA-376, Part 1, 19.3 (slides), 21.1 (text), 21.2 (charts)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from khoj_ls.content.xml_tree import Node

_MOST_POINTS = 1000
_FILE_NAME = re.compile(r"\S*\.\w{2,5}")


@dataclass(frozen=True)
class Shape:
    """Something on a slide."""

    node: Node
    placeholder: str = ""
    """What it is for: `title`, `body`, `sldNum`; empty for what the author drew."""
    rows: tuple[tuple[str, ...], ...] = ()
    """Of a table."""
    relation: str = ""
    """Names the part that holds a chart or diagram."""
    is_chart: bool = False
    described: str = ""
    """What the author wrote for those who do not see it."""


def shapes(tree: Node) -> Iterator[Shape]:
    """The shapes in `tree`, in order, those in groups as well."""
    for node in tree.nodes():
        if node.name == "grpSp":
            yield from shapes(node)
        elif node.name == "AlternateContent":
            chosen = node.find("Choice")
            if chosen:
                yield from shapes(chosen)
        elif node.name in ("sp", "cxnSp", "pic", "graphicFrame"):
            yield _shape(node)


def _shape(node: Node) -> Shape:
    about = next(node.below("nvPr"), None)
    placeholder = about.find("ph") if about else None
    kind = placeholder.get("type", "body") if placeholder else ""
    named = next(node.below("cNvPr"), None)
    told = " ".join(named.get("descr").split()) if named else ""
    described = "" if _FILE_NAME.fullmatch(told) else told
    data = node.find("graphic", "graphicData")
    table = data.find("tbl") if data else None
    if table:
        return Shape(node, kind, rows=tuple(_row(row) for row in table.nodes() if row.name == "tr"))
    if data and (chart := data.find("chart")):
        return Shape(node, kind, relation=chart.get("r:id"), is_chart=True)
    if data and (diagram := data.find("relIds")):
        return Shape(node, kind, relation=diagram.get("r:dm"))
    return Shape(node, kind, described=described)


def _row(row: Node) -> tuple[str, ...]:
    return tuple(" ".join(" ".join(text_lines_of(cell)).split()) for cell in row.nodes() if cell.name == "tc")


def text_lines_of(node: Node) -> list[str]:
    """The paragraphs of the text in `node`, deeper ones indented."""
    lines = []
    for paragraph in node.below("p"):
        said = "".join(_words(paragraph)).replace("\v", "\n").strip()
        if said:
            properties = paragraph.find("pPr")
            depth = properties.get("lvl") if properties else ""
            lines.append("  " * (int(depth) if re.fullmatch("[1-8]", depth) else 0) + said)
    return lines


def _words(node: Node) -> Iterator[str]:
    for child in node.nodes():
        if child.name == "t":
            yield child.text()
        elif child.name == "br":
            yield "\n"
        elif child.name == "tab":
            yield " "
        elif child.name not in ("Fallback", "pPr", "rPr"):
            yield from _words(child)


def chart_text(charts: Iterable[Node]) -> Iterator[str]:
    """What a chart says: its title, and for each series the values with the names of their places."""
    for chart in charts:
        for title in chart.below("title"):
            if told := " ".join(" ".join(text_lines_of(title)).split()):
                yield told
        for series in chart.below("ser"):
            name = " ".join(_points(series.find("tx"))) or "Series"
            places = _points(series.find("cat") or series.find("xVal"))
            values = _points(series.find("val") or series.find("yVal"))
            said = [f"{place} {value}" for place, value in zip(places, values, strict=False)] or values
            yield f"{name}: {', '.join(said)}" if said else name


def _points(node: Node | None) -> list[str]:
    if node is None:
        return []
    return [value for each in node.below("v") if (value := " ".join(each.text().split()))][:_MOST_POINTS]
