"""The program as people run it: `python -m khoj_ls ... --json`, with a home and a daemon of its own for each module."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest


class Shell:
    """A shell whose programs share one home, one daemon, and a person with a home folder."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.home = base / "home"
        self.person = base / "person"
        self.environment = {**os.environ, "KHOJ_LS_HOME": str(self.home), "HOME": str(self.person)}

    def vault(self, name: str, notes: dict[str, str]) -> Path:
        """A new folder of notes."""
        folder = self.base / name
        folder.mkdir()
        (folder / ".khoj.toml").touch()
        for path, text in notes.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        return folder

    def start(self, *arguments: str | Path, json_too: bool = True) -> subprocess.Popen[str]:
        """A program that runs on."""
        return subprocess.Popen(
            [sys.executable, "-m", "khoj_ls", *map(str, arguments), *(["--json"] if json_too else [])],
            cwd=self.base,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str | Path, status: int = 0) -> Any:
        """What a verb answers, once it has ended with the expected exit status."""
        process = self.start(*arguments)
        answer, errors = process.communicate(timeout=300)
        assert process.returncode == status, answer + errors
        return json.loads(answer) if answer else None

    def search(self, vault: Path, query: str, *, mode: str = "hybrid", status: int = 0) -> list[tuple[str, int, int]]:
        """(path in the vault, first line, last line) of each hit."""
        hits = self("search", "--vault", vault, "--mode", mode, query, status=status)["hits"]
        return [(os.path.relpath(hit["path"], vault), hit["line"], hit["end_line"]) for hit in hits]

    def error(self, *arguments: str | Path, status: int = 3) -> str:
        """The message of a verb that fails."""
        return str(self(*arguments, status=status)["error"]["message"])

    def database(self, vault: Path) -> Path:
        """The database of a vault."""
        (root,) = (file for file in self.home.glob("data/vaults/*/root.txt") if file.read_text() == f"{vault}\n")
        return root.with_name("index.db")

    def vectors(self, vault: Path) -> int:
        """How many vectors are committed."""
        with closing(sqlite3.connect(self.database(vault))) as connection:
            return int(connection.execute("SELECT count(*) FROM embedding").fetchone()[0])


@pytest.fixture(scope="module")
def make_shell(prepared_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Shell]]:
    """Make shells with homes of their own; their daemons end with the module."""
    made: list[Shell] = []

    def make() -> Shell:
        shell = Shell(tmp_path_factory.mktemp("e2e").resolve())
        (shell.home / "data").mkdir(parents=True)
        (shell.home / "data" / "models").symlink_to(prepared_models)
        shell.person.mkdir()
        made.append(shell)
        return made[-1]

    yield make
    for shell in made:
        shell("daemon", "stop")


@pytest.fixture(scope="module")
def shell(make_shell: Callable[[], Shell]) -> Shell:
    """One for the whole module."""
    return make_shell()
