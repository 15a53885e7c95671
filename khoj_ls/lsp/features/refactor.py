"""Code actions that link notes and take them apart: links to what belongs linked, sections to notes, notes into sections."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from khoj_ls.graph.edits import VaultEdit
from khoj_ls.graph.linking import has_definition, insert_link
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.suggest import suggest
from khoj_ls.lsp.asked import Asked, asked
from khoj_ls.lsp.edits import shown_versions, workspace_edit
from khoj_ls.lsp.notes import SessionNotes
from khoj_ls.lsp.server import KhojServer
from khoj_ls.wire.operations import Job

_SUGGESTED = 5
_LONGEST_PHRASE = 200
"""Bytes of a selection that may still be the name of something."""
_REWRITE = types.CodeActionKind.RefactorRewrite


def register(server: KhojServer) -> None:
    """Offer what can be made of a range."""

    async def offer(params: types.CodeActionParams) -> list[types.CodeAction]:
        about = asked(server, params.text_document.uri)
        if about is None or not about.note.parsed.entries:
            return []
        versions = shown_versions(server)
        start, end = about.offset(params.range.start), about.offset(params.range.end)
        actions = list(_commands(about, params, start, end))
        by_hand = params.context.trigger_kind != types.CodeActionTriggerKind.Automatic
        if by_hand and _wants_links(params) and _is_text(about, start, end):
            found = await server.answer(lambda job: _links(about, start, end, job))
            edits = [(title, workspace_edit(server, about, versions, edit)) for title, edit in found]
            actions = [types.CodeAction(title=title, kind=_REWRITE, edit=edit) for title, edit in edits] + actions
        return actions

    server.code_actions.append(offer)


def _wants_links(params: types.CodeActionParams) -> bool:
    only = params.context.only
    return not only or any(not kind or str(getattr(kind, "value", kind)).startswith("refactor") for kind in only)


def _is_text(about: Asked, start: int, end: int) -> bool:
    """Whether a link may be put there: not within a link, nor in a name that the note gives itself."""
    touched = [link for link in about.note.links if link.span.start < max(end, start + 1) and start < link.span.end]
    return not touched and end - start <= _LONGEST_PHRASE and not has_definition(about.note, start)


def _links(about: Asked, start: int, end: int, job: Job) -> list[tuple[str, VaultEdit]]:
    """Titles and edits of links to the notes that belong there: of the selected words, or of words around the caret."""
    context = about.vault.search_context()

    def ask(network: LinkNetwork) -> list[tuple[str, VaultEdit]]:
        notes, found = SessionNotes(about), []
        selection = (start, end) if start < end else None
        for each in suggest(network, context, about.note, start, selection, _SUGGESTED, job.token):
            if each.path == about.path:
                continue
            words = selection or each.phrase
            if words is None:
                edit = insert_link(network, notes, about.note, start, start, each.path)
                found.append((f'Insert a link to "{each.title}"', edit))
                continue
            said = about.note.source[words[0] : words[1]].decode(errors="replace")
            edit = insert_link(network, notes, about.note, *words, each.path)
            title = f'Link to "{each.title}"' if selection else f'Convert mention "{said}" to a link to "{each.title}"'
            found.append((title, edit))
        return found

    return about.vault.links(ask)


def _commands(about: Asked, params: types.CodeActionParams, start: int, end: int) -> Iterator[types.CodeAction]:
    """What the server does when asked, as a command: these take their time, or make files."""
    document = {"uri": about.uri}
    at = {"line": params.range.start.line, "character": params.range.start.character}
    place = {"textDocument": document, "position": at}
    entry = about.note.entry_at(start)
    link = about.note.link_at(start)
    if start < end:
        until = {"line": params.range.end.line, "character": params.range.end.character}
        moved = {"textDocument": document, "range": {"start": at, "end": until}}
        yield _command("Move the selection to a new note", types.CodeActionKind.RefactorExtract, "capture", moved)
    if entry and entry[1].level:
        title = f'Extract "{entry[1].heading}" to a new note'
        yield _command(title, types.CodeActionKind.RefactorExtract, "extract", place)
    if link is not None and link.kind in ("wikilink", "markdown", "file", "id", "org", "embed") and start == end:
        yield _command("Put the text of the linked note here", types.CodeActionKind.RefactorInline, "inline", place)
    if start == end:
        yield _command("Insert or update related notes", _REWRITE, "relatedSection", {"textDocument": document})
        yield _command("Insert or update table of contents", _REWRITE, "toc", {"textDocument": document})


def _command(title: str, kind: types.CodeActionKind, name: str, argument: dict[str, object]) -> types.CodeAction:
    return types.CodeAction(
        title=title, kind=kind, command=types.Command(title=title, command=f"khoj.{name}", arguments=[argument])
    )
