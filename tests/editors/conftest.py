"""The editors that are here, and a desk for each file of tests.

An editor that is missing skips its tests and says how to install it; with KHOJ_LS_EDITORS=required it fails them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from editor_desk import PLACE, TOP, Desk


def missing(name: str) -> NoReturn:
    """Skip, or fail where every editor is wanted."""
    why = f"{name} is not here: tests/editors/install.sh installs it"
    pytest.fail(why) if os.environ.get("KHOJ_LS_EDITORS") == "required" else pytest.skip(why)


def program(name: str, *places: Path) -> Path:
    """A program in one of these places, or else on the path."""
    found = next((place for place in places if os.access(place, os.X_OK)), None) or shutil.which(name)
    return Path(found) if found else missing(name)


@pytest.fixture(scope="module")
def desk(prepared_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk of the module's own."""
    with Desk(tmp_path_factory.mktemp("desk").resolve(), prepared_models) as made:
        yield made


@pytest.fixture(scope="session")
def emacs() -> Path:
    """Emacs, with Eglot, lsp-mode, markdown-mode and the ways to complete as Debian packs them."""
    if not Path("/usr/share/emacs/site-lisp/elpa").is_dir():
        missing("emacs")
    return program("emacs")


@pytest.fixture(scope="session")
def nvim() -> Path:
    """Neovim 0.11 or later."""
    return program("nvim", PLACE / "nvim" / "bin" / "nvim")


@pytest.fixture(scope="session")
def vim() -> Path:
    """Vim, with ALE as Debian packs it."""
    if not Path("/usr/share/vim-ale").is_dir():
        missing("vim")
    return program("vim")


@pytest.fixture(scope="session")
def kakoune() -> Path:
    """Kakoune, which Debian has without kakoune-lsp."""
    return program("kak")


@pytest.fixture(scope="session")
def tmux() -> Path:
    """A terminal whose screen can be read."""
    return program("tmux")


@pytest.fixture(scope="session")
def code_server() -> list[Path]:
    """The command that runs VS Code for a browser."""
    node = program("VS Code (its Node)", PLACE / "node" / "bin" / "node")
    entry = PLACE / "code-server" / "node_modules" / "code-server" / "out" / "node" / "entry.js"
    return [node, entry] if entry.exists() else missing("VS Code (code-server)")


@pytest.fixture(scope="session")
def vsix() -> Path:
    """The extension as `make vsix` packs it, with the packages that its tests want."""
    packed = TOP / "editors" / "vscode" / "khoj-ls.vsix"
    wanted = (packed, TOP / "tests" / "editors" / "vscode" / "node_modules")
    return packed if all(each.exists() for each in wanted) else missing("VS Code (the extension)")


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser that VS Code is driven in."""
    return program("chromium")
