from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from khoj_ls import __version__
from khoj_ls.cli.app import VERBS, program
from khoj_ls.cli.errors import guarded
from khoj_ls.core import errors


def test_help_names_every_verb(verb: Any) -> None:
    shown = verb("--help")
    assert shown.exit_code == 0
    assert [name for name in VERBS if f"\n  {name} " not in shown.stdout] == []


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_help(verb: Any, name: str) -> None:
    shown = verb(name, "--help")
    assert shown.exit_code == 0
    assert f"Usage: khoj-ls {name}" in shown.stdout
    assert "\\b" not in shown.stdout
    assert "Examples:" not in shown.stdout or "\n  Examples:\n    khoj-ls " in shown.stdout
    assert shown.stdout == verb(name, "-h").stdout


def test_every_verb_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    assert [name for name in VERBS if f"| `{name}" not in text] == []


def test_version(verb: Any) -> None:
    assert verb("--version").stdout == f"khoj-ls {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["serach", "x"], "khoj-ls: there is no verb 'serach'; did you mean search? (see: khoj-ls --help)"),
        (["router"], "khoj-ls: there is no verb 'router'; to search, write: khoj-ls search router (see: khoj-ls --help)"),
        (["search"], "khoj-ls: Missing argument 'QUERY...' (see: khoj-ls search --help)"),
        (["search", "--limit", "0", "x"], "khoj-ls: Invalid value for '--limit': 0 is not in the range 1<=x<=100"),
        (["search", "--limit", "101", "x"], "khoj-ls: Invalid value for '--limit': 101 is not in the range 1<=x<=100"),
        (["search", "--mode", "magic", "x"], "khoj-ls: Invalid value for '--mode': 'magic' is not one of"),
        (["search", "--vault", "missing", "x"], "khoj-ls: missing is not there: name a folder of notes"),
        (
            ["search", "--set", "search.limt=3", "x"],
            "khoj-ls: --set search.limt: there is no such setting; did you mean search.limit?",
        ),
        (["index", "--vault", ".", "/"], "khoj-ls: / is not in the vault"),
        (["index", "--vault", ".", "../elsewhere"], "khoj-ls: ../elsewhere is not in the vault"),
        (["related"], "khoj-ls: name either FILE[:LINE] or --text"),
        (["related", "missing.md:3"], "khoj-ls: there is no file missing.md:3, nor one that it names a place in"),
        (["related", "note.md:0"], "khoj-ls: note.md:0: lines count from 1"),
        (["related", "folder"], "khoj-ls: folder is a folder: name a note in it"),
        (["related", "--text", " "], "khoj-ls: name either FILE[:LINE] or --text"),
        (["search", " "], "khoj-ls: say what to search for"),
        (["config", "get", "search"], "khoj-ls: search is a section: `khoj-ls config show` tells its settings"),
        (["config", "get", "serch.limit"], "khoj-ls: there is no setting serch.limit; did you mean search.limit?"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_status_2(verb: Any, tmp_path: Path, arguments: list[str], line: str) -> None:
    (tmp_path / "note.md").touch()
    (tmp_path / "folder").mkdir()
    shown = verb(*arguments)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr.startswith(line)
    assert shown.stderr.count("\n") == 1


@pytest.mark.parametrize("verb_of_verbs", ["config", "daemon"])
def test_a_verb_of_verbs_alone_shows_its_help(verb: Any, verb_of_verbs: str) -> None:
    shown = verb(verb_of_verbs)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr == verb(verb_of_verbs, "--help").stdout
    assert "\nCommands:\n" in shown.stderr


def test_asking_why_makes_no_vault_of_a_foreign_folder(
    verb: Any, private_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    note = tmp_path_factory.mktemp("foreign") / "note.md"
    note.touch()
    shown = verb("status", "--in-process", "--why", str(note))
    assert (shown.exit_code, shown.stdout.partition(": not indexed: ")[2][:20]) == (1, "it lies in no vault:")
    assert not (private_home / "data").exists()


def test_wrong_usage_in_json(verb: Any) -> None:
    shown = verb("related", "--json")
    assert (shown.exit_code, shown.stderr) == (2, "")
    assert shown.stdout == '{"error": {"code": "khoj.usage", "message": "name either FILE[:LINE] or --text"}}\n'


@pytest.mark.parametrize(
    ("raised", "status", "code", "message"),
    [
        (errors.UsageError("limit is 0"), 2, "khoj.usage", "limit is 0"),
        (errors.VaultError("/n is gone:\n bring it back"), 3, "khoj.vault", "/n is gone: bring it back"),
        (errors.StoreError("\x1b[2Jfull"), 3, "khoj.store", "\ufffd[2Jfull"),
        (errors.DaemonError("no daemon"), 3, "khoj.daemon", "no daemon"),
        (errors.Cancelled("cancelled; go on"), 130, "khoj.cancelled", "cancelled; go on"),
        (KeyboardInterrupt(), 130, "khoj.cancelled", "cancelled"),
        (PermissionError(13, "Permission denied", "/n"), 3, "khoj.error", "[Errno 13] Permission denied: '/n'"),
    ],
)
def test_what_goes_wrong_and_how_it_is_told(
    capsys: pytest.CaptureFixture[str], raised: BaseException, status: int, code: str, message: str
) -> None:
    def fail() -> int:
        raise raised

    assert guarded(fail, as_json=False) == status
    assert capsys.readouterr() == ("", f"khoj-ls: {message}\n")
    assert guarded(fail, as_json=True) == status
    assert capsys.readouterr().out == f'{{"error": {{"code": "{code}", "message": "{message}"}}}}\n'


def test_a_defect_is_told_with_its_trace_and_never_looks_like_nothing_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: 1 // 0, as_json=False) == 3
    shown = capsys.readouterr().err
    assert "ZeroDivisionError" in shown
    assert shown.splitlines()[-1].startswith("khoj-ls: internal error, ZeroDivisionError: please report it")


def test_a_verb_may_not_hide_an_option_of_all_verbs() -> None:
    from click import Context

    context = Context(program)
    for name in ("search", "related", "index", "status"):
        command = program.get_command(context, name)
        assert command is not None
        assert {"--json", "--vault", "--in-process", "--set"} <= {flag for item in command.params for flag in item.opts}


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes the streams")
@pytest.mark.parametrize(
    ("arguments", "streams", "status"),
    [("chat q", "<&-", 0), ("chat", "<&-", 2), ("chat q", ">&-", 0), ("chat q", "<&- >&- 2>&-", 0), ("chat", "2>&-", 2)],
)
def test_closed_streams_are_empty_ones(private_home: Path, tmp_path: Path, arguments: str, streams: str, status: int) -> None:
    (private_home / "config").mkdir()
    (private_home / "config" / "config.toml").write_text('[embedding]\nmodel = "/none"\n')
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "q.md").write_text("q\n")
    command = f"{sys.executable} -m khoj_ls {arguments} --in-process --vault {tmp_path / 'notes'} {streams}"
    ended = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert (ended.returncode, "Traceback" in ended.stderr) == (status, False), ended.stderr
