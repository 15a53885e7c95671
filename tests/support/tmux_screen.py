"""A program in a terminal of its own whose screen can be read: tmux, with a server of its own that ends with it."""

from __future__ import annotations

import re
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path

from waiting import wait_until


class TmuxScreen:
    """A context manager: the program runs as long as the block."""

    def __init__(
        self,
        tmux: Path,
        command: list[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        columns: int = 120,
        lines: int = 36,
    ) -> None:
        """`environment`: all of it; TMUX_TMPDIR in it has to be a short path."""
        # A name of its own: the server of the screen before may still be ending.
        self._tmux = [str(tmux), "-L", uuid.uuid4().hex[:8], "-f", "/dev/null"]
        self._command = command
        self._folder = folder
        self._environment = dict(environment)
        self._size = ["-x", str(columns), "-y", str(lines)]

    def __enter__(self) -> TmuxScreen:
        self._run("new-session", "-d", "-s", "khoj", *self._size, "-c", str(self._folder), *self._command)
        return self

    def __exit__(self, *error: object) -> None:
        self._run("kill-server", check=False)

    def keys(self, *keys: str) -> None:
        """Press keys, as tmux names them: `Enter`, `C-c`."""
        self._run("send-keys", "-t", "khoj", *keys)

    def type(self, text: str) -> None:
        """Type a text as it stands."""
        self._run("send-keys", "-t", "khoj", "-l", text)

    def text(self, *, colours: bool = False) -> str:
        """What is on the screen; with `colours` as escape sequences, too."""
        return self._run("capture-pane", "-p", *(["-e"] if colours else []), "-t", "khoj")

    def wait(self, part: str) -> str:
        """The screen, once it shows a text."""
        return self.shows(re.escape(part))

    def shows(self, pattern: str) -> str:
        """The screen, once it shows what a regular expression describes; ^ and $ are ends of lines."""
        shown = ""

        def seen() -> bool:
            nonlocal shown
            shown = self.text()
            return re.search(pattern, shown, re.MULTILINE) is not None

        try:
            wait_until(seen, f"{pattern!r} on the screen")
        except AssertionError as error:
            raise AssertionError(f"{error}; there is:\n{shown}") from None
        return shown

    def _run(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            [*self._tmux, *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=30,
        )
        assert not check or done.returncode == 0, done.stdout
        return done.stdout
