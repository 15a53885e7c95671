from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from khoj_ls.config.describe import default_toml, schema_text
from khoj_ls.config.keys import Secret, find_key
from khoj_ls.config.options import options
from khoj_ls.config.paths import folders


def test_set_get_and_unset(verb: Any, private_home: Path) -> None:
    file = private_home / "config" / "config.toml"
    assert verb("config", "get", "search.limit").stdout == "10\n"
    shown = verb("config", "set", "search.limit", "25")
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert shown.stderr.startswith(f"khoj-ls: search.limit = 25 in {file}; a running daemon")
    assert file.read_text() == "[search]\nlimit = 25\n"
    assert verb("config", "get", "search.limit").stdout == "25\n"
    assert verb("config", "unset", "search.limit").exit_code == 0
    assert verb("config", "get", "search.limit").stdout == "10\n"
    assert json.loads(verb("config", "set", "index.ignore", "a,b", "--json").stdout) == {
        "key": "index.ignore",
        "value": ["a", "b"],
        "vault": None,
        "file": str(file),
    }


def test_set_for_one_vault(verb: Any, private_home: Path, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    assert verb("config", "set", "--vault", "notes", "embedding.model", "multilingual").exit_code == 0
    assert verb("config", "get", "--vault", "notes", "embedding.model").stdout == "multilingual\n"
    assert verb("config", "get", "embedding.model").stdout == "fast\n"
    shown = verb("config", "set", "--vault", "notes", "daemon.nice", "3")
    assert (shown.exit_code, shown.stderr) == (2, "khoj-ls: daemon.nice holds for all vaults: leave --vault away\n")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("search.limit", "0", "search.limit wants a whole number from 1 to 100, not 0"),
        ("search.mode", "magic", 'search.mode wants one of hybrid, lexical, dense, not "magic"'),
        ("serch.limit", "1", "there is no setting serch.limit; did you mean search.limit?"),
    ],
)
def test_what_cannot_be_set(verb: Any, private_home: Path, key: str, value: str, message: str) -> None:
    shown = verb("config", "set", key, value)
    assert (shown.exit_code, shown.stderr) == (2, f"khoj-ls: {message}\n")
    assert not (private_home / "config").exists()


def test_show_says_what_holds_and_what_is_wrong(verb: Any, private_home: Path, tmp_path: Path) -> None:
    (private_home / "config").mkdir()
    (private_home / "config" / "config.toml").write_text("[search]\nlimit = 7\n")
    (tmp_path / ".khoj.toml").write_text("[index]\nhidden = true\n[daemon]\nnice = 1\n")
    shown = json.loads(verb("config", "show", "--json").stdout)
    assert shown["vault"] == str(tmp_path)
    assert set(shown["settings"]) == set(options())
    assert (shown["settings"]["search.limit"], shown["settings"]["index.hidden"]) == (7, True)
    assert [problem.split(": ")[:2] for problem in shown["problems"]] == [[str(tmp_path / ".khoj.toml"), "daemon.nice"]]
    text = verb("config", "show", "--changed")
    assert text.stdout == "index.hidden = true\nsearch.limit = 7\n"
    assert "daemon.nice: a vault's file may not set this" in text.stderr
    assert verb("--set", "search.limit=9", "config", "get", "search.limit").stdout == "9\n"


def test_generated_documents(verb: Any) -> None:
    assert verb("config", "schema").stdout == schema_text()
    assert verb("config", "defaults").stdout == default_toml()


def test_paths(verb: Any, private_home: Path) -> None:
    assert verb("config", "path").stdout.splitlines()[0] == str(private_home / "config" / "config.toml")
    assert set(json.loads(verb("config", "path", "--json").stdout)) == {"settings", "keys", "data", "models", "log", "runtime"}


def test_a_key_is_kept_and_never_shown(verb: Any) -> None:
    shown = verb("config", "key", "OPENAI_API_KEY", input="sk-1\n")
    assert shown.exit_code == 0
    assert "sk-1" not in shown.output
    assert find_key("OPENAI_API_KEY", {}, folders()) == Secret("sk-1")
    assert verb("config", "key", "OPENAI_API_KEY", "--delete").exit_code == 0
    assert verb("config", "key", "OPENAI_API_KEY", input="\n").exit_code == 2
    assert verb("config", "key", "not a name", input="x\n").exit_code == 2


def test_profiles_are_listed_set_and_taken_out(verb: Any, private_home: Path) -> None:
    file = private_home / "config" / "config.toml"
    assert verb("config", "set", "search.profiles.mine.base", "recent_focused").exit_code == 0
    assert verb("config", "set", "search.profiles.mine.type_weights", "{ org = 0.5 }").exit_code == 0
    assert file.read_text() == '[search.profiles.mine]\nbase = "recent_focused"\ntype_weights = {org = 0.5}\n'
    assert verb("config", "get", "search.profiles.mine.recency_decay_days").stdout == "30.0\n"
    assert verb("config", "get", "search.profiles.mine.type_weights").stdout == "{ org = 0.5 }\n"
    assert verb("config", "show", "--changed").stdout == (
        'search.profiles.mine.base = "recent_focused"\nsearch.profiles.mine.type_weights = { org = 0.5 }\n'
    )
    listed = json.loads(verb("config", "profiles", "--json").stdout)["profiles"]
    assert [profile["name"] for profile in listed] == ["default", "precise", "broad", "recent_focused", "mine"]
    mine = listed[-1]
    assert (mine["base"], mine["source"], mine["sets"]) == ("recent_focused", "settings", ["type_weights"])
    assert (mine["numbers"]["recency_bias"], mine["numbers"]["type_weights"]) == (0.3, {"org": 0.5})
    shown = verb("--set", "search.profile=mine", "config", "profiles").stdout.splitlines()
    assert "* mine (settings, based on recent_focused)" in shown
    assert "  default (built-in): The order that measured best." in shown
    assert "    recency_decay_days = 30.0" in shown
    assert verb("config", "unset", "search.profiles.mine.base").exit_code == 0
    assert verb("config", "get", "search.profiles.mine.recency_bias").stdout == "0.0\n"
    wrong = verb("config", "set", "search.profiles.mine.recency", "1")
    assert wrong.stderr == (
        "khoj-ls: there is no setting search.profiles.mine.recency; did you mean search.profiles.mine.recency_bias?\n"
    )


def test_a_profile_whose_base_there_is_not_is_told(verb: Any, private_home: Path) -> None:
    verb("config", "set", "search.profiles.mine.base", "nope")
    shown = verb("config", "profiles")
    assert (shown.exit_code, "mine (" in shown.stdout) == (0, False)
    told = "profile mine: there is no profile 'nope' (known: default, precise, broad, recent_focused, mine)"
    assert shown.stderr == f"khoj-ls: {told}\n"
    assert f"search.profiles.mine.base: {told}" in verb("config", "show").stderr
