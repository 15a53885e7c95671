"""Where plugins have their say on a turn: on the question before anything is searched, and on the answer before it is shown."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace

from khoj_ls.chat.answer.claims import checked
from khoj_ls.chat.answer.streaming import shown
from khoj_ls.chat.desk import ChatDesk
from khoj_ls.chat.question.commands import plan_turn
from khoj_ls.chat.types import ChatEvent, ChatRequest, Done, Failed, Source, Sources, TextDelta
from khoj_ls.config.profiles import find_profile
from khoj_ls.core.errors import Cancelled, ConsentNeeded, KhojError, UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.slash import Asked
from khoj_ls.plugins.events import Given, OnError, PostChat, PreChat
from khoj_ls.plugins.hooks import POST_CHAT, PRE_CHAT


def as_plugins_want(
    desk: ChatDesk, request: ChatRequest, message: str, persona: str, model: str, asked: Asked, token: CancelToken
) -> tuple[ChatRequest, str]:
    """The request and its message as the plugins would have them. An answer of theirs that cannot be used is passed over."""
    if not desk.hooks.has(PRE_CHAT):
        return request, message

    def admitted(before: PreChat, after: PreChat) -> PreChat:
        if not all(isinstance(each, str) for each in (after.message, after.persona, after.model, after.profile)):
            raise TypeError("message, persona, model and profile are texts")
        if not after.message.strip():
            raise UsageError("the message is empty")
        if after.persona not in desk.personas():
            raise UsageError(f"there is no persona {after.persona[:60]!r}")
        if after.profile:
            find_profile(desk.search_settings, after.profile)
        if after.message != before.message:
            plan_turn(after.message, asked, desk.commands)
        if after.model != before.model:
            desk.models.choose(after.model)
        return replace(after, vault=before.vault)

    event = PreChat(desk.root, message, persona, model, request.profile or "")
    wanted = desk.hooks.passed(PRE_CHAT, event, admitted, token)
    if wanted == event:
        return request, message
    changed = replace(
        request,
        persona=wanted.persona if wanted.persona != persona else request.persona,
        model=wanted.model if wanted.model != model else request.model,
        profile=wanted.profile or None,
        # An address that was given is that of the model that was asked for.
        base_url=request.base_url if wanted.model == model else None,
    )
    return changed, wanted.message


def as_plugins_let_through(
    desk: ChatDesk, question: str, events: Generator[ChatEvent, None, None], token: CancelToken
) -> Generator[ChatEvent, None, None]:
    """The events of a turn, and where a plugin looks at answers, no word of it before it has. Raises what `events` raises."""
    with closing(events):
        yield from _held(desk, question, events, token) if desk.hooks.has(POST_CHAT) else events


def tell_failure(desk: ChatDesk, failed: Failed) -> None:
    """Have plugins hear of a turn that went wrong; not of one that was called off, or that waits for a yes."""
    if failed.code not in (Cancelled.code, ConsentNeeded.code, UsageError.code):
        desk.hooks.error(OnError("chat", failed.message, failed.code, desk.root))


def _held(desk: ChatDesk, question: str, events: Generator[ChatEvent, None, None], token: CancelToken) -> Iterator[ChatEvent]:
    sources: tuple[Source, ...] = ()
    pieces: list[str] = []
    try:
        for event in events:
            if isinstance(event, TextDelta):
                pieces.append(event.text)
                continue
            if isinstance(event, Sources):
                sources = event.sources
            elif isinstance(event, Done):
                done = _filtered(desk, question, event, sources, token)
                if done.text:
                    yield TextDelta(done.text)
                yield done
                return
            yield event
    except KhojError as error:
        if text := _left(desk, question, "".join(pieces), sources, None if isinstance(error, Cancelled) else token):
            yield TextDelta(text)
        raise


def _filtered(desk: ChatDesk, question: str, done: Done, sources: tuple[Source, ...], token: CancelToken) -> Done:
    """The end of the turn with the text that plugins leave, its citations as they stand there."""
    wanted = desk.hooks.passed(
        POST_CHAT, _event(desk, question, done.text, sources, done.model, complete=True), _admitted, token
    )
    if wanted.text == done.text:
        return done
    answer = shown(wanted.text, sources)
    held = checked(answer.text, answer.placed, answer.code, sources, statements=bool(done.unsupported))
    removed = (*done.removed, *answer.removed)
    return replace(done, text=answer.text, citations=held.citations, unsupported=held.unsupported, removed=removed)


def _left(desk: ChatDesk, question: str, text: str, sources: tuple[Source, ...], token: CancelToken | None) -> str:
    """What plugins leave of an answer that had begun."""
    if not text:
        return ""
    event = _event(desk, question, text, sources, "", complete=False)
    wanted = desk.hooks.passed(POST_CHAT, event, _admitted, token)
    return text if wanted.text == text else shown(wanted.text, sources).text


def _event(desk: ChatDesk, question: str, text: str, sources: tuple[Source, ...], model: str, *, complete: bool) -> PostChat:
    given = tuple(Given(each.number, each.path, each.title, each.line, each.end_line, each.private) for each in sources)
    return PostChat(desk.root, question, text, given, model, complete)


def _admitted(before: PostChat, after: PostChat) -> PostChat:
    if not isinstance(after.text, str):
        raise TypeError("the text of an answer is a text")
    return replace(before, text=after.text)
