"""Which place of a note a link's fragment means."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from khoj_ls.core.types import AnchorKind, Span
from khoj_ls.links.target import Fragment
from khoj_ls.links.text import fold, loose_slug, plain_heading, slug

_COOKIE = re.compile(r"\[(?:\d*/\d*|\d*%)\]")
_DUPLICATE = re.compile(r"(.+)-(\d+)")


@dataclass(frozen=True)
class Place:
    """A place in a note that a link may lead to."""

    kind: AnchorKind
    name: str
    span: Span
    entry: int = 0
    """Ordinal of the entry it stands in."""
    level: int = 0
    """Level of that entry; for headings how deep they are."""


def find_places(fragment: Fragment, places: Sequence[Place], text: Callable[[], str] = str) -> list[Place]:
    """The places of a note, in its order, that `fragment` means; more than one when nothing tells them apart.

    `places` are all of the note; `text` gives its source, which only line numbers and searches of Org ask for.
    """
    if fragment.kind in ("block", "custom_id", "footnote"):
        named = _named(places, fragment.text, fragment.kind)
        return named or (_by_slug(fragment.text, places) if fragment.kind == "custom_id" else [])
    if fragment.kind == "heading":
        return _headings(fragment, places)
    if fragment.kind == "line":
        return _line(int(fragment.text), text())
    if fragment.kind == "code":
        return _written(re.compile(re.escape(f"(ref:{fragment.text})")), text())
    if fragment.kind == "regex":
        return [Place("target", fragment.text, Span(0, 0, 1, 1))]  # Emacs shows all matches: there is no one place
    return _searched(fragment.text, places) or _written(_words(fragment.text), text())


def _named(places: Sequence[Place], name: str, kind: AnchorKind) -> list[Place]:
    """Anchors called `name`; those of other kinds when none of `kind` is."""
    wanted = fold(name)
    if kind == "footnote":
        # A footnote may be defined once; of several the first counts.
        return [place for place in places if place.kind == kind and fold(place.name) == wanted][:1]
    found = [place for place in places if place.kind not in ("heading", "footnote") and fold(place.name) == wanted]
    return [place for place in found if place.kind == kind] or found


def _headings(fragment: Fragment, places: Sequence[Place]) -> list[Place]:
    """By anchor name, then by heading text as Obsidian and Org compare it, then by the slug of GitHub or Dendron."""
    found = _first(_under(fragment.above, _equal(fragment.text, places), places))
    return found or _named(places, fragment.text, "custom_id") or _first(_by_slug(fragment.text, places))


def _first(found: list[Place]) -> list[Place]:
    """Of equal headings every tool goes to the first."""
    return found[:1]


def _equal(text: str, places: Sequence[Place]) -> list[Place]:
    wanted = _plain(text)
    return [place for place in places if place.kind == "heading" and _plain(place.name) == wanted] if wanted else []


def _plain(heading: str) -> str:
    return plain_heading(_COOKIE.sub(" ", heading))


def _under(above: tuple[str, ...], found: list[Place], places: Sequence[Place]) -> list[Place]:
    """Those of `found` that stand under headings `above`, which need not be all of their ancestors."""
    return [place for place in found if _stands_under(place, above, places)] if above else found


def _stands_under(place: Place, above: tuple[str, ...], places: Sequence[Place]) -> bool:
    waiting = [_plain(text) for text in above]
    level = place.level
    for before in reversed([other for other in places if other.kind == "heading" and other.span.start < place.span.start]):
        if before.level < level:
            level = before.level
            if waiting and _plain(before.name) == waiting[-1]:
                waiting.pop()
    return not waiting


def _by_slug(text: str, places: Sequence[Place]) -> list[Place]:
    """Headings by slug; `name-1` is the second heading with the slug `name` (github-slugger's numbering)."""
    headings = _one_per_line(places)
    seen: Counter[str] = Counter()
    slugs: list[str] = []
    for place in headings:
        base = made = slug(place.name)
        while made in seen:
            seen[base] += 1
            made = f"{base}-{seen[base]}"
        seen[made] = 0
        slugs.append(made)
    wanted = text.lower()
    if wanted in slugs:
        return [headings[slugs.index(wanted)]]
    loose = loose_slug(text)
    found = [place for place in headings if loose_slug(place.name) == loose] if loose else []
    if not found and (numbered := _DUPLICATE.fullmatch(text)):
        loose, number = loose_slug(numbered[1]), int(numbered[2])
        found = [place for place in headings if loose_slug(place.name) == loose][number:]
    return found


def _one_per_line(places: Sequence[Place]) -> list[Place]:
    """The headings; of two names of one heading (Org: as written and as read) the first."""
    found: dict[int, Place] = {}
    for place in places:
        if place.kind == "heading":
            found.setdefault(place.span.start, place)
    return list(found.values())


def _searched(text: str, places: Sequence[Place]) -> list[Place]:
    """Org's search by text: a dedicated target or `#+name`, then a heading, then a custom id or id."""
    wanted = fold(text)
    found = [place for place in places if place.kind == "target" and fold(place.name) == wanted]
    return found or _first(_equal(text, places)) or _named(places, text, "custom_id")


def _line(number: int, text: str) -> list[Place]:
    lines = text.splitlines(keepends=True)
    if not 1 <= number <= len(lines):
        return []
    start = len("".join(lines[: number - 1]).encode())
    return [Place("target", str(number), Span(start, start + len(lines[number - 1].encode()), number, number))]


def _words(text: str) -> re.Pattern[str]:
    return re.compile(r"\s+".join(re.escape(word) for word in text.split()), re.IGNORECASE)


def _written(pattern: re.Pattern[str], text: str) -> list[Place]:
    """The first place where the text itself matches."""
    found = pattern.search(text) if pattern.pattern else None
    if found is None:
        return []
    line = text.count("\n", 0, found.start()) + 1
    start = len(text[: found.start()].encode())
    return [Place("target", found[0], Span(start, start + len(found[0].encode()), line, line + found[0].count("\n")))]
