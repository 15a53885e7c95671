"""A chat as a file that any editor continues: commands, code actions and lenses that begin one, ask in it and stop an answer.

Nothing is sent by writing or saving. Links in such a file are followed as in a note of its vault.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from khoj_ls.chat.file.context import Given, given_lines
from khoj_ls.chat.file.layout import SUFFIXES, format_of
from khoj_ls.core.errors import UsageError
from khoj_ls.lsp.asked import Asked, asked
from khoj_ls.lsp.chat_commands import serve
from khoj_ls.lsp.chat_file_edits import ChatEditor
from khoj_ls.lsp.chat_file_stream import ChatAnswers
from khoj_ls.lsp.chat_files import OpenChat, create_chat, key_of, new_head, open_chat
from khoj_ls.lsp.server import KhojServer
from khoj_ls.vaults import to_path
from khoj_ls.wire import chat_file_messages as wire
from khoj_ls.wire.chat_messages import ChatStarted
from khoj_ls.wire.messages import Range
from khoj_ls.wire.session import asked_vaults, chat_settings_for

log = logging.getLogger(__name__)

_ASK = types.CodeActionKind.QuickFix
"""Shown by every client at the cursor, where an answer is what the file lacks."""
_ASK_TITLE = "Ask"
_STOP_TITLE = "Stop the answer"


def register(server: KhojServer) -> None:
    """Serve chat files."""
    editor = ChatEditor(server)
    answers = ChatAnswers(server, editor)
    _serve_commands(server, answers)

    async def offer(params: types.CodeActionParams) -> list[types.CodeAction]:
        uri = params.text_document.uri
        if chat := open_chat(server, uri):
            offset = chat.offset(params.range.start)
            return [_action(title, _ASK, command, argument) for title, command, argument in _offers(chat, answers, offset)]
        about = asked(server, uri)
        return list(_beginnings(about, params)) if about and about.note.parsed.entries else []

    def lenses(uri: str) -> list[types.CodeLens]:
        chat = open_chat(server, uri)
        return list(_lenses(chat, answers)) if chat else []

    def followed(uri: str, change: types.DidChangeTextDocumentParams | None) -> None:
        editor.on_document(uri)
        if change is not None:
            return
        chat = open_chat(server, uri)
        if chat is None:
            _dismiss(server, uri)
        elif key_of(uri) not in server.guests:
            task = asyncio.ensure_future(_adopt(server, uri, chat))
            server.tasks.add(task)
            task.add_done_callback(server.tasks.discard)

    server.on_initialize.append(editor.initialized)
    server.code_actions.append(offer)
    server.code_lenses.append(lenses)
    server.on_document.append(followed)


def _serve_commands(server: KhojServer, answers: ChatAnswers) -> None:
    async def begin(params: wire.ChatFileParams) -> wire.ChatFileResult:
        return await _begin(server, params)

    async def send(params: wire.ChatTurnParams) -> ChatStarted:
        return await answers.ask(params.textDocument.uri, params.turn)

    async def stop(params: wire.ChatTurnParams) -> wire.ChatStopResult:
        return wire.ChatStopResult(answers.stop(params.textDocument.uri))

    async def rest(params: wire.ChatTurnParams) -> wire.ChatRestResult:
        return wire.ChatRestResult(await answers.insert_rest(params.textDocument.uri, params.turn or ""))

    serve(server, wire.BEGIN, begin)
    serve(server, wire.SEND, send)
    serve(server, wire.STOP, stop)
    serve(server, wire.REST, rest)


def _beginnings(about: Asked, params: types.CodeActionParams) -> Iterator[types.CodeAction]:
    start, end = params.range.start, params.range.end
    document = {"uri": about.uri}
    if start != end:
        chosen = {
            "start": {"line": start.line, "character": start.character},
            "end": {"line": end.line, "character": end.character},
        }
        argument = {"textDocument": document, "range": chosen}
        yield _action("Chat about this selection", types.CodeActionKind.Refactor, wire.BEGIN, argument)
    argument = {"textDocument": document}
    yield _action("Chat about this note", types.CodeActionKind.Refactor, wire.BEGIN, argument)


def _offers(chat: OpenChat, answers: ChatAnswers, offset: int) -> Iterator[tuple[str, wire.ChatCommand, dict[str, Any]]]:
    """Titles, commands and arguments of what can be done at a place of a chat file."""
    document = {"textDocument": {"uri": chat.uri}}
    running = answers.running(chat.uri)
    if running is not None:
        yield _STOP_TITLE, wire.STOP, document
        return
    if chat.file.prompt is not None and chat.file.prompt.text:
        yield _ASK_TITLE, wire.SEND, document
    exchange = chat.file.exchange_at(offset)
    if exchange is None or exchange.answer is None or not exchange.answer.turn:
        return
    turn = {**document, "turn": exchange.answer.turn}
    if exchange.notes is None:
        yield "Insert the rest of the answer", wire.REST, turn
    yield "Ask again", wire.SEND, turn


def _lenses(chat: OpenChat, answers: ChatAnswers) -> Iterator[types.CodeLens]:
    """One line above the question that waits, or the answer that comes."""
    running = answers.running(chat.uri)
    exchange = chat.file.exchange(running.id) if running else None
    found = exchange.answer if exchange else chat.file.prompt
    if found is None:
        return
    place = chat.range(found.start, found.start)
    for title, command, argument in _offers(chat, answers, found.body):
        if title in (_ASK_TITLE, _STOP_TITLE):
            yield types.CodeLens(range=place, command=_command(title, command, argument))


async def _begin(server: KhojServer, params: wire.ChatFileParams) -> wire.ChatFileResult:
    """Make the file and have the client show it."""
    uri = params.textDocument.uri if params.textDocument else None
    if uri is not None:
        await server.answer(lambda job: server.session.vaults.open(to_path(uri)))
    about = asked(server, uri) if uri else None
    path, line = await server.answer(lambda job: _created(server, about, params))
    chat, shown = path.as_uri(), False
    window = server.client_capabilities.window
    if window and window.show_document and window.show_document.support:
        at = types.Position(line=line, character=0)
        place = types.ShowDocumentParams(uri=chat, take_focus=True, selection=types.Range(start=at, end=at))
        try:
            shown = (await server.window_show_document_async(place)).success
        except JsonRpcException as error:
            log.debug("the client does not show a chat: %s", error)
    if not shown:
        message = f"khoj-ls: the chat is ready in {path}: open it, write below the last heading, and ask"
        server.window_show_message(types.ShowMessageParams(type=types.MessageType.Info, message=message))
    return wire.ChatFileResult(chat, shown)


def _created(server: KhojServer, about: Asked | None, params: wire.ChatFileParams) -> tuple[Path, int]:
    session = server.session
    if params.textDocument and about is None:
        raise UsageError(f"{params.textDocument.uri} is no note of a vault: open its folder first")
    root = about.vault.root if about else asked_vaults(session, params.vault)[0].root
    given = _given(about, params.range) if about else None
    title, format = root.name, params.format or "markdown"
    if about is not None:
        title, format = about.note.parsed.title or Path(about.path).stem, params.format or format_of(about.path)
    chat = chat_settings_for(session, root)
    head = new_head(root, chat.persona, chat.model)
    return create_chat(session.vaults.folders, root, format, title, head, given, params.message)


def _given(about: Asked, chosen: Range | None) -> Given:
    """The whole note, or the lines of a selection; one that ends at a line's beginning does not hold that line."""
    if chosen is None or chosen.start == chosen.end:
        return given_lines(about.path, about.text)
    first, last = chosen.start.line, chosen.end.line
    last = last - 1 if chosen.end.character == 0 and last > first else last
    return given_lines(about.path, about.text, first + 1, last + 1)


