"""editors/others: each file is what its editor reads, starts khoj-ls, knows vaults as the server does, sets what can be set."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import tomlkit
from editor_desk import TOP

from khoj_ls.config.load import session_values
from khoj_ls.config.roots import MARKERS

OTHERS = TOP / "editors" / "others"
FILES = (
    "emacs/eglot.el",
    "emacs/lsp-mode.el",
    "helix/languages.toml",
    "kakoune/khoj-ls.kak",
    "nvim/init.lua",
    "sublime/LSP.sublime-settings",
    "vim/ale.vim",
    "vim/vim-lsp.vim",
    "zed/Cargo.toml",
    "zed/extension.toml",
    "zed/settings.json",
    "zed/src/khoj_ls.rs",
)


def text(name: str) -> str:
    return (OTHERS / name).read_text()


def toml(name: str) -> dict:
    return tomlkit.parse(text(name)).unwrap()


def json_with_comments(name: str) -> dict:
    return json.loads(re.sub(r"^\s*//.*$", "", text(name), flags=re.MULTILINE))


def kakoune_servers() -> dict:
    return tomlkit.parse(re.search(r"lsp_servers %\{(.*?)\n    \}", text("kakoune/khoj-ls.kak"), re.DOTALL)[1]).unwrap()


def test_every_file_is_told_and_tested():
    there = sorted(str(path.relative_to(OTHERS)) for path in OTHERS.rglob("*") if path.is_file() and path.name != "README.md")
    assert there == sorted(FILES)
    page = text("README.md")
    untold = [name for name in FILES if f"({name})" not in page and not name.startswith("zed/")]
    assert untold == []
    targets = re.findall(r"\]\(([^)#]+)\)", page)
    assert [target for target in targets if not (OTHERS / target).exists()] == []


@pytest.mark.parametrize(
    "name", ["helix/languages.toml", "kakoune/khoj-ls.kak", "nvim/init.lua", "vim/ale.vim", "vim/vim-lsp.vim"]
)
def test_vaults_are_marked_as_the_server_sees_it(name):
    named = {mark for mark in MARKERS if re.search(rf"""["']{re.escape(mark)}/?["']""", text(name))}
    # Helix stops at .git by itself.
    assert named == set(MARKERS) - ({".git"} if name.startswith("helix") else set())


def test_the_program_is_khoj_ls():
    assert toml("helix/languages.toml")["language-server"]["khoj-ls"]["command"] == "khoj-ls"
    assert json_with_comments("sublime/LSP.sublime-settings")["clients"]["khoj-ls"]["command"] == ["khoj-ls"]
    assert list(kakoune_servers()) == ["khoj-ls"]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("helix", lambda: toml("helix/languages.toml")["language-server"]["khoj-ls"]["config"]),
        ("zed", lambda: json_with_comments("zed/settings.json")["lsp"]["khoj-ls"]["settings"]["khoj_ls"]),
        ("kakoune", lambda: kakoune_servers()["khoj-ls"]["settings"][kakoune_servers()["khoj-ls"]["settings_section"]]),
        (
            "sublime",
            lambda: {
                key.removeprefix("khoj_ls."): value
                for key, value in json_with_comments("sublime/LSP.sublime-settings")["clients"]["khoj-ls"]["settings"].items()
            },
        ),
    ],
)
def test_the_settings_are_an_editors_to_set(name, settings):
    values, problems = session_values(settings())
    assert values["search.limit"] == 20
    assert problems == []


def test_helix_serves_each_language_with_it():
    languages = toml("helix/languages.toml")["language"]
    assert {each["name"]: each["language-servers"] for each in languages} == {
        "markdown": ["khoj-ls"],
        "org": ["khoj-ls"],
        "plain-notes": ["khoj-ls"],
    }


def test_zed_names_the_server_once():
    extension, settings = toml("zed/extension.toml"), json_with_comments("zed/settings.json")
    assert list(extension["language_servers"]) == ["khoj-ls"] == list(settings["lsp"])
    assert sorted(extension["language_servers"]["khoj-ls"]["languages"]) == sorted(settings["languages"])
    assert {"khoj-ls" in each["language_servers"] for each in settings["languages"].values()} == {True}
    assert (OTHERS / "zed" / toml("zed/Cargo.toml")["lib"]["path"]).is_file()


@pytest.mark.parametrize(("name", "kind"), [("a.md", "markdown"), ("b.org", "org"), ("c.txt", "text"), ("d.py", "python")])
def test_kakoune_sets_the_server_for_notes(kakoune: Path, tmp_path, name, kind):
    """The real Kakoune; of kakoune-lsp only what the file uses: an option, a command and the hook that it takes away."""
    found = tmp_path / "found"
    (tmp_path / name).write_text("text\n")
    script = f"""
        declare-option str lsp_servers
        declare-option str enabled no
        define-command lsp-enable-window %{{ set-option window enabled yes }}
        source '{OTHERS}/kakoune/khoj-ls.kak'
        edit '{tmp_path / name}'
        echo -to-file '{found}' "%opt{{filetype}}\n%opt{{enabled}}\n%opt{{lsp_servers}}"
        quit!
    """
    subprocess.run([kakoune, "-ui", "dummy", "-e", script], check=True, timeout=30, stdin=subprocess.DEVNULL)
    filetype, enabled, servers = found.read_text().split("\n", 2)
    note = kind != "python"
    assert (filetype, enabled, tomlkit.parse(servers).unwrap()) == (
        kind,
        "yes" if note else "no",
        kakoune_servers() if note else {},
    )
