from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from khoj_ls.config.load import load_user_settings, load_vault_settings
from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import IndexSettings, Settings
from khoj_ls.indexing.ignore import IgnoreRules

PLACES = {
    "nobody": ({}, ()),
    "the user": ({"user": ["diary/"]}, ("diary/",)),
    "the vault": ({"vault": ["work/"]}, ("work/",)),
    "both": ({"user": ["diary/"], "vault": ["work/"]}, ("work/", "diary/")),
    "the vault, taking back": ({"user": ["diary/"], "vault": ["!diary/"]}, ("!diary/", "diary/")),
    "the vault, emptying": ({"user": ["diary/"], "vault": []}, ("diary/",)),
    "the user for one vault": ({"user": ["diary/"], "own": ["!diary/open/"]}, ("diary/", "!diary/open/")),
    "the command line": ({"user": ["diary/"], "run": ("tmp/",)}, ("diary/", "tmp/")),
    "all": (
        {"user": ["u/"], "vault": ["v/"], "own": ["o/"], "run": ("r/",)},
        ("v/", "u/", "r/", "o/"),
    ),
}


@pytest.mark.parametrize("case", PLACES)
def test_the_lists_of_what_is_private_add_up(tmp_path: Path, case: str) -> None:
    said, expected = PLACES[case]
    folders = Folders(*(tmp_path / name for name in ("config", "data", "state", "run")))
    vault = tmp_path / "notes"
    vault.mkdir()
    folders.config.mkdir()
    text = f"index.private = {said['user']}\n" if "user" in said else ""
    if "own" in said:
        text += f'[vault."{vault}"]\nindex.private = {said["own"]}\n'
    folders.user_settings.write_text(text)
    if "vault" in said:
        (vault / ".khoj.toml").write_text(f"index.private = {said['vault']}\n")
    overrides = {"index.private": said["run"]} if "run" in said else {}
    user, problems = load_user_settings(folders, overrides)
    assert problems == []
    assert load_vault_settings(user, vault).index.private == expected


def test_a_vault_that_was_cloned_takes_nothing_from_what_the_user_keeps(tmp_path: Path) -> None:
    (tmp_path / ".khoj.toml").write_text('index.private = ["!*", "!diary/", "work/"]\n')
    (tmp_path / ".khojprivate").write_text("!*\n")
    user = replace(Settings(), index=IndexSettings(private=("diary/",)))
    rules = IgnoreRules(tmp_path, load_vault_settings(user, tmp_path).index, [".md"])
    assert {path: rules.is_private(path) for path in ("diary/a.md", "work/a.md", "a.md")} == {
        "diary/a.md": True,
        "work/a.md": True,
        "a.md": False,
    }
