"""Programs that want a terminal: nothing is typed in it and what they draw is not kept."""

from __future__ import annotations

import os
import pty
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path


def run_in_terminal(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str], seconds: float = 600.0) -> int:
    """The exit status of a program, run in a terminal of its own; it is ended, and a failure, after so long."""
    ours, theirs = pty.openpty()
    try:
        program = subprocess.Popen(
            [*map(str, command)], cwd=folder, env=dict(environment), stdin=theirs, stdout=theirs, stderr=theirs
        )
    finally:
        os.close(theirs)
    reader = threading.Thread(target=_read_all, args=(ours,), daemon=True)
    reader.start()
    try:
        return program.wait(seconds)
    finally:
        program.kill()
        program.wait()
        reader.join()
        os.close(ours)


def _read_all(terminal: int) -> None:
    """Read what is drawn, so that the program is never held up, until nobody draws any more."""
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:  # Linux says so when the last program has left the terminal
        return
