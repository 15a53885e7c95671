"""Unsaved text of open buffers: for each path the latest version of any session, standing for the file on disk."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Buffer:
    """The unsaved text of one path."""

    data: bytes
    """UTF-8; halves of surrogate pairs without their other half became U+FFFD."""
    version: int
    changed_at: float
    """`time.monotonic()` of the last change, or of the save that made it rest at once."""


class Overlays:
    """Thread-safe. A path may be open in several sessions: the text changed last stands for the file."""

    def __init__(self, rest_seconds: float) -> None:
        """Hold no buffer yet; a buffer rests once it has not changed for `rest_seconds`."""
        self.rest_seconds = rest_seconds
        self._lock = threading.Lock()
        self._buffers: dict[str, dict[str, Buffer]] = {}

    def put(self, path: str, text: str, version: int, session: str = "") -> bool:
        """Take a buffer's text; False when that session sent a later version already, or nothing changed."""
        data = to_utf8(text)
        now = time.monotonic()
        with self._lock:
            sessions = self._buffers.setdefault(path, {})
            known = sessions.get(session)
            if known is not None and (version < known.version or data == known.data):
                return False
            sessions.pop(session, None)  # to come last: it changed last
            # What was just opened rests: it is most likely what is on disk.
            sessions[session] = Buffer(data, version, now if known else now - self.rest_seconds)
            return True

    def drop(self, path: str, session: str = "") -> bool:
        """Forget a session's buffer; False when there was none."""
        with self._lock:
            sessions = self._buffers.get(path, {})
            dropped = sessions.pop(session, None) is not None
            if not sessions:
                self._buffers.pop(path, None)
            return dropped

    def get(self, path: str) -> Buffer | None:
        """The buffer that stands for `path`, if one is open."""
        with self._lock:
            sessions = self._buffers.get(path)
            return sessions[next(reversed(sessions))] if sessions else None

    def paths(self) -> frozenset[str]:
        """Paths with an open buffer."""
        with self._lock:
            return frozenset(self._buffers)

    def saved(self, path: str) -> None:
        """What is on disk is what the buffer holds: whoever saves has come to rest."""
        with self._lock:
            sessions = self._buffers.get(path)
            if sessions:
                session = next(reversed(sessions))
                sessions[session] = replace(sessions[session], changed_at=time.monotonic() - self.rest_seconds)

    def unrested(self, path: str) -> float:
        """Seconds until the buffer of `path` rests; 0 when it does, or none is open."""
        known = self.get(path)
        return max(0.0, known.changed_at + self.rest_seconds - time.monotonic()) if known else 0.0


def to_utf8(text: str) -> bytes:
    """`text` as UTF-8. Editors that count in UTF-16 can send half of a surrogate pair: pairs are joined, halves replaced."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
