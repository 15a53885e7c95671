"""`khoj-ls chat` at a real terminal: prompt, Ctrl-C, a yes asked for, a private history. Models are played on loopback."""

from __future__ import annotations

import os
import re
import select
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, Reply

pty = pytest.importorskip("pty")
pytestmark = pytest.mark.model

SECONDS = 60
_HEARD = 10.0
"""Seconds after which a key that shows nothing was not heard, however busy the machine is."""
NOTES = {"boat.md": "# The boat\n\nOur boat is called Albatross.\n", "bread.md": "# Bread\n\nRye flour at noon.\n"}
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
_BEGUN = re.compile(r"(?:\x1b(?:\[[0-9;?]*)?)?$")


class Terminal:
    """A program at a terminal of 100 columns."""

    def __init__(self, shell: Any, *arguments: str | Path) -> None:
        environment = {**shell.environment, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.chdir(shell.base)
            command = [sys.executable, "-m", "khoj_ls", *map(str, arguments)]
            os.execve(sys.executable, command, environment)
        self._seen = self._held = ""

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def until(self, words: str) -> str:
        """What is shown up to and with some words, from where the last call ended."""
        end = time.monotonic() + SECONDS
        while words not in self._seen:
            assert time.monotonic() < end, f"never shown: {words!r}; but {self._seen!r}"
            if not self._read():
                break
        shown, found, self._seen = self._seen.partition(words)
        assert found, f"never shown: {words!r}; but {shown!r}"
        return shown + found

    def ended(self, again: str = "") -> int:
        """The exit status, once the program has ended; `again` is pressed once more where it seems not to have been heard."""
        begun = time.monotonic()
        while self._read():
            waited = time.monotonic() - begun
            assert waited < SECONDS, "it does not end"
            if again and waited > _HEARD:
                self.type(again)
                again = ""
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self._terminal)
        self.pid = 0
        return status

    def kill(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self._terminal)

    def _read(self) -> bool:
        if not select.select([self._terminal], [], [], 0.2)[0]:
            return True
        try:
            data = os.read(self._terminal, 1 << 16)
        except OSError:  # the other side is closed
            return False
        # A code that is not all there yet is looked at with what follows.
        text = self._held + data.decode(errors="replace")
        self._held = _BEGUN.search(text)[0]
        self._seen += _CODES.sub("", text[: len(text) - len(self._held)])
        return bool(data)


@pytest.fixture(scope="module")
def asked(make_shell: Callable[[], Any]) -> tuple[Any, Path]:
    shell = make_shell()
    vault = shell.vault("notes", NOTES)
    shell("index", vault)
    return shell, vault


@pytest.fixture
def open_terminal(asked: tuple[Any, Path]) -> Iterator[Callable[..., Terminal]]:
    shell, vault = asked
    opened: list[Terminal] = []

    def start(*options: str) -> Terminal:
        opened.append(Terminal(shell, "chat", "--vault", vault, *options))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.kill()


def test_a_conversation_at_the_prompt(asked: tuple[Any, Path], open_terminal: Callable[..., Terminal]) -> None:
    slow = Reply(pieces=("It is ", *["and "] * 500), pause=0.05)
    with ChatServer(["She is called **Albatross** [1].", slow, "Noon [1]."], models={"m": 8192}) as server:
        at = open_terminal("--model", "llamacpp/m", "--base-url", server.url, "--no-subqueries")
        at.until("> ")
        at.type("what is our boat called\n")
        shown = at.until("tokens read")
        assert "She is called Albatross [1]." in shown
        assert "[1] notes/boat.md:3 - The boat" in shown
        at.until("> ")
        at.type("and then\n")
        at.until("It is and")
        at.type("\x03")
        at.until("khoj-ls: ")
        assert server.gone.acquire(timeout=10), "the request goes on"
        at.until("> ")
        at.type("/retry\n")
        assert "Noon [1]." in at.until("tokens read")
        at.until("> ")
        at.type("\x04")
        assert at.ended() == 0
        assert len(server.requests) == 3
    history = asked[0].home / "state" / "chat_history"
    assert history.read_text().splitlines()[-3:] == ["what is our boat called", "and then", "/retry"]
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


def test_one_question_at_a_terminal_is_drawn_and_ctrl_c_ends_it(open_terminal: Callable[..., Terminal]) -> None:
    slow = Reply(pieces=("# Boat\n\n", "- one\n", *["- more\n"] * 500), pause=0.05)
    with ChatServer([slow], models={"m": 8192}) as server:
        at = open_terminal("--model", "llamacpp/m", "--base-url", server.url, "--no-subqueries", "which boats")
        at.until(" • more")
        at.type("\x03")
        assert at.ended() == 130
        assert server.gone.acquire(timeout=10), "the request goes on"


@pytest.mark.parametrize("word", ["n", "\x03"])
def test_nothing_is_sent_without_a_yes(asked: tuple[Any, Path], open_terminal: Callable[..., Terminal], word: str) -> None:
    # 192.0.2.0/24 is nobody's: were it contacted, the test would fail at the guard of the suite, or wait.
    at = open_terminal("--model", "llamacpp/m", "--base-url", "https://192.0.2.1/v1", "--no-subqueries", "which boats")
    question = at.until("? [y/N]:")
    assert re.search(r"Send about [\d,]+ tokens of passages from your notes to https://192\.0\.2\.1", question)
    at.type(word if word == "\x03" else f"{word}\n")
    # Python notices Ctrl-C that comes in the instant before it waits for a line only with the next key.
    assert at.ended(again=word if word == "\x03" else "") == 3
    assert not (asked[0].home / "config" / "config.toml").exists()
