"""What can be done about a finding: lead the link elsewhere, make what it wants, take it out, choose, give a new id.

Nearest targets are those whose names resemble what is written or how the link is labelled, then those near in meaning to the
paragraph. Every fix is one change of the vault, to be shown before it is made.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from khoj_ls.core.types import Link
from khoj_ls.graph.diagnose import Finding
from khoj_ls.graph.edits import NoteEdit, Notes, VaultEdit
from khoj_ls.graph.name_book import Shelf
from khoj_ls.graph.name_list import Named, NameList
from khoj_ls.graph.network import LinkNetwork, ResolvedLink
from khoj_ls.graph.new_note import new_note
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.graph.places import NotePlace, places_in
from khoj_ls.links.format import Address, format_link, note_name, relative_path
from khoj_ls.links.rewrite import Edit, Written, redirect, written_target
from khoj_ls.links.text import fold, slug, split_suffix

_NEAREST = 3
_BY_MEANING = 2
_LEAST_LIKE = 40.0
"""Percent, of places in one note: they are few."""
_CHOICES = 8


@dataclass(frozen=True)
class Fix:
    """One way out."""

    title: str
    edit: VaultEdit
    preferred: bool = False
    """Whether it is the one to take without being asked."""


@dataclass(frozen=True)
class Scene:
    """What fixes are made from."""

    network: LinkNetwork
    notes: Notes
    note: OpenNote
    names: NameList
    near: Mapping[int, float]
    """How near other notes are in meaning to the paragraph of the finding."""


def fixes(
    network: LinkNetwork, notes: Notes, note: OpenNote, finding: Finding, shelf: Shelf, near: Mapping[int, float]
) -> list[Fix]:
    """What can be done about `finding` in `note`, the likeliest first."""
    scene = Scene(network, notes, note, shelf.names(network.connection, "notes"), near)
    if finding.code == "duplicate-id":
        return [_new_id(scene, finding)]
    if finding.link is None:
        return []
    link = finding.link
    if finding.code == "ambiguous-link":
        return [*_choices(scene, link), _unlinked(scene, link)]
    if finding.code == "broken-anchor":
        found = [*_near_places(scene, link), *_made_place(scene, link), *_without_place(scene, link)]
    else:
        found = [*_near_notes(scene, link), *_made_note(scene, link)]
    return [*found, _unlinked(scene, link)]


def _edited(note: OpenNote, *edits: Edit) -> VaultEdit:
    return VaultEdit(edits={note.path: NoteEdit(note, edits)})


def _written(scene: Scene, link: Link) -> Written | None:
    return written_target(scene.note.source, link, scene.note.parsed.type)


# -- another note ----------------------------------------------------------------------------------------------------------


def _near_notes(scene: Scene, link: ResolvedLink) -> Iterator[Fix]:
    asked = [text for text in (_last_part(link.target.note), link.link.label) if text]
    found: dict[str, tuple[float, Named]] = {}
    for text in asked:
        for match in scene.names.near(text, 2 * _NEAREST):
            if match.item.path != scene.note.path and match.score > found.get(match.item.path, (0.0, match.item))[0]:
                found[match.item.path] = match.score, match.item
    best = sorted(found.values(), key=lambda pair: (-pair[0], pair[1].path))[:_NEAREST]
    nearest = sorted(scene.near, key=lambda file_id: -scene.near[file_id])
    chosen = [item for _, item in best]
    near = (scene.names.by_file[each] for each in nearest if each in scene.names.by_file)
    chosen += islice((item for item in near if item.path not in found and item.path != scene.note.path), _BY_MEANING)
    for number, item in enumerate(chosen):
        edit = _led(scene, link, item)
        if edit is not None:
            sure = number == 0 and best != [] and best[0][0] > 0.85
            yield Fix(f"Change the link to {item.title} ({item.path})", _edited(scene.note, edit), sure)


def _last_part(name: str) -> str:
    return split_suffix(name.rstrip("/"))[0].rpartition("/")[2]


def _led(scene: Scene, link: ResolvedLink, item: Named) -> Edit | None:
    """The edit that leads a link to another note, in the link's own way of writing where that can name it."""
    source, written = scene.note.path, _written(scene, link.link)
    scheme = link.target.scheme
    conventions, others = scene.network.conventions, scene.names.others(item.path)
    if written is not None and scheme == "path":
        shown = relative_path(item.path, source)
        return redirect(written, note=shown if split_suffix(link.target.note)[1] else split_suffix(shown)[0])
    if written is not None and scheme == "name":
        return redirect(written, note=note_name(item.path, source, conventions, others))
    if written is not None and scheme == "id" and item.id:
        return redirect(written, note=item.id)
    label = link.link.label or ("" if scheme in ("name", "fuzzy") else item.title)
    text = format_link(Address(item.path, item.title, item.id), source, conventions, label=label, others=others)
    return Edit(link.link.span.start, link.link.span.end, text)


def _choices(scene: Scene, link: ResolvedLink) -> Iterator[Fix]:
    for target in link.resolution.targets[:_CHOICES]:
        item = scene.names.by_path.get(target.path)
        if item is None:
            continue
        text = f"Link to {target.path}" + (f", line {target.place.span.line}" if target.place else "")
        written = _written(scene, link.link)
        if written is not None and link.target.scheme in ("name", "fuzzy"):
            stem = split_suffix(target.path)[0]
            edit = redirect(written, note=_unambiguous(stem, scene.names.others(target.path)))
        else:
            made = _led(scene, link, item)
            if made is None:
                continue
            edit = made
        yield Fix(text, _edited(scene.note, edit))


