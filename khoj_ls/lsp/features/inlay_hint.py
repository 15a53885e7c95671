"""textDocument/inlayHint: how many links lead to a note and its headings, at the end of their lines. Off unless set."""

from __future__ import annotations

from lsprotocol import types

from khoj_ls.config.editor_settings import InlaySettings
from khoj_ls.lsp.asked import asked
from khoj_ls.lsp.counts import counted
from khoj_ls.lsp.refreshing import refresh_on_change
from khoj_ls.lsp.server import KhojServer
from khoj_ls.vault import Vault


def register(server: KhojServer) -> None:
    """Serve inlay hints."""
    refresh_on_change(
        server,
        lambda vault: _wanted(server, vault) is not None,
        lambda: _refreshes(server),
        lambda: server.workspace_inlay_hint_refresh_async(None),
    )

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    async def inlay_hint(params: types.InlayHintParams) -> list[types.InlayHint] | None:
        about = asked(server, params.text_document.uri)
        wanted = _wanted(server, about.vault) if about else None
        if about is None or wanted is None:
            return None
        first, last = about.offset(params.range.start), about.offset(params.range.end)
        found = await server.answer(
            lambda job: counted(about, note=wanted.note, headings=wanted.headings, related=wanted.related, token=job.token)
        )
        return [
            types.InlayHint(position=about.positions.position(each.end), label=each.text, padding_left=True)
            for each in found
            if first <= each.end <= last
        ]


def _wanted(server: KhojServer, vault: Vault) -> InlaySettings | None:
    """What is to be shown in notes of a vault; None where that is nothing."""
    wanted = server.session.settings_of(vault).inlay
    return wanted if wanted.note or wanted.headings else None


def _refreshes(server: KhojServer) -> bool:
    workspace = server.client_capabilities.workspace
    return bool(workspace and workspace.inlay_hint and workspace.inlay_hint.refresh_support)
