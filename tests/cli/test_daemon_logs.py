from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from khoj_ls.cli import daemon


@pytest.fixture
def log(private_home: Path) -> Path:
    path = private_home / "state" / "daemon.log"
    path.parent.mkdir()
    return path


@pytest.mark.parametrize(
    ("content", "arguments", "shown"),
    [
        (b"one\ntwo\nthree\n", [], "one\ntwo\nthree\n"),
        (b"one\ntwo\nthree\n", ["-n", "2"], "two\nthree\n"),
        (b"one\ntwo\nthree\n", ["-n", "0"], ""),
        (b"\x1b[2J\xff\n", [], "\ufffd[2J\ufffd\n"),
        (b"", [], ""),
    ],
)
def test_the_end_of_the_log(verb: Any, log: Path, content: bytes, arguments: list[str], shown: str) -> None:
    log.write_bytes(content)
    result = verb("daemon", "logs", *arguments)
    assert (result.exit_code, result.stdout) == (0, shown)


def test_no_log_yet(verb: Any, log: Path) -> None:
    result = verb("daemon", "logs")
    assert (result.exit_code, result.stderr) == (1, f"khoj-ls: {log} is not there: no daemon has run yet\n")


def test_following_goes_on_through_a_rotation(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log.write_text("one\n")
    end = daemon._last_lines(log, 10)
    log.write_text("one\ntwo\n")
    end = daemon._new_lines(log, end)
    log.rename(log.with_suffix(".1"))
    end = daemon._new_lines(log, end)
    log.write_text("3\n")
    daemon._new_lines(log, end)
    assert capsys.readouterr().out == "one\ntwo\n3\n"
