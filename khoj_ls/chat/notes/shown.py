"""Which pictures belong to which notes: shown in them, linked from them, or in the folders that Org keeps for an entry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from khoj_ls.chat.notes.pictures import PICTURES, Wanted
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.links.attachment import attachment_paths
from khoj_ls.store.links import file_at, inherited_properties

_PRIVATE_NOTES = (
    "SELECT DISTINCT f.path FROM file f JOIN entry e ON e.file_id = f.id WHERE (e.private OR f.private) AND ("
    "(f.type = 'org' AND e.properties <> '[]') OR EXISTS (SELECT 1 FROM link l WHERE l.file_id = f.id AND l.entry = e.ordinal "
    "AND (instr(l.target, ?) OR instr(l.target, ?))))"
)


def shown_privately(network: LinkNetwork, root: Path, picture: str) -> bool:
    """Whether a private note, or a private section of one, shows, links or keeps the picture at a path."""
    name = picture.rpartition("/")[2]
    notes = network.connection.execute(_PRIVATE_NOTES, (name, quote(name))).fetchall()
    return any(each.private and each.path == picture for (note,) in notes for each in wanted_by(network, root, note))


def wanted_by(network: LinkNetwork, root: Path, path: str) -> Iterator[Wanted]:
    """The files that the note at `path` shows, links or keeps as attachments, whatever they are."""
    known = file_at(network.connection, path)
    if known is None:
        return
    file_id, kind = known
    rows = network.connection.execute(
        "SELECT e.ordinal, e.private OR f.private, e.properties FROM entry e JOIN file f ON f.id = e.file_id "
        "WHERE f.id = ? ORDER BY e.ordinal",
        (file_id,),
    ).fetchall()
    private = {ordinal: bool(flag) for ordinal, flag, _ in rows}
    for link in network.links_of(file_id):
        for target in link.resolution.targets:
            # A picture is a file of the index itself where text in pictures is read.
            if target.file_id is None or target.path.lower().endswith(PICTURES):
                yield Wanted(target.path, private.get(link.entry, True))
    if kind == "org":
        for ordinal, flag, properties in rows:
            if properties and properties != "[]":
                yield from (Wanted(each, bool(flag)) for each in _attached(network, root, path, file_id, ordinal))


def _attached(network: LinkNetwork, root: Path, path: str, file_id: int, ordinal: int) -> Iterator[str]:
    """What lies in the folders that Org keeps for an entry."""
    properties = inherited_properties(network.connection, file_id, ordinal)
    for file in attachment_paths("*", path, properties):
        folder = file.rpartition("/")[0]
        if folder.startswith(("../", "/")) or folder == "..":
            continue
        try:
            names = sorted(each.name for each in (root / folder).iterdir())
        except (OSError, ValueError):
            continue  # most of the places where attachments may lie are not there
        yield from (f"{folder}/{name}" for name in names)
