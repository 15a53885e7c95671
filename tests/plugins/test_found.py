"""Which files of the plugins folder are let in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from khoj_ls.config.paths import Folders
from khoj_ls.plugins.found import find_plugins


@pytest.fixture
def home(tmp_path: Path) -> Folders:
    (tmp_path / "config" / "plugins").mkdir(parents=True)
    return Folders(*(tmp_path / name for name in ("config", "data", "state", "run")))


def names_and_problems(home: Folders, vaults: tuple[str, ...] = ()) -> tuple[list[str], dict[str, str]]:
    plugins, problems = find_plugins(home, vaults)
    return [each.name for each in plugins], {each.plugin: each.error for each in problems}


def test_python_files_are_plugins_and_nothing_else(home: Folders) -> None:
    folder = home.config / "plugins"
    for name in ("b.py", "a.py", "_draft.py", ".hidden.py", "notes.txt", "old.py.bak"):
        (folder / name).write_text("")
    (folder / "package").mkdir()
    assert names_and_problems(home) == (["a", "b"], {})


@pytest.mark.parametrize(
    ("mark", "listed"),
    [(".khoj.toml", False), (".obsidian/x", False), ("logseq/x", False), ("dendron.yml", False), (None, True)],
)
def test_a_link_into_a_vault_is_refused(home: Folders, tmp_path: Path, mark: str | None, listed: bool) -> None:
    vault = tmp_path / "vault"
    (vault / "deep").mkdir(parents=True)
    (vault / "deep" / "evil.py").write_text("")
    if mark:
        (vault / mark).parent.mkdir(exist_ok=True)
        (vault / mark).write_text("")
    (home.config / "plugins" / "evil.py").symlink_to(vault / "deep" / "evil.py")
    names, problems = names_and_problems(home, (str(vault),) if listed else ())
    assert (names, problems["evil"]) == (
        [],
        f"it lies in the vault {vault}: notes must bring no code. Copy it, instead of a link",
    )


def test_a_link_into_an_indexed_vault_is_refused_and_one_elsewhere_is_not(home: Folders, tmp_path: Path) -> None:
    for name in ("indexed", "dotfiles"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.py").write_text("")
        (home.config / "plugins" / f"{name}.py").symlink_to(tmp_path / name / f"{name}.py")
    home.vault(tmp_path / "indexed").mkdir(parents=True)
    (home.vault(tmp_path / "indexed") / "index.db").write_text("")
    names, problems = names_and_problems(home)
    assert (names, list(problems)) == (["dotfiles"], ["indexed"])


def test_a_folder_of_plugins_that_is_a_link_into_a_vault_brings_none(home: Folders, tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    (vault / ".obsidian").mkdir(parents=True)
    (vault / "evil.py").write_text("")
    (home.config / "plugins").rmdir()
    (home.config / "plugins").symlink_to(vault)
    names, problems = names_and_problems(home)
    assert (names, problems["evil"].startswith(f"it lies in the vault {vault}")) == ([], True)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no such permissions there")
@pytest.mark.parametrize(("mode", "let_in"), [(0o644, True), (0o664, True), (0o666, False), (0o646, False)])
def test_a_file_that_everybody_may_write_is_refused(home: Folders, mode: int, let_in: bool) -> None:
    path = home.config / "plugins" / "one.py"
    path.write_text("")
    path.chmod(mode)
    names, problems = names_and_problems(home)
    assert (bool(names), bool(problems)) == (let_in, not let_in)


def test_what_cannot_be_read_is_told(home: Folders) -> None:
    folder = home.config / "plugins"
    (folder / "gone.py").symlink_to(folder / "nowhere.py")
    (folder / "odd name.py").write_text("")
    (folder / "huge.py").write_bytes(b"#" * 1_000_001)
    (folder / "folder.py").mkdir()
    names, problems = names_and_problems(home)
    assert names == []
    assert {name: error.split(":")[0] for name, error in problems.items() if name != "folder"} == {
        "gone": "it cannot be read",
        "odd name": "a plugin's name has letters, digits, dots, - and _ only, at most 60",
        "huge": "it has more than 1000000 bytes",
    }
    assert "folder" in problems
