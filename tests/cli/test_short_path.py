"""Paths as people are shown them: from the folder they are in."""

from __future__ import annotations

from pathlib import Path

import pytest

from khoj_ls.cli.output import short_path


@pytest.mark.parametrize(
    ("here", "path", "shown"),
    [
        ("/notes", "/notes/lab/router.md", "lab/router.md"),
        ("/notes", "/notes.old/router.md", "/notes.old/router.md"),
        ("/notes/lab", "/notes/router.md", "/notes/router.md"),
        ("/", "/notes/router.md", "notes/router.md"),
    ],
)
@pytest.mark.skipif(not Path("/").is_absolute(), reason="paths of Windows begin with a drive")
def test_a_path_is_shown_from_the_current_folder(monkeypatch, here, path, shown):
    monkeypatch.setattr(Path, "cwd", lambda: Path(here))
    assert short_path(path) == shown


def test_where_the_current_folder_is_gone_a_path_is_shown_whole(monkeypatch):
    def gone() -> Path:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "cwd", gone)
    assert short_path("/notes/router.md") == "/notes/router.md"
