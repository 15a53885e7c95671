from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from khoj_ls.cli.related import parse_place

AT_12 = {"position": {"line": 11}}


@pytest.mark.parametrize(
    ("place", "file", "lines"),
    [
        ("note.md", "note.md", {}),
        ("note.md:12", "note.md", AT_12),
        ("note.md:12:", "note.md", AT_12),
        ("note.md:12:5", "note.md", AT_12),
        ("note.md:3-7", "note.md", {"range": {"start": {"line": 2}, "end": {"line": 7}}}),
        ("odd:3", "odd:3", {}),
        ("odd:3:12", "odd:3", AT_12),
        ("外婆.md:12", "外婆.md", AT_12),
    ],
)
def test_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, file: str, lines: dict[str, Any]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / file).touch()
    assert parse_place(place) == (tmp_path / file, lines)
