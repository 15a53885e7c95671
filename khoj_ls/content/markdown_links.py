"""The small grammars inside Markdown text: link destinations, reference definitions, wikilinks, URLs and tags.

Every function reads at a given place and costs time linear in what it reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from khoj_ls.core.types import LinkKind

_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
BLOCK_REFERENCE = re.compile(rf"\(\(({_UUID})\)\)")
WIKILINK = re.compile(r"\[\[([^\[\]\n]+)\]\]")
EMBED_MACRO = re.compile(r"\{\{embed[ \t]+\[\[([^\[\]\n]+)\]\][ \t]*\}\}")
FOOTNOTE = re.compile(r"\[\^([^\]\[\s]+)\]")

# Obsidian ends a tag at white space and at most punctuation; dashes, slashes and joiners (in emoji) may be inside.
_NOT_IN_TAG = (
    r"\s!-,.:-@\[-^`{-~\u00a1-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf"
    r"\u2000-\u200b\u200e-\u206f\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020\u3030\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
TAG = re.compile(rf"#(?:\[\[([^\[\]\n]+)\]\]|([^{_NOT_IN_TAG}]+))")
DOTTED_TAG = re.compile(rf"#(?:\[\[([^\[\]\n]+)\]\]|([^{_NOT_IN_TAG}]+(?:\.[^{_NOT_IN_TAG}]+)*))")
"""As Dendron writes them: `#role.gardener`."""

_URL_REST = re.compile(r"://[^\s<>\"`\[\]{}|\\^\u3001\u3002\uff0c\uff1b\uff09\u300d\u300f]+")
_SCHEME = re.compile(r"(?:https?|ftp)$", re.I)
_DEFINITION = re.compile(
    r"^[ \t]*\[(?!\^)((?:[^\[\]\\\n]|\\.)+)\]:[ \t]*(?:\n[ \t]*)?(<[^<>\n]*>|[^\s<]\S*)"
    r"(?:(?:[ \t]+|[ \t]*\n[ \t]*)(?:\"[^\"\n]*\"|'[^'\n]*'|\([^()\n]*\)))?[ \t]*$",
    re.M,
)
_ADDRESS = re.compile(r"[/:#]|\.\w")
_ANGLED = re.compile(r"<((?:[^<>\\\n]|\\.)*)>")
_PLAIN_RUN = re.compile(r"(?:[^\s()\\]|\\.)*")
_TITLE = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|\((?:[^()\\]|\\.)*\)", re.S)
_BLANKS = re.compile(r"[ \t]*\n?[ \t]*")
_LOOSE = re.compile(r"([^()<>\[\]\n\"']+)\)")
_NESTED_PARENTHESES = 32
_MAX_LABEL = 999
"""CommonMark's longest reference label."""


class Target(NamedTuple):
    """What stands behind the brackets of a link."""

    kind: LinkKind
    target: str
    end: int
    """Offset behind the link's last character."""


def inline_target(text: str, position: int, end: int) -> Target | None:
    """The target of an inline link whose `(` is at `position`; None when there is no well-formed one before `end`."""
    at = _skip_blanks(text, position + 1, end)
    if (block := BLOCK_REFERENCE.match(text, at, end)) and text.startswith(")", block.end(), end):
        return Target("block", block[1], block.end() + 1)
    if (page := WIKILINK.match(text, at, end)) and text.startswith(")", page.end(), end):
        return Target("wikilink", page[1].strip(), page.end() + 1)
    return _strict_target(text, at, end) or _loose_target(text, at, end)


def _strict_target(text: str, at: int, end: int) -> Target | None:
    """CommonMark's destination and optional title, from behind the blanks after the `(`."""
    if angled := _ANGLED.match(text, at, end):
        target, at = angled[1], angled.end()
    else:
        stop = _balanced_end(text, at, end)
        target, at = text[at:stop], stop
    after = _skip_blanks(text, at, end)
    if after > at and (title := _TITLE.match(text, after, end)):
        after = _skip_blanks(text, title.end(), end)
    return Target("markdown", target, after + 1) if text.startswith(")", after, end) else None


