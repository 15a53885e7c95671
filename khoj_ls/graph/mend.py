"""Change notes and let every link lead where it led: the one engine behind renames, moves and refiling.

The change is imagined, not made: the notes as they would be are parsed, the link network is asked where each link would lead,
and a link that would lead elsewhere is written in the next likely way until it does not. Spans of the index are never trusted:
every note that is touched is read and parsed anew.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.types import Link
from khoj_ls.graph.attachments import attachment_edits, attachments_left
from khoj_ls.graph.edits import NoteEdit, Notes, VaultEdit, shifted
from khoj_ls.graph.labels import relabelled
from khoj_ls.graph.network import LinkNetwork, ResolvedLink
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.graph.proposal import ProposedNetwork, note_names, places_of
from khoj_ls.graph.respell import Case, Pairs, spellings
from khoj_ls.graph.respelt import link_as_read, read_back, read_kind, target_edit
from khoj_ls.links.anchors import NotePlaces, Place
from khoj_ls.links.resolve import Destination, Resolution
from khoj_ls.links.rewrite import Edit, Written, applied, written_target
from khoj_ls.links.text import name_key, split_suffix
from khoj_ls.store import links as store

_MOST_ROUNDS = 5
_NO_ANCHOR = frozenset({"line", "regex", "code"})


@dataclass(frozen=True)
class Relocation:
    """Bytes [start, end) of the note at `path` go to byte `at` of the note at `to`."""

    path: str
    start: int
    end: int
    to: str
    at: int
    edits: tuple[Edit, ...] = ()
    """Made within the bytes that go, counted in the note they come from: heading levels."""
    before: str = ""
    """Put in front of them."""
    after: str = ""
    left: str = ""
    """Left in their stead."""


@dataclass(frozen=True)
class Change:
    """What is wanted. All paths but the new ones in `moves` are those before the change."""

    edits: Mapping[str, Sequence[Edit]] = field(default_factory=lambda: MappingProxyType({}))
    moves: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Every path that changes, old to new: of notes, of other files, and of folders."""
    moved: tuple[tuple[str, str], ...] | None = None
    """What is to be moved for that, where folders move as one; `moves` when None; empty when somebody else moves it."""
    names: Mapping[str, Pairs] = field(default_factory=lambda: MappingProxyType({}))
    """Names of a note besides its path and title that change: aliases, ids."""
    relocations: tuple[Relocation, ...] = ()
    created: frozenset[str] = frozenset()
    """Notes that are not there yet: what `edits` and `relocations` put into them is their text."""
    deleted: frozenset[str] = frozenset()


def mend(network: LinkNetwork, notes: Notes, change: Change, token: CancelToken | None = None) -> VaultEdit:
    """The whole edit that `change` takes, links and labels included. Raises Cancelled."""
    mending = _Mending(network, notes, _with_attachments(network, notes, change), token or CancelToken())
    for _ in range(_MOST_ROUNDS):
        if mending.round():
            break
    return mending.result()


def _with_attachments(network: LinkNetwork, notes: Notes, change: Change) -> Change:
    """`change` with what Org's attachments need where a note, or a piece of one, comes to another folder."""
    edits = {path: list(own) for path, own in change.edits.items()}
    for path, new in change.moves.items():
        if path.endswith(".org") and (note := notes.read(path)) is not None:
            edits.setdefault(path, []).extend(attachment_edits(network.files, note, new, change.moves))
    relocations = []
    for each in change.relocations:
        note = notes.read(each.path)
        own = attachment_edits(network.files, note, each.to, {}, each.start, each.end) if note else ()
        relocations.append(replace(each, edits=(*each.edits, *own)))
    return replace(change, edits={path: own for path, own in edits.items() if own}, relocations=tuple(relocations))


