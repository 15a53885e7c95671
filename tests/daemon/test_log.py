from __future__ import annotations

import logging
import os
import sqlite3
import stat
import subprocess
import sys

import pytest

from khoj_ls.core.errors import VaultError
from khoj_ls.daemon.log import BACKUPS, DiscreetFormatter, JsonFormatter, OwnLog


def record(message, error=None):
    return logging.LogRecord("khoj", logging.ERROR, "f.py", 1, message, None, (type(error), error, None) if error else None)


@pytest.fixture
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def test_only_its_owner_may_read_the_log_also_after_a_rotation(tmp_path, open_umask):
    path = tmp_path / "state" / "daemon.log"
    handler = OwnLog(path, max_bytes=200)
    for number in range(60):
        handler.emit(record(f"line {number}"))
    handler.close()
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["daemon.log", *(f"daemon.log.{number}" for number in range(1, BACKUPS + 1))]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert all(file.stat().st_size <= 200 for file in files)


def test_a_log_that_others_could_read_is_closed_to_them(tmp_path):
    path = tmp_path / "daemon.log"
    path.touch(0o644)
    OwnLog(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_standard_error_follows_the_log_through_a_rotation(tmp_path):
    code = """if True:
        import logging, os, pathlib, sys
        from khoj_ls.daemon.log import OwnLog
        handler = OwnLog(pathlib.Path(sys.argv[1]), take_stderr=True, max_bytes=200)
        os.write(2, b"before\\n")
        for number in range(8):
            handler.emit(logging.LogRecord("khoj", 20, "f.py", 1, "x" * 40, None, None))
        os.write(2, b"after\\n")
    """
    path = tmp_path / "daemon.log"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert "after" in path.read_text()
    assert "before" not in path.read_text()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (FileNotFoundError(2, "No such file", "/notes/a.md"), True),
        (sqlite3.OperationalError("database is locked"), True),
        (VaultError("the folder /notes is gone"), True),
        (TypeError("missing 1 required argument"), True),
        (ValueError("I wrote this in my diary"), False),
        (KeyError("I wrote this in my diary"), False),
        (UnicodeDecodeError("utf-8", b"I wrote this", 0, 1, "in my diary"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_traceback_never_quotes_a_note(error, told):
    text = DiscreetFormatter().format(record("it failed", error))
    assert text.startswith("it failed\n")
    assert type(error).__name__ in text
    assert (str(error) in text) is told


def test_a_cause_is_told_as_discreetly():
    try:
        try:
            raise ValueError("I wrote this in my diary")
        except ValueError as error:
            raise VaultError("the vault is broken") from error
    except VaultError as error:
        text = DiscreetFormatter().format(record("it failed", error))
    assert "VaultError: the vault is broken\nwhich came from\n" in text
    assert text.endswith("ValueError")


NAME = "a\n2026-11-21 13:05:09,250 CRITICAL khoj: forged \x1b[2J\x9b\u202e.md"


@pytest.mark.parametrize("formatter", [DiscreetFormatter(), JsonFormatter()], ids=["text", "json"])
@pytest.mark.parametrize("error", [None, FileNotFoundError(2, "No such file", NAME), VaultError(NAME)])
def test_no_name_of_a_file_forges_a_line_or_steers_a_terminal(formatter, error):
    text = formatter.format(record(NAME, error))
    assert all(char.isprintable() for line in text.splitlines() for char in line)
    assert not [line for line in text.splitlines() if line.startswith("2026")]


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_goes_to_the_journal_is_as_discreet_as_the_file(tmp_path, form):
    code = """if True:
        import logging, pathlib, sys
        from khoj_ls.daemon.log import start_logging
        start_logging(pathlib.Path(sys.argv[1]), "info", sys.argv[2], foreground=True)
        logging.getLogger("khoj_ls").error("it failed", exc_info=ValueError("I wrote this in my diary"))
    """
    path = tmp_path / "daemon.log"
    done = subprocess.run([sys.executable, "-c", code, str(path), form], check=True, capture_output=True, text=True)
    assert "ValueError" in done.stderr and "diary" not in done.stderr
    assert path.read_text() == done.stderr
