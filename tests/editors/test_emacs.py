"""Emacs with the real server: ERT tests in a few runs of an Emacs with a terminal, each ERT test one test here."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import pytest
from editor_desk import TOP, Desk

CLIENT = TOP / "editors" / "emacs"
TESTS = Path(__file__).parent / "emacs"
RUNS = {
    "own": ("connection-test", "search-test", "links-test", "notes-test", "chat-test", "views-test"),
    "eglot": ("eglot-test",),
    "lsp-mode": ("lsp-test",),
}
"""One start of Emacs each: those in one run share it."""


def names(run: str) -> list[str]:
    """The ERT tests of a run."""
    return [name for file in RUNS[run] for name in re.findall(r"\(ert-deftest (\S+)", (TESTS / f"{file}.el").read_text())]


@pytest.fixture(scope="module")
def outcome(desk: Desk, emacs: Path) -> Callable[[str], str]:
    """What a run of Emacs prints; it takes place once."""

    @cache
    def run(name: str) -> str:
        printed = desk.base / f"{name}.txt"
        start = [emacs, "-nw", "-q", "-f", "package-initialize", "-L", CLIENT, "-L", TESTS, "-l", "khoj-ls-test"]
        files = " ".join(f'"{file}"' for file in RUNS[name])
        said = in_terminal(desk, [*start, "--eval", f'(khoj-ls-test-run "{printed}" (quote ({files})))'])
        return printed.read_text() if printed.exists() else said

    return run


LINTER_IS_OLDER = "khoj-ls.el:8: This makes the package uninstallable in all released Emacs versions."
"""package-lint 0.16 was released before Emacs 28 was."""


@pytest.fixture(scope="module")
def complaints(desk: Desk, emacs: Path) -> list[str]:
    """What package-lint, checkdoc and the compiler have to say: a line each."""
    said = desk.run([emacs, "--batch", "-f", "package-initialize", "-L", CLIENT, "-l", TESTS / "lint.el"])
    return [line for line in said.splitlines() if re.match(r"(package-lint|checkdoc|compiler) \S+\.el:", line)]


@pytest.mark.parametrize("tool", ["package-lint", "checkdoc", "compiler"])
def test_the_package_is_clean(complaints: list[str], tool: str) -> None:
    assert [line for line in complaints if line.startswith(tool) and not line.endswith(LINTER_IS_OLDER)] == []


INSIDE = re.compile(r"khoj-ls-((live|related|hover|status|connection|edit|consult)-.*|chat-(follow|mode)|markdown-follow)")
"""Commands that are keys of a list, or take the place of a mode's own."""


def test_the_readme_names_every_command_and_setting() -> None:
    code = "".join(file.read_text() for file in CLIENT.glob("*.el"))
    documented = r'\(defun (\S+) [^"]*"(?:[^"\\]|\\.)*"\s+\(interactive'
    modes = r"\((?:define-minor-mode|define-globalized-minor-mode|transient-define-prefix) (\S+)"
    commands = {name for way in (documented, modes) for name in re.findall(way, code) if not INSIDE.fullmatch(name)}
    settings = set(re.findall(r"\(defcustom (\S+)", code))
    rows = [line for line in (CLIENT / "README.md").read_text().splitlines() if line.startswith("|")]
    assert {name for row in rows for name in re.findall(r"`(khoj-ls-[a-z-]+)`", row)} == commands | settings


def test_what_is_loaded_later_is_where_it_is_looked_for() -> None:
    lists = re.search(r"\(dolist \(each '\((.*?)\)\)\n  \(dolist", (CLIENT / "khoj-ls.el").read_text(), re.DOTALL)
    assert lists is not None
    groups = {file: names.split() for file, names in re.findall(r'\("(\S+)"\s([^)]*)\)', lists[1] + ")")}
    marked = r"^;;;###autoload.*\n\((?:defun|transient-define-prefix) (\S+)"
    expected = {file.stem: set(re.findall(marked, file.read_text(), re.MULTILINE)) for file in CLIENT.glob("khoj-ls-*.el")}
    assert {file: set(names) for file, names in groups.items()} == {file: names for file, names in expected.items() if names}


def in_terminal(desk: Desk, command: list[str | Path], seconds: float = 600.0) -> str:
    """Run a program of the desk in a terminal of 100 columns and 40 lines until it ends; returns what it wrote there."""
    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    with subprocess.Popen(
        [*map(str, command)],
        cwd=desk.notes,
        env=desk.environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        # Emacs opens /dev/tty: the terminal has to be the session's own. No thread of ours holds a lock that the child wants.
        preexec_fn=partial(fcntl.ioctl, 0, termios.TIOCSCTTY, 0),
    ) as process:
        os.close(terminal)
        written, end = bytearray(), time.monotonic() + seconds
        while time.monotonic() < end:
            if not select.select([master], [], [], 0.2)[0]:
                if process.poll() is not None:
                    break
                continue
            try:
                written += os.read(master, 1 << 16)
            except OSError:  # how the end of a terminal is told on Linux
                break
        else:
            process.kill()
    os.close(master)
    return written.decode(errors="replace")


def told_of(test: str, printed: str) -> str:
    """What ERT says of a failed test; all it printed where it did not come to that test."""
    found = re.search(rf"^Test {re.escape(test)} backtrace:.*?^   FAILED .*?$", printed, re.MULTILINE | re.DOTALL)
    return found[0] if found else printed


@pytest.mark.parametrize(("run", "test"), [(run, test) for run in RUNS for test in names(run)])
def test_in_emacs(outcome: Callable[[str], str], run: str, test: str) -> None:
    printed = outcome(run)
    assert re.search(rf"^   passed +\d+/\d+  {re.escape(test)}( |$)", printed, re.MULTILINE), told_of(test, printed)
