"""Which place of a note a link's fragment means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import NamedTuple

from khoj_ls.core.types import AnchorKind, Span
from khoj_ls.links.target import Fragment, FragmentKind
from khoj_ls.links.text import fold, loose_slug, plain_heading, slug

_COOKIE = re.compile(r"\[(?:\d*/\d*|\d*%)\]")
_DUPLICATE = re.compile(r"(.+)-(\d+)")


class Place(NamedTuple):
    """A place in a note that a link may lead to; a tuple, as one question may meet thousands of them."""

    kind: AnchorKind
    name: str
    span: Span
    entry: int = 0
    """Ordinal of the entry it stands in."""
    level: int = 0
    """Level of that entry; for headings how deep they are."""


class NotePlaces:
    """The places of one note, in source order, found by name in time that does not grow with their number."""

    def __init__(self, places: Iterable[Place]) -> None:
        """Take all places of the note."""
        self.all = tuple(places)

    @cached_property
    def headings(self) -> dict[str, list[Place]]:
        """Headings by the text that is compared."""
        return _grouped((_plain(place.name), place) for place in self.all if place.kind == "heading")

    @cached_property
    def named(self) -> dict[str, list[Place]]:
        """Everything but headings and footnotes, by folded name."""
        return _grouped((fold(place.name), place) for place in self.all if place.kind not in ("heading", "footnote"))

    @cached_property
    def slugs(self) -> dict[str, Place]:
        """Headings by slug; the second of one name has the number 1 behind it (github-slugger's numbering)."""
        taken: dict[str, int] = {}
        found: dict[str, Place] = {}
        for place in self._one_per_line():
            base = made = slug(place.name)
            while made in taken:
                taken[base] += 1
                made = f"{base}-{taken[base]}"
            taken[made] = 0
            found[made] = place
        return found

    @cached_property
    def loose(self) -> dict[str, list[Place]]:
        """Headings by what all slugs of them have in common."""
        return _grouped((loose_slug(place.name), place) for place in self._one_per_line())

    def _one_per_line(self) -> list[Place]:
        """The headings; of two names of one heading (Org: as read and as written) the first."""
        return list({place.span.start: place for place in reversed(self.all) if place.kind == "heading"}.values())[::-1]


def _grouped(pairs: Iterable[tuple[str, Place]]) -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    for name, place in pairs:
        found.setdefault(name, []).append(place)
    return found


def find_places(fragment: Fragment, places: NotePlaces, text: Callable[[], str] = str) -> list[Place]:
    """The places of a note, in its order, that `fragment` means; more than one when nothing tells them apart.

    `text` gives the note's source, which only line numbers and searches of Org ask for.
    """
    if fragment.kind == "footnote":
        # Of several definitions the first counts.
        return [each for each in places.all if each.kind == "footnote" and fold(each.name) == fold(fragment.text)][:1]
    if fragment.kind in ("block", "custom_id"):
        found = _named(places, fragment.text, fragment.kind)
        return found or (_by_slug(fragment.text, places) if fragment.kind == "custom_id" else [])
    if fragment.kind == "heading":
        return _headings(fragment, places)
    if fragment.kind == "line":
        return _line(int(fragment.text), text())
    if fragment.kind == "code":
        return _written(re.compile(re.escape(f"(ref:{fragment.text})")), text())
    if fragment.kind == "regex":
        return [Place("target", fragment.text, Span(0, 0, 1, 1))]  # Emacs shows all matches: there is no one place
    return _searched(fragment.text, places) or _written(_words(fragment.text), text())


def _named(places: NotePlaces, name: str, kind: FragmentKind) -> list[Place]:
    """Anchors called `name`; those of other kinds when none of `kind` is."""
    found = places.named.get(fold(name), [])
    return [place for place in found if place.kind == kind] or found


def _headings(fragment: Fragment, places: NotePlaces) -> list[Place]:
    """By heading text as Obsidian and Org compare it, then by an anchor's name, then by the slug of GitHub or Dendron.

    Of equal headings every tool goes to the first.
    """
    wanted = _plain(fragment.text)
    found = [each for each in places.headings.get(wanted, ()) if _stands_under(each, fragment.above, places)] if wanted else []
    found = found or _named(places, fragment.text, "custom_id") or _by_slug(fragment.text, places)
    return [place for place in found[:1] if _stands_under(place, fragment.above, places)]


def _plain(heading: str) -> str:
    return plain_heading(_COOKIE.sub(" ", heading) if "[" in heading else heading)


def _stands_under(place: Place, above: tuple[str, ...], places: NotePlaces) -> bool:
    """Whether `place` stands under headings `above`, which need not be all of its ancestors."""
    waiting = [_plain(text) for text in above]
    level = place.level
    for before in reversed(places.all) if waiting else ():
        if before.kind == "heading" and before.span.start < place.span.start and before.level < level:
            level = before.level
            if waiting and _plain(before.name) == waiting[-1]:
                waiting.pop()
    return not waiting


def _by_slug(text: str, places: NotePlaces) -> list[Place]:
    """The heading that has the slug `text`, whichever tool made it."""
    if exact := places.slugs.get(text.lower()):
        return [exact]
    found = places.loose.get(loose_slug(text), []) if loose_slug(text) else []
    if not found and (numbered := _DUPLICATE.fullmatch(text)):
        found = places.loose.get(loose_slug(numbered[1]), [])[int(numbered[2]) :]
    return found[:1]


def _searched(text: str, places: NotePlaces) -> list[Place]:
    """Org's search by text: a dedicated target or `#+name`, then a heading, then a custom id or id."""
    found = [place for place in places.named.get(fold(text), ()) if place.kind == "target"]
    return found or places.headings.get(_plain(text), [])[:1] or _named(places, text, "custom_id")


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