def _loose_target(text: str, at: int, end: int) -> Target | None:
    """A file's name with blanks in it: no CommonMark, but Logseq and many hands write it."""
    found = _LOOSE.match(text, at, end)
    if not found:
        return None
    target = found[1].strip()
    suffix = target.partition("#")[0].rpartition(".")[2]
    return Target("markdown", target, found.end()) if suffix != target and suffix.isalnum() and len(suffix) <= 8 else None


def _balanced_end(text: str, at: int, end: int) -> int:
    """Offset at which a destination without angle brackets ends: a blank, or a `)` that none of its `(` asks for."""
    depth = 0
    while True:
        run = _PLAIN_RUN.match(text, at, end)
        at = run.end() if run else at
        if at < end and text[at] == "(" and depth < _NESTED_PARENTHESES:
            depth += 1
        elif at < end and text[at] == ")" and depth:
            depth -= 1
        else:
            return at
        at += 1


def _skip_blanks(text: str, at: int, end: int) -> int:
    found = _BLANKS.match(text, at, end)
    return found.end() if found else at


class References(NamedTuple):
    """The reference definitions of a text."""

    targets: Mapping[str, str]
    """Label (see `label_key`) to target as written; of two definitions the first counts."""
    ranges: tuple[tuple[int, int], ...]
    """Where the definitions stand, in characters."""


def reference_definitions(text: str, is_text: Callable[[int], bool]) -> References:
    """All `[label]: target "title"` definitions that begin at an offset for which `is_text` holds.

    Something like `[Bob]: yes` is a definition by the book; it counts only where `yes` looks like an address, so that
    a transcript does not vanish.
    """
    targets: dict[str, str] = {}
    ranges: list[tuple[int, int]] = []
    if "]:" not in text:
        return References(targets, ())
    for found in _DEFINITION.finditer(text):
        label, target = found[1], found[2]
        angled = target.startswith("<")
        if is_text(found.start()) and (angled or _ADDRESS.search(target)):
            targets.setdefault(label_key(label), target[1:-1] if angled else target)
            ranges.append(found.span())
    return References(targets, tuple(ranges))


def label_key(label: str) -> str:
    """The form in which reference labels are compared: case folded, blanks as one; empty when too long to be a label."""
    return " ".join(label.casefold().split()) if len(label) <= _MAX_LABEL else ""


def wiki_parts(inner: str, *, label_first: bool) -> tuple[str, str | None]:
    """Target and label of a wikilink from the text inside its brackets.

    Most tools write `target|label`, the bar escaped in tables; Dendron writes `label|target`.
    """
    left, bar, right = inner.replace("\\|", "|").partition("|")
    left, right = left.strip(), right.strip()
    if not bar:
        return left, None
    return (right, left or None) if label_first else (left, right or None)


def wiki_text(target: str, label: str | None) -> str:
    """How a wikilink reads: its label, else its target with `#` as an arrow and without block ids."""
    if label and not label.replace("x", "").isdigit():  # `![[image|300x200]]` gives a size
        return label
    return " > ".join(part for part in target.split("#") if part and not part.startswith("^"))


def url_range(text: str, colon: int, begin: int, end: int) -> tuple[int, int] | None:
    """Start and end of the bare URL whose `://` is at `colon`; None when no known scheme stands before it.

    Closing punctuation is the sentence's, not the URL's, and so is a `)` that nothing in the URL opens (as GFM has it).
    """
    scheme = _SCHEME.search(text, max(begin, colon - 5), colon)
    rest = _URL_REST.match(text, colon, end)
    if not scheme or not rest or (scheme.start() > begin and text[scheme.start() - 1].isalnum()):
        return None
    stop = rest.end()
    surplus = text.count(")", colon, stop) - text.count("(", colon, stop)
    while stop > colon + 3:
        last = text[stop - 1]
        if last == ")" and surplus > 0:
            surplus -= 1
        elif last not in ".,;:!?'*_~":
            break
        stop -= 1
    return (scheme.start(), stop) if stop > colon + 3 else None
