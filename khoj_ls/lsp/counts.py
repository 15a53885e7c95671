"""How often a note and each of its headings is linked to, and how many notes are near in meaning: for lenses and hints."""

from __future__ import annotations

from dataclasses import dataclass

from khoj_ls.core.jobs import CancelToken
from khoj_ls.graph.incoming import counts, incoming
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.spots import heading_end, heading_place, is_title_heading, title_span
from khoj_ls.lsp.asked import Asked
from khoj_ls.search.types import RelatedRequest

_NEAR = 0.5
"""Cosine from which a note counts as near in meaning."""
_MOST_NEAR = 20


@dataclass(frozen=True)
class Count:
    """What is known of the note or of one heading: bytes [start, end) of its line."""

    start: int
    end: int
    links: int
    near: int | None = None
    """None where it was not asked for, or cannot be told yet."""

    @property
    def text(self) -> str:
        """For people: `3 links, 5 related`; empty where there is nothing to say."""
        parts = [_number(self.links, "link", "links")] if self.links else []
        if self.near:
            parts.append(f"{self.near} related")
        return ", ".join(parts)


def counted(asked: Asked, *, note: bool, headings: bool, related: bool, token: CancelToken) -> list[Count]:
    """The counts of the note (links from other notes) and of its headings (any link) that are not nought, in source order."""
    if not asked.note.parsed.entries or not (note or headings):
        return []
    found = asked.vault.links(lambda network: _counted(asked, network, note=note, headings=headings))
    if related:
        found = [Count(each.start, each.end, each.links, _near(asked, each, token)) for each in found]
    return [each for each in found if each.links or each.near]


def _counted(asked: Asked, network: LinkNetwork, *, note: bool, headings: bool) -> list[Count]:
    links = incoming(network, asked.note)
    parsed = asked.note.parsed
    found = [Count(*title_span(parsed), sum(each.link.path != asked.path for each in links))] if note else []
    by_place = counts(links)
    for ordinal, entry in enumerate(parsed.entries if headings else ()):
        place = heading_place(entry, ordinal)
        if place is not None and not (note and is_title_heading(parsed, ordinal)):
            found.append(Count(entry.span.start, heading_end(entry), by_place.get(place.span.start, 0)))
    return found


def _near(asked: Asked, count: Count, token: CancelToken) -> int | None:
    line = asked.positions.position(count.start).line + 1
    whole = count.start == title_span(asked.note.parsed)[0]
    request = RelatedRequest(asked.path, line=None if whole else line, limit=_MOST_NEAR)
    hits = asked.vault.related(request, token).hits
    return sum("dense" in hit.sources and hit.sources["dense"].score >= _NEAR for hit in hits)


def _number(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
