"""What the khoj/* requests of chats do: turns that are streamed, one answer that is waited for, a yes of the user."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

from khoj_ls.chat.kept.saving import Saving
from khoj_ls.chat.types import ChatEvent, ChatRequest, Consent, Done, Failed, Sources, Started, Status
from khoj_ls.config.settings import ChatSettings, SearchSettings
from khoj_ls.core.errors import Cancelled, KhojError, UsageError, named_error
from khoj_ls.core.jobs import CancelToken, Progress
from khoj_ls.vault import Vault
from khoj_ls.wire import chat_messages as wire
from khoj_ls.wire.chat_events import event_to_wire, sources_to_wire
from khoj_ls.wire.chat_request import chat_request, chat_vault
from khoj_ls.wire.session import Job, Session, chat_settings_for
from khoj_ls.wire.turns import Turn

MOST_TURNS = 16
"""Turns that one session may have under way at once."""
_LOOK_SECONDS = 0.1
_STOP_SECONDS = 0.8
"""How long the last event of a turn that was called off is waited for."""


def chat(session: Session, params: wire.ChatParams, job: Job) -> wire.ChatStarted:
    """Begin a turn of a conversation; answered at once, its events follow as notifications khoj/chatEvent."""
    if job.follow is None:
        raise UsageError("khoj/chat is for a client that hears notifications; khoj/ask gives the whole answer")
    turn = _begin(session, params)
    job.follow(turn)
    if job.token.cancelled:
        turn.cancel()
    return turn.started


def stream(session: Session, params: wire.ChatParams) -> Iterator[wire.AnyChatEvent]:
    """The events of a turn, for a program that has the vaults in its own process: the same that clients are sent.

    Ends with `done` or `failed`. Ctrl-C, and closing the iterator, call the turn off; after Ctrl-C its `failed` is still
    yielded. Raises KhojError where it cannot begin, Cancelled where it does not end in time after Ctrl-C.
    """
    turn = _begin(session, params)
    try:
        try:
            yield from _taken(turn, None)
        except KeyboardInterrupt:
            turn.cancel()
            yield from _taken(turn, _STOP_SECONDS)
    finally:
        turn.cancel()


def ask(session: Session, params: wire.ChatParams, job: Job) -> wire.AskResult:
    """Answer a question in one piece."""
    vault = chat_vault(session, params)
    sources, last = Sources(()), None
    with session.vaults.leased(vault.root):
        asked = _Asked(session, vault, chat_request(session, vault, params))
        for event in asked.events(job.token):
            if isinstance(event, Sources):
                sources = event
            elif isinstance(event, Status):
                job.progress(Progress("ask", 0, 0, event.message))
            last = event
    started = wire.ChatStarted(asked.started.conversation, asked.started.turn)
    if not isinstance(last, Done):
        raise _error(vault, started, sources, last)
    end: Any = event_to_wire(vault.root, started, 1, last, params.format, sources.sources)
    return wire.AskResult(
        text=end.text,
        citations=end.citations,
        removed=end.removed,
        unsupported=end.unsupported,
        sources=sources_to_wire(vault.root, sources.sources),
        usage=end.usage,
        cost=end.cost,
        model=end.model,
        notices=end.notices,
        conversation=end.conversation,
        turn=end.turn,
        reason=end.reason,
        degraded=list(sources.degraded),
        left_out_private=sources.left_out_private,
        shown=end.shown,
        below=end.below,
    )


def cancel(session: Session, params: wire.ChatCancelParams, job: Job) -> wire.ChatCancelResult:
    """Call a turn of this session off."""
    turn = session.turns.get(params.turn)
    if turn is not None:
        turn.cancel()
    return wire.ChatCancelResult(turn is not None)


def allow_host(session: Session, params: wire.AllowHostParams, job: Job) -> wire.AllowHostResult:
    """Take down the user's yes to sending passages of notes to a service, once and for all."""
    return wire.AllowHostResult(list(session.vaults.allow_host(params.host)))


