"""What is to be changed in a vault at once: edits of notes, files that move, appear or go. Plain values, nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from khoj_ls.graph.open_note import OpenNote
from khoj_ls.links.rewrite import Edit, applied


class Notes(Protocol):
    """The notes as they stand this moment: what the asking editor shows, else what is on disk."""

    def read(self, path: str) -> OpenNote | None:
        """The note at `path` (relative, posix); None when there is none, or it cannot be read."""
        ...

    def parse(self, path: str, text: str) -> OpenNote:
        """`text` as it would be read, stood it at `path`."""
        ...

    def exists(self, path: str) -> bool:
        """Whether there is a file or a folder at `path`, perhaps one that only an editor shows."""
        ...


@dataclass(frozen=True)
class NoteEdit:
    """The edits of one note, and the text whose bytes they count."""

    note: OpenNote
    edits: tuple[Edit, ...]

    @property
    def after(self) -> str:
        """The text that comes of it."""
        return applied(self.note.source, list(self.edits)).decode(errors="replace")


@dataclass(frozen=True)
class VaultEdit:
    """One change of a vault, to be made as a whole. Paths are relative to the vault, posix."""

    edits: Mapping[str, NoteEdit] = field(default_factory=lambda: MappingProxyType({}))
    """By the path a note has before anything moves."""
    moves: tuple[tuple[str, str], ...] = ()
    """Files and folders, old path and new; made after the edits."""
    created: tuple[tuple[str, str], ...] = ()
    """New notes with their text."""
    deleted: tuple[str, ...] = ()
    unmended: tuple[str, ...] = ()
    """`path:line: link` of links that no way of writing leads where they led."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return not (self.edits or self.moves or self.created or self.deleted)


def shifted(offset: int, edits: Iterable[Edit]) -> int:
    """Where the byte `offset` of a text stands once `edits` are made; in the middle of an edit at its beginning."""
    moved = offset
    for edit in edits:
        size = len(edit.text.encode(errors="surrogateescape"))
        if edit.end <= offset:
            moved += size - (edit.end - edit.start)
        elif edit.start < offset:
            moved -= offset - edit.start
    return moved
