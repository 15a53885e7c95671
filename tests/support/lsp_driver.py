"""Driving the server as an editor does: start, ask, wait."""

from __future__ import annotations

import asyncio

from lsprotocol import types
from marked_text import WIDTHS
from pytest_lsp import LanguageClient, client_capabilities, make_test_lsp_client


def make_client():
    """A client that keeps the khoj/* notifications it gets."""
    client = make_test_lsp_client()
    client.index_changes = []

    @client.feature("khoj/indexChanged")
    def changed(params):
        client.index_changes.append(params)

    # Requests that the profiles say they take and pytest-lsp's client has no answer to.
    for method in (types.WORKSPACE_CODE_LENS_REFRESH, types.WORKSPACE_INLAY_HINT_REFRESH):
        client.feature(method)(lambda *_: None)

    return client


async def start(client: LanguageClient, profile: str, *folders, **options) -> types.InitializeResult:
    """Say initialize and initialized for these folders."""
    return await client.initialize_session(
        types.InitializeParams(
            capabilities=client_capabilities(profile),
            root_uri=folders[0].as_uri() if folders else None,
            workspace_folders=[types.WorkspaceFolder(uri=folder.as_uri(), name=folder.name) for folder in folders],
            **options,
        )
    )


def encoding_of(client: LanguageClient) -> str:
    """The position encoding that was agreed on."""
    encoding = client.advertised.position_encoding
    return str(getattr(encoding, "value", encoding or "utf-16"))


def column(client: LanguageClient, text: str) -> int:
    """How many characters `text` is to this client."""
    return WIDTHS[encoding_of(client)](text)


async def request(client: LanguageClient, name: str, **params):
    """Send khoj/<name>; the result as plain values."""
    return plain(await client.protocol.send_request_async(f"khoj/{name}", params))


async def command(client: LanguageClient, name: str, *arguments):
    """Execute khoj.<name>; the result as plain values."""
    return plain(
        await client.workspace_execute_command_async(
            types.ExecuteCommandParams(command=f"khoj.{name}", arguments=list(arguments))
        )
    )


async def indexed(client: LanguageClient):
    """Wait until words and meaning of everything are there."""
    return await asyncio.wait_for(request(client, "reindex"), 240)


async def until(condition, seconds: float = 20.0):
    """Wait until the async `condition` gives something true, and return that."""

    async def poll():
        while not (value := await condition()):
            await asyncio.sleep(0.02)  # between two looks
        return value

    return await asyncio.wait_for(poll(), seconds)


def plain(value):
    """Attribute objects of the client back to dictionaries."""
    if hasattr(value, "_asdict"):
        return {key: plain(item) for key, item in value._asdict().items()}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "__dict__") and type(value).__name__ == "Object":
        return {key: plain(item) for key, item in vars(value).items()}
    return value


def names(result) -> list[str]:
    """File names of the hits, best first."""
    return [hit["uri"].rsplit("/", 1)[-1] for hit in result["hits"]]
