"""Ctrl-C ends a run without the daemon, whatever its threads are busy with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from khoj_ls.cli.errors import CANCELLED

PROGRAM = Path(__file__).with_name("stubborn_program.py")


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT for one process")
def test_ctrl_c_leaves_behind_what_does_not_end(tmp_path: Path) -> None:
    vault = tmp_path / "notes"
    vault.mkdir()
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), "index", "--in-process", "--vault", str(vault)],
        env={**os.environ, "KHOJ_LS_HOME": str(tmp_path / "home")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    try:
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, errors.splitlines()[-1][:19]) == (CANCELLED, "khoj-ls: cancelled;")
