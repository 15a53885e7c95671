"""Files and folders that get another path: what moves with them, and the edit that keeps every link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from khoj_ls.core.jobs import CancelToken
from khoj_ls.graph.edits import Notes, VaultEdit
from khoj_ls.graph.mend import Change, mend
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.graph.respell import Pairs
from khoj_ls.store import links as store


def all_moves(
    network: LinkNetwork, renames: Iterable[tuple[str, str]], files: Mapping[str, Iterable[str]] | None = None
) -> dict[str, str]:
    """Every path that changes when the files and folders in `renames` do, old to new.

    Notes within folders are known to the index; `files` are the other paths in each folder, folders included.
    """
    moves: dict[str, str] = {}
    for old, new in renames:
        moves[old] = new
        inside = [path for _, path in store.files(network.connection) if path.startswith(old + "/")]
        for path in [*inside, *(files or {}).get(old, ())]:
            moves[path] = new + path[len(old) :]
    return {old: new for old, new in moves.items() if old != new}


def mend_moves(network: LinkNetwork, notes: Notes, moves: Mapping[str, str], token: CancelToken | None = None) -> VaultEdit:
    """The edits that keep every link when paths change as in `moves`; somebody else moves the files. Raises Cancelled."""
    return mend(network, notes, Change(moves=moves, moved=()), token)


def mend_moved(
    network: LinkNetwork, notes: Notes, moves: Mapping[str, str], names: Mapping[str, Pairs], token: CancelToken | None = None
) -> VaultEdit:
    """The same for files that have moved already: what is at the new path is read as if it were at the old one still."""
    return mend(network, _Before(notes, moves), Change(moves=moves, moved=(), names=names), token)


class _Before:
    """The notes as they were before files moved."""

    def __init__(self, notes: Notes, moves: Mapping[str, str]) -> None:
        self._notes, self._moves = notes, moves
        self._new = frozenset(moves.values())

    def read(self, path: str) -> OpenNote | None:
        if path in self._moves:
            found = self._notes.read(self._moves[path])
            return None if found is None else self._notes.parse(path, found.text)
        return None if path in self._new else self._notes.read(path)

    def parse(self, path: str, text: str) -> OpenNote:
        return self._notes.parse(path, text)

    def exists(self, path: str) -> bool:
        return path in self._moves or (path not in self._new and self._notes.exists(path))
