"""Source code as entries: functions, methods and classes under their names, with the comments above them.

Parsed by tree-sitter, which reads code with errors in it as well. Where it is not installed, files of code are no notes.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from khoj_ls.content.code_languages import BY_EXTENSION, COMMENTS, FUNCTIONS, LANGUAGES, THROUGH, WRAPPERS, Language
from khoj_ls.content.line_markup import Found
from khoj_ls.content.outlined import Head, outlined
from khoj_ls.core.protocols import ContentProcessor, Needs
from khoj_ls.core.text import LineIndex, decode_source
from khoj_ls.core.types import Link, ParsedFile, Problem

if TYPE_CHECKING:
    from tree_sitter import Node, TreeCursor

_MOST_DEPTH = 40
_LONGEST_MEAN = 300
"""Characters to a line, above which no hand has written the file: it was minified, or holds data."""
_LONGEST_NAME = 200
_MARKS = re.compile(r"^\s*(?:/\*+|\*+/|\*|///?!?|//|#+!?|--+(?:\[=*\[)?|=begin|=end)?\s?")
_CLOSING = re.compile(r"\s*\*+/\s*$")
_PUNCTUATION = re.compile(r"[\s{}()\[\];,]*(?:end|endif|fi|done)?[\s{}()\[\];,]*")


class CodeProcessor:
    """Reads source code. The suffix tells the language; the name of the file reaches no text."""

    name = "code"
    extensions: tuple[str, ...] = tuple(BY_EXTENSION)
    priority = 0
    path_matters = True
    needs = Needs(("tree_sitter", *sorted({language.module for language in LANGUAGES})), "khoj-ls[code]")

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data` in the language of the suffix of `path`. Never raises on content."""
        text, problems = decode_source(data)
        index = LineIndex(text)
        language = BY_EXTENSION[PurePosixPath(path.lower()).suffix]
        if len(index) and len(text) / len(index) > _LONGEST_MEAN:
            what = "the file seems to be generated: its lines are too long for people, and it is left out"
            return ParsedFile(self.name, None, (), problems=(*problems, Problem("warning", "generated", what)))
        code = _Code(text, index, language)
        return outlined(
            self.name,
            None,
            text,
            code.heads(),
            shown=code.shown(),
            links=code.links(),
            properties=[("language", language.name)],
            problems=problems,
        )


def code_processors() -> list[ContentProcessor]:
    """The processor for code, where tree-sitter is installed: nobody who has not asked for it finds code among the notes."""
    return [CodeProcessor()] if find_spec("tree_sitter") is not None else []


def _comments(cursor: TreeCursor) -> Iterator[Node]:
    """The comments of a file, in order.

    Not by a query of tree-sitter: that takes quadratic time where brackets are never closed.
    """
    while True:
        node = cursor.node
        if node is not None and node.type in COMMENTS:
            yield node
        elif cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


@dataclass(frozen=True)
class _Definition:
    name: str
    level: int
    first: int
    """Lines from 1, both inclusive."""
    last: int


class _Code:
    """One file of code."""

    def __init__(self, text: str, index: LineIndex, language: Language) -> None:
        import tree_sitter

        self._index = index
        self._language = language
        self._lines = [line.rstrip("\r\n") for line in index.lines]
        grammar = tree_sitter.Language(getattr(import_module(language.module), language.function)())
        tree = tree_sitter.Parser(grammar).parse(text.encode())
        self._root = tree.root_node
        self._comments = self._lines_of_comments(_comments(tree.walk()))

    def heads(self) -> list[Head]:
        """Where definitions begin, and what stands behind them in what holds them."""
        found: list[Head] = []
        open_: list[_Definition] = []
        for each in self._definitions():
            while open_ and open_[-1].last < each.first:
                self._rest(found, open_, each.first)
            first = self._above(each.first, max(found[-1].line if found else 0, open_[-1].first if open_ else 0))
            if not found or first > found[-1].line:
                found.append(Head(first, each.name, each.level, lines=0))
                open_.append(each)
        while open_:
            self._rest(found, open_, len(self._lines) + 1)
        return found

    def _rest(self, found: list[Head], open_: list[_Definition], before: int) -> None:
        """Close the innermost definition: what follows it belongs to what holds it."""
        closed = open_.pop()
        end = min(before, open_[-1].last + 1) if open_ else before
        comments_of_next = self._above(before, closed.last) if end == before else end
        says = any(not _PUNCTUATION.fullmatch(line) for line in self._lines[closed.last : comments_of_next - 1])
        if says and found and closed.last + 1 > found[-1].line:
            found.append(Head(closed.last + 1, under=closed.level - 1))

    def _above(self, line: int, floor: int) -> int:
        """The first line of the comments right above `line`, which stand below the line `floor`."""
        while line - 1 > floor and (line - 1 in self._comments or self._lines[line - 2].lstrip().startswith(("#[", "@"))):
            line -= 1
        return line

    def _definitions(self) -> Iterator[_Definition]:
        """The definitions in the order of the file, those of a class behind it."""
        waiting: list[tuple[Node, int, int, Node]] = [(self._root, 0, 0, self._root)]
        while waiting:
            node, level, depth, outer = waiting.pop()
            name = self._name(node) if node.type in self._language.defines else ""
            inside = level + 1 if name else level
            if name:
                last = max(outer.end_byte - 1, outer.start_byte)
                yield _Definition(name, inside, self._line(outer.start_byte), self._line(last))
            looked_into = self._language.holds if name else THROUGH | self._language.defines
            if node.type in looked_into and depth < _MOST_DEPTH:
                wraps = node.type in WRAPPERS and not name
                children = reversed(node.named_children)
                waiting += [(child, inside, depth + 1, outer if wraps else child) for child in children]

    def _name(self, node: Node) -> str:
        """What a node defines; empty where it only declares or uses it."""
        if node.type == "variable_declarator":
            value = node.child_by_field_name("value")
            if value is None or value.type not in FUNCTIONS:
                return ""
        if node.type.endswith("_specifier") and node.child_by_field_name("body") is None:
            return ""
        named = node.child_by_field_name("name") or node.child_by_field_name("declarator") or node.child_by_field_name("type")
        while named is not None and (inner := named.child_by_field_name("declarator")) is not None:
            named = inner
        text = (named.text or b"").decode(errors="replace") if named is not None else ""
        return " ".join(text.split())[:_LONGEST_NAME]

    def _lines_of_comments(self, comments: Iterable[Node]) -> frozenset[int]:
        """Lines that hold nothing but a comment."""
        lines: set[int] = set()
        for node in comments:
            first, last = self._line(node.start_byte), self._line(max(node.end_byte - 1, node.start_byte))
            before = self._index.lines[first - 1].encode()[: node.start_byte - self._index.byte_starts[first - 1]]
            if not before.strip():
                lines.update(range(first, last + 1))
        return frozenset(lines)

    def _line(self, byte: int) -> int:
        return max(1, min(bisect_right(self._index.byte_starts, byte), len(self._lines)))

    def shown(self) -> list[str]:
        """The code, comments without their marks."""
        return [
            _CLOSING.sub("", _MARKS.sub("", line)) if at in self._comments else line
            for at, line in enumerate(self._lines, start=1)
        ]

    def links(self) -> list[Link]:
        """Addresses in comments."""
        found = Found(self._index)
        for line in sorted(self._comments):
            found.urls(self._index.lines[line - 1], self._index.char_starts[line - 1])
        return found.links
