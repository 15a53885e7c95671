"""Put what an answer proposes into a note: an edit that the editor shows before it makes it, where it can."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from khoj_ls.chat.file.apply import ApplyPlan, GivenChanged, plan_apply
from khoj_ls.chat.file.context import Given, digest_of, read_given
from khoj_ls.chat.file.layout import Exchange, Format
from khoj_ls.chat.file.proposal import proposed
from khoj_ls.core.errors import UsageError
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.lsp.asked import Asked, asking
from khoj_ls.lsp.chat_commands import serve
from khoj_ls.lsp.chat_files import OpenChat, open_chat, the_chat
from khoj_ls.lsp.edits import applies_edits, shown_versions, workspace_edit
from khoj_ls.lsp.notes import SessionNotes
from khoj_ls.lsp.positions import Positions
from khoj_ls.lsp.server import REQUEST_FAILED, KhojServer
from khoj_ls.vault import Vault
from khoj_ls.vaults import to_path
from khoj_ls.wire.chat_file_messages import APPLY, ChatApplyParams, ChatApplyResult
from khoj_ls.wire.messages import Position, Range

_BELOW = "Insert below instead"
_ANNOTATION = "khoj.chat.apply"


@dataclass(frozen=True)
class _Wanted:
    """What is to be put where."""

    vault: Vault
    path: str
    """Of the note, relative to the vault."""
    given: Given | None
    """What of the note the model was given."""
    answer: str
    written: Format
    offset: int | None
    """Of the place in the answer that is meant."""
    shown: bool
    """Whether it is an answer as a chat file shows it."""


def register(server: KhojServer) -> None:
    """Serve khoj.chat.apply, and offer it on answers."""

    async def apply(params: ChatApplyParams) -> ChatApplyResult:
        return await _apply(server, params)

    async def offer(params: types.CodeActionParams) -> list[types.CodeAction]:
        chat = open_chat(server, params.text_document.uri)
        return list(_offers(chat, params.range.start)) if chat else []

    serve(server, APPLY, apply)
    server.code_actions.append(offer)


def _offers(chat: OpenChat, position: types.Position) -> Iterator[types.CodeAction]:
    exchange = chat.file.exchange_at(chat.offset(position))
    if exchange is None or exchange.answer is None or exchange.notes is None or not exchange.answer.text:
        return  # it may still be coming
    given = read_given(exchange.answer.attributes.get("given", ""))
    if given is None:
        return
    name = given.path.rpartition("/")[2]
    for title, how in ((f"Apply to {name}", "replace"), (f"Insert below in {name}", "below")):
        argument = {
            "chat": {"uri": chat.uri},
            "turn": exchange.answer.turn,
            "position": {"line": position.line, "character": position.character},
            "how": how,
        }
        command = types.Command(title=title, command=APPLY.command, arguments=[argument])
        yield types.CodeAction(title=title, kind=types.CodeActionKind.Refactor, command=command)


async def _apply(server: KhojServer, params: ChatApplyParams) -> ChatApplyResult:
    chat = the_chat(server, params.chat.uri) if params.chat else None
    wanted = await server.answer(lambda job: _of_file(server, chat, params) if chat else _of_conversation(server, params))
    about, versions = asking(server, wanted.vault), shown_versions(server)
    try:
        plan, edit = await server.answer(lambda job: _planned(server, about, versions, wanted, params))
    except JsonRpcException as error:
        if not (isinstance(error.data, dict) and error.data.get("code") == GivenChanged.code):
            raise
        if not await _wants_below(server, error.message):
            raise
        below = replace(params, how="below", range=None)
        about, versions = asking(server, wanted.vault), shown_versions(server)
        plan, edit = await server.answer(lambda job: _planned(server, about, versions, wanted, below))
    uri = about.uri_of(wanted.path)
    if not applies_edits(server):
        return ChatApplyResult(False, plan.what, uri, server.protocol._converter.unstructure(edit))
    answer = await server.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(edit=edit, label=f"khoj: {plan.what}"))
    if not answer.applied:
        reason = answer.failure_reason or "the editor has not made the change"
        raise JsonRpcException(f"{APPLY.command}: {reason}", REQUEST_FAILED, {"code": "khoj.usage"})
    return ChatApplyResult(True, plan.what, uri)


def _of_file(server: KhojServer, chat: OpenChat, params: ChatApplyParams) -> _Wanted:
    """The answer as a chat file shows it, the user's changes included."""
    exchange = chat.file.exchange(params.turn)
    if exchange is None or exchange.answer is None:
        raise UsageError("this answer is not in the chat file any more")
    given = read_given(exchange.answer.attributes.get("given", ""))
    vault = server.session.vaults.open(chat.root, exact=True)
    if given is None or (params.textDocument and vault.relative(to_path(params.textDocument.uri)) != given.path):
        raise UsageError("the question of this answer was not about that note: nothing says where the answer belongs")
    return _Wanted(
        vault, given.path, given, exchange.answer.text, chat.file.format, _place(chat, exchange, params.position), True
    )


