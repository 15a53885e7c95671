"""textDocument/codeAction: what all those offer who have put themselves on `server.code_actions`, of the kinds asked for."""

from __future__ import annotations

from lsprotocol import types

from khoj_ls.lsp.server import KhojServer

KINDS = (
    types.CodeActionKind.QuickFix,
    types.CodeActionKind.Refactor,
    types.CodeActionKind.RefactorExtract,
    types.CodeActionKind.RefactorInline,
    types.CodeActionKind.RefactorRewrite,
    types.CodeActionKind.Source,
)


def register(server: KhojServer) -> None:
    """Serve code actions to clients that take them as literals."""

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=list(KINDS)))
    async def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
        text_document = server.client_capabilities.text_document
        if not (text_document and text_document.code_action and text_document.code_action.code_action_literal_support):
            return []
        found = [action for offer in server.code_actions for action in await offer(params)]
        only = params.context.only
        return found if not only else [each for each in found if any(_is(each.kind, kind) for kind in only)]


def _is(kind: str | None, wanted: str) -> bool:
    """Whether a kind is `wanted` or below it: `refactor.extract` is a `refactor`."""
    return not wanted or kind == wanted or (kind or "").startswith(f"{wanted}.")
