"""One turn of a chat from its question to its end: what every editor and the shell call."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

from khoj_ls.chat.desk import ChatDesk
from khoj_ls.chat.hooked import tell_failure
from khoj_ls.chat.kept.saving import Saving, unkept
from khoj_ls.chat.question.commands import plan_turn
from khoj_ls.chat.turn import asked_of, model_name, persona_of, turn_events
from khoj_ls.chat.types import ChatEvent, ChatRequest, Consent, Done, Failed, Sources, Started, TextDelta
from khoj_ls.config.profiles import find_profile
from khoj_ls.core.errors import Cancelled, ConsentNeeded, KhojError, StoreError, UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.slash import Neighbours

_log = logging.getLogger(__name__)
_ID_BYTES = 8
_INTERNAL = "the answer failed for a reason that is a mistake of khoj-ls: its log says where. Asking again may help."


def begin(desk: ChatDesk, request: ChatRequest) -> Started:
    """Keep the question; returns the ids that its events go by. Nothing is searched or sent.

    Where it cannot be written it is answered all the same, and the end of the answer tells that it was not kept.
    Raises UsageError for a message that is empty, a command, persona or profile there is not, and for ids that are not there.
    """
    persona, _ = persona_of(desk, request)
    if request.profile:
        find_profile(desk.search_settings, request.profile)
    if request.message.strip():
        # What a note is tied to is asked when it is answered.
        plan_turn(request.message, replace(asked_of(desk, request), neighbours=Neighbours), desk.commands)
    elif request.replaces is None:
        raise UsageError("the message is empty: write a question")
    if not request.keep:
        return _unkept(request)
    try:
        conversation, turn = desk.conversations.begin(
            request.conversation,
            request.message,
            persona=persona.name,
            model=model_name(desk, request, persona),
            replaces=request.replaces,
        )
    except StoreError as error:
        if request.replaces is not None:
            raise  # to ask the same again is to change what is kept
        _log.warning("a question could not be kept: %s", error)
        return _unkept(request, unkept(error))
    return Started(conversation, turn)


def _unkept(request: ChatRequest, problem: str = "") -> Started:
    return Started(request.conversation or secrets.token_hex(_ID_BYTES), secrets.token_hex(_ID_BYTES), problem)


def answer(desk: ChatDesk, request: ChatRequest, started: Started, token: CancelToken) -> Iterator[ChatEvent]:
    """The events of a turn that was begun: `Sources` first, exactly one `Done` or `Failed` last. Never raises.

    Cancelling `token` ends it with `Failed`; closing the iterator ends the model's stream, and what had arrived is kept.
    """
    saving = Saving(desk.conversations, started.turn, keep=request.keep and not started.unkept, problem=started.unkept)
    arrived: list[str] = []
    found = False
    try:
        with closing(turn_events(desk, request, started, token, saving)) as events:
            for event in events:
                if isinstance(event, TextDelta):
                    arrived.append(event.text)
                    saving.arrived(arrived)
                elif isinstance(event, Done | Failed):
                    yield saving.finish(event)
                    return
                found = found or isinstance(event, Sources)
                yield event
    except GeneratorExit:
        saving.finish(Failed("the client went away", Cancelled.code, "".join(arrived)))
        raise
    except Exception as error:  # noqa: BLE001  # the edge of the room: whatever went wrong, the user hears of it as the end
        failed = failure(error, "".join(arrived))
        tell_failure(desk, failed)
        ended = saving.finish(failed)
        if not found:
            yield Sources(())
        yield ended


def failure(error: Exception, text: str) -> Failed:
    """How a turn ends with `error`, after `text` had arrived. What is no user's business is logged, without notes' text."""
    if isinstance(error, ConsentNeeded):
        return Failed(str(error), error.code, text, Consent(error.host, error.tokens, error.cost))
    if isinstance(error, Cancelled):
        return Failed("the answer was called off", error.code, text)
    if isinstance(error, KhojError):
        return Failed(str(error), error.code, text)
    _log.error("a chat turn failed with %s:\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
    return Failed(_INTERNAL, KhojError.code, text)
