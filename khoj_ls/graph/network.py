"""The links between the notes of a vault, as one snapshot of the index has them.

    with database.read() as connection:
        network = LinkNetwork(connection, conventions, files)
        network.backlinks(file_id)

Nothing is stored as resolved: a link is looked up by its key among the names of all notes and decided by the rules of `links/`.
So a note that comes, goes or is renamed changes only its own rows, and every answer is that of an index built anew.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import cast

from khoj_ls.core.text import text_lines
from khoj_ls.core.types import Link, LinkKind, ParsedFile, Span
from khoj_ls.graph.other_files import NoFiles, OtherFiles
from khoj_ls.links.anchors import NotePlaces, Place, find_places
from khoj_ls.links.attachment import attachment_paths
from khoj_ls.links.conventions import PLAIN, Conventions
from khoj_ls.links.names import NameSource
from khoj_ls.links.resolve import Candidate, Destination, Resolution, resolve_note
from khoj_ls.links.target import Fragment, FragmentKind, LinkTarget, read_target
from khoj_ls.links.text import fold
from khoj_ls.store import links as store

_BATCH = 256
"""Notes whose links are resolved at once."""


KnownTexts = dict[str, tuple[NotePlaces, str]]
"""Anchors and source of notes whose text is newer than the index, by path."""

_SHOWN = re.compile(r"(?:page|nameddest|zoom|view|viewrect|search|height|width|xywh|t)=\S", re.IGNORECASE)
_UNWRITTEN = Span(0, 0, 1, 1)

_NOUNS: MappingProxyType[FragmentKind, str] = MappingProxyType(
    {
        "heading": "heading",
        "block": "block",
        "custom_id": "custom id",
        "line": "line",
        "search": "place",
        "regex": "match of",
        "code": "code reference",
        "footnote": "footnote",
    }
)


@dataclass(frozen=True)
class ResolvedLink:
    """A link, where it stands and where it leads."""

    path: str
    """The note it stands in."""
    file_id: int | None
    """None while the index does not hold that note."""
    entry: int
    """Ordinal of the entry it stands in."""
    link: Link
    target: LinkTarget
    resolution: Resolution


@dataclass(frozen=True)
class Backlink:
    """A link from another place, with the line that links."""

    link: ResolvedLink
    text: str
    """The source of the line on which the link begins, blanks at its ends taken off."""
    readable: str
    """The same without markup."""


@dataclass(frozen=True)
class LinkSource:
    """A link before it is resolved."""

    path: str
    file_id: int | None
    entry: int
    link: Link
    target: LinkTarget


class LinkNetwork:
    """The links of one vault within one read transaction; for one thread, and not to be kept longer than that."""

    def __init__(
        self, connection: sqlite3.Connection, conventions: Conventions = PLAIN, files: OtherFiles | None = None
    ) -> None:
        """Read from `connection`; `files` knows what is in the vault besides notes."""
        self.connection = connection
        self.conventions = conventions
        self.files: OtherFiles = files or NoFiles()
        """What is in the vault besides notes."""
        self._names: dict[str, list[Candidate]] = {}
        self._places: dict[int, NotePlaces] = {}
        self._notes: dict[tuple[str, ...], Resolution] = {}

    # -- links that go out ---------------------------------------------------------------------------------------------

    def links_of(self, file_id: int) -> list[ResolvedLink]:
        """The links that stand in a note, in source order."""
        return self._resolved(self._read(store.links_of(self.connection, [file_id])))

    def links_in(self, path: str, parsed: ParsedFile) -> list[ResolvedLink]:
        """The links of a text that may be newer than the index, or not in it: an open buffer at `path` (relative)."""
        known = store.file_at(self.connection, path)
        file_id = known[0] if known else None
        sources = [
            LinkSource(path, file_id, ordinal, link, read_target(link.kind, link.target, parsed.type))
            for ordinal, entry in enumerate(parsed.entries)
            for link in entry.links
        ]
        own = (_places_of(parsed), "".join(entry.raw for entry in parsed.entries))
        return self._resolved(sources, {path: own})

    def resolve(self, path: str, kind: LinkKind, target: str, source_type: str) -> Resolution:
        """Where a link of `kind` to `target` would lead, stood it in the note at `path` of type `source_type`."""
        known = store.file_at(self.connection, path)
        read = read_target(kind, target, source_type)
        link = Link(kind, target, None, _UNWRITTEN)
        return self._resolved([LinkSource(path, known[0] if known else None, 0, link, read)])[0].resolution

    def all_links(self) -> Iterator[ResolvedLink]:
        """Every link of the vault, note by note."""
        ids = [file_id for file_id, _ in store.files(self.connection)]
        for start in range(0, len(ids), _BATCH):
            self._places.clear()
            self._names.clear()
            self._notes.clear()
            rows = store.links_of(self.connection, ids[start : start + _BATCH])
            yield from self._resolved(self._read(rows))

    # -- links that come in --------------------------------------------------------------------------------------------

    def backlinks(self, file_id: int, place: Place | None = None) -> list[Backlink]:
        """The links that lead to a note or a `place` in it (see `leading`), with their lines."""
        return self.with_lines(self.leading(file_id, place))

    def leading(self, file_id: int, place: Place | None = None, most: int | None = None) -> list[ResolvedLink]:
        """The links in other notes that lead to a note, or only those to a `place` in it (then also the note's own).

        Ambiguous links that may mean the note count; so do those whose anchor is broken, for the note as a whole. With `most`
        no more than so many links that may lead there are looked at: a note that everything links to takes no longer.
        """
        keys = store.keys_of(self.connection, file_id)
        rows = store.links_with_keys(self.connection, keys)
        if self.conventions.tool == "dendron":
            rows += store.links_labelled(self.connection, keys)
        sources = self._read(rows[:most])
        if place is not None:
            own = self._read(store.links_of(self.connection, [file_id]))
            sources += [source for source in own if source.target.scheme in ("here", "fuzzy")]
        unique = {(source.path, source.link.span.start, source.link.target): source for source in sources}
        return [
            link
            for link in self._resolved(list(unique.values()))
            if (link.file_id != file_id or place is not None) and _leads_to(link.resolution, file_id, place)
        ]

    def orphans(self, step: Callable[[], None] = lambda: None) -> list[str]:
        """Paths of the notes that no link in another note leads to; `step` is called now and then, and may raise to stop."""
        linked: set[int | None] = set()
        for link in self.all_links():
            step()
            linked.update(target.file_id for target in link.resolution.targets if target.file_id != link.file_id)
        return [path for file_id, path in store.files(self.connection) if file_id not in linked]

    def with_lines(self, links: Sequence[ResolvedLink]) -> list[Backlink]:
        """Links with the line each begins on."""
        entries = {(link.file_id, link.entry) for link in links if link.file_id is not None}
        known = store.entry_lines(self.connection, [(file_id, entry) for file_id, entry in entries if file_id is not None])
        return [Backlink(link, *_line(known.get((link.file_id or 0, link.entry)), link.link.span.line)) for link in links]

    # -- resolving -----------------------------------------------------------------------------------------------------

    def places(self, file_id: int) -> NotePlaces:
        """All anchors of a note, in source order."""
        if file_id not in self._places:
            self._load_places([file_id])
        return self._places[file_id]

    def _read(self, rows: Iterable[store.LinkRow]) -> list[LinkSource]:
        return [
            LinkSource(row.path, row.file_id, row.entry, row.link, read_target(row.link.kind, row.link.target, row.type))
            for row in rows
        ]

    def _resolved(self, sources: Sequence[LinkSource], texts: KnownTexts | None = None) -> list[ResolvedLink]:
        self._look_up(source.target for source in sources)
        notes = [self._note(source) for source in sources]
        if self.conventions.tool == "dendron":
            sources, notes = self._turned(sources, notes)
        wanted = {
            destination.file_id
            for source, note in zip(sources, notes, strict=True)
            if source.target.fragment or source.target.scheme == "id"
            for destination in note.targets
            if destination.file_id is not None
        }
        wanted |= {source.file_id for source in sources if source.target.scheme == "fuzzy" and source.file_id is not None}
        self._load_places(wanted - self._places.keys())
        return [
            ResolvedLink(
                source.path, source.file_id, source.entry, source.link, source.target, self._placed(source, note, texts or {})
            )
            for source, note in zip(sources, notes, strict=True)
        ]

    def _turned(self, sources: Sequence[LinkSource], notes: list[Resolution]) -> tuple[Sequence[LinkSource], list[Resolution]]:
        """With target and label changed round where only the label names a note: whichever side does is the target."""
        turned = list(sources)
        for at, source in enumerate(sources):
            if notes[at].state != "broken" or source.link.kind not in ("wikilink", "embed") or not source.link.label:
                continue
            other = replace(source, target=read_target(source.link.kind, source.link.label, "markdown"))
            self._look_up([other.target])
            if (note := self._note(other)).state == "resolved":
                turned[at], notes[at] = other, note
        return turned, notes

    def _look_up(self, targets: Iterable[LinkTarget]) -> None:
        keys = {key for target in targets if (key := target.key) is not None and key not in self._names}
        if not keys:
            return
        found = store.names_with_keys(self.connection, keys)
        for key in keys:
            self._names[key] = [_candidate(row) for row in found.get(key, ())]

    def _load_places(self, file_ids: Iterable[int]) -> None:
        ids = list(file_ids)
        if not ids:
            return
        found = store.anchors_of(self.connection, ids)
        for file_id in ids:
            rows = found.get(file_id, ())
            self._places[file_id] = NotePlaces(Place(*row) for row in rows)

    def _note(self, source: LinkSource) -> Resolution:
        """The note that a link means, whatever the place in it."""
        target = source.target
        if target.scheme == "here":
            return Resolution("resolved", (Destination(source.path, source.file_id),))
        if target.scheme == "attachment":
            return self._attachment(target, source)
        # What a name means depends on the folder and the format of the note that uses it, and on nothing else of it.
        folder, _, name = source.path.rpartition("/")
        whole = target.whole if target.scheme != "path" or "?" in target.whole else ""
        known = (target.scheme, target.note, target.vault, whole, folder, name.rpartition(".")[2])
        if known not in self._notes:
            self._notes[known] = self._resolve_note(target, source)
        return self._notes[known]

    def _resolve_note(self, target: LinkTarget, source: LinkSource) -> Resolution:
        if target.scheme == "absolute" and (inside := self.files.inside(target.note)) is not None:
            target = replace(target, scheme="path", note="/" + inside)
        found = resolve_note(target, source.path, self._names.get(target.key or "", ()), self.conventions)
        if found.state in ("resolved", "ambiguous"):
            return found
        if target.note.endswith("*") and target.scheme == "name":
            return self._matching(target) or found
        path = self.files.find(target, source.path, found.tried) if found.tried else None
        return Resolution("resolved", (Destination(path),)) if path else found

    def _matching(self, target: LinkTarget) -> Resolution | None:
        """The notes that a Dendron note reference with a wildcard means: all at once, so that none is ambiguous."""
        rows = store.names_beginning(self.connection, fold(target.note.rstrip("*")))
        targets = tuple(Destination(row.path, row.file_id) for row in rows)
        return Resolution("resolved", targets) if targets else None

    def _attachment(self, target: LinkTarget, source: LinkSource) -> Resolution:
        """A file in the folder that Org keeps for the entry, or for one it stands under."""
        properties = store.inherited_properties(self.connection, source.file_id or 0, source.entry)
        path = self.files.find(target, source.path, attachment_paths(target.note, source.path, properties))
        if path is None:
            return Resolution("broken", why=f"the entry has no attachment {target.note}")
        return Resolution("resolved", (Destination(path),))

    def _placed(self, source: LinkSource, note: Resolution, texts: KnownTexts) -> Resolution:
        """`note` narrowed to the place in it that the link names."""
        target = source.target
        if target.scheme == "fuzzy":
            own = Destination(source.path, source.file_id)
            found = self._find(target.fragment, own, texts) if target.fragment else []
            # In Logseq it is a page, whatever stands in the note.
            return _at(own, found[:1]) if found and self.conventions.tool != "logseq" else note
        fragment = target.fragment
        if target.scheme == "id":
            return self._identified(target, note, texts)
        if fragment is None or note.state != "resolved":
            return note
        destination = note.targets[0]
        if destination.file_id is None and destination.path not in texts:
            return note  # no note: nothing is known of places in it
        if len(note.targets) > 1:
            return note  # a wildcard
        if found := self._find(fragment, destination, texts):
            return _at(destination, found[:1])  # of several of one name every tool goes to the first
        if self._is_whole(fragment):
            return note
        where = "this note" if destination.path == source.path else destination.path
        return Resolution("broken_anchor", (destination,), f"{where} has no {_NOUNS[fragment.kind]} {fragment.text!r}")

    def _is_whole(self, fragment: Fragment) -> bool:
        """Whether a fragment that no anchor answers to means the note: HTML's `#top`, Dendron's `#^begin`.

        Or says how a viewer shows the file: the page of a PDF file (RFC 8118, 3), the moment of a recording.
        """
        if fragment.kind == "heading":
            return fragment.text.lower() == "top" or _SHOWN.match(fragment.text) is not None
        return self.conventions.tool == "dendron" and fragment.kind == "block" and fragment.text in ("begin", "end")

    def _identified(self, target: LinkTarget, note: Resolution, texts: KnownTexts) -> Resolution:
        """An id names a place by itself; of a note's own id that is its beginning."""
        found = [
            replace(destination, place=place)
            for destination in note.targets
            for place in self._find(Fragment("custom_id", target.note), destination, texts)
            if place.kind != "heading"
        ]
        if not found:
            return note
        if len(found) > 1:
            return Resolution("ambiguous", tuple(found), f"the id {target.note} is given {len(found)} times")
        if target.fragment:
            inner = self._find(target.fragment, found[0], texts)
            return (
                _at(found[0], inner)
                if inner
                else Resolution("broken_anchor", tuple(found), f"no {target.fragment.text!r} there")
            )
        return Resolution("resolved", tuple(found))

    def _find(self, fragment: Fragment, destination: Destination, texts: KnownTexts) -> list[Place]:
        if destination.path in texts:
            places, text = texts[destination.path]
            return find_places(fragment, places, str if fragment.kind == "search" else lambda: text)
        if destination.file_id is None:
            return []
        if fragment.kind == "search" and destination.path.endswith(".org"):
            return find_places(fragment, self.places(destination.file_id))  # Org looks for targets and headings only
        text_of = partial(store.source_text, self.connection, destination.file_id)
        return find_places(fragment, self.places(destination.file_id), text_of)


def _candidate(row: store.NameRow) -> Candidate:
    return Candidate(row.file_id, row.path, row.type, row.full, cast(NameSource, row.source))


def _places_of(parsed: ParsedFile) -> NotePlaces:
    return NotePlaces(
        Place(anchor.kind, anchor.name, anchor.span, ordinal, entry.level)
        for ordinal, entry in enumerate(parsed.entries)
        for anchor in entry.anchors
    )


def _at(destination: Destination, places: Sequence[Place]) -> Resolution:
    targets = tuple(replace(destination, place=place) for place in places)
    if len(targets) == 1:
        return Resolution("resolved", targets)
    return Resolution("ambiguous", targets, f"{len(targets)} places in {destination.path} answer to this name")


def _leads_to(resolution: Resolution, file_id: int, place: Place | None) -> bool:
    return any(
        target.file_id == file_id and (place is None or (target.place is not None and target.place.span == place.span))
        for target in resolution.targets
    )


def _line(entry: store.EntryLines | None, line: int) -> tuple[str, str]:
    """The line numbered `line` of an entry: its source, and how it reads."""
    if entry is None:
        return "", ""
    raw = _numbered(entry.raw, line - entry.line)
    readable = _numbered(entry.text, line - entry.line) or (entry.heading if line == entry.line else "")
    return raw, readable or raw


def _numbered(text: str, number: int) -> str:
    lines = text_lines(text)
    return lines[number].strip() if 0 <= number < len(lines) else ""
