"""textDocument/inlayHint: how many links lead to a note and its headings, at the end of their lines. Off unless set."""

from __future__ import annotations

from lsprotocol import types

from khoj_ls.lsp.asked import asked
from khoj_ls.lsp.counts import counted
from khoj_ls.lsp.refreshing import refresh_on_change
from khoj_ls.lsp.server import KhojServer


def register(server: KhojServer) -> None:
    """Serve inlay hints."""
    refresh_on_change(
        server,
        lambda: server.session.settings.inlay.note or server.session.settings.inlay.headings,
        lambda: _refreshes(server),
        lambda: server.workspace_inlay_hint_refresh_async(None),
    )

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    async def inlay_hint(params: types.InlayHintParams) -> list[types.InlayHint] | None:
        about, wanted = asked(server, params.text_document.uri), server.session.settings.inlay
        if about is None or not (wanted.note or wanted.headings):
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


def _refreshes(server: KhojServer) -> bool:
    workspace = server.client_capabilities.workspace
    return bool(workspace and workspace.inlay_hint and workspace.inlay_hint.refresh_support)
