"""Diagnostics end to end: pushed and pulled, at once and not too soon, and right again when other notes change."""

from __future__ import annotations

import asyncio
import time

import pytest
from lsp_driver import indexed, start, until
from lsprotocol import types
from pytest_lsp import client_capabilities


def open_document(client, path, text):
    item = types.TextDocumentItem(uri=path.as_uri(), language_id="markdown", version=1, text=text)
    client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))


def insert(client, path, version, position, text):
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            text_document=types.VersionedTextDocumentIdentifier(uri=path.as_uri(), version=version),
            content_changes=[
                types.TextDocumentContentChangePartial(range=types.Range(start=position, end=position), text=text)
            ],
        )
    )


def shown(client, path):
    return [(each.code, each.range.start.line) for each in client.diagnostics.get(path.as_uri(), [])]


async def told(client, path, expected):
    async def as_expected():
        return shown(client, path) == expected

    try:
        await until(as_expected, 20)
    except TimeoutError:
        assert shown(client, path) == expected


@pytest.mark.asyncio
async def test_broken_links_are_told_and_mended_when_a_note_appears(any_client, vault):
    path = vault / "links.md"
    open_document(any_client, path, "🦉 [[nowhere]]\n[[router#None]]\n[[router]]\n[[bread]]\n")
    await told(any_client, path, [("broken-link", 0), ("broken-anchor", 1)])
    first = any_client.diagnostics[path.as_uri()][0]
    assert (first.source, first.message, first.severity) == (
        "khoj",
        "No note is called nowhere",
        types.DiagnosticSeverity.Warning,
    )
    encoding = any_client.advertised.position_encoding or "utf-16"
    owl = {"utf-8": 5, "utf-16": 3, "utf-32": 2}[encoding]
    assert (first.range.start.character, first.range.end.character) == (owl, owl + 11)
    other = vault / "nowhere.md"
    other.write_text("x\n")
    await told(any_client, path, [("broken-anchor", 1)])
    other.rename(vault / "elsewhere.md")
    await told(any_client, path, [("broken-link", 0), ("broken-anchor", 1)])
    any_client.text_document_did_close(
        types.DidCloseTextDocumentParams(text_document=types.TextDocumentIdentifier(uri=path.as_uri()))
    )
    await told(any_client, path, [])
    (vault / "elsewhere.md").unlink()


@pytest.mark.asyncio
async def test_a_link_that_is_being_written_waits_and_others_do_not(client, vault):
    path = vault / "writing.md"
    open_document(client, path, "[[gone]]\n\n")
    await told(client, path, [("broken-link", 0)])
    begun = time.monotonic()
    insert(client, path, 2, types.Position(line=1, character=0), "[[new]]")
    insert(client, path, 3, types.Position(line=0, character=0), "see ")
    insert(client, path, 4, types.Position(line=1, character=5), "er")
    await told(client, path, [("broken-link", 0)])
    await told(client, path, [("broken-link", 0), ("broken-link", 1)])
    assert time.monotonic() - begun >= 1.0


@pytest.mark.asyncio
async def test_severity_is_a_setting(client, vault):
    path = vault / "severity.md"
    open_document(client, path, "[[gone]]\n")
    await told(client, path, [("broken-link", 0)])
    settings = {"khoj_ls": {"diagnostics": {"broken_link": "off", "orphan": "hint"}}}
    client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=settings))
    await indexed(client)
    await told(client, path, [("orphan", 0)])


def pulling(profile: str) -> types.ClientCapabilities:
    capabilities = client_capabilities(profile)
    capabilities.text_document.diagnostic = types.DiagnosticClientCapabilities()
    capabilities.workspace.diagnostics = types.DiagnosticWorkspaceClientCapabilities(refresh_support=True)
    return capabilities


@pytest.mark.asyncio
async def test_a_client_that_pulls_is_asked_to_and_not_pushed_to(bare_client, vault):
    refreshed = asyncio.Event()
    bare_client.protocol.fm.features.pop(types.WORKSPACE_DIAGNOSTIC_REFRESH, None)  # pytest-lsp's own does nothing

    @bare_client.feature(types.WORKSPACE_DIAGNOSTIC_REFRESH)
    def refresh(params):
        refreshed.set()

    result = await bare_client.initialize_session(
        types.InitializeParams(
            capabilities=pulling("emacs"),
            workspace_folders=[types.WorkspaceFolder(uri=vault.as_uri(), name="notes")],
        )
    )
    assert result.capabilities.diagnostic_provider.workspace_diagnostics
    (vault / "closed.md").write_text("[[gone]] é [[gone]]\n")
    await indexed(bare_client)
    path = vault / "pulled.md"
    open_document(bare_client, path, "[[gone]]\n")

    async def pull(previous=None):
        return await bare_client.text_document_diagnostic_async(
            types.DocumentDiagnosticParams(
                text_document=types.TextDocumentIdentifier(uri=path.as_uri()), previous_result_id=previous
            )
        )

    report = await pull()
    assert [each.code for each in report.items] == ["broken-link"]
    assert (await pull(report.result_id)).kind == "unchanged"
    everything = await bare_client.workspace_diagnostic_async(types.WorkspaceDiagnosticParams(previous_result_ids=[]))
    assert {item.uri.rpartition("/")[2]: len(item.items) for item in everything.items} == {"closed.md": 2, "pulled.md": 1}
    refreshed.clear()
    (vault / "gone.md").write_text("x\n")
    await asyncio.wait_for(refreshed.wait(), 20)

    async def mended():
        return not (await pull()).items

    await until(mended)
    assert bare_client.diagnostics == {}


@pytest.mark.asyncio
async def test_a_client_that_cannot_be_asked_to_pull_again_is_pushed_to(bare_client, vault):
    result = await start(bare_client, "neovim", vault)
    assert result.capabilities.diagnostic_provider is None
    assert result.capabilities.completion_provider is not None
