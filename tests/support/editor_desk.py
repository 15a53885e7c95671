"""A person's desk for the tests in real editors: notes, settings, a daemon and a chat service of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from chat_server import ChatServer, Reply
from waiting import wait_until

TOP = Path(__file__).parents[2]
PLACE = TOP / ".editors"
"""Where tests/editors/install.sh puts the editors that Debian does not have."""
ANSWER = (
    "Both changes were made ",
    "on 3 May: the radio went ",
    "to channel 36, ",
    "80 MHz wide [1]. ",
    "The firmware was rolled back [2].",
)
SETTINGS = """
[chat]
model = "scripted/plain"
subqueries = false

[chat.providers.scripted]
kind = "openai"
base_url = "{url}"

[chat.providers.far]
base_url = "https://llm.example.invalid/v1"

[chat.models.far]
provider = "far"
model = "m"
window = 8000
"""
"""A service on this machine, and one far away that nobody has said yes to."""


def answer(body: Any) -> Reply:
    """What the chat service says: to a question with the word `slowly` a text without end, to others `ANSWER`."""
    asked = next(message["content"] for message in reversed(body["messages"]) if message["role"] == "user")
    text = asked if isinstance(asked, str) else " ".join(part.get("text", "") for part in asked)
    if re.search(r"\bslowly\b", text):
        return Reply(pieces=[f"word{number} " for number in range(5000)], pause=0.02)
    return Reply(pieces=ANSWER, pause=0.02)


class Desk:
    """A context manager: a copy of examples/vault, indexed, and all that a program needs to work with it and nothing else."""

    def __init__(self, base: Path, models: Path) -> None:
        """`base`: an empty folder; `models`: the folder with the prepared embedding model."""
        self.base = base
        self.person = base / "person"
        """The home folder."""
        self.notes = self.person / "notes"
        self.home = base / "home"
        """KHOJ_LS_HOME."""
        self.chat = ChatServer(answer)
        # A daemon's socket has a path of at most some 100 bytes; the home is therefore not below a long temporary path.
        (self.home / "data").mkdir(parents=True)
        (self.home / "data" / "models").symlink_to(models)
        (self.home / "config").mkdir()
        (self.home / "config" / "config.toml").write_text(SETTINGS.format(url=self.chat.url))
        shutil.copytree(TOP / "examples" / "vault", self.notes)
        self.environment = {
            "HOME": str(self.person),
            "KHOJ_LS_HOME": str(self.home),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "TMPDIR": str(base),
        }
        """The whole environment of what runs at this desk."""

    def __enter__(self) -> Desk:
        self.chat.__enter__()
        self.khoj("index", self.notes)
        return self

    def __exit__(self, *error: object) -> None:
        """Stop the daemon, once all programs of the desk have ended: one that still runs would start another."""
        try:
            self._ended(self.programs)
        finally:
            self.khoj("daemon", "stop")
            self.chat.__exit__(*error)
        self._ended(self.processes)

    def _ended(self, running: Callable[[], list[list[str]]]) -> None:
        try:
            wait_until(lambda: not running(), "the end of what runs at the desk")
        except AssertionError as late:
            raise AssertionError(f"{late}: {running()}") from None

    def processes(self) -> list[list[str]]:
        """Command lines of what runs at this desk and knows KHOJ_LS_HOME."""
        found = []
        for each in psutil.process_iter():
            try:
                if each.environ().get("KHOJ_LS_HOME") == str(self.home) and each.status() != psutil.STATUS_ZOMBIE:
                    found.append(each.cmdline())
            except psutil.Error:  # ended meanwhile, or not ours
                continue
        return found

    def programs(self) -> list[list[str]]:
        """Those of `processes` that are no part of the daemon: editors, and what speaks for them."""
        return [line for line in self.processes() if not any(part.startswith("khoj_ls.") for part in line)]

    def khoj(self, *arguments: str | Path) -> str:
        """What `khoj-ls ...` prints; it has to succeed."""
        return self.run([sys.executable, "-m", "khoj_ls", *arguments])

    def run(self, command: list[str | Path], *, folder: Path | None = None, seconds: float = 600.0, **environment: str) -> str:
        """Output and errors of a program at this desk, which has to succeed; in the notes' folder unless told otherwise."""
        done = subprocess.run(
            [*map(str, command)],
            cwd=folder or self.notes,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0, f"status {done.returncode} of {' '.join(map(str, command))}\n{done.stdout}"
        return done.stdout
