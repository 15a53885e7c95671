"""Emacs as a person sees it, in tmux: the main views are there, nothing is cut off, no markup shows, all can be read.

With KHOJ_LS_SCREENS=write the screens are written to docs/screens/emacs-*.txt.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from editor_desk import TOP, Desk
from screen_colours import Background, unreadable
from tmux_screen import TmuxScreen

CLIENT = TOP / "editors" / "emacs"
TESTS = Path(__file__).parent / "emacs"


class Screen(TmuxScreen):
    """Emacs in a terminal of 110 columns and 32 lines; a context manager."""

    def __init__(self, desk: Desk, emacs: Path, tmux: Path, folder: Path, background: Background) -> None:
        """At `desk`, in the note about the home network; screens are written to `folder`."""
        inside = ["env", "TERM=xterm-256color", f"KHOJ_TEST_BACKGROUND={background}"]
        # What Emacs compiles for itself takes the processors, and see `quit`.
        alone = ["--eval", "(setq native-comp-deferred-compilation nil)"]
        client = [*alone, "-f", "package-initialize", "-L", str(CLIENT), "-l", str(TESTS / "init.el")]
        environment = {**desk.environment, "TMUX_TMPDIR": str(desk.base), "SHELL": "/bin/sh"}
        command = [*inside, str(emacs), "-nw", "-q", *client, "homelab/network.md"]
        super().__init__(tmux, command, folder=desk.notes, environment=environment, columns=110, lines=32)
        self._desk = desk
        self._folder_of_screens = folder
        self._background = background

    def quit(self, ended: str) -> None:
        """End what shows the text `ended`, and wait for that: Emacs forgets the keys that come while it quits.

        Where it just sees a process end, such as a compiler of its own, it takes the first for that.
        """
        gone, taken = rf"\A(?![\s\S]*{re.escape(ended)})", "error in process sentinel: Quit"
        self.keys("C-g")
        if taken in self.shows(rf"{gone}|{taken}"):
            self.keys("C-g")
            self.shows(gone)

    def keep(self, name: str, *patterns: str) -> str:
        """The screen, once it shows all `patterns`; looks whether all of it can be read, and writes it down."""
        shown = self.shows(r"\A" + "".join(rf"(?=[\s\S]*{pattern})" for pattern in patterns))
        assert unreadable(self.text(colours=True), self._background) == []
        text = "\n".join(line.rstrip() for line in shown.rstrip().splitlines()).replace(str(self._desk.person), "~") + "\n"
        if self._background == "dark":  # the words are the same
            (self._folder_of_screens / f"emacs-{name}.txt").write_text(text)
        return text


@pytest.fixture(scope="module", params=["dark", "light"])
def screen(
    desk: Desk, emacs: Path, tmux: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Screen]:
    """One Emacs for all screens of a background: each test leaves it in the note it began with."""
    write = os.environ.get("KHOJ_LS_SCREENS") == "write"
    folder = TOP / "docs" / "screens" if write else tmp_path_factory.mktemp("screens")
    folder.mkdir(parents=True, exist_ok=True)
    with Screen(desk, emacs, tmux, folder, request.param) as made:
        made.shows("Home network")
        yield made


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
    screen.quit("Restart connection")


def test_status(screen: Screen) -> None:
    screen.keys("C-c", "n", "i")
    screen.keep("status", r"\d+ notes, \d+ sections, \d+ passages", "100 % found by meaning")
    screen.keys("q")


def test_insert_link(screen: Screen) -> None:
    screen.keys("M->", "C-c", "n", "l")
    screen.keep("insert-link", r"Link to.*1/\d+", r"^0\.\d\d Projects  projects\.org")
    screen.quit("Link to")


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
