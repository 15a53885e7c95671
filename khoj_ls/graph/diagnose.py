"""What is wrong with the links and ids of a note: links that lead nowhere or to several notes, ids given twice, orphans."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from khoj_ls.core.types import Anchor, Span
from khoj_ls.graph.network import LinkNetwork, ResolvedLink
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.links.rewrite import written_target
from khoj_ls.links.text import fold
from khoj_ls.store.links import anchors_of, file_at, names_with_keys

Code = Literal["broken-link", "broken-anchor", "ambiguous-link", "duplicate-id", "orphan"]
"""Stable: clients show it, settings and suppressions name it."""

CODES: tuple[Code, ...] = get_args(Code)
_LINK_CODES: MappingProxyType[str, Code] = MappingProxyType(
    {"broken": "broken-link", "broken_anchor": "broken-anchor", "ambiguous": "ambiguous-link"}
)
_MOST_RELATED = 8


@dataclass(frozen=True)
class Related:
    """Another place that a finding is about."""

    path: str
    span: Span
    message: str


@dataclass(frozen=True)
class Finding:
    """Something wrong, with its place in the note: bytes [start, end)."""

    code: Code
    start: int
    end: int
    message: str
    link: ResolvedLink | None = None
    name: str = ""
    """Of a duplicate id the id."""
    related: tuple[Related, ...] = ()


def diagnose(network: LinkNetwork, note: OpenNote, codes: Iterable[Code] = CODES) -> list[Finding]:
    """What is wrong in `note` as its editor shows it, in the order of the text; only findings with one of `codes`."""
    wanted = frozenset(codes)
    found: list[Finding] = []
    if wanted & set(_LINK_CODES.values()):
        found += [each for link in network.links_in(note.path, note.parsed) for each in _of_link(link, note.source)]
    if "duplicate-id" in wanted:
        found += _duplicates(network, note)
    if "orphan" in wanted and (orphan := _orphan(network, note)):
        found.append(orphan)
    return sorted((each for each in found if each.code in wanted), key=lambda each: (each.start, each.end))


def _of_link(link: ResolvedLink, source: bytes) -> Iterator[Finding]:
    resolution = link.resolution
    code = _LINK_CODES.get(resolution.state)
    if code is None:
        return
    start, end = link.link.span.start, link.link.span.end
    written = written_target(source, link.link, _type_of(link.path))
    if code == "broken-anchor" and written is not None and written.place is not None:
        begin, stop = written.place
        start, end = (written.start + len(written.text[:at].encode(errors="surrogateescape")) for at in (begin, stop))
    related: tuple[Related, ...] = ()
    if code == "ambiguous-link":
        related = tuple(
            Related(each.path, each.place.span if each.place else Span(0, 0, 1, 1), "may be meant")
            for each in resolution.targets[:_MOST_RELATED]
        )
    yield Finding(code, start, end, _sentence(resolution.why, link), link, related=related)


def _sentence(why: str, link: ResolvedLink) -> str:
    text = why or f"nothing is found for {link.link.target}"
    return text[0].upper() + text[1:]


def _type_of(path: str) -> str:
    return "org" if path.lower().endswith(".org") else "markdown"


# -- ids -----------------------------------------------------------------------------------------------------------------


def _duplicates(network: LinkNetwork, note: OpenNote) -> Iterator[Finding]:
    """Ids that are given more than once: in the vault for ids, in the note for custom ids and block ids."""
    anchors = [
        anchor for entry in note.parsed.entries for anchor in entry.anchors if anchor.kind in ("id", "custom_id", "block")
    ]
    groups: dict[tuple[str, str], list[Anchor]] = defaultdict(list)
    for anchor in anchors:
        groups[anchor.kind, fold(anchor.name)].append(anchor)
    elsewhere = _elsewhere(network, note, [name for kind, name in groups if kind == "id"])
    for (kind, name), same in groups.items():
        others = elsewhere.get(name, []) if kind == "id" else []
        if len(same) + len(others) < 2 or len({anchor.span for anchor in same}) + len(others) < 2:
            continue
        for anchor in same:
            start, end = _where_written(note.source, anchor)
            here = [Related(note.path, each.span, "given here too") for each in same if each.span != anchor.span]
            related = (*here, *others)[:_MOST_RELATED]
            count = len(same) + len(others)
            yield Finding(
                "duplicate-id",
                start,
                end,
                f"The {_NOUNS[kind]} {anchor.name} is given {count} times",
                None,
                anchor.name,
                related,
            )


_NOUNS = MappingProxyType({"id": "id", "custom_id": "custom id", "block": "block id"})


def _elsewhere(network: LinkNetwork, note: OpenNote, ids: list[str]) -> dict[str, list[Related]]:
    """The places in other notes that have one of `ids`, as the index knows them."""
    if not ids:
        return {}
    rows = {
        (key, row.file_id, row.path)
        for key, named in names_with_keys(network.connection, ids).items()
        for row in named
        if row.source == "id" and row.path != note.path
    }
    found: dict[str, list[Related]] = defaultdict(list)
    places = anchors_of(network.connection, {file_id for _, file_id, _ in rows}) if rows else {}
    for key, file_id, path in sorted(rows):
        spans = [row.span for row in places.get(file_id, ()) if row.kind == "id" and fold(row.name) == key]
        found[key] += [Related(path, span, "given here too") for span in spans or [Span(0, 0, 1, 1)]]
    return found


_ID_LINE = (
    r"^[ \t]*(?:[-*+][ \t]+)?(?::(?:ID|CUSTOM_ID):[ \t]+|id::?[ \t]+[\"']?|.*?[ \t]?\^|.*?\bid=[\"']?|.*?\{#)"
    r"(%s)[\"'}> \t]*.*$"
)


def _where_written(source: bytes, anchor: Anchor) -> tuple[int, int]:
    """Where the id itself stands: in the block, or in the drawer below the heading; else the anchor's first line."""
    window = source[anchor.span.start : anchor.span.end + 2000].decode(errors="surrogateescape")
    pattern = re.compile(_ID_LINE % re.escape(anchor.name), re.M | re.I)
    if found := pattern.search(window):
        start = anchor.span.start + len(window[: found.start(1)].encode(errors="surrogateescape"))
        return start, start + len(found[1].encode(errors="surrogateescape"))
    first = source.find(b"\n", anchor.span.start, anchor.span.end)
    return anchor.span.start, first if first > anchor.span.start else anchor.span.end


