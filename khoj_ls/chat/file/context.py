"""What a chat file is about: the links above the first question, and the very lines that a model was given of a note."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from khoj_ls.chat.file.answer import file_link
from khoj_ls.chat.file.layout import ChatFile, Format, mark_line
from khoj_ls.chat.types import ContextItem
from khoj_ls.core.text import text_lines
from khoj_ls.links.encode import decode

_MARKDOWN = re.compile(r"\[(?P<words>(?:[^\[\]\\\n]|\\.)*)\]\(<?(?P<target>file:[^()<>\s]+)>?\)")
_ORG = re.compile(r"\[\[file:(?P<target>(?:[^\[\]\\\n]|\\.)+)\](?:\[(?P<words>[^\]\n]*)\])?\]")
_LINES = re.compile(r":(\d+)(?:-(\d+))?\Z")
"""`router.md:5-7`: how a link's words say which lines it is about."""
_FRAGMENT = re.compile(r"L(\d+)(?:-L?(\d+))?\Z")
_GIVEN = re.compile(r"(\d+)-(\d+),([0-9a-f]{16}),(.+)")


@dataclass(frozen=True)
class Given:
    """Lines of a note as a model was given them."""

    path: str
    """Relative to the vault, posix."""
    line: int
    """From 1."""
    end_line: int
    digest: str
    """Of the text of the lines."""
    whole: bool = False
    """Whether they are the whole note."""

    def __str__(self) -> str:
        """As a mark line keeps it."""
        return f"{self.line}-{self.end_line},{self.digest},{'~' if self.whole else ''}{quote(self.path, safe='/')}"


@dataclass(frozen=True)
class Context:
    """What a question is about, and what of it an answer may be applied to."""

    items: tuple[ContextItem, ...]
    given: Given | None
    """The first note or selection; None where the chat is about folders, or about nothing in particular."""


def digest_of(text: str) -> str:
    """Tells texts apart; line ends and blanks at the ends of lines do not count, as editors take them away when saving."""
    return _digest(b"\n".join(_normal_lines(text)))


def _normal_lines(text: str) -> list[bytes]:
    return [line.rstrip().encode(errors="replace") for line in text_lines(text)]


def _digest(normal: bytes | memoryview) -> str:
    return hashlib.sha256(normal).hexdigest()[:16]


def lines_of(text: str, line: int, end_line: int) -> str:
    """Lines `line`..`end_line` (from 1, inclusive) of a text."""
    return "".join(text_lines(text)[line - 1 : end_line])


def given_lines(path: str, text: str, line: int | None = None, end_line: int | None = None) -> Given:
    """What is given with lines of a note that has `text`, or with all of it."""
    count = max(1, len(text_lines(text)))
    first = max(1, min(line or 1, count))
    last = max(first, min(end_line or first, count)) if line else count
    return Given(path, first, last, digest_of(lines_of(text, first, last)), whole=line is None)


def read_given(written: str) -> Given | None:
    """`Given` from its own `str`."""
    found = _GIVEN.fullmatch(written)
    if found is None:
        return None
    whole = found[4].startswith("~")
    return Given(unquote(found[4][whole:]), int(found[1]), int(found[2]), found[3], whole)


def find_given(text: str, given: Given) -> tuple[int, int] | None:
    """The lines of `text` that are what was given: where they were, else the one place they moved to; None where changed."""
    lines = _normal_lines(text)
    if given.whole:
        return (1, max(1, len(lines))) if digest_of(text) == given.digest else None
    # Every place is looked at in the one text that they all are pieces of: a long selection has as many as the note has lines.
    whole, starts = memoryview(b"\n".join(lines)), [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    size = given.end_line - given.line + 1

    def is_it(at: int) -> bool:
        return _digest(whole[starts[at] : starts[at + size] - 1]) == given.digest

    last = len(lines) - size
    if 0 <= given.line - 1 <= last and is_it(given.line - 1):
        return given.line, given.end_line
    found = [at for at in range(last + 1) if is_it(at)] if size > 0 else []
    return (found[0] + 1, found[0] + size) if len(found) == 1 else None


def preamble_for(format: Format, mark: str, root: Path, given: Given | None) -> str:
    """What stands above the first question of a new chat."""
    hint = (
        "Write below the last heading and ask with the code action or lens “Ask”. Links to notes above it are what it is about."
    )
    hint = f"# {hint}" if format == "org" else f"<!-- {hint} -->"
    if given is None:
        return hint
    file, name = root / given.path, given.path.rpartition("/")[2]
    if given.whole:
        return f"About {file_link(format, file, None, name)}.\n\n{hint}"
    link = file_link(format, file, given.line, f"{name}:{given.line}-{given.end_line}")
    return f"About {link}.\n{mark_line(format, mark, 'about', {'given': str(given)})}\n\n{hint}"


def context_of(file: ChatFile, root: Path, read: Callable[[str], str | None]) -> Context:
    """What the links above the first question mean; `read` gives the text of a note as it is now, None where there is none.

    A link whose words or place say lines is a selection; the one that was selected when the chat began is found again where it
    has moved. Links that lead out of the vault, or nowhere, are not followed.
    """
    known = [given for part in file.parts if part.kind == "about" and (given := read_given(part.attributes.get("given", "")))]
    items: list[ContextItem] = []
    first: Given | None = None
    for path, lines in _links(file, root):
        if os.path.isdir(root / path):  # noqa: PTH112 - Path.is_dir raises for names that are too long
            items.append(ContextItem("folder", path))
            continue
        text = read(path)
        if text is None:
            continue
        if lines is None:
            items.append(ContextItem("note", path, text=text))
            given = given_lines(path, text)
        else:
            own = next((each for each in known if each.path == path and (each.line, each.end_line) == lines), None)
            lines = (find_given(text, own) if own else None) or lines
            given = given_lines(path, text, *lines)
            chosen = lines_of(text, given.line, given.end_line)
            items.append(ContextItem("selection", path, given.line, given.end_line, chosen))
        first = first or given
    return Context(tuple(items), first)


def _links(file: ChatFile, root: Path) -> list[tuple[str, tuple[int, int] | None]]:
    """Paths in the vault that the preamble links to, with the lines that are meant; each once."""
    found: dict[tuple[str, tuple[int, int] | None], None] = {}
    for link in (_ORG if file.format == "org" else _MARKDOWN).finditer(file.preamble):
        target, lines = link["target"], None
        if file.format == "org":
            place, _, line = target.partition("::")
            path = decode(place, "org")
            fragment = re.fullmatch(r"(\d+)", line)
        else:
            try:
                parts = urlsplit(target)
            except ValueError:  # `file://[`: no address
                continue
            path, fragment = unquote(parts.path), _FRAGMENT.match(parts.fragment)
        if said := _LINES.search(link["words"] or ""):
            lines = (int(said[1]), int(said[2] or said[1]))
        elif fragment and int(fragment[1]) > 1:
            lines = (int(fragment[1]), int(fragment[fragment.lastindex or 1]))
        inside = _inside(path, root)
        if inside is not None:
            found[inside, lines] = None
    return list(found)


def _inside(path: str, root: Path) -> str | None:
    """Where `path` leads, relative to the vault, symbolic links followed; None for what is not in it."""
    try:
        file = Path(path).expanduser()
        return Path(os.path.realpath(file)).relative_to(root).as_posix() if file.is_absolute() else None
    except (ValueError, RuntimeError):  # elsewhere, or a NUL in it; `~nobody/` has no home
        return None
