"""What is left out, and why; the judgement of git itself is the yardstick for .gitignore."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess

import pytest

from khoj_ls.config.settings import IndexSettings
from khoj_ls.indexing.ignore import IgnoreRules
from khoj_ls.indexing.scan import scan


def rules(root, **settings) -> IgnoreRules:
    return IgnoreRules(root, IndexSettings(**settings), {".md", ".org"})


def plant(root, files) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("note.md", "indexed"),
        ("deep/er/note.ORG", "indexed"),
        ("名前\n😀.md", "indexed"),
        ("photo.jpg", "unsupported"),
        ("README", "unsupported"),
        (".hidden.md", "hidden"),
        (".folder/note.md", "hidden"),
        (".git/note.md", "built-in"),
        ("a/.obsidian/note.md", "built-in"),
        ("logseq/bak/note.md", "built-in"),
        ("logseq/note.md", "indexed"),
        (".trash/note.md", "built-in"),
        ("site/node_modules/x/README.md", "built-in"),
        ("__pycache__/note.md", "built-in"),
        (".venv/note.md", "built-in"),
        (".#note.md", "built-in"),
        ("#note.md#", "unsupported"),
        ("note.md~", "unsupported"),
        (".note.md.swp", "unsupported"),
        ("4913", "unsupported"),
        ("#1 idea.md", "indexed"),
        ("absent.md", "missing"),
        ("../note.md", "outside"),
        ("a/../../note.md", "outside"),
        ("/etc/note.md", "outside"),
    ],
)
def test_a_name_decides(tmp_path, path, code):
    root = tmp_path / "a" / "b"
    root.mkdir(parents=True)
    if code != "missing" and not path.startswith(("/", "..")):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x")
    decision = rules(root).why(path)
    assert (decision.code, decision.indexed) == (code, code == "indexed")


RULES = {
    ".gitignore": "# comment\n\n*.tmp.md\ndrafts/\n/top.md\nsub/**/deep.md\n",
    ".khojignore": "journal/*\n!journal/keep.md\n",
    "notes/.gitignore": "!x.tmp.md\nlocal.md\r\n",
    "notes/.khojignore": "\\#hash.md\ntrailing.md   \n!.shown.md\n!\n[broken\n",
}


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("a.md", None),
        ("a.tmp.md", ".gitignore:3: *.tmp.md"),
        ("notes/a.tmp.md", ".gitignore:3: *.tmp.md"),
        ("notes/x.tmp.md", None),
        ("drafts/a.md", ".gitignore:4: drafts/"),
        ("notes/drafts/a.md", ".gitignore:4: drafts/"),
        ("top.md", ".gitignore:5: /top.md"),
        ("notes/top.md", None),
        ("sub/a/b/deep.md", ".gitignore:6: sub/**/deep.md"),
        ("journal/a.md", ".khojignore:1: journal/*"),
        ("journal/keep.md", None),
        ("notes/local.md", "notes/.gitignore:2: local.md"),
        ("local.md", None),
        ("notes/#hash.md", "notes/.khojignore:1: \\#hash.md"),
        ("notes/trailing.md", "notes/.khojignore:2: trailing.md   "),
        ("notes/.shown.md", None),
        ("secret/a.md", "settings index.ignore:1: secret/"),
    ],
)
def test_the_deciding_rule_is_named(tmp_path, path, rule):
    plant(tmp_path, {**RULES, path: "x"})
    decision = rules(tmp_path, ignore=("secret/",)).why(path)
    assert (decision.rule, decision.indexed) == (rule, rule is None)


def test_settings_of_tools_are_no_notes_unless_a_rule_says_so(tmp_path):
    plant(tmp_path, {"package.json": "{}", "app/tsconfig.base.json": "{}", "x.egg-info/a.md": "", "plan.json": "{}"})
    plant(tmp_path, {"kept/package.json": "{}", "kept/.khojignore": "!package.json\n", "git/Cargo.toml": "", "deno.json": ""})
    plant(tmp_path, {"git/.gitignore": "!Cargo.toml\n"})
    given = IgnoreRules(tmp_path, IndexSettings(ignore=("!deno.json",)), (".json", ".toml", ".md"))
    assert sorted(file.path for file in scan(given).files) == ["deno.json", "kept/package.json", "plan.json"]
    decision = given.why("app/tsconfig.base.json")
    assert (decision.code, decision.rule.endswith(": tsconfig*.json")) == ("ignored", True)


def test_gitignore_can_be_switched_off_and_hidden_files_on(tmp_path):
    plant(tmp_path, {".gitignore": "a.md\n", ".khojignore": "b.md\n", "a.md": "", "b.md": "", ".c.md": "", ".d/e.md": ""})
    found = scan(rules(tmp_path, gitignore=False, hidden=True)).files
    assert sorted(stat.path for stat in found) == [".c.md", ".d/e.md", "a.md"]


def test_a_rule_file_that_cannot_be_read_leaves_its_folder_out(tmp_path, monkeypatch):
    plant(tmp_path, {"closed/.khojignore": "x", "closed/a.md": "", "b.md": ""})
    path_type = type(tmp_path)
    read = path_type.read_bytes

    def refuse(path):
        if path.name == ".khojignore":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(path_type, "read_bytes", refuse)
    assert [stat.path for stat in scan(rules(tmp_path)).files] == ["b.md"]
    assert "Permission denied" in rules(tmp_path).why("closed/a.md").rule


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"plain", "indexed"),
        (b"", "indexed"),
        (b"text\0with NUL", "binary"),
        (b"\xff\xfe" + "utf-16".encode("utf-16-le"), "indexed"),
        (b"\xfe\xff" + "utf-16".encode("utf-16-be"), "indexed"),
        (b"x" * 9000 + b"\0", "indexed"),
        (b"x" * 10_001, "too-large"),
    ],
)
def test_content_decides_last(tmp_path, content, code):
    (tmp_path / "a.md").write_bytes(content)
    assert rules(tmp_path, max_file_bytes=10_000).why("a.md").code == code


def test_links_and_pipes_are_never_followed(tmp_path, monkeypatch):
    root = tmp_path / "vault"
    plant(root, {"real.md": "x", "folder/inner.md": "x"})
    (tmp_path / "outside.md").write_text("secret")
    links = {
        "twin.md": root / "real.md",
        "leak.md": tmp_path / "outside.md",
        "dangling.md": "nowhere",
        "loop.md": "loop.md",
        "folder/up": root,
        "away": tmp_path,
        "gone": "nowhere",
    }
    for path, target in links.items():
        (root / path).symlink_to(target)
    os.mkfifo(root / "pipe.md")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(root)  # a socket's path may not be long
        listening.bind("socket.md")
    (root / "dir.md").mkdir()
    expected = {
        "twin.md": "symlink",
        "leak.md": "symlink-outside",
        "dangling.md": "symlink-dangling",
        "loop.md": "symlink-loop",
        "folder/up/real.md": "symlink",
        "folder/up": "symlink",
        "away": "symlink-outside",
        "away/secret.md": "symlink-outside",
        "gone": "symlink-dangling",
        "pipe.md": "not-a-file",
        "socket.md": "not-a-file",
        "dir.md": "folder",
        "folder": "folder",
    }
    assert {path: rules(root).why(path).code for path in expected} == expected
    found = scan(rules(root))
    named = ["dangling.md", "loop.md", "pipe.md", "socket.md"]
    assert sorted(stat.path for stat in found.files) == sorted(["folder/inner.md", "real.md", *named])
    assert found.skipped == {"symlink": 2, "symlink-outside": 2, "symlink-dangling": 2, "symlink-loop": 1, "not-a-file": 2}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("up", "it is a symbolic link to a folder of the vault; the notes there are indexed under their own names"),
        ("up/a.md", "the folder up above it is left out: it is a symbolic link to a folder of the vault"),
        ("away", "it is a symbolic link to a folder outside the vault, and none is followed: make that folder a vault"),
        ("away.md", "it is a symbolic link that leads out of the vault, and none is followed: put the file itself here"),
        ("twin.md", "it is a symbolic link into the vault; its target is indexed under its own name"),
        ("loop.md", "it is a symbolic link that leads back to itself: delete it"),
        ("gone.md", "it is a symbolic link that leads nowhere: delete it, or bring its target back"),
        ("/dev/null", "it is outside the vault"),
    ],
)
def test_why_a_link_is_not_followed(tmp_path, path, reason):
    root = tmp_path / "vault"
    plant(root, {"a.md": "x"})
    links = {"up": root, "away": tmp_path, "away.md": __file__, "twin.md": "a.md", "loop.md": "loop.md", "gone.md": "nowhere"}
    for name, target in links.items():
        (root / name).symlink_to(target)
    decision = rules(root).why(path)
    assert (decision.indexed, decision.reason[: len(reason)]) == (False, reason)


GIT_CASES = [
    {".gitignore": "*.md\n!keep.md\n"},
    {".gitignore": "/a\n!/a/keep.md\n"},
    {".gitignore": "a/*\n!a/keep.md\n"},
    {".gitignore": "**/b\n"},
    {".gitignore": "a/**/keep.md\n", "a/.gitignore": "!b/keep.md\n"},
    {".gitignore": "b/\n", "a/.gitignore": "!b/\n"},
    {".gitignore": "keep.md\n", "a/b/.gitignore": "!keep.md\nx*.md\n"},
    {".gitignore": "[ax].md\n?.md\n"},
    {".gitignore": "a/b\n\n#comment\n\\#odd.md\n"},
    {".gitignore": "*\n!*/\n!keep.md\n"},
    {"a/.gitignore": "/b\n", ".gitignore": "b/keep.md\n"},
    {".gitignore": "!a/keep.md\na/keep.md\n  \nx.md \n"},
    {".gitignore": "a/**\n!a/keep.md\n!a/b/\n!a/b/**\n"},
    {".gitignore": "**/\n!b/\n"},
    {".gitignore": "*/b/*\n!*/b/c\n"},
    {".gitignore": "[!k]*.md\n"},
    {".gitignore": "*/\n!/a/\n"},
    {".gitignore": "b/keep.md\n/*/x.md\n"},
    {".gitignore": "k??p.md\nb/*/*\n\\x.md\n"},
]


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
@pytest.mark.parametrize("ignore_files", GIT_CASES)
def test_gitignore_means_what_it_means_to_git(tmp_path, ignore_files):
    notes = ["keep.md", "x.md", "#odd.md", "a/keep.md", "a/x.md", "a/b/keep.md", "a/b/x.md", "a/b/c/keep.md", "b/keep.md"]
    plant(tmp_path, {path: "" for path in notes} | ignore_files)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    listing = subprocess.run(
        ["git", "-C", tmp_path, "ls-files", "-z", "--others", "--exclude-per-directory=.gitignore", "*.md"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    expected = sorted(path for path in listing.split("\0") if path)
    assert sorted(stat.path for stat in scan(rules(tmp_path)).files) == expected
    assert [path for path in sorted(notes) if rules(tmp_path).why(path).indexed] == expected
