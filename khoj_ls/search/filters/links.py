"""Which entries link to a note, by the rules with which links are followed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence

from khoj_ls.links.conventions import Conventions
from khoj_ls.links.resolve import Candidate, resolve_note
from khoj_ls.links.target import LinkTarget, read_target
from khoj_ls.links.text import fold, name_key
from khoj_ls.search.filters.rows import NO_ROWS, RowSet
from khoj_ls.store.links import keys_of, links_labelled, names_with_keys


def linking(connection: sqlite3.Connection, value: str, conventions: Conventions) -> RowSet:
    """The entries with a link that leads, or among others may lead, to the notes called `value`.

    That is a name, path, title, alias or id, with a suffix or without one. Links of a note to itself do not count.
    """
    meant = _called(connection, value, conventions)
    if not meant:
        return NO_ROWS
    keys = {key for file_id in meant for key in keys_of(connection, file_id)}
    candidates = _candidates(connection, keys)
    found: list[int] = []
    known: dict[tuple[str, ...], Collection[int | None]] = {}
    marks = ", ".join("?" * len(keys))
    for row, file_id, path, type_, kind, target, key in connection.execute(
        "SELECT e.id, l.file_id, f.path, f.type, l.kind, l.target, l.key FROM link l JOIN file f ON f.id = l.file_id "
        f"JOIN entry e ON e.file_id = l.file_id AND e.ordinal = l.entry WHERE l.key IN ({marks})",
        tuple(keys),
    ):
        # What a name means depends on the folder and the format of the note that uses it, and on nothing else of it.
        folder, _, name = path.rpartition("/")
        asked = (kind, target, type_, folder, name.rpartition(".")[2])
        if asked not in known:
            known[asked] = _led_to(read_target(kind, target, type_), path, candidates.get(key, ()), conventions)
        if not meant.isdisjoint(known[asked]) and file_id not in meant:
            found.append(row)
    if conventions.tool == "dendron":
        found += _labelled(connection, meant, keys, conventions)
    return RowSet.of(found)


def _labelled(
    connection: sqlite3.Connection, meant: Collection[int], keys: Collection[str], conventions: Conventions
) -> list[int]:
    """The entries with a link `[[label|note]]` to one of the notes `meant`: its label leads where its target names no note."""
    sources = [
        (row, read_target(row.link.kind, row.link.target, row.type), read_target(row.link.kind, row.link.label or "", row.type))
        for row in links_labelled(connection, keys)
        if row.file_id not in meant
    ]
    candidates = _candidates(connection, {key for _, *both in sources for target in both if (key := target.key)})
    places = []
    for row, target, label in sources:
        written, turned = (
            resolve_note(each, row.path, candidates.get(each.key or "", ()), conventions) for each in (target, label)
        )
        if written.state == "broken" and turned.target is not None and turned.target.file_id in meant:
            places.append((row.file_id, row.entry))
    rows = connection.execute(
        "SELECT e.id FROM json_each(?) j JOIN entry e ON e.file_id = j.value ->> 0 AND e.ordinal = j.value ->> 1",
        (json.dumps(places),),
    )
    return [row for (row,) in rows]


def _called(connection: sqlite3.Connection, value: str, conventions: Conventions) -> set[int]:
    """The notes that `value` names: as a link in a note at the vault's root would, else by their id or citation key."""
    identity = fold(value)
    candidates = _candidates(connection, {name_key(value), identity})
    target = LinkTarget("name", value.replace("\\", "/"), whole=value)
    named = _led_to(target, "", candidates.get(name_key(value), ()), conventions)
    ids = [each.file_id for each in candidates.get(identity, ()) if each.full == identity]
    return {file_id for file_id in named or ids if file_id is not None}


def _candidates(connection: sqlite3.Connection, keys: Collection[str]) -> Mapping[str, Sequence[Candidate]]:
    return {
        key: [Candidate(row.file_id, row.path, row.type, row.full, row.source) for row in rows]  # type: ignore[arg-type]  # source: stored as text
        for key, rows in names_with_keys(connection, [key for key in keys if key]).items()
    }


def _led_to(
    target: LinkTarget, source: str, candidates: Sequence[Candidate], conventions: Conventions
) -> Collection[int | None]:
    return {each.file_id for each in resolve_note(target, source, candidates, conventions).targets}
