"""The words of a paragraph of an OpenDocument file. OpenDocument 1.3, Part 3, 6 (paragraph elements)."""

from __future__ import annotations

import re

from khoj_ls.content.xml_tree import Node

_UNSEEN = frozenset(
    {
        "tracked-changes",
        "note-citation",
        "annotation-end",
        "title",
        "object",
        "notes",
        "ruby-text",
        "event-listeners",
        "binary-data",
    }
)
_MOST_BLANKS = 100


class OdfWords:
    """What a paragraph says, the notes in it, and the text boxes and tables that hang on it."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._said: list[str] = []
        self.notes: list[str] = []
        """Footnotes and comments, each in a line."""
        self.boxes: list[Node] = []

    @property
    def text(self) -> str:
        """In one or more lines. Blanks in a row are one, as in the format."""
        lines = "".join(self._said).split("\0")
        return "\n".join(" ".join(line.split()) for line in lines).strip()

    def read(self, node: Node) -> None:
        """Take the words of `node` and what is in it."""
        for child in node.children:
            if isinstance(child, str):
                self._said.append(child)
            else:
                self._read_node(child)

    def _read_node(self, node: Node) -> None:
        name = node.name
        if name in ("s", "tab"):
            many = node.get("c")
            self._said.append(" " * (min(int(many), _MOST_BLANKS) if re.fullmatch("[0-9]{1,6}", many) else 1))
        elif name == "line-break":
            self._said.append("\0")
        elif name == "note":
            self._note(node)
        elif name == "annotation":
            self.notes.append(comment(node))
        elif name in ("text-box", "table"):
            self.boxes.append(node)
        elif name == "desc":
            told = " ".join(node.text().split())
            self._said.append(f" [{told}] " if " " in told else "")
        elif name not in _UNSEEN:
            self.read(node)

    def _note(self, node: Node) -> None:
        sign = node.find("note-citation")
        body = node.find("note-body")
        told = plain(body) if body else ""
        cited = " ".join(sign.text().split()) if sign else "*"
        self._said.append(f"[{cited}]")
        if told:
            self.notes.append(f"[{cited}] {told}")


def comment(node: Node) -> str:
    """A comment with who wrote it, in a line."""
    author = node.find("creator")
    said = " ".join(plain(each) for each in node.nodes() if each.name in ("p", "list"))
    name = " ".join(author.text().split()) if author else ""
    return f"Comment by {name}: {said}" if name else f"Comment: {said}"


def plain(node: Node) -> str:
    """All words in `node` in a line, those of paragraphs apart from each other."""
    words = OdfWords()
    said = []
    found = list(node.below("p", "h"))
    for each in found or [node]:
        words = OdfWords()
        words.read(each)
        said.append(words.text)
    return " ".join(" ".join(said).split())
