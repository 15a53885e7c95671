"""`khoj-ls uninstall`: all that khoj-ls made goes, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from khoj_ls.cli import uninstall
from khoj_ls.config.paths import folders

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"

MADE = (
    "data/vaults/notes-1/index.db",
    "data/vaults/notes-1/index.db.damaged-1",
    "data/vaults/notes-1/root.txt",
    "data/models/fast/model.onnx",
    "data/webhooks/queue.db",
    "data/evaluation/vectors.db",
    "state/daemon.log",
    "state/daemon.log.1",
    "state/in-process.log",
    "run/daemon.lock",
    "run/start.lock",
)
TALKED = (
    "data/vaults/notes-1/conversations.db",
    "data/vaults/notes-1/conversations.lock",
    "state/chats/a.md",
    "state/chat_history",
)
SETTINGS = ("config/config.toml", "config/keys.toml", "config/personas/me.toml")
THEIRS = ("data/models/chat/llama.gguf", "data/mine.txt", "data/vaults/mine/note.md", "state/mine.txt", "run/mine")


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    private_home = tmp_path_factory.mktemp("u")  # with a short path: a socket has room in it, and `run` is there
    monkeypatch.setenv("KHOJ_LS_HOME", str(private_home))
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for name in (*MADE, *TALKED, *SETTINGS, *THEIRS):
        path = private_home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (private_home / "run").chmod(0o700)
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "note.md").write_text("# Note\n")
    (private_home / "data" / "vaults" / "notes-1" / "root.txt").write_text(f"{notes}\n")
    return private_home


def files(home: Path) -> set[str]:
    return {path.relative_to(home).as_posix() for path in home.rglob("*") if not path.is_dir()}


@pytest.mark.parametrize(
    ("options", "stays"),
    [
        ([], {*SETTINGS, *THEIRS}),
        (["--config"], {*THEIRS}),
        (["--keep-conversations"], {*SETTINGS, *THEIRS, *TALKED}),
        (["--dry-run"], {*MADE, *TALKED, *SETTINGS, *THEIRS}),
    ],
)
def test_what_goes_and_what_stays(verb: Any, home: Path, tmp_path: Path, options: list[str], stays: set[str]) -> None:
    shown = verb("uninstall", "--yes", *options)
    assert (shown.exit_code, files(home)) == (0, stays), shown.output
    assert (tmp_path / "notes" / "note.md").read_text() == "# Note\n"
    assert f"index of {tmp_path / 'notes'}" in shown.stdout
    # Folders of the program that are empty go too.
    assert (home / "data" / "evaluation").exists() is ("--dry-run" in options)


def test_nothing_goes_unasked(verb: Any, home: Path) -> None:
    before = files(home)
    shown = verb("uninstall")
    assert (shown.exit_code, files(home)) == (2, before)
    assert "say --yes" in shown.stderr


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 130), ("\n", 130)])
def test_a_person_is_asked(verb: Any, home: Path, monkeypatch: pytest.MonkeyPatch, answer: str, status: int) -> None:
    class Terminal:
        def __getattr__(self, name: str) -> Any:
            return getattr(uninstall.click.get_text_stream("stdin"), name)

        def isatty(self) -> bool:
            return True

    class System:
        stdin = stderr = Terminal()

    monkeypatch.setattr(uninstall, "sys", System)
    before = files(home)
    shown = verb("uninstall", input=answer)
    assert shown.exit_code == status
    assert "Remove " in shown.stderr
    assert (files(home) == before) is (status != 0)


def test_links_go_and_what_they_lead_to_stays(verb: Any, home: Path, tmp_path: Path) -> None:
    (home / "data" / "models").rename(tmp_path / "models")
    (home / "data" / "models").symlink_to(tmp_path / "models")
    (home / "data" / "vaults" / "linked").symlink_to(tmp_path / "notes")
    (home / "state" / "chats" / "linked").symlink_to(tmp_path / "notes")
    assert verb("uninstall", "--yes").exit_code == 0
    assert (tmp_path / "models" / "fast" / "model.onnx").exists()
    assert (tmp_path / "notes" / "note.md").exists()
    assert not (home / "data" / "models").is_symlink()


def test_notes_that_lie_among_what_goes_keep_it(verb: Any, home: Path) -> None:
    (home / "state" / "chats" / "notes").mkdir()
    (home / "data" / "vaults" / "notes-1" / "root.txt").write_text(f"{home / 'state' / 'chats' / 'notes'}\n")
    assert verb("uninstall", "--yes").exit_code == 0
    assert (home / "state" / "chats" / "notes").is_dir()


def test_for_programs(verb: Any, home: Path) -> None:
    told = json.loads(verb("uninstall", "--yes", "--json").stdout)
    example = json.loads(DOCS.read_text(encoding="utf-8").partition("```json uninstall\n")[2].partition("```")[0])
    assert (told["removed"], list(told), list(told["made"][0])) == (True, list(example), list(example["made"][0]))
    assert {"what": "log", "path": str(home / "state" / "daemon.log")} in told["made"]
    assert str(home / "config" / "config.toml") in told["kept"]
    assert json.loads(verb("uninstall", "--dry-run", "--json").stdout) == {"removed": False, "made": [], "kept": []}


def test_nothing_is_made_by_looking(verb: Any, private_home: Path) -> None:
    shown = verb("uninstall", "--dry-run")
    assert (shown.exit_code, shown.stdout) == (0, "there is nothing that khoj-ls made\n")
    assert files(private_home) == set()


def test_the_daemon_and_its_service_end_first(verb: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from khoj_ls.daemon import launch, service

    told: list[str] = []
    monkeypatch.setattr(launch, "stop", lambda: told.append("stop"))
    monkeypatch.setattr(service, "_told", lambda command: told.append(" ".join(command[2:])))
    monkeypatch.setattr(service, "usual_kind", lambda: "systemd")
    unit = service.service("systemd", {}, Path.home())
    unit.path.parent.mkdir(parents=True)
    unit.path.write_bytes(unit.content)
    monkeypatch.setattr(uninstall, "remove", lambda *_: told.append("remove"))
    assert verb("uninstall", "--yes").exit_code == 0
    assert told == ["disable --now khoj-ls.service", "daemon-reload", "stop", "remove"]
    assert not unit.path.exists()


def test_all_that_a_session_makes_is_known(verb: Any, private_home: Path, tmp_path: Path) -> None:
    (private_home / "config").mkdir()
    (private_home / "config" / "config.toml").write_text('[embedding]\nmodel = "/none"\n')
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").write_text("# Albatross\n")
    verb("--in-process", "chat", "albatross", "--vault", str(tmp_path / "notes"))

    def made() -> list[str]:
        return [path for path in files(private_home) if not path.startswith("config/")]

    assert made()
    assert verb("uninstall", "--yes").exit_code == 0
    assert made() == []
    assert not folders().data.exists()
