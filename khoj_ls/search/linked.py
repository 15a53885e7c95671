"""Whether two notes link each other, told by what their links are called."""

from __future__ import annotations

import json
import posixpath
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from urllib.parse import unquote

_ELSEWHERE = ("url", "tag", "heading", "citation")
"""Kinds of links that lead to no note."""


def linked_files(connection: sqlite3.Connection, file_id: int, others: Iterable[int]) -> set[int]:
    """Those of `others` that the note links to or is linked from."""
    wanted = set(others)
    names = _names(connection, wanted | {file_id})
    targets = _targets(connection, wanted | {file_id})
    return {other for other in wanted if targets[file_id] & names[other] or targets[other] & names[file_id]}


def _names(connection: sqlite3.Connection, files: Iterable[int]) -> dict[int, set[str]]:
    """What a link may call each note: path, name, title, alias, id."""
    found: dict[int, set[str]] = defaultdict(set)
    ids = json.dumps(list(files))
    rows = connection.execute("SELECT id, path, title, aliases FROM file WHERE id IN (SELECT value FROM json_each(?))", (ids,))
    for file_id, path, title, aliases in rows:
        found[file_id] = {_name(path), posixpath.basename(_name(path))}
        found[file_id].update(_name(alias) for alias in (title, *json.loads(aliases or "[]")) if alias)
    rows = connection.execute(
        "SELECT file_id, name FROM anchor WHERE kind IN ('id', 'block') AND file_id IN (SELECT value FROM json_each(?))", (ids,)
    )
    for file_id, name in rows:
        found[file_id].add(_name(name))
    return found


def _targets(connection: sqlite3.Connection, files: Iterable[int]) -> dict[int, set[str]]:
    """What each note's links name, as written and relative to its folder."""
    found: dict[int, set[str]] = defaultdict(set)
    rows = connection.execute(
        "SELECT l.file_id, f.path, l.target FROM link l JOIN file f ON f.id = l.file_id "
        f"WHERE l.kind NOT IN ({', '.join('?' * len(_ELSEWHERE))}) AND l.file_id IN (SELECT value FROM json_each(?))",
        (*_ELSEWHERE, json.dumps(list(files))),
    )
    for file_id, path, target in rows:
        plain = unquote(target).split("#", 1)[0].split("::", 1)[0]
        for scheme in ("file:", "id:"):
            plain = plain.removeprefix(scheme)
        if plain:
            beside = posixpath.normpath(posixpath.join(posixpath.dirname(path), plain))
            found[file_id].update((_name(plain), _name(beside)))
    return found


def _name(text: str) -> str:
    """A name without its suffix, in any case; a dot in a Dendron name or a title is no suffix."""
    stem, suffix = posixpath.splitext(text.strip().lstrip("/"))
    return (stem if suffix.lower() in {".md", ".markdown", ".org", ".txt"} else stem + suffix).casefold()