class _Mending:
    """The state of one mending: what is known of the vault before, and the edits found so far."""

    def __init__(self, network: LinkNetwork, notes: Notes, change: Change, token: CancelToken) -> None:
        self.network, self.notes, self.change, self.token = network, notes, change, token
        self.base: dict[str, OpenNote] = {path: notes.parse(path, "") for path in change.created}
        self.link_edits: dict[str, set[Edit]] = {}
        self.unmended: list[str] = []
        relocated = [path for each in change.relocations for path in (each.path, each.to)]
        self.changed = dict.fromkeys([*change.edits, *change.moves, *relocated, *change.created, *change.deleted])
        self.after_notes: dict[str, OpenNote] = {}
        self.headings: dict[str, Pairs] = {}

    # -- rounds --------------------------------------------------------------------------------------------------------

    def round(self) -> bool:
        """Find the edits of all links; True when they change no name or heading that was not known to change."""
        for path in self.changed:
            self.read(path)
        before_keys, after_keys = self.keys()
        examined = self.examined(before_keys | after_keys)
        self.after_notes = {path: self.parsed_after(path) for path in examined if path not in self.change.deleted}
        gone = {path for path in self.change.moves if path in self.base} | self.change.deleted
        known = [self.base[path] for path in examined if path not in self.change.created]
        self.before = ProposedNetwork(self.network, known, set(self.change.moves.values()) - self.base.keys())
        self.after = ProposedNetwork(self.network, self.after_notes.values(), gone, self.change.moves)
        found: dict[str, set[Edit]] = {}
        pieces = [each for each in self.change.relocations if each.path in self.base]
        self.unmended = [left for each in pieces for left in attachments_left(self.base[each.path], each.start, each.end)]
        self.headings = {}
        for path in examined:
            self.token.raise_if_cancelled()
            goes_on = path not in self.change.deleted or any(each.path == path for each in self.change.relocations)
            if goes_on and path not in self.change.created:
                found[path] = self.mended(path, after_keys)
        self.link_edits = found
        return not self.found_more()

    def read(self, path: str) -> OpenNote | None:
        if path not in self.base and (note := self.notes.read(path)) is not None:
            self.base[path] = note
        return self.base.get(path)

    def keys(self) -> tuple[set[str], set[str]]:
        """The keys under which what changes is looked up, before and after."""
        before: set[str] = set()
        after: set[str] = set()
        for path in self.changed:
            if path in self.base:
                before |= {name.key for name in note_names(self.base[path])}
                after |= {name.key for name in note_names(self.parsed_after(path))}
            else:
                before.add(name_key(path))
                after.add(name_key(self.moved(path)))
            if known := store.file_at(self.network.connection, path):
                before |= set(store.keys_of(self.network.connection, known[0]))
        return before - {""}, after - {""}

    def examined(self, keys: set[str]) -> list[str]:
        """Paths of the notes whose links must be looked at."""
        connection = self.network.connection
        rows = store.links_with_keys(connection, keys)
        if self.network.conventions.tool == "dendron":
            rows += store.links_labelled(connection, keys)
        paths = dict.fromkeys([*self.changed, *(row.path for row in rows)])
        return [path for path in paths if self.read(path) is not None]

    def found_more(self) -> bool:
        """Whether the edits found change names or headings in a way that this round did not know of."""
        more = False
        for path, known in list(self.after_notes.items()):
            takes = any(path in (each.to, each.path) for each in self.change.relocations)
            if not takes and not _may_rename(self.base[path], self.link_edits.get(path, ())):
                continue
            new = self.parsed_after(path)
            if _addresses(new) != _addresses(known):
                self.changed[path] = None
                more = True
        return more

    # -- the notes as they would be ------------------------------------------------------------------------------------

    def moved(self, path: str) -> str:
        return self.change.moves.get(path, path)

    def edits_of(self, path: str) -> list[Edit]:
        """All edits of the note that has `path` before anything moves, as far as they are known."""
        gone = [each for each in self.change.relocations if each.path == path and (each.start < each.end or each.left)]
        fixed = [*self.change.edits.get(path, ()), *(Edit(each.start, each.end, each.left) for each in gone)]
        edits = fixed + [edit for edit in self.link_edits.get(path, ()) if not any(_touch(edit, other) for other in fixed)]
        for each in self.change.relocations:
            if each.to == path:
                edits.append(Edit(each.at, each.at, each.before + self.piece(each) + each.after))
        return sorted(set(edits), key=lambda edit: (edit.start, edit.end))

    def inner(self, each: Relocation) -> list[Edit]:
        """The edits within a piece that goes, counted from its beginning."""
        own = [edit for edit in self.link_edits.get(each.path, ()) if each.start <= edit.start and edit.end <= each.end]
        own = [edit for edit in own if not any(_touch(edit, other) for other in each.edits)]
        edits = sorted({*own, *each.edits}, key=lambda edit: (edit.start, edit.end))
        return [Edit(edit.start - each.start, edit.end - each.start, edit.text) for edit in edits]

    def piece(self, each: Relocation) -> str:
        return applied(self.base[each.path].source[each.start : each.end], self.inner(each)).decode(errors="replace")

    def parsed_after(self, path: str) -> OpenNote:
        edits = self.edits_of(path)
        if not edits and self.moved(path) == path:
            return self.base[path]
        text = applied(self.base[path].source, edits).decode(errors="replace")
        return self.notes.parse(self.moved(path), text)

    def offset_after(self, path: str, offset: int) -> tuple[str, int]:
        """Where a place will be: the path (as it is before moves) and the byte."""
        for each in self.change.relocations:
            if each.path == path and each.start <= offset < each.end:
                edits = [edit for edit in self.edits_of(each.to) if edit.end <= each.at and edit.start < each.at]
                begin = shifted(each.at, edits) + len(each.before.encode())
                return each.to, begin + shifted(offset - each.start, self.inner(each))
        return path, shifted(offset, self.edits_of(path))

    # -- links ---------------------------------------------------------------------------------------------------------

    def mended(self, path: str, after_keys: set[str]) -> set[Edit]:
        """The edits of the links in the note at `path`."""
        base = self.base[path]
        found: set[Edit] = set()
        for resolved in self.before.links_in(path, base.parsed):
            link = link_as_read(resolved, base)
            destination = resolved.resolution.target
            if resolved.resolution.state not in ("resolved", "broken_anchor") or destination is None:
                continue
            source, _ = self.offset_after(path, link.span.start)
            concerned = destination.path in self.changed or self.moved(source) != path or resolved.target.key in after_keys
            if not concerned or resolved.target.scheme == "attachment":
                continue
            written = written_target(base.source, link, base.parsed.type)
            case = self.case(base, link, resolved, source, written, destination)
            found |= self.link_edit(case, resolved, base)
            found.update(self.label_edits(case, base))
        return found

    def case(
        self, base: OpenNote, link: Link, resolved: ResolvedLink, source: str, written: Written | None, destination: Destination
    ) -> Case:
        place = destination.place
        lead, offset = destination.path, None
        if place is not None and not _is_loose(resolved):
            lead, offset = self.offset_after(destination.path, place.span.start)
        heir = next((each for each in self.change.relocations if each.path == lead), None)
        if place is None and lead in self.change.deleted and heir is not None:
            lead, offset = self.offset_after(lead, heir.start)  # the note is where its text begins
        path = self.moved(lead)
        places_before = self.before.note_places(destination.path, destination.file_id)
        places = self.after.note_places(path, destination.file_id)
        if place is None:
            after = None if offset is None else next((each for each in places.all if each.span.start == offset), None)
        else:
            after = _same_place(place, offset, places_before, places)
        headings = self.heading_pairs(destination.path, places_before, places) if destination.path in self.changed else ()
        others = [other for other in self.same_name(path) if other != path]
        return Case(
            link=link,
            target=resolved.target,
            written=written or Written(0, 0, "", "wiki", "#"),
            source_type=base.parsed.type,
            source=self.moved(source),
            source_before=base.path,
            path=path,
            path_before=destination.path,
            title=self.title(destination.path),
            names=self.name_pairs(destination.path),
            place_before=place,
            place=after,
            places_before=places_before,
            places=places,
            headings=headings,
            others=others,
            conventions=self.network.conventions,
        )

    def link_edit(self, case: Case, resolved: ResolvedLink, base: OpenNote) -> set[Edit]:
        """The edit of the target, none where it may stay."""
        written = case.written
        if not written.end:  # not written out: an abbreviation
            if not self.leads(case, case.link.target, resolved.resolution):
                self.unmended.append(f"{base.path}:{case.link.span.line}: {case.link.target}")
            return set()
        for text in spellings(case):
            if self.leads(case, read_back(case, text), resolved.resolution):
                return {target_edit(case, base, text)} if text != written.text else set()
        self.unmended.append(f"{base.path}:{case.link.span.line}: {written.text}")
        return set()

    def leads(self, case: Case, target: str, before: Resolution) -> bool:
        """Whether a link to `target` would lead where the link of `case` should."""
        found = self.after.resolve(case.source, read_kind(case, target), target, case.source_type)
        destination = found.target
        if found.state != before.state or destination is None or destination.path != case.path:
            return False
        if case.place is None:
            return case.place_before is not None or destination.place is None
        return destination.place is not None and destination.place.span.start == case.place.span.start

    def label_edits(self, case: Case, base: OpenNote) -> Iterator[Edit]:
        """The edit of a label that is an old name of what the link leads to."""
        pairs = list(self.name_pairs(case.path_before))
        if case.path != case.path_before and not case.path_before.endswith("/"):
            old, new = posixpath.basename(case.path_before), posixpath.basename(case.path)
            pairs += [(old, new), (split_suffix(old)[0], split_suffix(new)[0])]
        if case.place_before and case.place:
            pairs = [(case.place_before.name, case.place.name), *pairs]
        if case.link.label:
            for old, new in pairs:
                if old != new and (edit := relabelled(base.source, case.link, case.source_type, old, new)):
                    yield edit
                    return

    def title(self, path: str) -> str | None:
        known = self.after_notes.get(path)
        return known.parsed.title if known else None

    def name_pairs(self, path: str) -> Pairs:
        """Title and other names of a note that change."""
        if path not in self.changed or path not in self.base or path not in self.after_notes:
            return ()
        old, new = self.base[path].parsed.title, self.after_notes[path].parsed.title
        title = [(old, new)] if old and new and old != new else []
        return [*title, *self.change.names.get(path, ())]

    def heading_pairs(self, path: str, before: NotePlaces, after: NotePlaces) -> Pairs:
        """Headings of a note that change; told once a round, as many links may lead there."""
        if path not in self.headings:
            pairs = []
            for place in before.all:
                if place.kind == "heading":
                    same = _same_place(place, self.offset_after(path, place.span.start)[1], before, after)
                    if same and same.name != place.name:
                        pairs.append((place.name, same.name))
            self.headings[path] = pairs
        return self.headings[path]

    def same_name(self, path: str) -> list[str]:
        """Paths of the notes that have the file name of the note at `path`."""
        return self.after.called_like(path)

    # -- the end -------------------------------------------------------------------------------------------------------

    def result(self) -> VaultEdit:
        edits = {}
        for path in self.after_notes:
            if path not in self.change.created and (own := tuple(self.edits_of(path))):
                edits[path] = NoteEdit(self.base[path], own)
        moved = tuple(self.change.moves.items()) if self.change.moved is None else self.change.moved
        created = tuple((path, self.parsed_after(path).text) for path in sorted(self.change.created))
        return VaultEdit(edits, moved, created, tuple(sorted(self.change.deleted)), tuple(self.unmended))


