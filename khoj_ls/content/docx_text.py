"""The words of a paragraph of a DOCX file, without what is not seen: deletions, field codes, second versions of drawings.

ECMA-376, Part 1, 17.3 (paragraphs and runs), 17.13.5 (revisions), 22.1 (equations).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import MappingProxyType

from khoj_ls.content.docx_styles import written
from khoj_ls.content.xml_tree import Node

_UNSEEN = frozenset({"pPr", "rPr", "del", "moveFrom", "instrText", "delText", "delInstrText", "Fallback", "sdtPr"})
_SIGNS = MappingProxyType({"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": "\t"})
_HOLDERS = frozenset({"sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"})
_CHARACTERS = frozenset({"t"})


class Words:
    """What a paragraph says, the notes it refers to, and the paragraphs of text boxes that hang on it."""

    def __init__(self, numbers: dict[tuple[str, str], str]) -> None:
        """Nothing yet. `numbers` says by what sign each note is referred to, and is added to."""
        self._numbers = numbers
        self._said: list[str] = []
        self.notes: list[tuple[str, str]] = []
        """`footnote`, `endnote` or `comment`, and its id."""
        self.boxes: list[Node] = []
        """The contents of text boxes."""

    @property
    def text(self) -> str:
        """In one or more lines."""
        return "".join(self._said).replace("\t", " ").strip()

    def read(self, node: Node) -> None:
        """Take the words of `node` and what is in it."""
        for child in node.nodes():
            name = child.name
            if name in _CHARACTERS:
                self._said.append(child.text())
            elif name in _SIGNS:
                self._said.append(_SIGNS[name])
            elif name == "txbxContent":
                self.boxes.append(child)
            elif name in ("footnoteReference", "endnoteReference", "commentReference"):
                self._refer(name.removesuffix("Reference"), child.get("id"))
            elif name in _EQUATION:
                self._said.append(equation(child).replace("\u2061", ""))
            elif name == "docPr":
                self._picture(child)
            elif name not in _UNSEEN:
                self.read(child)

    def _refer(self, kind: str, note: str) -> None:
        self.notes.append((kind, note))
        if kind != "comment":
            key = (kind, note)
            if key not in self._numbers:
                count = sum(each == kind for each, _ in self._numbers) + 1
                self._numbers[key] = str(count) if kind == "footnote" else written(count, "lowerRoman")
            self._said.append(f"[{self._numbers[key]}]")

    def _picture(self, node: Node) -> None:
        """What an author wrote for those who do not see a picture; names of files are none."""
        told = " ".join(node.get("descr").split())
        if " " in told:
            self._said.append(f"[{told}]")


def equation(node: Node) -> str:
    """An equation in a line: `(a+b)/2`, `x^2`."""
    rule = _EQUATION.get(node.name)
    if rule:
        return rule(node)
    return "".join(child.text() if child.name in _CHARACTERS else equation(child) for child in node.nodes())


def _part(node: Node, name: str) -> str:
    found = node.find(name)
    return equation(found).strip() if found else ""


def _grouped(text: str) -> str:
    return text if len(text) < 2 or text.isalnum() else f"({text})"


def _fraction(node: Node) -> str:
    return f"{_grouped(_part(node, 'num'))}/{_grouped(_part(node, 'den'))}"


def _scripts(node: Node) -> str:
    sub, sup = _part(node, "sub"), _part(node, "sup")
    return _part(node, "e") + (f"_{_grouped(sub)}" if sub else "") + (f"^{_grouped(sup)}" if sup else "")


def _root(node: Node) -> str:
    degree = _part(node, "deg")
    return f"√{degree and f'[{degree}]'}({_part(node, 'e')})"


def _sum(node: Node) -> str:
    sign = node.find("naryPr", "chr")
    sub, sup = _part(node, "sub"), _part(node, "sup")
    limits = (f"_{_grouped(sub)}" if sub else "") + (f"^{_grouped(sup)}" if sup else "")
    return f"{(sign.get('val') if sign else '') or '∫'}{limits} {_part(node, 'e')}"


def _delimited(node: Node) -> str:
    return f"({', '.join(equation(each) for each in node.nodes() if each.name == 'e')})"


def _row(node: Node) -> str:
    return "".join(equation(child) if child.name not in _CHARACTERS else child.text() for child in node.nodes())


_EQUATION: MappingProxyType[str, Callable[[Node], str]] = MappingProxyType(
    {
        "oMath": _row,
        "oMathPara": _row,
        "f": _fraction,
        "sSup": _scripts,
        "sSub": _scripts,
        "sSubSup": _scripts,
        "rad": _root,
        "nary": _sum,
        "d": _delimited,
    }
)


def direct(node: Node, name: str) -> Iterator[Node]:
    """The rows of a table or cells of a row, also where content controls or revisions hold them; none of tables within it."""
    for child in node.nodes():
        if child.name == name:
            yield child
        elif child.name in _HOLDERS:
            yield from direct(child, name)


def paragraphs(node: Node) -> Iterator[Node]:
    """The paragraphs and tables in a body, cell or text box, in order, also where content controls or revisions hold them."""
    for child in node.nodes():
        if child.name in ("p", "tbl"):
            yield child
        elif child.name in _HOLDERS:
            yield from paragraphs(child)
        elif child.name == "AlternateContent":
            chosen = child.find("Choice")
            if chosen:
                yield from paragraphs(chosen)
