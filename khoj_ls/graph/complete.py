"""What may stand at a caret: notes, headings, blocks, ids, tags and citations, the likeliest first, ready to be put in.

    complete(network, note, spot, shelf, near)

Names are ranked by how well they begin with, hold or resemble what is written; the nearness of the notes to the paragraph in
meaning decides among those that fit alike, and everything where nothing is written yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from khoj_ls.graph.caret import Spot
from khoj_ls.graph.completion_text import Insertion, Writer
from khoj_ls.graph.name_book import Shelf
from khoj_ls.graph.name_list import Match, Named, NameList
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.graph.places import NotePlace, places_in
from khoj_ls.links.text import name_key

Kind = Literal["note", "alias", "heading", "block", "id", "tag", "citation", "file"]

MOST = 50
_MEANING = 0.35
"""Share of meaning where a name is written: it overturns neighbours in the ranking, not a name that fits much better."""


@dataclass(frozen=True)
class Proposal:
    """One thing that may be put in at a caret."""

    label: str
    kind: Kind
    insertion: Insertion
    detail: str = ""
    """Where it is: path of the note, and what tells it from others of that name."""
    path: str = ""
    line: int = 0
    """Where it begins, 1-based; 0 when it is no place."""


def complete(
    network: LinkNetwork, note: OpenNote, spot: Spot, shelf: Shelf, near: Mapping[int, float], limit: int = MOST
) -> list[Proposal]:
    """At most `limit` proposals for `spot` in `note`, best first; `near` says how near notes are in meaning."""
    writer = Writer(network.conventions, note, spot, shelf.names(network.connection, "notes"))
    if spot.kind == "place":
        found = _places(network, note, spot, writer, limit)
        if found or not _may_be_name(spot):
            return found
        return _notes(network, note, _whole_name(note, spot), shelf, near, limit)  # a name with a # in it: [[C# notes]]
    if spot.kind in ("note", "file", "path"):
        return _notes(network, note, spot, shelf, near, limit)
    if spot.kind == "id":
        found_ids = _ranked(shelf.names(network.connection, "ids").match(spot.typed, near), near)[:limit]
        return [_named(match, "id", writer.id(match.item)) for match in found_ids]
    if spot.kind == "block":
        blocks = _ranked(shelf.names(network.connection, "blocks").match(spot.typed, near), near)[:limit]
        return [_named(match, "block", writer.plain(match.item.id)) for match in blocks]
    if spot.kind == "citation":
        cited = shelf.names(network.connection, "citations").match(spot.typed)[:limit]
        return [_named(match, "citation", writer.plain(match.item.title)) for match in cited]
    return _tags(spot, shelf.names(network.connection, "tags"), writer, limit)


def _may_be_name(spot: Spot) -> bool:
    return spot.style == "wiki" and bool(spot.note) and not spot.mark


def _whole_name(note: OpenNote, spot: Spot) -> Spot:
    start = spot.open + (3 if spot.embed else 2)
    typed = note.source[start : spot.caret].decode(errors="replace")
    return replace(spot, kind="note", start=start, typed=typed, note="")


def _notes(
    network: LinkNetwork, note: OpenNote, spot: Spot, shelf: Shelf, near: Mapping[int, float], limit: int
) -> list[Proposal]:
    """Notes by their names, and where nothing is written those that are near in meaning, then the newest."""
    names = shelf.names(network.connection, "notes")
    writer = Writer(network.conventions, note, spot, names)
    # A path is known by its last part, a label says what is meant before there is a path.
    written = spot.typed.rpartition("/")[2] if spot.kind in ("file", "path") else spot.typed
    written = written or ("" if spot.typed else spot.label)
    matches = _by_path(names, spot.typed) if "/" in spot.typed else []
    matches += names.match(written, near) if written or not matches else []
    if not written:
        known = {match.item.file_id for match in matches}
        nearest = (names.by_file[file_id] for file_id in near if file_id in names.by_file and file_id not in known)
        matches += [Match(item, item.names[0], 0.0) for item in nearest if item.names]
    found: dict[str, Proposal] = {}
    for match in _ranked(matches, near):
        if match.item.path == note.path or match.item.path in found:
            continue
        is_alias = match.score > 0 and match.name not in (match.item.title, match.item.names[-1])
        insertion = writer.note(match.item, match.name if is_alias else "")
        found[match.item.path] = _named(match, "alias" if is_alias else "note", insertion, match.name if is_alias else "")
        if len(found) == limit:
            break
    return list(found.values())


def _by_path(names: NameList, typed: str) -> list[Match]:
    """Notes whose path holds what is written of a path."""
    return [Match(item, item.names[-1], 0.8) for item in names.on_path(typed.lstrip("./"))]


def _ranked(matches: Iterable[Match], near: Mapping[int, float]) -> list[Match]:
    """Matches with meaning blended in, best first."""

    def score(match: Match) -> tuple[float, float]:
        meaning = max(0.0, near.get(match.item.file_id, 0.0))
        return match.score + _MEANING * meaning, match.item.weight

    return sorted(matches, key=score, reverse=True)


def _named(match: Match, kind: Kind, insertion: Insertion, label: str = "") -> Proposal:
    item = match.item
    shown = label or item.title
    detail = f"{item.title} ({item.path})" if label and label != item.title else item.path
    return Proposal(shown, kind, insertion, detail, item.path, item.line)


def _tags(spot: Spot, tags: NameList, writer: Writer, limit: int) -> list[Proposal]:
    fitting = [match for match in tags.match(spot.typed) if match.item.title != spot.typed or match.item.weight > 0]
    if spot.kind == "org_tag":
        fitting = [match for match in fitting if match.item.title.replace("@", "").replace("_", "").isalnum()]
    return [Proposal(match.item.title, "tag", writer.tag(match.item.title)) for match in fitting[:limit]]


def _places(network: LinkNetwork, note: OpenNote, spot: Spot, writer: Writer, limit: int) -> list[Proposal]:
    """Headings, blocks and other anchors of a note: of the text that is being written where it is the note itself."""
    path = _target(network, note, spot)
    if path is None:
        return []
    places = [place for place in places_in(network, note, path) if writer.fits(place)]
    items = NameList(
        Named(path, at, tuple(dict.fromkeys(name for name in (place.text, place.name) if name)), place.text or place.name,
              line=place.line, weight=1.0 - at / (len(places) + 1))
        for at, place in enumerate(places)
    )  # fmt: skip
    found = []
    for match in items.match(spot.typed)[:limit]:
        place = places[match.item.file_id]
        found.append(_placed(place, path, writer.place(path, place, places)))
    return found


def _placed(place: NotePlace, path: str, insertion: Insertion) -> Proposal:
    label = place.text or place.name
    detail = " > ".join(place.above) if place.kind == "heading" else place.name
    return Proposal(label, "heading" if place.kind == "heading" else "block", insertion, detail, path, place.line)


def _target(network: LinkNetwork, note: OpenNote, spot: Spot) -> str | None:
    """The path of the note whose places are asked for; None when there is none."""
    if not spot.note:
        return note.path
    kind: Literal["wikilink", "markdown", "file"] = (
        "wikilink" if spot.style == "wiki" else "file" if spot.style == "org" else "markdown"
    )
    target = f"file:{spot.note}" if spot.style == "org" and not spot.note.startswith(("file:", "./", "../")) else spot.note
    resolution = network.resolve(note.path, kind, target, note.parsed.type)
    own = next((each for each in resolution.targets if name_key(each.path) == name_key(note.path)), None)
    destination = own or (resolution.targets[0] if resolution.targets else None)
    return destination.path if destination else None
