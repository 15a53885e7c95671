"""Whatever lies in the folder, or happens to the index: a message that names it, and everything else still answers."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

pytestmark = [pytest.mark.model, pytest.mark.skipif(os.name == "nt", reason="names and files that Windows does not have")]

GOOD = ("# Orchard\n\nThe plum tree was pruned in late February.\n", "plum tree pruned February", "good.md")
CONTENTS = {
    "good.md": GOOD[0].encode(),
    "badutf8.md": b"# Shallows\n\nThe heron \xff\xfe stands still in the shallows.\n",
    "nul.md": b"# Kitchen\n\nA kettle \x00 whistles on the stove.\n",
    "head.md": b"---\ntitle: [unclosed\n  tags: : :\n\t- x\n---\n# Tower\n\nThe lighthouse keeper counts passing ships.\n",
    "headings.md": b"# Same\n\n" * 9_999 + b"# Last\n\nUnder the ten thousandth heading a walrus rests.\n",
    "new\nline.md": b"# Canal\n\nThe narrow boat passes under nine bridges.\n",
    "\N{FOX FACE} fox.md": b"# Fox\n\nA vixen sleeps beneath the garden shed.\n",
    "folder.md/inner.md": b"# Sett\n\nA badger digs below the hawthorn.\n",
    "empty.md": b"",
    "blank.org": b"\n\n \n",
    "cp1252.txt": "Der Kapitän schläft im Führerhaus.\n".encode("cp1252"),
}


@pytest.fixture(scope="module")
def strange(shell):
    """A vault full of trouble."""
    folder = shell.vault("strange", {})
    for name, content in CONTENTS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    with open(folder / "huge.md", "wb") as stream:
        stream.truncate(50_000_000)
    os.mkfifo(folder / "pipe.md")
    (folder / "self.md").symlink_to("self.md")
    (folder / "loop").symlink_to(folder)
    (shell.base / "elsewhere").mkdir()
    (shell.base / "elsewhere" / "secret.md").write_text(GOOD[0])
    (folder / "elsewhere").symlink_to(shell.base / "elsewhere")
    (folder / ".#good.md").symlink_to("someone@host.4711:1")
    return folder


@pytest.fixture(scope="module")
def report(shell, strange):
    """What indexing it says."""
    return shell("index", strange)


def test_each_file_that_cannot_be_indexed_is_named_with_the_reason(report, strange):
    failures = {os.path.relpath(failure["path"], strange): failure["reason"] for failure in report["failures"]}
    assert failures == {
        "huge.md": "it has 50,000,000 bytes, more than the 10,000,000 of index.max_file_bytes: split it, or raise the limit",
        "nul.md": "it holds NUL bytes and is no UTF-16: it is no text",
        "pipe.md": "it is no regular file but a named pipe, which is never read",
        "self.md": "it is a symbolic link that leads back to itself: delete it",
    }
    assert (report["files"], report["entries"] > 10_000) == (len(CONTENTS) - 1, True)


def test_each_file_that_is_indexed_with_a_doubt_is_named_with_the_line(shell, report, strange):
    warnings = {os.path.relpath(warning["path"], strange): warning for warning in report["warnings"]}
    assert {path: warning["line"] for path, warning in warnings.items()} == {"badutf8.md": 3, "cp1252.txt": 1, "head.md": 3}
    assert warnings["cp1252.txt"]["reason"] == "the file is Windows-1252 (Latin-1), and read so: save it as UTF-8"
    assert shell("status", "--vault", strange)["vaults"][0]["warnings"] == report["warnings"]


@pytest.mark.parametrize(
    ("query", "file", "line"),
    [
        (GOOD[1], "good.md", 3),
        ("stands still in the shallows", "badutf8.md", 3),
        ("Kapitän schläft Führerhaus", "cp1252.txt", 1),
        ("lighthouse keeper counts passing ships", "head.md", 8),
        ("Under the ten thousandth heading a walrus rests.", "headings.md", 20_001),
        ("narrow boat nine bridges", "new\nline.md", 3),
        ("a vixen sleeping in the garden", "\N{FOX FACE} fox.md", 3),
        ("badger hawthorn", "folder.md/inner.md", 3),
    ],
)
def test_everything_else_is_found(shell, report, strange, query, file, line):
    found, first, last = shell.search(strange, query)[0]
    assert found == file
    assert first <= line <= last


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("huge.md", "it has 50,000,000 bytes"),
        ("nul.md", "it holds NUL bytes"),
        ("folder.md", "it is no regular file"),
        ("pipe.md", "it is no regular file"),
        ("self.md", "it is a symbolic link that leads back to itself"),
        ("loop", "it is a symbolic link to a folder of the vault"),
        ("loop/good.md", "the folder loop above it is left out: it is a symbolic link to a folder of the vault"),
        ("elsewhere/secret.md", "the folder elsewhere above it is left out: it is a symbolic link to a folder outside"),
        (".#good.md", "it is an editor's lock"),
        ("gone.md", "there is no such file"),
    ],
)
def test_why_a_file_is_left_out(shell, report, strange, file, reason):
    answer = shell("status", "--why", strange / file, status=1)
    assert (answer["indexed"], answer["reason"][: len(reason)]) == (False, reason)


def test_an_empty_vault(shell):
    empty = shell.vault("empty", {})
    report = shell("index", empty)
    assert (report["files"], report["chunks"], report["failures"]) == (0, 0, [])
    assert shell.search(empty, "anything at all", status=1) == []
    told = shell.start("search", "--vault", empty, "anything", json_too=False).communicate(timeout=60)[1]
    assert told == f"khoj-ls: nothing found: there are no notes in {empty} (khoj-ls reads Org, Markdown and plain text)\n"
    (empty / "first.md").write_text(GOOD[0])
    assert shell("index", empty)["files"] == 1
    assert shell.search(empty, GOOD[1])[0][0] == "first.md"


@pytest.mark.parametrize("running", [True, False], ids=["daemon runs", "daemon ended"])
def test_a_vault_that_vanishes_and_comes_back_keeps_its_index(shell, running):
    vault = shell.vault(f"wandering-{running}", {"good.md": GOOD[0]})
    away = vault.with_name(f"{vault.name}-away")
    assert shell("index", vault)["embedded"] == 1
    if not running:
        shell("daemon", "stop")
    vault.rename(away)
    assert str(vault) in shell.error("search", "--vault", vault, GOOD[1], status=2)
    # The empty mount point of a disk that is not mounted.
    vault.mkdir()
    message = shell.error("index", vault)
    assert str(vault) in message
    assert "the index is kept" in message
    vault.rmdir()
    away.rename(vault)
    report = shell("index", vault)
    assert (report["files"], report["embedded"], report["removed"]) == (1, 0, 0)
    assert shell.search(vault, GOOD[1])[0][0] == "good.md"


def test_a_database_of_a_newer_version_is_left_alone(shell):
    vault = shell.vault("future", {"good.md": GOOD[0]})
    shell("index", vault)
    shell("daemon", "stop")
    database = shell.database(vault)
    with closing(sqlite3.connect(database)) as connection:
        (known,) = connection.execute("PRAGMA user_version").fetchone()
        connection.execute("PRAGMA user_version = 9999")
    message = shell.error("search", "--vault", vault, GOOD[1])
    assert str(database) in message
    assert "newer khoj-ls" in message
    assert "upgrade khoj-ls" in message
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(f"PRAGMA user_version = {known}")
    assert shell.search(vault, GOOD[1])[0][0] == "good.md", "as soon as it can be read, it answers"


@pytest.mark.parametrize(
    ("first", "length"),
    [(0, 100), (40_960, 40_960), (0, 1 << 30)],
    ids=["head", "middle", "all"],
)
def test_a_damaged_database_is_built_anew_and_kept(shell, first, length):
    vault = shell.vault(f"damaged-{first}-{length}", {"good.md": GOOD[0], "other.md": "# Other\n\nAnother text.\n"})
    before = shell("index", vault)
    shell("daemon", "stop")
    database = shell.database(vault)
    content = bytearray(database.read_bytes())
    damage = b"\xa5" * min(length, len(content) - first)
    content[first : first + length] = damage
    database.write_bytes(content)
    assert shell.search(vault, GOOD[1], mode="lexical")[0][0] == "good.md"
    after = shell("index", vault)
    assert {**after, "embedded": 0, "reused": 0, "seconds": 0} == {**before, "embedded": 0, "reused": 0, "seconds": 0}
    (kept,) = (file for file in database.parent.glob("index.db.damaged-*") if not re.search("-(wal|shm)$", file.name))
    assert damage in kept.read_bytes()
    (status,) = shell("status", "--vault", vault)["vaults"]
    assert status["message"] == f"the index was damaged and was built anew from the notes; the old file is kept as {kept}"


def test_the_home_folder_is_refused_until_it_is_asked_for(shell):
    (shell.person / "good.md").write_text(GOOD[0])
    for folder in (shell.person, Path("/")):
        message = shell.error("index", folder)
        assert message.startswith(f"{folder} is not a folder of notes")
        assert "--yes" in message
        assert shell.error("search", "--vault", folder, GOOD[1]) == message
    assert shell("index", "--yes", shell.person)["files"] == 1
    assert shell.search(shell.person, GOOD[1])[0][0] == "good.md"


def test_an_error_in_json_is_an_error_in_json(shell, tmp_path):
    process = shell.start("search", "--vault", tmp_path / "nowhere", "x")
    answer, errors = process.communicate(timeout=60)
    assert (process.returncode, json.loads(answer)["error"]["code"], errors) == (2, "khoj.usage", "")
