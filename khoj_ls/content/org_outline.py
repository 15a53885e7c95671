"""The headings of an Org file: orgparse splits the file and knows its TODO sets, what it reads otherwise than Org is put right.

Measured on orgparse 0.5: one impossible date (`<2024-02-31>`) or `:Effort: soon` anywhere makes it raise, its tag pattern takes
quadratic time on long headings and ends tags at `#`, `%` or a colon inside a word, tags come as a set, lower-case and
two-digit priorities and COMMENT stay in the title, and TODO words are also read from code blocks. So it is given the TODO
keywords and the stars and first word of each heading, every line at its place, and the rest of a heading is read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orgparse

from khoj_ls.content.org_source import OrgText
from khoj_ls.core.types import Problem

TODO_WORDS = ("TODO", "NEXT", "WAITING", "HOLD", "STARTED", "DOING")
"""Org's own TODO and what users commonly set in their Emacs and not in the file; a file's `#+TODO` replaces them."""
DONE_WORDS = ("DONE", "CANCELLED", "CANCELED")
"""The same for what is done."""

_STARS = re.compile(r"\*+[ \t]+")
_TODO_KEYWORDS = frozenset({"todo", "seq_todo", "typ_todo"})
_PRIORITY = re.compile(r"[ \t]*\[#([A-Za-z0-9]|\d\d)\][ \t]*")
_COMMENT = re.compile(r"[ \t]*COMMENT(?:[ \t]+|$)")
_TAGS = re.compile(r"[ \t](:[\w@#%:]+:)[ \t]*$")

_LONGEST_TODO = 64  # longer words cannot be TODO words, and orgparse's patterns are slow on them

_Node = tuple[int, int, int, "str | None"]  # first and last line, level, TODO word


@dataclass(frozen=True)
class Headline:
    """One heading line and the lines below it up to the next heading."""

    line: int
    """0-based."""
    last: int
    """Last line of its own text, 0-based, inclusive."""
    level: int
    title: tuple[int, int]
    """Columns of the title on its line: without stars, TODO word, priority, COMMENT and tags."""
    todo: str | None
    priority: str | None
    tags: tuple[str, ...]
    """Own tags, in order."""
    commented: bool


def read_outline(
    source: OrgText, todo_lines: Iterable[int], todo_words: Sequence[str], done_words: Sequence[str]
) -> tuple[list[Headline], tuple[Problem, ...]]:
    """All headings in order. `todo_lines` are the lines with `#+TODO` keywords; the words serve a file that sets none.

    Should orgparse raise, the headings are still there, with levels and tags but without TODO states, and a Problem says so.
    """
    given = [""] * len(source.lines)
    for line in todo_lines:
        given[line] = source.lines[line]
    for line in source.headings:
        stars, *rest = source.lines[line].split(None, 2)
        given[line] = stars + " " + (rest[0][:_LONGEST_TODO] if rest else "")
    problems: tuple[Problem, ...] = ()
    try:
        nodes = _nodes(orgparse.loadi(given, env=orgparse.OrgEnv(list(todo_words), list(done_words), "<lines>")))
        if [line for line, _, _, _ in nodes] != source.headings:
            raise ValueError("it found other headings than there are")
    except Exception as error:  # noqa: BLE001  a third party's parser on arbitrary text: the note must stay findable
        nodes = _plain_nodes(source)
        problems = (_could_not(error),)
    return [_headline(source.lines[node[0]], *node) for node in nodes], problems


def sets_todo(keyword: str) -> bool:
    """Whether the keyword defines TODO words."""
    return keyword.lower() in _TODO_KEYWORDS


def _nodes(root: orgparse.OrgRootNode) -> list[_Node]:
    return [(node.linenumber - 1, node.end_linenumber - 1, node.level, node.todo) for node in root.env.nodes[1:]]


def _plain_nodes(source: OrgText) -> list[_Node]:
    lasts = [line - 1 for line in [*source.headings[1:], len(source.lines)]]
    texts = [source.lines[line] for line in source.headings]
    return [
        (line, last, len(text) - len(text.lstrip("*")), None)
        for line, last, text in zip(source.headings, lasts, texts, strict=False)
    ]


def _could_not(error: Exception) -> Problem:
    why = f"{type(error).__name__}: {error}"
    return Problem(
        "warning", "org-outline", f"orgparse could not read the headings ({why}); they are indexed without TODO states"
    )


def _headline(text: str, line: int, last: int, level: int, todo: str | None) -> Headline:
    stars = _STARS.match(text)
    at = stars.end() if stars else level
    tags = _TAGS.search(text, max(at - 1, 0))
    end = len(text[: tags.start()] if tags else text.rstrip())
    word = todo if todo and (text[at : at + len(todo) + 1].strip() == todo) and at + len(todo) <= end else None
    at += len(word or "")
    priority = _PRIORITY.match(text, at, end)
    at = priority.end() if priority else at
    comment = _COMMENT.match(text, at, end)
    at = comment.end() if comment else at
    title = text[at:end]
    start = at + len(title) - len(title.lstrip())
    return Headline(
        line,
        last,
        level,
        (start, max(start, at + len(title.rstrip()))),
        word,
        priority[1] if priority else None,
        tuple(dict.fromkeys(tag for tag in tags[1].split(":") if tag)) if tags else (),
        comment is not None,
    )
