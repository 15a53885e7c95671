from __future__ import annotations

import json
import logging
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from khoj_ls.cli.log_lines import LogFile, Record, records
from khoj_ls.daemon.log import LAYOUT, DiscreetFormatter, JsonFormatter

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"
WHEN = datetime(2026, 11, 21, 13, 5, 9, 250_000).astimezone()
TEXT = "2026-11-21 13:05:09,250 WARNING khoj_ls.daemon: the socket was removed"
SAID = Record(WHEN.isoformat(timespec="milliseconds"), "warning", "khoj_ls.daemon", "the socket was removed")


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
        (f"{TEXT}\n".encode(), [], f"{TEXT}\n"),
        (f"{TEXT}\n  and more\n".encode(), ["--level", "error"], ""),
        (f"{TEXT}\n  and more\n".encode(), ["--level", "warning"], f"{TEXT}\n  and more\n"),
    ],
)
def test_the_end_of_the_log(verb: Any, log: Path, content: bytes, arguments: list[str], shown: str) -> None:
    log.write_bytes(content)
    result = verb("daemon", "logs", *arguments)
    assert (result.exit_code, result.stdout) == (0, shown)


def test_lines_of_files_that_were_turned_over_come_first(verb: Any, log: Path) -> None:
    for suffix, line in ((".2", "1"), (".1", "2"), ("", "3")):
        log.with_name(log.name + suffix).write_text(f"{line}\n")
    assert verb("daemon", "logs", "-n", "2").stdout == "2\n3\n"


def test_no_log_yet(verb: Any, log: Path) -> None:
    result = verb("daemon", "logs")
    assert (result.exit_code, result.stderr) == (1, f"khoj-ls: {log} is not there: no daemon has run yet\n")


def test_following_loses_nothing_when_the_log_is_turned_over(log: Path) -> None:
    log.write_text("one\n")
    file = LogFile(log)
    assert file.last(10) == ["one"]
    log.write_text("one\ntwo\nhal")
    assert file.new() == ["two"]
    with log.open("a") as same:
        same.write("f\nlast\n")
    log.rename(log.with_name("daemon.log.1"))
    log.write_text("longer than all that was there before\n")
    assert file.new() == ["half", "last", "longer than all that was there before"]
    log.write_text("")
    log.write_text("anew\n")
    assert file.new() == ["anew"]


def raised(message: str) -> logging.LogRecord:
    try:
        raise OSError(message)
    except OSError as error:
        told = logging.LogRecord(
            "khoj_ls.daemon",
            logging.WARNING,
            "f.py",
            1,
            "the %s",
            ("socket was removed",),
            (OSError, error, error.__traceback__),
        )
    told.created, told.msecs = WHEN.timestamp(), 250.0
    return told


@pytest.mark.parametrize("formatter", [DiscreetFormatter(LAYOUT), JsonFormatter()], ids=["text", "json"])
def test_what_is_written_is_read_back(formatter: logging.Formatter) -> None:
    lines = formatter.format(raised("a\nb\x1b[2J")).splitlines()
    (found,) = records(lines)
    assert datetime.fromisoformat(str(found.time)) == WHEN
    assert (found.level, found.logger, found.message) == (SAID.level, SAID.logger, SAID.message)
    assert (found.trace[0].lstrip()[:6], found.trace[-1]) == ('File "', "OSError: a\\nb\\x1b[2J")
    assert next(found.lines()) == TEXT


def test_programs_get_one_object_a_record(verb: Any, log: Path) -> None:
    log.write_text(f"{TEXT}\n  a\nwords of a library, before\n{JsonFormatter().format(raised('x'))}\n")
    first, second = map(json.loads, verb("daemon", "logs", "--json").stdout.splitlines())
    documented = DOCS.read_text(encoding="utf-8").partition("```json logs\n")[2].partition("```")[0]
    assert list(first) == list(second) == list(json.loads(documented))
    assert first == {**vars(SAID), "trace": ["  a", "words of a library, before"]}
    assert (second["message"], second["trace"][-1]) == (SAID.message, "OSError: x")


def test_words_of_no_logger_are_shown_at_any_level(verb: Any, log: Path) -> None:
    log.write_text("Fatal Python error: Segmentation fault\n")
    assert verb("daemon", "logs", "--level", "critical").stdout == "Fatal Python error: Segmentation fault\n"
