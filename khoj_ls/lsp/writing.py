"""Where the user is writing: the place of the last edit of each document, for a while."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from lsprotocol import types

from khoj_ls.graph.diagnose import Finding
from khoj_ls.lsp.positions import Positions


@dataclass(frozen=True)
class _Edit:
    version: int
    start: int
    end: int
    """Bytes of the text after the edit."""
    at: float


class Writing:
    """The last edits of a session's documents. For the connection's loop only."""

    def __init__(self) -> None:
        """Nobody has written yet."""
        self._edits: dict[str, _Edit] = {}
        self._said: dict[str, frozenset[tuple[str, str]]] = {}
        """Codes and messages that were told last: what was wrong before is wrong while one writes, too."""

    def took(self, uri: str, change: types.DidChangeTextDocumentParams, positions: Positions) -> None:
        """Take note of a change; `positions` are those of the text it made."""
        last = change.content_changes[-1] if change.content_changes else None
        if isinstance(last, types.TextDocumentContentChangePartial):
            start = positions.offset(last.range.start)
            end = start + len(last.text.encode(errors="replace"))
            self._edits[uri] = _Edit(change.text_document.version, start, end, time.monotonic())
        elif last is not None:  # the whole text: where in it is not said
            self._edits[uri] = _Edit(change.text_document.version, 0, len(last.text.encode(errors="replace")), time.monotonic())

    def forget(self, uri: str) -> None:
        """The document was closed."""
        self._edits.pop(uri, None)
        self._said.pop(uri, None)

    def rests_in(self, uri: str, rest: float) -> float:
        """Seconds until the text has rested for `rest`; 0 when it has."""
        edit = self._edits.get(uri)
        return max(0.0, edit.at + rest - time.monotonic()) if edit else 0.0

    def settled(self, uri: str, findings: Iterable[Finding], rest: float) -> tuple[list[Finding], bool]:
        """The findings that are to be told: but for new ones about what is being written; and whether such wait."""
        edit = self._edits.get(uri)
        found = list(findings)
        said = self._said.get(uri, frozenset())
        resting = edit is None or time.monotonic() - edit.at >= rest
        kept = [
            each for each in found if resting or edit is None or (each.code, each.message) in said or not _touches(each, edit)
        ]
        self._said[uri] = frozenset((each.code, each.message) for each in kept)
        return kept, len(kept) < len(found)


def _touches(finding: Finding, edit: _Edit) -> bool:
    start, end = finding.start, finding.end
    if finding.link is not None:
        start, end = finding.link.link.span.start, finding.link.link.span.end
    return start <= edit.end and edit.start <= end
