"""What `khoj-ls search` asks for, by its options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from khoj_ls.cli import search


class Answers:
    """Answers every search with nothing, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def call(self, method: str, params: Mapping[str, Any], on_progress: Any = None) -> Any:
        if method == "khoj/status":
            status = {"phase": "idle", "coverage": 1.0, "files": 1, "queue": 0, "message": ""}
            return {"vaults": [status]}
        self.asked = dict(params)
        return {"hits": [], "degraded": False, "coverage": 1.0, "timings": {}, "reason": None}


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Answers:
    answers = Answers()

    @contextmanager
    def connect(run: Any) -> Iterator[Answers]:
        yield answers

    monkeypatch.setattr(search, "connect", connect)
    return answers


UNSAID = {
    "limit": None,
    "mode": None,
    "profile": None,
    "rerank": None,
    "explain": False,
    "group": False,
    "prefix": False,
    "symmetric": None,
    "within": None,
    "tuning": None,
}


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ([], {}),
        (["--profile", "broad", "--rerank", "--explain", "--group", "--prefix"],
         {"profile": "broad", "rerank": True, "explain": True, "group": True, "prefix": True}),
        (["--no-rerank"], {"rerank": False}),
        (["--symmetric"], {"symmetric": True}),
        (["--asymmetric"], {"symmetric": False}),
        (["--tune", "recency_bias=0.5", "--tune", "rerank = true", "--tune", "type_weights={org=0.5}"],
         {"tuning": {"recency_bias": 0.5, "rerank": True, "type_weights": {"org": 0.5}}}),
    ],
)  # fmt: skip
def test_what_is_asked(verb: Any, daemon: Answers, tmp_path: Path, options: list[str], asked: dict[str, Any]) -> None:
    assert verb("search", "plum", "tree", *options).exit_code == 1
    assert daemon.asked == {"query": "plum tree", "vault": str(tmp_path), **UNSAID, **asked}


def test_a_search_within_notes_asks_the_vaults_that_they_are_in(verb: Any, daemon: Answers, tmp_path: Path) -> None:
    for vault in ("one", "two"):
        (tmp_path / vault / "sub").mkdir(parents=True)
        (tmp_path / vault / ".khoj.toml").touch()
        (tmp_path / vault / "a.md").touch()
    one, two = tmp_path / "one", tmp_path / "two"
    assert "nothing found in" in verb("search", "plum", "--in", "one/a.md", "--in", "one/sub/").stderr
    assert (daemon.asked["within"], daemon.asked["vault"]) == ([(one / "a.md").as_uri(), (one / "sub").as_uri()], str(one))
    verb("search", "plum", "--in", "one/a.md", "--in", "two")
    assert (daemon.asked["within"], daemon.asked["vault"]) == ([(one / "a.md").as_uri(), two.as_uri()], None)
    verb("search", "plum", "--vault", "two", "--in", "one/a.md")
    assert daemon.asked["vault"] == str(two)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--in", "nowhere"], "--in nowhere: there is no such note or folder"),
        (["--tune", "recency"], "--tune recency: write it as NUMBER=VALUE"),
        (
            ["--tune", "recency=1"],
            "--tune recency: there is no such number; did you mean recency_bias? (known: bi_encoder_top_k, ",
        ),
        (["--tune", "recency_bias=2"], "--tune recency_bias: wants a number from 0 to 1, not 2"),
    ],
)
def test_what_cannot_be_asked(verb: Any, daemon: Answers, options: list[str], message: str) -> None:
    shown = verb("search", "plum", *options)
    assert (shown.exit_code, daemon.asked) == (2, {})
    assert shown.stderr.startswith(f"khoj-ls: {message}")


@pytest.mark.parametrize("ask", [["search", "plum"], ["config", "get", "search.limit"]])
def test_a_profile_that_is_set_and_there_is_not(verb: Any, private_home: Path, ask: list[str]) -> None:
    shown = verb("--set", "search.profile=recnt_focused", *ask)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr.startswith(
        "khoj-ls: --set search.profile: there is no profile 'recnt_focused'; did you mean recent_focused? (known: default, "
    )


def test_a_shell_completes_profiles(verb: Any, private_home: Path) -> None:
    verb("config", "set", "search.profiles.press.base", "precise")
    assert search._profiles(None, None, "pre") == ["precise", "press"]  # type: ignore[arg-type]  # neither is looked at
