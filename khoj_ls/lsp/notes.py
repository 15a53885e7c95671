"""The notes of a vault as one session sees them: what it has open, else what is on disk."""

from __future__ import annotations

from khoj_ls.core.errors import UsageError
from khoj_ls.core.inside import stays_inside
from khoj_ls.core.text import decode_source
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.lsp.asked import Asked


class SessionNotes:
    """Reads notes for one request; each is read once, so that all edits of one answer count in one text."""

    def __init__(self, about: Asked) -> None:
        """The notes of the vault that a request is about."""
        self._about = about
        self._root = about.vault.root
        self._most_bytes = about.vault.settings.index.max_file_bytes
        self._read: dict[str, OpenNote | None] = {}

    def read(self, path: str) -> OpenNote | None:
        """The note at `path`; None when there is none, it is no note, or it cannot be read."""
        if path not in self._read:
            self._read[path] = self._about.opened_note(path) or self._from_disk(path)
        return self._read[path]

    def parse(self, path: str, text: str) -> OpenNote:
        """`text` as it would be read at `path`."""
        return self._about.vault.note(self._root / path, text)

    def exists(self, path: str) -> bool:
        """Whether there is a file or a folder at `path`, or a text open under that name."""
        return path in self._about.opened or (self._root / path).exists()

    def _from_disk(self, path: str) -> OpenNote | None:
        file = self._root / path
        try:
            # A template that a cloned vault's settings name may be any file of the user's.
            if not stays_inside(self._root, path) or not file.is_file() or file.stat().st_size > self._most_bytes:
                return None
            note = self.parse(path, decode_source(file.read_bytes())[0])
        except (OSError, UsageError):
            return None
        return note if note.parsed.type in ("markdown", "org", "text") or note.parsed.entries else None
