"""Making a WorkspaceEdit as an editor would: on a folder of files, by positions in its own encoding."""

from __future__ import annotations

import itertools
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lsprotocol import types

_CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


def apply(edit: types.WorkspaceEdit, encoding: str = "utf-16") -> None:
    """Make the edit; texts of a document are all counted before any of them is made (LSP 3.17, TextEdit[])."""
    for uri, edits in (edit.changes or {}).items():
        _write(uri, edits, encoding)
    for change in edit.document_changes or []:
        if isinstance(change, types.TextDocumentEdit):
            _write(change.text_document.uri, change.edits, encoding)
        elif isinstance(change, types.RenameFile):
            assert not path_of(change.new_uri).exists()
            path_of(change.new_uri).parent.mkdir(parents=True, exist_ok=True)
            path_of(change.old_uri).rename(path_of(change.new_uri))
        elif isinstance(change, types.CreateFile):
            path_of(change.uri).parent.mkdir(parents=True, exist_ok=True)
            path_of(change.uri).touch()
        else:
            path_of(change.uri).unlink()


def path_of(uri: str) -> Path:
    return Path(unquote(urlsplit(uri).path))


def _write(uri: str, edits, encoding: str) -> None:
    lines = path_of(uri).read_bytes().decode().split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    codec, width = _CODECS[encoding]

    def offset(position: types.Position) -> int:
        line = lines[position.line] if position.line < len(lines) else ""
        raw = line.encode(codec)
        assert position.character * width <= len(raw), (uri, position)
        return min(starts[position.line] + len(raw[: position.character * width].decode(codec)), starts[-1] - 1)

    text = "\n".join(lines)
    placed = sorted((offset(edit.range.start), offset(edit.range.end), edit.new_text) for edit in edits)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(placed))
    for start, end, new in reversed(placed):
        text = text[:start] + new + text[end:]
    path_of(uri).write_bytes(text.encode())