# -- orphans, and a whole vault ------------------------------------------------------------------------------------------


def _orphan(network: LinkNetwork, note: OpenNote) -> Finding | None:
    known = file_at(network.connection, note.path)
    if known is None or network.backlinks(known[0]):
        return None
    line = note.source.find(b"\n")
    end = len(note.source) if line < 0 else line
    return Finding("orphan", 0, max(0, end - (note.source[end - 1 : end] == b"\r")), "No other note links to this one")


def suspects(network: LinkNetwork, codes: Iterable[Code], step: Callable[[], None] = lambda: None) -> list[str]:
    """Paths of the notes of the vault that may have findings with one of `codes`; `step` may raise to stop.

    Reads every link of the vault: seconds for a large one.
    """
    wanted = frozenset(codes)
    found: set[str] = set()
    linked: set[int | None] = set()
    for link in network.all_links():
        step()
        if _LINK_CODES.get(link.resolution.state) in wanted:
            found.add(link.path)
        linked.update(target.file_id for target in link.resolution.targets if target.file_id != link.file_id)
    connection = network.connection
    if "duplicate-id" in wanted:
        twice = (
            "SELECT f.path FROM anchor a JOIN file f ON f.id = a.file_id WHERE a.kind = 'id' AND a.name IN "
            "(SELECT name FROM anchor WHERE kind = 'id' GROUP BY name HAVING count(*) > 1) UNION "
            "SELECT f.path FROM anchor a JOIN file f ON f.id = a.file_id WHERE a.kind IN ('custom_id', 'block') "
            "GROUP BY a.file_id, a.kind, a.name HAVING count(*) > 1"
        )
        found.update(row[0] for row in connection.execute(twice))
    if "orphan" in wanted:
        rows = connection.execute("SELECT id, path FROM file WHERE status = 'indexed'")
        found.update(path for file_id, path in rows if file_id not in linked)
    return sorted(found)
