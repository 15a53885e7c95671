"""editors/others/vim/ale.vim in the real Vim, with the real server on the example vault."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from editor_desk import TOP, Desk
from terminal import run_in_terminal

HERE = Path(__file__).parent / "vim"
TESTS = re.findall(r"^function! (Test_\w+)", (HERE / "ale.vim").read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def results(desk: Desk, vim: Path) -> dict[str, list[str]]:
    """What each of the tests found wrong; Vim runs them all in one go."""
    file, log = desk.base / "results.jsonl", desk.base / "vim.log"
    environment = {
        **desk.environment,
        "SNIPPET": str(TOP / "editors" / "others" / "vim" / "ale.vim"),
        "NOTES": str(desk.notes),
        "TESTS": str(HERE / "ale.vim"),
        "RESULTS": str(file),
    }
    command = [vim, "-u", HERE / "vimrc", "-n", f"-V1{log}", "-S", HERE / "run.vim"]
    status = run_in_terminal(command, desk.notes, environment)
    assert status == 0, log.read_text()
    return {each["name"]: each["errors"] for each in map(json.loads, file.read_text().splitlines())}


@pytest.mark.parametrize("name", TESTS)
def test_ale(results, name):
    assert results[name] == []