def _unambiguous(stem: str, others: Iterable[str]) -> str:
    """The path of a note, from the root where a shorter one would mean another as well."""
    ends = {"/" + fold(split_suffix(other)[0]) for other in others}
    return "/" + stem if any(end.endswith("/" + fold(stem)) for end in ends) else stem


def _made_note(scene: Scene, link: ResolvedLink) -> Iterator[Fix]:
    made = new_note(scene.network.conventions, scene.note, link, exists=scene.notes.exists)
    if made is not None:
        path, text = made
        yield Fix(f"Create the note {path}", VaultEdit(created=((path, text),)))


# -- another place ---------------------------------------------------------------------------------------------------------


def _near_places(scene: Scene, link: ResolvedLink) -> Iterator[Fix]:
    target, fragment, written = link.resolution.target, link.target.fragment, _written(scene, link.link)
    if target is None or fragment is None or written is None:
        return
    places = [each for each in places_in(scene.network, scene.note, target.path) if _fits(each, fragment.kind, scene)]
    items = NameList(
        Named(target.path, at, tuple(dict.fromkeys((place.name, place.text or place.name))), place.text or place.name)
        for at, place in enumerate(places)
    )
    for number, match in enumerate(items.near(fragment.text, _NEAREST, _LEAST_LIKE)):
        place = places[match.item.file_id]
        edit = _placed(scene, link, written, place)
        yield Fix(
            f"Change the place to {place.text or place.name}", _edited(scene.note, edit), number == 0 and match.score > 0.85
        )


def _fits(place: NotePlace, kind: str, scene: Scene) -> bool:
    if kind == "block":
        return place.kind in ("block", "id")
    if kind == "custom_id" and scene.note.parsed.type == "org":
        return place.kind == "custom_id"
    return place.kind in ("heading", "custom_id", "target")


def _placed(scene: Scene, link: ResolvedLink, written: Written, place: NotePlace) -> Edit:
    org = written.mark == "::" or scene.note.parsed.type == "org"
    if org and link.link.kind not in ("wikilink", "embed"):
        text = {"heading": "*", "custom_id": "#"}.get(place.kind, "") + place.name
        here = written.place is None
        return Edit(written.start, written.end, text) if here else redirect(written, place=text)
    if place.kind == "block":
        text = f"^{place.name}"
    elif place.kind == "heading" and link.link.kind == "markdown" and scene.network.conventions.tool != "obsidian":
        text = slug(place.name)
    else:
        text = " ".join(re.sub(r"[#^|\\\[\]]|%%", " ", place.name).split())
    return redirect(written, place=text)


def _without_place(scene: Scene, link: ResolvedLink) -> Iterator[Fix]:
    written = _written(scene, link.link)
    if written is not None and written.place is not None and link.target.scheme != "here":
        yield Fix("Link to the note as a whole", _edited(scene.note, redirect(written, place="")))


def _made_place(scene: Scene, link: ResolvedLink) -> Iterator[Fix]:
    """A heading at the end of the note that lacks it."""
    target, fragment = link.resolution.target, link.target.fragment
    if target is None or fragment is None or fragment.kind not in ("heading", "custom_id", "search"):
        return
    note = scene.note if target.path == scene.note.path else scene.notes.read(target.path)
    if note is None or note.parsed.type not in ("markdown", "org"):
        return
    name = fragment.text
    if link.link.kind == "markdown" and re.fullmatch(r"[a-z0-9-]+", name):
        name = name.replace("-", " ").strip().capitalize()  # as its slug has it
    text = _heading(note, name, fragment.text if fragment.kind == "custom_id" else "")
    yield Fix(f"Create the heading {name} in {note.path}", _edited(note, Edit(len(note.source), len(note.source), text)))


def _heading(note: OpenNote, name: str, custom_id: str) -> str:
    newline = "\r\n" if b"\r\n" in note.source else "\n"
    levels = [entry.level for entry in note.parsed.entries if entry.level]
    if note.parsed.type == "org":
        lines = [f"* {name}"]
        if custom_id:
            lines += [":PROPERTIES:", f":CUSTOM_ID: {custom_id}", ":END:"]
    else:
        # Below a first heading that is the title stand the others.
        level = 1 if levels.count(1) > 1 else 2
        lines = ["#" * level + f" {name}"]
    before = "" if not note.source or note.source.endswith(b"\n") else newline
    blank = newline if note.source.strip() and note.parsed.type != "org" else ""
    return before + blank + newline.join(lines) + newline


# -- no link, and a new id -------------------------------------------------------------------------------------------------


def _unlinked(scene: Scene, link: ResolvedLink) -> Fix:
    label = link.link.label or ""
    if not label and link.link.kind not in ("embed", "footnote"):
        label = _last_part(link.target.note) or (link.target.fragment.text if link.target.fragment else "")
    span = link.link.span
    title = f"Remove the link, keep “{label}”" if label else "Remove the link"
    return Fix(title, _edited(scene.note, Edit(span.start, span.end, label)))


def _new_id(scene: Scene, finding: Finding) -> Fix:
    kind = finding.message.split()[1] if finding.message else ""
    if kind == "id":
        new = str(uuid.uuid4())
        if not re.fullmatch(r"[0-9a-fA-F-]{36}", finding.name) and scene.note.parsed.type != "org":
            new = new.replace("-", "")[: max(12, len(finding.name))]
    else:
        taken = {anchor.name for entry in scene.note.parsed.entries for anchor in entry.anchors}
        new = next(name for number in range(2, len(taken) + 3) if (name := f"{finding.name}-{number}") not in taken)
    return Fix(f"Give this one the id {new}", _edited(scene.note, Edit(finding.start, finding.end, new)))
