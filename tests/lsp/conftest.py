"""A real client on the relay and the daemon, as editors have it, in three profiles."""

from __future__ import annotations

import sys

import pytest
import pytest_lsp
from lsp_driver import indexed, make_client, start
from pytest_lsp import ClientServerConfig, LanguageClient

PROFILES = ("visual-studio-code", "neovim", "emacs")
NOTES = {
    "router.md": (
        "# Router\n\nThe access point dropped clients every night.\n\n"
        "## Fix\n\nMoved it to channel 36 and rolled the firmware back.\n"
    ),
    "bread.org": (
        "#+title: Sourdough\n\n* Starter\nFeed it with rye flour at noon.\n* Baking\nForty minutes in the Dutch oven.\n"
    ),
    "plan.txt": "Buy seeds for the balcony in March.\n",
}


@pytest.fixture(scope="session", autouse=True)
def before_any_server(home):
    """The first server of a session must not start before its home is set: it would talk to the user's own daemon."""


@pytest.fixture
def vault(tmp_path):
    """A small vault with Markdown, Org and plain text."""
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / ".khoj.toml").touch()
    for name, text in NOTES.items():
        (folder / name).write_text(text)
    return folder


SERVER = ClientServerConfig(server_command=[sys.executable, "-m", "khoj_ls", "lsp", "--stdio"], client_factory=make_client)


@pytest_lsp.fixture(config=SERVER, params=PROFILES)
async def any_client(request, lsp_client: LanguageClient, home, vault):
    """A client of each profile, whose vault is open and completely indexed."""
    await open_vault(lsp_client, request.param, vault)
    yield lsp_client
    await lsp_client.shutdown_session()


@pytest_lsp.fixture(config=SERVER)
async def client(lsp_client: LanguageClient, home, vault):
    """The same in one profile, for what does not depend on what a client can do."""
    await open_vault(lsp_client, "neovim", vault)
    yield lsp_client
    await lsp_client.shutdown_session()


@pytest_lsp.fixture(config=SERVER)
async def bare_client(lsp_client: LanguageClient, home):
    """A client that has not said initialize yet."""
    yield lsp_client
    await lsp_client.shutdown_session()


async def open_vault(client: LanguageClient, profile: str, vault):
    """Start the session, keep what the server advertises, and wait for the index."""
    client.advertised = (await start(client, profile, vault)).capabilities
    await indexed(client)
