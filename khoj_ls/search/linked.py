"""Whether two notes link each other, by the keys of their links and names."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import cast

from khoj_ls.links.conventions import Conventions
from khoj_ls.links.names import NameSource
from khoj_ls.links.resolve import Candidate, resolve_note
from khoj_ls.links.target import read_target
from khoj_ls.store import links as store

_LENIENT = Conventions("dendron")
"""Names are looked up everywhere, and nothing chooses among several notes of one name: all of them count."""


def linked_files(connection: sqlite3.Connection, file_id: int, others: Iterable[int]) -> set[int]:
    """Those of `others` that the note links to or is linked from."""
    wanted = set(others) - {file_id}
    rows = connection.execute(
        "SELECT DISTINCT l.file_id, n.file_id, l.key FROM link l JOIN name n ON n.key = l.key "
        "WHERE (l.file_id = :note AND n.file_id IN (SELECT value FROM json_each(:others))) "
        "OR (n.file_id = :note AND l.file_id IN (SELECT value FROM json_each(:others)))",
        {"note": file_id, "others": json.dumps(sorted(wanted))},
    )
    return {target if source == file_id else source for source, target in _confirmed(connection, {tuple(row) for row in rows})}


def _confirmed(connection: sqlite3.Connection, met: set[tuple[int, int, str]]) -> set[tuple[int, int]]:
    """The (source, target) of `met` between which there is more than a key that a link and a name have both."""
    if not met:
        return set()
    keys = {(source, key) for source, _, key in met}
    links = {
        (row.file_id, row.link.kind, row.link.target): row
        for row in store.links_of(connection, {source for source, _ in keys})
        if (row.file_id, row.key) in keys
    }
    names = store.names_with_keys(connection, {key for _, key in keys})
    found: set[tuple[int, int]] = set()
    for row in links.values():
        candidates = [
            Candidate(name.file_id, name.path, name.type, name.full, cast(NameSource, name.source))
            for name in names[row.key or ""]
            if (row.file_id, name.file_id, row.key) in met
        ]
        target = read_target(row.link.kind, row.link.target, row.type)
        found |= {(row.file_id, each.file_id or 0) for each in resolve_note(target, row.path, candidates, _LENIENT).targets}
    return found & {(source, target) for source, target, _ in met}
