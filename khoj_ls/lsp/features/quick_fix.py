"""Quick fixes: what can be done about each diagnostic, as edits that the editor shows and makes."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types

from khoj_ls.core.errors import UsageError
from khoj_ls.graph.diagnose import CODES, Finding, diagnose
from khoj_ls.graph.fixes import Fix, fixes
from khoj_ls.graph.gist import Gists
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.lsp.asked import Asked, asked
from khoj_ls.lsp.diagnosing import SOURCE
from khoj_ls.lsp.edits import can, shown_versions, workspace_edit
from khoj_ls.lsp.notes import SessionNotes
from khoj_ls.lsp.server import KhojServer

_MOST_FINDINGS = 4


def register(server: KhojServer) -> None:
    """Offer quick fixes."""
    gists = Gists()

    async def offer(params: types.CodeActionParams) -> list[types.CodeAction]:
        only = params.context.only
        if only and not any(kind in ("", types.CodeActionKind.QuickFix) for kind in only):
            return []
        about = asked(server, params.text_document.uri)
        if about is None:
            return []
        versions = shown_versions(server)

        def answer() -> list[tuple[Finding, list[Fix]]]:
            start, end = about.offset(params.range.start), about.offset(params.range.end)
            return about.vault.links(lambda network: _fixes(network, about, start, end, gists))

        actions = []
        for finding, found in await server.answer(lambda job: answer()):
            told = [each for each in params.context.diagnostics if _is_about(each, finding, about)]
            for fix in found:
                if fix.edit.created and not can(server, types.ResourceOperationKind.Create):
                    continue
                try:
                    edit = workspace_edit(server, about, versions, fix.edit)
                except UsageError:  # it wants what this client cannot do
                    continue
                actions.append(_action(server, fix, edit, told))
        return actions

    server.code_actions.append(offer)


def _fixes(network: LinkNetwork, about: Asked, start: int, end: int, gists: Gists) -> list[tuple[Finding, list[Fix]]]:
    about.vault.names.refresh(network.connection)
    found = []
    notes = SessionNotes(about)
    for finding in diagnose(network, about.note, CODES[:4]):
        from_, to = finding.start, finding.end
        if finding.link is not None:
            from_, to = min(from_, finding.link.link.span.start), max(to, finding.link.link.span.end)
        if from_ <= end and start <= to:
            near = gists.near(about.vault.search_context(), about.note, finding.start, awake=False)
            found.append((finding, fixes(network, notes, about.note, finding, about.vault.names, near)))
        if len(found) == _MOST_FINDINGS:
            break
    return found


def _is_about(diagnostic: types.Diagnostic, finding: Finding, about: Asked) -> bool:
    shown = about.positions.range(finding.start, finding.end)
    return diagnostic.source == SOURCE and diagnostic.code == finding.code and diagnostic.range == shown


def _action(server: KhojServer, fix: Fix, edit: types.WorkspaceEdit, told: Sequence[types.Diagnostic]) -> types.CodeAction:
    text_document = server.client_capabilities.text_document
    capabilities = text_document.code_action if text_document else None
    preferred = bool(fix.preferred and capabilities and capabilities.is_preferred_support)
    return types.CodeAction(
        title=fix.title,
        kind=types.CodeActionKind.QuickFix,
        diagnostics=list(told) or None,
        is_preferred=True if preferred else None,
        edit=edit,
    )