def _is_loose(resolved: ResolvedLink) -> bool:
    """Whether the place of a link is no anchor but a line, or what a search finds."""
    fragment = resolved.target.fragment
    return fragment is not None and fragment.kind in _NO_ANCHOR


def _same_place(place: Place, offset: int | None, before: NotePlaces, after: NotePlaces) -> Place | None:
    """What `place` is in the note as it will be, where it begins at `offset`."""
    if offset is None:
        return None
    old = [each for each in before.all if each.kind == place.kind and each.span.start == place.span.start]
    new = [each for each in after.all if each.kind == place.kind and each.span.start == offset]
    same = [each for each in new if each.name == place.name]
    number = next((at for at, each in enumerate(old) if each.name == place.name), 0)
    return same[0] if same else new[min(number, len(new) - 1)] if new else None


def _addresses(note: OpenNote) -> tuple[object, ...]:
    return note_names(note), [(place.kind, place.name) for place in places_of(note.parsed).all]


def _may_rename(note: OpenNote, edits: Iterable[Edit]) -> bool:
    """Whether edits of links may change a name that the note gives: they stand in a heading, or above the first one."""
    spans = [(each.span.start, each.span.end) for each in places_of(note.parsed).all if each.kind == "heading"]
    spans += [(entry.span.start, entry.span.end) for entry in note.parsed.entries[:1] if not entry.level]
    return any(start <= edit.start < end for edit in edits for start, end in spans)


def _touch(edit: Edit, other: Edit) -> bool:
    return edit.start < other.end and other.start < edit.end
