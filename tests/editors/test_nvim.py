"""Neovim at a desk: each script of tests/editors/nvim is run by a real Neovim with the real server."""

from __future__ import annotations

from pathlib import Path

import pytest
from editor_desk import Desk

SCRIPTS = Path(__file__).parent / "nvim"


@pytest.mark.parametrize("script", ["chat", "crash", "links", "loading", "notes", "pickers", "related", "search", "status"])
def test_script(desk: Desk, nvim: Path, script: str) -> None:
    print(desk.run([nvim, "--clean", "--headless", "-l", SCRIPTS / f"{script}.lua"]))
