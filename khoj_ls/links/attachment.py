"""Where Org keeps the attachments of an entry (org-attach)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence

_FOLDERS = ("data", ".attach")
"""`org-attach-id-dir` as Org has it, and as Doom Emacs sets it."""

DIRECTORIES = ("DIR", "ATTACH_DIR")
"""Properties that name the folder, and keep that of the ID from being looked at."""


def attachment_paths(name: str, source: str, properties: Iterable[tuple[str, str]]) -> Sequence[str]:
    """Where the attachment `name` of an entry in the note at `source` may lie, relative to the vault.

    `properties` are those of the entry and of all it inherits from, the nearest first. DIR and ATTACH_DIR name the folder; else
    it is made of the ID in the ways of `org-attach-id-to-path-function-list`.
    """
    found: list[str] = []
    beside = posixpath.dirname(source)
    for key, value in properties:
        if key.upper() in DIRECTORIES:
            found.append(posixpath.join(beside, value.strip('"'), name))
        elif key.upper() == "ID":
            for folder in id_folders(value):
                inner = posixpath.join(folder, name)
                found += [posixpath.join(beside, inner), inner]
    return [posixpath.normpath(path) for path in found]


def id_folders(identity: str) -> Sequence[str]:
    """Folders of the attachments of an entry with an ID, relative to that of its note."""
    ways = ((identity[:2], identity[2:]), (identity[:6], identity[6:]), ("__", identity[:1], identity))
    return [posixpath.join(folder, *parts) for folder in _FOLDERS for parts in ways]
