"""Questions asked in chat files, and their answers written there as they come.

An answer grows at the end of its own part by at most four edits a second, wherever that part has moved meanwhile. Once the user
has edited it, closed the file, or his editor has refused twice, no more is written: the rest is kept, and can be inserted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lsprotocol import types

from khoj_ls.chat.file import changes
from khoj_ls.chat.file.answer import answer_text, notes_below
from khoj_ls.chat.file.context import Context, context_of
from khoj_ls.chat.file.layout import Change, ChatFile, Exchange
from khoj_ls.chat.types import ContextItem, Done, Failed, Source
from khoj_ls.core.errors import UsageError
from khoj_ls.core.jobs import Progress
from khoj_ls.lsp.asked import Asked, asking
from khoj_ls.lsp.chat_file_edits import ChatEditor
from khoj_ls.lsp.chat_file_events import done_of, end_of, failed_of, shifted, source_of
from khoj_ls.lsp.chat_files import OpenChat, key_of, open_chat, the_chat
from khoj_ls.lsp.notes import SessionNotes
from khoj_ls.lsp.progress import WorkDone
from khoj_ls.lsp.server import KhojServer
from khoj_ls.vault import Vault
from khoj_ls.wire import chat_messages as wire
from khoj_ls.wire.chat import chat as begin_turn
from khoj_ls.wire.messages import Position, Range, TextDocument
from khoj_ls.wire.session import Job
from khoj_ls.wire.turns import Turn, forward

PACE_SECONDS = 0.25
"""Least time from one edit of an answer to the next."""
_KEPT_ANSWERS = 32
_NAME = "khoj: answer"


@dataclass
class Kept:
    """What there is of an answer."""

    root: Path
    written: str = ""
    """What the file holds of it."""
    arrived: str = ""
    sources: tuple[Source, ...] = ()
    end: Done | Failed | None = None


@dataclass
class Answering:
    """One answer on its way into a file."""

    uri: str
    turn: Turn
    stream: bool
    kept: Kept
    stopped: bool = False
    """Whether no more is written: the rest is kept."""
    last_edit: float = 0.0
    progress: WorkDone | None = None

    @property
    def id(self) -> str:
        """Of the turn."""
        return self.turn.started.turn


class ChatAnswers:
    """The answers that one session's chat files wait for. For the connection's loop only."""

    def __init__(self, server: KhojServer, editor: ChatEditor) -> None:
        """Write into what `server`'s client shows."""
        self._server = server
        self._editor = editor
        self._asking: set[str] = set()
        """Files whose question is on its way."""
        self._running: dict[str, Answering] = {}
        self._ended: dict[str, Kept] = {}
        """Those of which the file does not hold all, by turn."""

    def running(self, uri: str) -> Answering | None:
        """The answer that a file waits for."""
        return self._running.get(key_of(uri))

    def stop(self, uri: str) -> bool:
        """Call an answer off; whether there was one."""
        found = self.running(uri)
        if found is not None:
            found.turn.cancel()
        return found is not None

    async def ask(self, uri: str, turn: str | None = None) -> wire.ChatStarted:
        """Ask the last question of a chat file, or again that of `turn`; its answer follows by edits.

        Raises UsageError where there is nothing to ask, or an answer is still coming; JsonRpcException.
        """
        chat, key = the_chat(self._server, uri), key_of(uri)
        if key in self._running or key in self._asking:
            raise UsageError("the last answer is still coming: wait for its end, or stop it")
        exchange = _asked_again(chat.file, turn) if turn else _question(chat.file)
        self._asking.add(key)
        try:
            answering, given = await self._begin(chat, exchange)
        finally:
            self._asking.discard(key)
        started = answering.turn.started
        attributes = {"conversation": started.conversation, "turn": started.turn, "given": given}
        self._running[key] = answering
        self.refresh()
        task = asyncio.ensure_future(self._answer(answering, exchange if turn else None, attributes))
        self._server.tasks.add(task)
        task.add_done_callback(self._server.tasks.discard)
        return started

    async def _begin(self, chat: OpenChat, exchange: Exchange) -> tuple[Answering, str]:
        """Ask, with the notes as the session shows them; the answer, and what an edit may be applied to."""
        session, root = self._server.session, chat.root
        vault = await self._server.answer(lambda job: session.vaults.open(root, exact=True))
        about = asking(self._server, vault)
        turns: list[Turn] = []

        def begin(job: Job) -> Context:
            context = context_of(chat.file, vault.root, lambda path: _text(about, path))
            begin_turn(session, _params(chat, vault, about, context, exchange), Job(job.token, job.progress, turns.append))
            return context

        try:
            context = await self._server.answer(begin)
        except BaseException:  # whatever it was, nobody would hear of the turn; it is raised again
            for turn in turns:
                turn.cancel()
            raise
        answering = Answering(chat.uri, turns[0], chat.file.head.stream, Kept(vault.root))
        return answering, str(context.given) if context.given else ""

    async def insert_rest(self, uri: str, turn: str) -> bool:
        """Write what is missing of an answer. Raises UsageError where nothing is kept of it."""
        chat = the_chat(self._server, uri)
        kept = self._ended.get(turn) or await self._from_store(chat, turn)
        if kept is None or kept.end is None:
            raise UsageError("nothing more is kept of this answer: ask again")
        format, text = chat.file.format, kept.end.text or kept.arrived
        citations = kept.end.citations if isinstance(kept.end, Done) else ()
        body = answer_text(format, kept.root, text, citations)
        at = len(kept.written) if text.startswith(kept.written) else 0
        behind = [shifted(each, -at) for each in citations if each.start >= at]
        rest = answer_text(format, kept.root, text[at:], behind)
        notes = notes_below(format, kept.root, kept.end, kept.sources)
        done = await self._editor.edit(
            uri,
            lambda file: changes.insert_rest(file, turn, text, body, rest, notes),
            lambda file: _complete(file, turn),
            _NAME,
        )
        if done:
            self._ended.pop(turn, None)
            self.refresh()
        return done

    async def _from_store(self, chat: OpenChat, turn: str) -> Kept | None:
        """The answer as its conversation keeps it."""
        exchange = chat.file.exchange(turn)
        conversation = exchange.answer.attributes.get("conversation", "") if exchange and exchange.answer else ""
        root = chat.root

        def look() -> Kept | None:
            vault = self._server.session.vaults.open(root, exact=True)
            found = next((each for each in vault.conversations.get(conversation).turns if each.id == turn), None)
            return Kept(vault.root, sources=found.sources, end=end_of(found)) if found else None

        return await self._server.answer(lambda job: look())

    async def _answer(self, answering: Answering, again: Exchange | None, attributes: Mapping[str, str]) -> None:
        """Take an answer's events to the file, up to the last."""
        turn = answering.turn
        try:
            answering.progress = await self._server.work_done("khoj: answering")
            if not await self._make_place(answering, again, attributes):
                turn.cancel()
                self._tell(types.MessageType.Warning, "the answer found no place in the file: it was called off. Ask again")
                answering.stopped = True
            if answering.progress is None:
                await forward(turn, lambda event: self._take(answering, event))
            else:
                with self._server.protocol.cancelled_by(answering.progress.token, turn.cancel):
                    await forward(turn, lambda event: self._take(answering, event))
        finally:
            turn.cancel()
            self._running.pop(key_of(answering.uri), None)
            if answering.progress is not None:
                answering.progress.end()

    async def _make_place(self, answering: Answering, again: Exchange | None, attributes: Mapping[str, str]) -> bool:
        def planned(file: ChatFile) -> tuple[Change, ...] | None:
            if again is None:
                return changes.ask(file, attributes)
            now = file.exchange(again.answer.turn) if again.answer else None
            return changes.ask_again(file, now, attributes) if now else None

        shown = await self._editor.edit(answering.uri, planned, lambda file: file.exchange(answering.id) is not None, _NAME)
        answering.last_edit = asyncio.get_running_loop().time()
        return shown

    async def _take(self, answering: Answering, event: wire.AnyChatEvent) -> None:
        if isinstance(event, wire.ChatSourcesEvent):
            answering.kept.sources = tuple(source_of(each) for each in event.sources)
        elif isinstance(event, wire.ChatStatusEvent):
            if answering.progress is not None:
                answering.progress.report(Progress("answer", 0, 0, event.message))
        elif isinstance(event, wire.ChatDeltaEvent):
            answering.kept.arrived += event.text
            if answering.stream and not answering.stopped:
                await self._grow(answering)
        else:
            answering.kept.end = done_of(event) if isinstance(event, wire.ChatDoneEvent) else failed_of(event)
            await self._finish(answering, answering.kept.end)

    async def _grow(self, answering: Answering) -> None:
        """Write what has arrived; what comes while this waits is written with the next edit."""
        grown = changes.grown(answering.kept.arrived)
        if grown == answering.kept.written:
            return
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, answering.last_edit + PACE_SECONDS - loop.time()))
        written, turn = answering.kept.written, answering.id
        shown = await self._editor.edit(
            answering.uri,
            lambda file: changes.grow(file, turn, written, answering.kept.arrived),
            lambda file: _holds(file, turn, grown),
            _NAME,
        )
        answering.last_edit = loop.time()
        if shown:
            answering.kept.written = grown
        else:
            self._stop_writing(answering)

    async def _finish(self, answering: Answering, end: Done | Failed) -> None:
        turn, written = answering.id, answering.kept.written
        if not answering.stopped:
            chat = open_chat(self._server, answering.uri)
            format = chat.file.format if chat else "markdown"
            citations = end.citations if isinstance(end, Done) else ()
            body = answer_text(format, answering.kept.root, end.text or answering.kept.arrived, citations)
            notes = notes_below(format, answering.kept.root, end, answering.kept.sources)
            if await self._editor.edit(
                answering.uri,
                lambda file: changes.finish(file, turn, written, body, notes),
                lambda file: _complete(file, turn),
                _NAME,
            ):
                self.refresh()
                return
            self._stop_writing(answering)
        self._ended[turn] = answering.kept
        while len(self._ended) > _KEPT_ANSWERS:
            self._ended.pop(next(iter(self._ended)))
        self.refresh()

    def _stop_writing(self, answering: Answering) -> None:
        answering.stopped = True
        if open_chat(self._server, answering.uri) is not None:
            self._tell(
                types.MessageType.Info,
                "the answer was edited while it was written, or the editor refused an edit: no more is written into the file."
                ' The rest is kept; the code action "Insert the rest of the answer" adds it',
            )

    def _tell(self, kind: types.MessageType, message: str) -> None:
        self._server.window_show_message(types.ShowMessageParams(type=kind, message=f"khoj-ls: {message}"))

    def refresh(self) -> None:
        """Lenses of a file whose answer is complete are others."""
        workspace = self._server.client_capabilities.workspace
        if workspace and workspace.code_lens and workspace.code_lens.refresh_support:
            self._server.workspace_code_lens_refresh(None)


