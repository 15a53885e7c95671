"""Diagnostics: broken and ambiguous links, ids given twice, orphans - pushed, or pulled where the client can be told to pull.

An edit is judged within a tenth of a second, except for the link that is being written: that waits until the text has rested.
What changes in other notes changes what is right here, so everything open is looked at again after each change of the index.
A client that pulls, but cannot be asked to pull again (workspace/diagnostic/refresh), would miss that: it is pushed to.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.workspace import PositionCodec

from khoj_ls.core.errors import Cancelled, KhojError
from khoj_ls.graph.diagnose import Finding, suspects
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.indexing.indexer import IndexEvent
from khoj_ls.lsp.asked import Asked, asked, opened_texts
from khoj_ls.lsp.diagnosing import Reporter
from khoj_ls.lsp.positions import Positions
from khoj_ls.lsp.server import KhojServer
from khoj_ls.lsp.writing import Writing
from khoj_ls.store.links import file_at, source_text
from khoj_ls.vault import Vault

log = logging.getLogger(__name__)

_SOON = 0.02
"""Seconds after an edit, within which further keys are waited for."""
_AFTER_INDEX = 0.1
_LOOK_AGAIN = 0.25
"""How often is looked whether the notes have been read for the first time: before that nothing is known to be missing."""
_READ_PATIENCE = 10.0
_WORKSPACE_REST = 10.0
"""Least seconds between two walks through all the links of a vault."""


def register(server: KhojServer) -> None:
    """Report what is wrong in the notes that are open, and where it is asked for in all."""
    session = _Session(server)
    server.on_initialize.append(session.initialize)
    server.on_document.append(session.document)
    server.on_index.append(session.index)
    server.on_settings.append(session.all_again)

    @server.feature(
        types.TEXT_DOCUMENT_DIAGNOSTIC,
        types.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=True, identifier="khoj"),
    )
    async def pull(params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
        return await session.pull(params)

    @server.feature(types.WORKSPACE_DIAGNOSTIC)
    async def workspace(params: types.WorkspaceDiagnosticParams) -> types.WorkspaceDiagnosticReport:
        return await session.workspace(params)


class _Session:
    """What one client has been told, and what it is to be told next. For the connection's loop only."""

    def __init__(self, server: KhojServer) -> None:
        self._server = server
        self._writing = Writing()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._running: set[str] = set()
        self._again: set[str] = set()
        self._shown: dict[str, list[types.Diagnostic]] = {}
        self._read: set[Path] = set()
        self._pulls = False
        self._changed = asyncio.Event()
        self._walked = 0.0

    # -- what happens ----------------------------------------------------------------------------------------------

    def initialize(self, params: types.InitializeParams) -> None:
        """Decide who begins: pygls advertises what has a handler."""
        text_document, workspace = params.capabilities.text_document, params.capabilities.workspace
        can_pull = bool(text_document and text_document.diagnostic)
        refresh = bool(workspace and workspace.diagnostics and workspace.diagnostics.refresh_support)
        self._pulls = can_pull and refresh
        if not self._pulls:
            for feature in (types.TEXT_DOCUMENT_DIAGNOSTIC, types.WORKSPACE_DIAGNOSTIC):
                self._server.protocol.fm.features.pop(feature, None)

    def document(self, uri: str, change: types.DidChangeTextDocumentParams | None) -> None:
        """A document was opened, changed or closed."""
        if uri not in self._server.workspace.text_documents:
            self._writing.forget(uri)
            self._cancel(uri)
            if self._shown.pop(uri, None):
                self._publish(uri, None, [])
            return
        if change is not None:
            document = self._server.workspace.get_text_document(uri)
            self._writing.took(uri, change, Positions(document.source, self._server.workspace.position_codec))
        if not self._pulls:
            self._later(uri, _SOON)

    def index(self, vault: Vault, event: IndexEvent) -> None:
        """Notes came, went, or are other than they were."""
        if event.kind not in ("changed", "idle"):
            return
        self._changed.set()
        if self._pulls:
            self._later("", _LOOK_AGAIN)
            return
        for uri in list(self._server.workspace.text_documents):
            if self._server.vault_of(uri) is vault:
                self._later(uri, _AFTER_INDEX)

    def all_again(self) -> None:
        """The settings changed."""
        self._changed.set()
        if self._server.loop is None:
            return
        for uri in [""] if self._pulls else list(self._server.workspace.text_documents):
            self._later(uri, _SOON)

    # -- pushing ---------------------------------------------------------------------------------------------------

    def _later(self, uri: str, seconds: float) -> None:
        """Look at a document (the empty name: have the client pull) in a while, unless that is to happen sooner."""
        loop = self._server.loop
        if loop is None:
            return
        known = self._timers.get(uri)
        if known is not None and known.when() <= loop.time() + seconds:
            return
        self._cancel(uri)
        self._timers[uri] = loop.call_later(seconds, self._due, uri)

    def _cancel(self, uri: str) -> None:
        known = self._timers.pop(uri, None)
        if known is not None:
            known.cancel()

    def _due(self, uri: str) -> None:
        self._timers.pop(uri, None)
        if uri in self._running:
            self._again.add(uri)
            return
        self._running.add(uri)
        self._spawn(self._refresh() if not uri else self._check(uri), partial(self._ended, uri))

    def _ended(self, uri: str) -> None:
        self._running.discard(uri)
        if uri in self._again:
            self._again.discard(uri)
            self._later(uri, _SOON)

    def _spawn(self, work: Coroutine[Any, Any, None], ended: Callable[[], None]) -> None:
        task = asyncio.ensure_future(work)
        self._server.tasks.add(task)

        def done(_: object) -> None:
            self._server.tasks.discard(task)
            ended()

        task.add_done_callback(done)

    async def _refresh(self) -> None:
        try:
            await self._server.workspace_diagnostic_refresh_async(None)
        except Exception as error:  # noqa: BLE001 - whatever a client answers to this, it will pull again by itself
            log.debug("the client does not pull again: %s", error)

    async def _check(self, uri: str) -> None:
        """Look at a document and tell the client what is new about it."""
        about = asked(self._server, uri)
        document = self._server.workspace.text_documents.get(uri)
        if about is None or document is None:
            return
        if not self._is_read(about.vault):
            self._later(uri, _LOOK_AGAIN)
            return
        version = document.version
        found = await self._found(about)
        now = self._server.workspace.text_documents.get(uri)
        if found is None or now is None or now.version != version:
            return  # there is a newer text, which will be looked at
        diagnostics, waiting = found
        if waiting:
            self._later(uri, self._writing.rests_in(uri, self._rest(about.vault)) + _SOON)
        if diagnostics != self._shown.get(uri, []):
            self._shown[uri] = diagnostics
            self._publish(uri, version, diagnostics)

    def _publish(self, uri: str, version: int | None, diagnostics: list[types.Diagnostic]) -> None:
        text_document = self._server.client_capabilities.text_document
        push = text_document.publish_diagnostics if text_document else None
        self._server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(
                uri=uri, diagnostics=diagnostics, version=version if push and push.version_support else None
            )
        )

    # -- looking ---------------------------------------------------------------------------------------------------

    def _rest(self, vault: Vault) -> float:
        return self._server.session.settings_of(vault).diagnostics.rest_seconds

    def _is_read(self, vault: Vault) -> bool:
        """Whether the notes of a vault were read once: until then what is not found may only not be known yet."""
        if vault.root not in self._read and not vault.reading:
            self._read.add(vault.root)
        return vault.root in self._read

    async def _found(self, about: Asked) -> tuple[list[types.Diagnostic], bool] | None:
        """What is wrong in a document, but for what is being written, and whether that waits; None when it cannot be told."""
        reporter = Reporter(self._server, about.vault)

        def look() -> list[Finding]:
            return about.vault.links(lambda network: reporter.findings(network, about))

        try:
            found = await self._server.in_thread(look)
        except Cancelled:  # the editor has left meanwhile
            return None
        except KhojError as error:
            log.warning("%s was not looked at: %s", about.uri, error)
            return None
        kept, waiting = self._writing.settled(about.uri, found, self._rest(about.vault))
        return [reporter.diagnostic(about, finding) for finding in kept], waiting

    # -- pulling ---------------------------------------------------------------------------------------------------

    async def pull(self, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
        """textDocument/diagnostic."""
        uri = params.text_document.uri
        about = asked(self._server, uri)
        diagnostics: list[types.Diagnostic] = []
        if about is not None:
            await self._until_read(about.vault)
            found = await self._found(about)
            diagnostics, waiting = found or ([], False)
            if waiting:
                self._later("", self._writing.rests_in(uri, self._rest(about.vault)) + _SOON)
        name = _name_of(diagnostics)
        if params.previous_result_id == name:
            return types.RelatedUnchangedDocumentDiagnosticReport(result_id=name)
        return types.RelatedFullDocumentDiagnosticReport(items=diagnostics, result_id=name)

    async def _until_read(self, vault: Vault) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + _READ_PATIENCE
        while not self._is_read(vault) and loop.time() < until:
            await asyncio.sleep(_LOOK_AGAIN)

    async def workspace(self, params: types.WorkspaceDiagnosticParams) -> types.WorkspaceDiagnosticReport:
        """workspace/diagnostic: answered when something is other than the client knows (LSP 3.17 lets it take so long)."""
        known = {each.uri: each.value for each in params.previous_result_ids}
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(max(0.0, self._walked + _WORKSPACE_REST - loop.time()) if known else 0.0)
            self._changed.clear()
            items = await self._walk(known)
            self._walked = loop.time()
            if items or not known:
                return types.WorkspaceDiagnosticReport(items=items)
            await self._changed.wait()

    async def _walk(self, known: dict[str, str]) -> list[types.WorkspaceDocumentDiagnosticReport]:
        """Reports of the notes about which the client knows something else."""
        found: dict[str, tuple[int | None, list[types.Diagnostic]]] = {}
        for root in list(self._server.session.roots):
            vault = self._server.session.vaults.get(root)
            if vault is not None:
                await self._until_read(vault)
                opened = {
                    uri: document.version
                    for uri, document in self._server.workspace.text_documents.items()
                    if self._server.vault_of(uri) is vault
                }
                reporter, codec = Reporter(self._server, vault), self._server.workspace.position_codec
                walk = partial(_in_vault, vault, reporter, codec, opened_texts(self._server, vault))
                for about, findings in await self._server.in_thread(walk):
                    kept, _ = self._writing.settled(about.uri, findings, self._rest(vault))
                    found[about.uri] = opened.get(about.uri), [reporter.diagnostic(about, each) for each in kept]
        items: list[types.WorkspaceDocumentDiagnosticReport] = []
        for uri in sorted({*found, *known}):
            version, diagnostics = found.get(uri, (None, []))
            name = _name_of(diagnostics)
            if known.get(uri, _name_of([])) != name:
                items.append(
                    types.WorkspaceFullDocumentDiagnosticReport(uri=uri, items=diagnostics, version=version, result_id=name)
                )
        return items


def _in_vault(
    vault: Vault, reporter: Reporter, codec: PositionCodec, opened: Mapping[str, tuple[str, str]]
) -> list[tuple[Asked, list[Finding]]]:
    """The notes of a vault in which something is wrong, each as the session shows it, else as the index has it."""

    def question(network: LinkNetwork) -> list[tuple[Asked, list[Finding]]]:
        found = []
        # A buffer may be wrong that is not in the index as it is.
        for path in {*suspects(network, reporter.severities), *opened}:
            file = file_at(network.connection, path)
            text = opened[path][1] if path in opened else source_text(network.connection, file[0]) if file else ""
            uri = opened[path][0] if path in opened else (vault.root / path).as_uri()
            about = Asked(vault, uri, path, text, codec, opened)
            if findings := reporter.findings(network, about):
                found.append((about, findings))
        return found

    return vault.links(question)


def _name_of(diagnostics: list[types.Diagnostic]) -> str:
    """Names a list of diagnostics by what it says."""
    said = repr([(each.range, each.message, each.severity, each.code) for each in diagnostics])
    return hashlib.blake2b(said.encode(errors="replace"), digest_size=8).hexdigest()
