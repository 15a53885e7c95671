"""Neovim at a desk: each script of tests/editors/nvim is run by a real Neovim; once keys are pressed."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from editor_desk import TOP, Desk
from screen_colours import Background, unreadable
from tmux_screen import TmuxScreen

SCRIPTS = Path(__file__).parent / "nvim"


@pytest.mark.parametrize("script", ["chat", "crash", "links", "loading", "notes", "pickers", "related", "search", "status"])
def test_script(desk: Desk, nvim: Path, script: str) -> None:
    print(desk.run([nvim, "--clean", "--headless", "-l", SCRIPTS / f"{script}.lua"]))


@pytest.fixture
def screens(tmp_path: Path) -> Path:
    """Where screens are written: docs/screens with KHOJ_LS_SCREENS=write, so that a test run leaves the tree clean."""
    return TOP / "docs" / "screens" if os.environ.get("KHOJ_LS_SCREENS") == "write" else tmp_path


@pytest.mark.parametrize("background", ["dark", "light"])
def test_screens(desk: Desk, nvim: Path, tmux: Path, screens: Path, tmp_path: Path, background: Background) -> None:
    environment = {**desk.environment, "TMUX_TMPDIR": str(desk.base), "SHELL": "/bin/sh"}
    inside = ["env", "TERM=xterm-256color", "COLORTERM=truecolor", f"KHOJ_LS_BACKGROUND={background}"]
    plugin = f"set rtp^={TOP / 'editors' / 'nvim'}"
    start = [*inside, str(nvim), "--clean", "--cmd", plugin, "-u", str(SCRIPTS / "init_for_screens.lua"), "homelab/network.md"]
    screens.mkdir(exist_ok=True)

    with TmuxScreen(tmux, start, folder=desk.notes, environment=environment) as screen:

        def capture(name: str) -> None:
            assert unreadable(screen.text(colours=True), background) == []
            if background == "dark":  # the words are the same
                (screens / f"nvim-{name}.txt").write_text(re.sub(r" +$", "", screen.text(), flags=re.MULTILINE))

        screen.wait("Machines are named after birds")
        screen.type(" ns")
        screen.wait("Search notes")
        screen.type("how did I fix the router")
        screen.wait("Evenings without Wi-Fi › How I repaired it")
        screen.wait("Channel 100 is a DFS")
        capture("search")
        screen.keys("Enter")
        screen.wait("35,1")
        screen.type(" nr")
        screen.wait("Related notes")
        screen.wait("homelab/network.md:")
        capture("related")
        screen.type(" nr")
        screen.type("K")
        screen.wait("links here")
        capture("hover")
        screen.type("ggj")
        screen.type(":KhojChat What did I change at the router?")
        screen.keys("Enter")
        screen.wait("[2] homelab/")
        capture("chat")
        screen.type(":only | KhojStatus")
        screen.keys("Enter")
        screen.wait("found by meaning")
        capture("status")
        assert "Error" not in screen.text()
        assert "Press ENTER" not in screen.text()