class _Asked:
    """A turn that was begun: what is needed to answer it."""

    def __init__(self, session: Session, vault: Vault, request: ChatRequest) -> None:
        self._session = session
        self._vault = vault
        self._request = request
        self.started: Started = vault.chat_begin(request, *self._settings())

    def events(self, token: CancelToken) -> Iterator[ChatEvent]:
        """The turn's events. Where a yes is wanted and the user can be asked, he is, and the turn goes on."""
        event: ChatEvent | None = None
        while True:
            for event in self._turn(token):
                if isinstance(event, Failed) and event.consent is not None:
                    event = self._after_asking(event, event.consent, token)
                if event is not None:
                    yield event
            if event is not None:
                return

    def _turn(self, token: CancelToken) -> Iterator[ChatEvent]:
        turn = self._vault.chat(self._request, self.started, token, *self._settings())
        telling = self._session.vaults.telling
        return telling.answered(self._vault, self._request, self.started, turn) if telling else turn

    def _after_asking(self, failed: Failed, consent: Consent, token: CancelToken) -> Failed | None:
        """None when the user was asked and said yes; else how the turn ends."""
        ask_user = self._session.ask_consent
        try:
            if ask_user is None or not ask_user(wire.ChatConsent(consent.host, consent.tokens, consent.cost), token):
                return self._called_off() if token.cancelled else failed
            self._session.vaults.allow_host(consent.host)
        except KhojError as error:  # it cannot be taken down
            return Failed(str(error), error.code)
        return None

    def _called_off(self) -> Failed:
        """The end of a turn that was called off while the user was asked; it is kept as that."""
        failed = Failed("the answer was called off", Cancelled.code)
        keep = self._request.keep and not self.started.unkept
        Saving(self._vault.conversations, self.started.turn, keep=keep).finish(failed)
        return failed

    def _settings(self) -> tuple[ChatSettings, SearchSettings]:
        return chat_settings_for(self._session, self._vault.root), self._session.settings_of(self._vault).search


def _begin(session: Session, params: wire.ChatParams) -> Turn:
    """Begin a turn and answer it in a thread of its own."""
    if len(session.turns) >= MOST_TURNS:
        raise UsageError(f"{MOST_TURNS} chats are being answered already: wait for one to end, or call one off")
    vault = chat_vault(session, params)
    session.vaults.lease(vault.root)
    try:
        asked = _Asked(session, vault, chat_request(session, vault, params))
    except BaseException:  # whatever it was, the vault is not kept open for it; it is raised again
        session.vaults.release(vault.root)
        raise
    turn = Turn(vault.root, asked.started, params.format)
    session.turns[asked.started.turn] = turn
    turn.run(asked.events(turn.token), partial(_ended, session, vault, asked.started))
    return turn


def _ended(session: Session, vault: Vault, started: Started) -> None:
    session.turns.pop(started.turn, None)
    session.vaults.release(vault.root)


def _taken(turn: Turn, seconds: float | None) -> Iterator[wire.AnyChatEvent]:
    """The events up to the last, at most for `seconds`. Raises Cancelled when there was not enough time."""
    until = None if seconds is None else time.monotonic() + seconds
    while until is None or time.monotonic() < until:
        # Looked at again and again: a signal that the system gives to another thread does not end a wait of this one.
        event = turn.take(_LOOK_SECONDS)
        if event is not None:
            yield event
            if isinstance(event, (wire.ChatDoneEvent, wire.ChatFailedEvent)):
                return
    raise Cancelled("cancelled")


def _error(vault: Vault, started: wire.ChatStarted, sources: Sources, last: ChatEvent | None) -> KhojError:
    """How a turn failed, with what had arrived."""
    failed = last if isinstance(last, Failed) else Failed("the answer has no end; the log says more", KhojError.code)
    details = {
        "conversation": started.conversation,
        "turn": started.turn,
        "text": failed.text,
        "sources": [asdict(each) for each in sources_to_wire(vault.root, sources.sources)],
        "consent": asdict(failed.consent) if failed.consent else None,
    }
    return named_error(failed.code, failed.message, details)
