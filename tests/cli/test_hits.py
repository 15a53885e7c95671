from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from khoj_ls.cli.hits import _broken, path_of, result_json, show_hits
from khoj_ls.config.settings import Tuning
from khoj_ls.wire.tuning_messages import Explanation, Step


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
        "place": None,
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


def test_a_hit_in_a_long_line_tells_its_columns(capsys: pytest.CaptureFixture[str]) -> None:
    places = {"start": {"line": 0, "character": 4419}, "end": {"line": 0, "character": 5164}}
    found = result(hit(range=places, place="column 4420"))
    told = result_json(found)["hits"][0]
    assert {name: told[name] for name in ("line", "column", "end_line", "end_column")} == {
        "line": 1,
        "column": 4420,
        "end_line": 1,
        "end_column": 5164,
    }
    show_hits(found, "")
    assert "lab router.md:1:4420: " in capsys.readouterr().out


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
                "place": None,
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
            {"outline": [], "linked": True, "place": "page 3"},
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


EXPLAINED = {
    "retrievers": {
        "lexical": {"rank": 1, "score": 0.8124},
        "dense": {"rank": 2, "score": 0.61},
        "names": {"rank": 3, "score": 0.3},
    },
    "fused": 0.7312,
    "rank": 4,
    "steps": [
        {
            "name": "recency",
            "before": 0.7312,
            "after": 0.65,
            "why": "10 days from today",
            "numbers": {"age_days": 10.0, "factor": 0.889},
        },
        {"name": "cap", "before": 0.65, "after": 0.65, "why": "number 1 of its note, of at most 3", "numbers": {}},
    ],
    "score": 0.65,
    "profile": "mine\x1b",
    "numbers": {"max_per_file": 3, "type_weights": {"org": 0.5}},
}
TOLD = """\
/notes/lab router.md:5: Router > Fix (0.73, words + meaning)
    Moved it to channel 36
      fused          0.731, no. 4 of all: words 0.812 (no. 1), meaning 0.610 (no. 2), title and path 0.300 (no. 3)
      recency        0.731 -> 0.650  10 days from today (factor 0.889)
      cap            number 1 of its note, of at most 3
"""
PROFILE = 'profile mine\ufffd: max_per_file = 3, type_weights = {"org": 0.5}\n'


def test_how_a_hit_came_to_stand_there_follows_it_and_the_profile_stands_at_the_end_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_hits(result(hit(explanation=EXPLAINED), hit(explanation=EXPLAINED)), "nothing")
    assert capsys.readouterr().out == TOLD + TOLD + PROFILE


def test_an_explanation_of_nothing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    show_hits(result(hit(explanation={**EXPLAINED, "retrievers": {}, "steps": []})), "nothing")
    assert capsys.readouterr().out.splitlines()[2] == "      fused          0.731, no. 4 of all: nobody found it"


def test_hits_of_a_note_stand_together_and_editors_can_still_jump_to_each(capsys: pytest.CaptureFixture[str]) -> None:
    first, second, other = hit(), hit(outline=["Router"], score=0.5), hit(uri="file:///notes/b.md", title="B", outline=[])
    notes = [
        {"uri": first["uri"], "title": "Router", "vault": "/notes", "score": 0.7312, "hits": [first, second]},
        {"uri": other["uri"], "title": "B", "vault": "/notes", "score": 0.7312, "hits": [other]},
    ]
    show_hits(result(first, other, second, notes=notes), "nothing")
    assert [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")] == [
        "Router (0.73, 2 hits)",
        "/notes/lab router.md:5: Fix (0.73, words + meaning)",
        "/notes/lab router.md:5: (0.50, words + meaning)",
        "B (0.73, 1 hit)",
        "/notes/b.md:5: (0.73, words + meaning)",
    ]


def test_the_json_of_an_answer_that_was_grouped_and_explained() -> None:
    explained = hit(explanation=EXPLAINED)
    notes = [{"uri": explained["uri"], "title": "Router", "vault": "/notes", "score": 0.7312, "hits": [explained]}]
    shown = result_json(result(explained, notes=notes))
    assert shown["hits"][0]["explanation"] == EXPLAINED
    assert shown["notes"] == [{"path": "/notes/lab router.md", "title": "Router", "score": 0.7312, "hits": shown["hits"]}]
    assert result_json(result(notes=[]))["notes"] == []


def documented(example: str) -> Any:
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    return json.loads(page.partition(f"```json {example}\n")[2].partition("```")[0])


def test_the_documented_explanation_and_groups_have_the_keys_that_there_are() -> None:
    how, (step, *_) = documented("search-explain"), documented("search-explain")["steps"]
    assert list(how) == [field.name for field in fields(Explanation)]
    assert list(step) == [field.name for field in fields(Step)]
    assert list(how["numbers"]) == [field.name for field in fields(Tuning)]
    notes = [{"uri": hit()["uri"], "title": "Router", "vault": "/notes", "score": 0.7312, "hits": []}]
    assert [list(note) for note in result_json(result(notes=notes))["notes"]] == [
        list(note) for note in documented("search-group")["notes"]
    ]


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
