"""Emacs as a person sees it, in tmux: the main views are there, nothing is cut off and no markup shows; screens are kept.

With KHOJ_LS_SCREENS=write they are written to docs/screens/emacs-*.txt.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from editor_desk import TOP, Desk

CLIENT = TOP / "editors" / "emacs"
TESTS = Path(__file__).parent / "emacs"
SECONDS = 60.0


class Screen:
    """Emacs in a terminal of 110 columns and 32 lines."""

    def __init__(self, desk: Desk, emacs: Path, tmux: Path, folder: Path) -> None:
        """Start Emacs at `desk`, in the note about the home network; screens are written to `folder`."""
        self._tmux: list[str | Path] = [tmux, "-S", desk.base / "tmux", "-f", "/dev/null"]
        self._desk = desk
        self._folder = folder
        client = f"-f package-initialize -L {CLIENT} -l {TESTS / 'init.el'}"
        self._do("new-session", "-d", "-s", "e", "-x", "110", "-y", "32", f"{emacs} -nw -q {client} homelab/network.md")

    def _do(self, *arguments: str) -> str:
        return self._desk.run([*self._tmux, *arguments])

    def end(self) -> None:
        """Leave Emacs, and the terminal with it."""
        self._do("kill-server")

    def keys(self, *keys: str) -> None:
        """Press keys as tmux names them; other words are typed."""
        self._do("send-keys", "-t", "e", *keys)

    def shows(self, pattern: str) -> str:
        """Wait until the screen shows `pattern`; returns the screen."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            shown = self._do("capture-pane", "-p", "-t", "e")
            if re.search(pattern, shown, re.MULTILINE):
                return shown
            time.sleep(0.05)  # the screen is not a thing that can be waited for
        pytest.fail(f"not seen: {pattern}\n{shown}")

    def keep(self, name: str, *patterns: str) -> str:
        """Wait until the screen shows all `patterns`, and write it down."""
        for pattern in patterns:
            shown = self.shows(pattern)
        text = "\n".join(line.rstrip() for line in shown.rstrip().splitlines()).replace(str(self._desk.person), "~") + "\n"
        (self._folder / f"emacs-{name}.txt").write_text(text)
        return text


@pytest.fixture(scope="module")
def screen(desk: Desk, emacs: Path, tmux: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    """One Emacs for all screens: each test leaves it in the note it began with."""
    write = os.environ.get("KHOJ_LS_SCREENS") == "write"
    folder = TOP / "docs" / "screens" if write else tmp_path_factory.mktemp("screens")
    folder.mkdir(parents=True, exist_ok=True)
    made = Screen(desk, emacs, tmux, folder)
    try:
        made.shows("Home network")
        yield made
    finally:
        made.end()


def test_search(screen: Screen) -> None:
    screen.keys("C-c", "n", "s")
    screen.shows("Search notes:")
    screen.keys("how did I fix the router")
    shown = screen.keep("search", r"^0\.\d\d .*Evenings without Wi-Fi › How I repaired it", r"5 GHz radio off")
    assert re.search(r"Search notes: how did I fix the router +1/\d+", shown)
    screen.keys("Enter")
    screen.shows(r"evenings-without-wifi\.md .*L35")
    screen.keys("M-,")
    screen.shows(r"network\.md .*\(Markdown khoj")


def test_hover(screen: Screen) -> None:
    screen.keys("M-<", "C-s", "evenings-without", "Enter")
    screen.keys("C-c", "n", ".")
    shown = screen.keep("hover", r"\*khoj-ls hover\*", "How I repaired it")
    assert "](file" not in shown
    screen.keys("q")
    screen.shows(r"network\.md .*\(Markdown khoj")


def test_related(screen: Screen) -> None:
    screen.keys("C-c", "n", "r")
    shown = screen.keep(
        "related", r"Related to network\.md", r"Evenings without Wi-Fi", r"homelab/evenings-without-wifi\.md:35"
    )
    assert "$" not in shown  # how Emacs marks what is cut off
    screen.keys("C-c", "n", "r")


def test_menu(screen: Screen) -> None:
    screen.keys("C-c", "n", "?")
    shown = screen.keep("menu", "Find .*Write .*Chat", "Index")
    assert "Restart connection" in shown
    screen.keys("C-g")


def test_status(screen: Screen) -> None:
    screen.keys("C-c", "n", "i")
    screen.keep("status", r"\d+ notes, \d+ sections, \d+ passages", "100 % found by meaning")
    screen.keys("q")


def test_insert_link(screen: Screen) -> None:
    screen.keys("M->", "C-c", "n", "l")
    screen.keep("insert-link", "Link to", r"^0\.\d\d ")
    screen.keys("C-g")


def test_chat(screen: Screen) -> None:
    screen.keys("C-c", "n", "c")
    screen.shows("asks again")
    screen.keys("C-x", "1")
    screen.keys("What did I change at the router?", "C-c", "C-c")
    shown = screen.keep("chat", "The firmware was rolled back", "Sources")
    assert "default persona · default model" in shown
    assert "80 MHz wide [1]." in shown
    assert "file://" not in shown
    screen.keys("C-x", "k", "Enter")
