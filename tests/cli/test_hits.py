from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from khoj_ls.cli.hits import _broken, path_of, result_json, show_hits


def hit(**changes: Any) -> dict[str, Any]:
    """A hit as the wire has it."""
    return {
        "uri": "file:///notes/lab%20router.md",
        "range": {"start": {"line": 4, "character": 0}, "end": {"line": 9, "character": 0}},
        "title": "Router",
        "outline": ["Router", "Fix"],
        "snippet": "Moved it to channel 36",
        "highlights": [[12, 19]],
        "score": 0.7312,
        "type": "markdown",
        "vault": "/notes",
        "page": None,
        "tags": ["home"],
        "date": "2024-05-01",
        "sources": {"lexical": {"rank": 1, "score": 7.5}, "dense": {"rank": 2, "score": 0.61}},
        "linked": False,
        **changes,
    }


def result(*hits: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "hits": list(hits),
        "degraded": False,
        "coverage": 1.0,
        "timings": {"total": 3.1},
        "reason": None,
        "messages": [],
        **changes,
    }


def test_the_json_of_a_result() -> None:
    assert result_json(result(hit())) == {
        "hits": [
            {
                "path": "/notes/lab router.md",
                "line": 5,
                "end_line": 9,
                "title": "Router",
                "outline": ["Router", "Fix"],
                "snippet": "Moved it to channel 36",
                "highlights": [[12, 19]],
                "score": 0.7312,
                "type": "markdown",
                "page": None,
                "tags": ["home"],
                "date": "2024-05-01",
                "sources": {"lexical": {"rank": 1, "score": 7.5}, "dense": {"rank": 2, "score": 0.61}},
            }
        ],
        "degraded": False,
        "coverage": 1.0,
        "timings": {"total": 3.1},
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "/notes/lab router.md:5: Router > Fix (0.73, words + meaning)\n    Moved it to channel 36\n"),
        ({"sources": {"dense": {}}}, "/notes/lab router.md:5: Router > Fix (0.73, meaning)\n    Moved it to channel 36\n"),
        (
            {"outline": [], "linked": True, "page": 3},
            "/notes/lab router.md:5: Router (page 3, 0.73, words + meaning, linked)\n    Moved it to channel 36\n",
        ),
        (
            {"title": "\x1b[2JRouter", "outline": ["a\nb"], "snippet": "x\x07\u202ey", "highlights": []},
            "/notes/lab router.md:5: \ufffd[2JRouter > a\\nb (0.73, words + meaning)\n    x\ufffd\ufffdy\n",
        ),
        (
            {"uri": "file:///notes/%F0%9F%90%A6%0A.md"},
            "/notes/🐦\\n.md:5: Router > Fix (0.73, words + meaning)\n    Moved it to channel 36\n",
        ),
    ],
    ids=["usual", "one retriever", "no outline", "no note steers the terminal", "odd name"],
)
def test_how_a_hit_is_shown(capsys: pytest.CaptureFixture[str], changes: dict[str, Any], expected: str) -> None:
    show_hits(result(hit(**changes)), "nothing")
    assert capsys.readouterr().out == expected


def test_a_path_below_the_current_folder_is_shown_relative_to_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    show_hits(result(hit(uri=(tmp_path / "sub" / "a.md").as_uri()), hit(uri=f"{tmp_path.as_uri()}-other/a.md")), "nothing")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("sub/a.md:5: ")
    assert lines[2].startswith(f"{tmp_path}-other/a.md:5: ")


def test_what_is_missing_is_said_beside_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    show_hits(result(degraded=True, coverage=0.25, reason="12 passages have no vector yet"), "nothing found in /notes")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == (
        "khoj-ls: nothing found in /notes\nkhoj-ls: 12 passages have no vector yet (meaning covers 25% of the notes)\n"
    )


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///a%20b/%E5%A4%96.md", "/a b/外.md"),
        ("file:///a/%FF.md", "/a/\udcff.md"),
        ("file:///C:/notes/a.md", "C:\\notes\\a.md"),
        ("file:///a/b%23c.md", "/a/b#c.md"),
    ],
)
def test_paths_of_uris(uri: str, path: str) -> None:
    assert path_of(uri) == path


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 10, []),
        ("one two three", 20, ["one two three"]),
        ("one two three", 8, ["one two ", "three"]),
        ("one two three", 7, ["one two ", "three"]),
        ("indivisible", 4, ["indi", "visi", "ble"]),
        ("外婆的饺子", 4, ["外婆", "的饺", "子"]),
        ("a 外婆b", 4, ["a 外", "婆b"]),
    ],
)
def test_where_lines_are_broken(text: str, width: int, lines: list[str]) -> None:
    assert [text[start:end] for start, end in _broken(text, width)] == lines


def test_what_is_missing_is_told_with_the_share_that_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    show_hits(result(hit(), degraded=True, reason="no model"), "nothing")
    assert capsys.readouterr().err == "khoj-ls: no model\n"


def test_what_the_vaults_say_follows_the_hits_once(capsys: pytest.CaptureFixture[str]) -> None:
    show_hits(result(hit(), degraded=True, coverage=0.5, reason="no space", messages=["no space", "and more"]), "nothing")
    assert capsys.readouterr().err.splitlines() == [
        "khoj-ls: no space (meaning covers 50% of the notes)",
        "khoj-ls: and more",
    ]
