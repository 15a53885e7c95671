"""Editors that say anything, by seed; `make soak` lives through thousands of such sessions."""

from __future__ import annotations

from pathlib import Path

import pytest
from crash.fuzz import play

from khoj_ls.daemon import launch


@pytest.mark.parametrize("seed", range(6))
def test_whatever_an_editor_says_it_is_answered_and_the_daemon_lives_on(home, vault, seed):
    launch.ensure_running(str(home / "run"))
    before, log = launch.status()["pid"], home / "state" / "daemon.log"
    logged = log.stat().st_size
    assert play(vault, seed) == []
    assert launch.status()["pid"] == before
    indexed = {Path(file.read_text().rstrip()) for file in home.glob("data/vaults/*/root.txt")}
    assert not indexed & set(vault.parents)  # asked about a file there, it must not read the folder
    errors = [line for line in log.read_bytes()[logged:].splitlines() if b" ERROR " in line]
    assert errors == []
