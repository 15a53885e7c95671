"""The link network as it would be: some notes with other texts, at other paths, or not there at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from khoj_ls.core.types import ParsedFile
from khoj_ls.graph.network import KnownTexts, LinkNetwork, LinkSource, ResolvedLink
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.graph.other_files import OtherFiles
from khoj_ls.links.anchors import NotePlaces, Place
from khoj_ls.links.names import Name, names_of
from khoj_ls.links.resolve import Candidate
from khoj_ls.links.target import LinkTarget
from khoj_ls.links.text import fold, name_key
from khoj_ls.store import links as store

_UUID = re.compile(r".{8}-.{4}-.{4}-.{4}-.{12}")


class ProposedNetwork(LinkNetwork):
    """What `network` would answer, were `notes` there as they are given, and the notes at `gone` not.

    For one thread and one read transaction, like the network it stands on.
    """

    def __init__(
        self,
        network: LinkNetwork,
        notes: Iterable[OpenNote],
        gone: AbstractSet[str] = frozenset(),
        moved_files: Mapping[str, str] | None = None,
    ) -> None:
        """`notes` have the paths they would have; `moved_files` are all paths that change, old to new, also of other files."""
        super().__init__(network.connection, network.conventions, _MovedFiles(network.files, moved_files or {}))
        self._own: dict[str, list[Candidate]] = {}
        self._new_texts: dict[str, tuple[NotePlaces, str]] = {}
        given = list(notes)
        hidden = {note.path for note in given} | set(gone)
        self._hidden = {known[0] for path in hidden if (known := store.file_at(self.connection, path))}
        for number, note in enumerate(given, 1):
            self._new_texts[note.path] = (places_of(note.parsed), note.text)
            for name in note_names(note):
                candidate = Candidate(-number, note.path, note.parsed.type, name.full, name.source)
                self._own.setdefault(name.key, []).append(candidate)

    def note_places(self, path: str, file_id: int | None) -> NotePlaces:
        """The anchors of the note at `path`, as proposed or as indexed."""
        if path in self._new_texts:
            return self._new_texts[path][0]
        return self.places(file_id) if file_id is not None and file_id > 0 else NotePlaces(())

    def called_like(self, path: str) -> list[str]:
        """Paths of the notes that will have the file name of `path`, whatever their folder."""
        key = name_key(path)
        self._look_up([LinkTarget("name", path)])
        return [each.path for each in self._names.get(key, ()) if each.source == "path"]

    def _look_up(self, targets: Iterable[LinkTarget]) -> None:
        wanted = list(targets)
        new = {target.key for target in wanted if target.key is not None} - self._names.keys()
        super()._look_up(wanted)
        for key in new:
            if key is not None:
                kept = [candidate for candidate in self._names.get(key, ()) if candidate.file_id not in self._hidden]
                self._names[key] = kept + self._own.get(key, [])

    def _load_places(self, file_ids: Iterable[int]) -> None:
        super()._load_places(file_id for file_id in file_ids if file_id > 0)

    def _resolved(self, sources: Sequence[LinkSource], texts: KnownTexts | None = None) -> list[ResolvedLink]:
        return super()._resolved(sources, {**self._new_texts, **(texts or {})})


def places_of(parsed: ParsedFile) -> NotePlaces:
    """The anchors of a note as parsed."""
    return NotePlaces(
        Place(anchor.kind, anchor.name, anchor.span, ordinal, entry.level)
        for ordinal, entry in enumerate(parsed.entries)
        for anchor in entry.anchors
    )


def note_names(note: OpenNote) -> tuple[Name, ...]:
    """What links may call `note`, as the index would have it."""
    parsed = note.parsed
    anchors = [anchor for entry in parsed.entries for anchor in entry.anchors]
    ids = [each.name for each in anchors if each.kind == "id" or (each.kind == "custom_id" and _UUID.fullmatch(each.name))]
    return names_of(note.path, parsed.title, parsed.aliases, parsed.properties, ids)


class _MovedFiles:
    """The files of the vault that are no notes, once some have moved."""

    def __init__(self, files: OtherFiles, moved: Mapping[str, str]) -> None:
        self._files, self._moved = files, moved
        self._new = {new: old for old, new in moved.items()}

    def inside(self, path: str) -> str | None:
        return self._files.inside(path)

    def find(self, target: LinkTarget, source: str, tried: Sequence[str]) -> str | None:
        if not self._moved:
            return self._files.find(target, source, tried)
        for path in tried:
            if path.rstrip("/") in self._new:
                return path.rstrip("/")
            if path.rstrip("/") not in self._moved and self._files.find(replace(target, scheme="path"), source, [path]):
                return path
        if target.scheme != "name":
            return None
        end = "/" + fold(target.note.lstrip("./"))
        if found := [path for path in self._new if ("/" + fold(path)).endswith(end)]:
            return min(found, key=lambda path: (len(path), path))
        known = self._files.find(target, source, ())
        return known if known not in self._moved else None