def _place(chat: OpenChat, exchange: Exchange, position: Position | None) -> int | None:
    """A place of the chat file as an offset into the answer's text."""
    answer = exchange.answer
    if position is None or answer is None:
        return None
    at = chat.offset(types.Position(line=position.line, character=position.character))
    start = answer.text_end - len(answer.text)
    return at - start if start <= at <= answer.text_end else None


def _of_conversation(server: KhojServer, params: ChatApplyParams) -> _Wanted:
    """A kept answer, for any note; only of a passage that the model was given it may replace something."""
    if params.conversation is None or params.textDocument is None:
        raise UsageError("khoj.chat.apply wants a chat file, or a conversation and a textDocument")
    path = to_path(params.textDocument.uri)
    vault = server.session.vaults.open(path)
    name = vault.relative(path)
    turn = next((each for each in vault.conversations.get(params.conversation).turns if each.id == params.turn), None)
    if turn is None:
        raise UsageError(f"the conversation has no turn {params.turn}")
    passages = [
        Given(name, source.line, source.end_line, digest_of(source.text)) for source in turn.sources if source.path == name
    ]
    lines = _lines(params.range)
    holding = [each for each in passages if lines and each.line <= lines[0] and lines[1] <= each.end_line]
    return _Wanted(vault, name, next(iter(holding or passages), None), turn.answer, "markdown", None, False)


def _planned(
    server: KhojServer, about: Asked, versions: Any, wanted: _Wanted, params: ChatApplyParams
) -> tuple[ApplyPlan, types.WorkspaceEdit]:
    note = SessionNotes(about).read(wanted.path)
    if note is None:
        raise UsageError(f"{wanted.path} is not there any more, or no note that can be read")
    text = proposed(wanted.answer, note.parsed.type, wanted.offset, written=wanted.written, shown=wanted.shown)
    plan = plan_apply(note, text, wanted.given, params.how, _lines(params.range))
    return plan, _confirmed(server, about, note, plan, workspace_edit(server, about, versions, plan.edit))


def _confirmed(
    server: KhojServer, about: Asked, note: OpenNote, plan: ApplyPlan, edit: types.WorkspaceEdit
) -> types.WorkspaceEdit:
    """The edit with a note that the user is to confirm it (LSP 3.16, ChangeAnnotation), where the client knows that."""
    workspace = server.client_capabilities.workspace
    capability = workspace.workspace_edit if workspace else None
    if not (capability and capability.change_annotation_support and edit.document_changes):
        return edit
    line = Positions(note.text, about.codec).position(plan.start).line + 1
    annotation = types.ChangeAnnotation(label=plan.what, description=f"{note.path}:{line}", needs_confirmation=True)
    annotated = [
        types.TextDocumentEdit(
            text_document=change.text_document,
            edits=[
                types.AnnotatedTextEdit(annotation_id=_ANNOTATION, range=each.range, new_text=each.new_text)
                for each in change.edits
                if isinstance(each, types.TextEdit)
            ],
        )
        for change in edit.document_changes
        if isinstance(change, types.TextDocumentEdit)
    ]
    return types.WorkspaceEdit(document_changes=list(annotated), change_annotations={_ANNOTATION: annotation})


async def _wants_below(server: KhojServer, message: str) -> bool:
    """Ask whether what cannot replace anything is to be put below; False where the client cannot ask."""
    window = server.client_capabilities.window
    if window is None or window.show_message is None:
        return False
    answer = await server.window_show_message_request_async(
        types.ShowMessageRequestParams(
            type=types.MessageType.Warning,
            message=f"khoj-ls: {message}",
            actions=[types.MessageActionItem(title=_BELOW), types.MessageActionItem(title="Leave it")],
        )
    )
    return answer is not None and answer.title == _BELOW


def _lines(chosen: Range | None) -> tuple[int, int] | None:
    """Lines from 1 that a range touches; one that ends at a line's beginning does not touch that line."""
    if chosen is None:
        return None
    first, last = chosen.start.line, chosen.end.line
    return first + 1, (last if chosen.end.character == 0 and last > first else last + 1)
