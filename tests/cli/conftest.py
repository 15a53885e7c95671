"""A private home for every test of the command line, and a way to run a verb in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from khoj_ls.cli.app import program

Verb = Callable[..., Result]


@pytest.fixture
def private_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """KHOJ_LS_HOME of this test; nothing of the user's own is read."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("KHOJ_LS_HOME", str(folder))
    monkeypatch.delenv("NO_COLOR", raising=False)
    return folder


@pytest.fixture
def verb(private_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Verb:
    """Run `khoj-ls ARGUMENTS...` in this process, from a folder that belongs to no vault."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **extra: Any) -> Result:
        return CliRunner().invoke(program, list(arguments), **extra)

    return run


def answer(result: Result) -> Any:
    """The JSON a verb printed, and nothing else."""
    return json.loads(result.stdout)