async def _adopt(server: KhojServer, uri: str, chat: OpenChat) -> None:
    """Read a chat file that was opened as a note at the top of its vault, which stays open with it."""
    vaults, file = server.session.vaults, to_path(uri)
    try:
        vault = await server.answer(lambda job: vaults.lease(chat.root))
    except JsonRpcException as error:  # told when something is asked
        log.debug("the vault of a chat cannot be opened: %s", error)
        return
    if key_of(uri) in server.guests or open_chat(server, uri) is None or server.loop is None:
        vaults.release(vault.root)
        return
    server.leases[file] = partial(vaults.release, vault.root)
    server.guests[key_of(uri)] = (vault.root, f".khoj-chat-{file.stem}{SUFFIXES[chat.file.format]}")


def _dismiss(server: KhojServer, uri: str) -> None:
    if server.guests.pop(key_of(uri), None) is not None and (release := server.leases.pop(to_path(uri), None)):
        release()


def _action(title: str, kind: types.CodeActionKind, command: wire.ChatCommand, argument: dict[str, Any]) -> types.CodeAction:
    return types.CodeAction(title=title, kind=kind, command=_command(title, command, argument))


def _command(title: str, command: wire.ChatCommand, argument: dict[str, Any]) -> types.Command:
    return types.Command(title=title, command=command.command, arguments=[argument])
