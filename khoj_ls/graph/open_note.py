"""A note as its editor shows it, which may be newer than the index."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from khoj_ls.content.registry import ProcessorRegistry, parse_file
from khoj_ls.core.types import Entry, Link, ParsedFile

_KEPT = 32
"""Notes of which the parsed form is kept: an editor asks many things about one text."""

_PLUGIN_SECONDS = 2.0
"""How long a plugin's processor may take here, where somebody waits for it."""


@dataclass(frozen=True)
class OpenNote:
    """The text of a note, and what was found in it."""

    path: str
    """Relative to the vault, posix; the index may not know it."""
    text: str
    source: bytes
    """The text in UTF-8: what all spans count."""
    parsed: ParsedFile

    def link_at(self, offset: int) -> Link | None:
        """The innermost link that holds the byte `offset`, or ends there."""
        around = [link for link in self.links if link.span.start <= offset <= link.span.end]
        # Between two links that touch, the one that begins here.
        return min(around, key=lambda link: (link.span.end == offset, link.span.end - link.span.start), default=None)

    def entry_at(self, offset: int) -> tuple[int, Entry] | None:
        """Ordinal and entry of the section that holds the byte `offset`."""
        for ordinal, entry in enumerate(self.parsed.entries):
            if entry.span.start <= offset < entry.span.end or (offset == entry.span.end == len(self.source)):
                return ordinal, entry
        return None

    @property
    def links(self) -> tuple[Link, ...]:
        """All links of the text, in source order."""
        return tuple(link for entry in self.parsed.entries for link in entry.links)


class NoteReader:
    """Parses texts, the same text once. Thread-safe; lives as long as its vault is open."""

    def __init__(self, registry: ProcessorRegistry) -> None:
        """Parse with the processors of `registry`."""
        self._registry = registry
        self._guard = threading.Lock()
        self._known: OrderedDict[tuple[str, str], OpenNote] = OrderedDict()

    def read(self, path: str, text: str) -> OpenNote:
        """The note at `path` (relative to the vault) with `text`; no entries where no processor reads it."""
        key = (path, text)
        with self._guard:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        source = text.encode(errors="replace")
        note = OpenNote(path, text, source, parse_file(self._registry, source, path, seconds=_PLUGIN_SECONDS))
        with self._guard:
            self._known[key] = note
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return note