def _question(file: ChatFile) -> Exchange:
    prompt = file.prompt
    if prompt is None or not prompt.text:
        raise UsageError('there is no question yet: write it below the last "You"')
    return Exchange(prompt)


def _asked_again(file: ChatFile, turn: str) -> Exchange:
    exchange = file.exchange(turn)
    if exchange is None or not exchange.question.text:
        raise UsageError("the answer that is to be asked for again is not in this file, or has no question")
    return exchange


def _params(chat: OpenChat, vault: Vault, about: Asked, context: Context, exchange: Exchange) -> wire.ChatParams:
    """What khoj/chat is asked. A conversation that is not kept any more begins anew."""
    head, conversation = chat.file.head, chat.file.conversation
    known = bool(conversation and vault.conversations.persona(conversation))
    return wire.ChatParams(
        message=exchange.question.text,
        conversation=conversation if known else None,
        replaces=exchange.answer.turn if known and exchange.answer else None,
        persona=head.persona or None,
        model=head.model or None,
        profile=head.profile or None,
        context=[_item(about, item) for item in context.items],
        vault=str(vault.root),
        textDocument=TextDocument(about.uri_of(context.given.path)) if context.given else None,
    )


def _item(about: Asked, item: ContextItem) -> wire.ChatContext:
    if item.kind == "folder":
        return wire.ChatContext("folder", name=item.name)
    document = TextDocument(about.uri_of(item.name))
    if item.line is None or item.end_line is None:
        return wire.ChatContext("note", document)
    return wire.ChatContext("selection", document, Range(Position(item.line - 1, 0), Position(item.end_line, 0)))


def _text(about: Asked, path: str) -> str | None:
    note = SessionNotes(about).read(path)
    return note.text if note else None


def _holds(file: ChatFile, turn: str, text: str) -> bool:
    exchange = file.exchange(turn)
    return bool(exchange and exchange.answer and changes.same(exchange.answer.text, text))


def _complete(file: ChatFile, turn: str) -> bool:
    exchange = file.exchange(turn)
    return exchange is not None and exchange.notes is not None
