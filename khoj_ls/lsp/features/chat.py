"""Chats: the events of a turn as notifications to the editor that asked, and the user's yes before notes are sent anywhere.

The requests themselves (khoj/chat, khoj/chat/cancel, khoj/ask, khoj/allowHost) are operations like all others.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import TimeoutError as NotYet

import msgspec
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from khoj_ls.core.jobs import CancelToken
from khoj_ls.lsp.server import KhojServer
from khoj_ls.wire.chat_messages import CHAT_EVENT, AnyChatEvent, ChatConsent
from khoj_ls.wire.turns import Turn, forward

log = logging.getLogger(__name__)

_YES = "Yes, and remember"
_NO = "No"
_LOOK_SECONDS = 0.1


def register(server: KhojServer) -> None:
    """Follow the turns of this session's chats."""

    def follow(turn: Turn) -> None:
        task = asyncio.ensure_future(_send_events(server, turn))
        server.tasks.add(task)
        task.add_done_callback(server.tasks.discard)

    def initialized(params: types.InitializeParams) -> None:
        window = params.capabilities.window
        if window is not None and window.show_message is not None:
            server.session.ask_consent = lambda consent, token: _ask(server, consent, token)

    server.follow = follow
    server.on_initialize.append(initialized)


async def _send_events(server: KhojServer, turn: Turn) -> None:
    async def send(event: AnyChatEvent) -> None:
        server.protocol.notify(CHAT_EVENT, msgspec.to_builtins(event))
        await server.drain()

    try:
        await forward(turn, send)
    except ConnectionError:
        log.debug("a client is gone in the middle of an answer")


def _ask(server: KhojServer, consent: ChatConsent, token: CancelToken) -> bool:
    """Ask the user, from the turn's own thread; False also where he is gone, or the turn is called off."""
    loop = server.loop
    if loop is None or loop.is_closed():
        return False
    asked = asyncio.run_coroutine_threadsafe(_show(server, consent), loop)
    while True:
        try:
            return asked.result(_LOOK_SECONDS)
        except NotYet:
            if token.cancelled:
                asked.cancel()
                return False


async def _show(server: KhojServer, consent: ChatConsent) -> bool:
    cost = f" (about ${consent.cost:.2g})" if consent.cost else ""
    question = f"Send about {consent.tokens} tokens with passages of your notes to {consent.host}{cost}?"
    try:
        answer = await server.window_show_message_request_async(
            types.ShowMessageRequestParams(
                type=types.MessageType.Warning,
                message=f"khoj-ls: {question}",
                actions=[types.MessageActionItem(title=_YES), types.MessageActionItem(title=_NO)],
            )
        )
    except JsonRpcException as error:
        log.debug("the client does not ask: %s", error)
        return False
    return answer is not None and answer.title == _YES
