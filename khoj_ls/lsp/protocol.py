"""pygls' protocol with some things made right: cancelling commands, one editor's exit, typed khoj/* requests, lines of texts.

* `$/cancelRequest` on `workspace/executeCommand` tells the client "cancelled" and lets the work go on, because only the outer
  future of pygls is cancelled. Here every request that runs our code has a CancelToken, found by its message id.
* pygls' `exit` handler ends the process. A daemon serves many editors: the connection is closed instead.
* Its documents end lines where LSP does not (see `text_document`).
* A client that counts in other units than UTF-16 and does not know how to say so may be configured to (`POSITION_ENCODING`).
* Unknown requests arrive as attribute objects; ours arrive as plain dictionaries, to be decoded into their own types.
* It has no errors for what is no message, for requests before `initialize` or after `shutdown`, and for ids that are in use.
* It forgets the future of a request once that is answered, but keeps that of a notification as long as the session lasts.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import attrs
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol, lsp_method

from khoj_ls.core.errors import Cancelled
from khoj_ls.core.jobs import CancelToken
from khoj_ls.lsp import incoming
from khoj_ls.lsp.incoming import Incoming, Refusal, judged
from khoj_ls.lsp.text_document import NoteWorkspace
from khoj_ls.wire.chat_messages import CHAT_EVENT

log = logging.getLogger(__name__)

PREFIX = "khoj/"
INDEX_CHANGED = "khoj/indexChanged"
"""The notification that notes have other content in the index."""
POSITION_ENCODING = "positionEncoding"
"""A key of `initializationOptions`: the units that a client counts in which announces none (LSP 3.17, PositionEncodingKind)."""
_NOTIFICATIONS = frozenset({INDEX_CHANGED, CHAT_EVENT})
"""The khoj/* messages that are no requests."""


@attrs.define
class KhojRequest:
    """A khoj/* request as it comes in."""

    id: int | str
    method: str
    params: Any = None
    """An object, if it is right: what decodes it says what is wrong. pygls would not answer what it cannot take."""
    jsonrpc: str = "2.0"


class _Futures(dict[Any, Any]):
    """The futures of messages by their ids."""

    def items(self) -> Any:
        """As they are now: pygls' `shutdown` calls off one after the other, and each is forgotten by that."""
        return dict(self).items()


class KhojProtocol(LanguageServerProtocol):
    """One connection's protocol state."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Start with no job running."""
        super().__init__(*args, **kwargs)
        self._request_futures = _Futures()
        self._jobs: dict[int | str, CancelToken] = {}
        self._progress: dict[int | str, Callable[[], None]] = {}
        self._afterwards: dict[int | str, list[Callable[[], None]]] = {}
        self._asked: set[int | str] = set()
        """Requests of the client that wait for their response."""
        self._ours: set[int | str] = set()
        """Requests to the client that wait for theirs."""
        self._initialized = False
        self._initializing: int | str | None = None
        """Id of the request that has done so, or is at it."""
        self.explain: Callable[[BaseException], JsonRpcException] = lambda error: JsonRpcException("internal error")
        """The error that is answered for an exception of ours."""
        self.closed: Callable[[], None] = lambda: None
        """Called once when the client said `exit`."""
        self.exit_code = 1
        """0 once the client asked for shutdown before it left (LSP 3.17, exit)."""

    def receive(self, body: bytes) -> None:
        """Take one message as it came, and answer where it is wrong: on the connection's loop."""
        message = judged(body)
        refusal = message if isinstance(message, Refusal) else self._untimely(message)
        if refusal is not None:
            self.refuse(refusal)
        elif isinstance(message, Incoming) and self._wanted(message):
            self._dispatch(message)

    def refuse(self, refusal: Refusal) -> None:
        """Answer an error that belongs to no request that is being handled."""
        error = types.ResponseError(code=refusal.code, message=refusal.message)
        self._send_data(types.ResponseErrorMessage(id=refusal.id, error=error))

    def _untimely(self, message: Incoming) -> Refusal | None:
        """Why a request cannot be served now, whatever it asks for (LSP 3.17, initialize and shutdown)."""
        if message.kind != "request":
            return None
        if not self._initialized and message.method != types.INITIALIZE:
            return Refusal(incoming.NOT_INITIALIZED, "the first request is initialize", message.id)
        if self._shutdown:
            return Refusal(incoming.INVALID_REQUEST, "after shutdown there is only exit", message.id)
        if self._initialized and message.method == types.INITIALIZE:
            return Refusal(incoming.INVALID_REQUEST, "initialize is said once", message.id)
        if message.id in self._asked:
            return Refusal(incoming.INVALID_REQUEST, "a request with this id is still being answered", message.id)
        if not self._is_request(message.method):
            return Refusal(incoming.METHOD_NOT_FOUND, f"there is no request {message.method[:100]!r}", message.id)
        return None

    def _is_request(self, method: str) -> bool:
        """Whether there is a request of this name; one of a notification's name would never be answered."""
        kind = self.get_message_type(method)
        served = method in self.fm.builtin_features or method in self.fm.features
        return served and kind is not None and "id" in {field.name for field in attrs.fields(kind)}

    def _wanted(self, message: Incoming) -> bool:
        """Whether a message that gets no error is to be handled; the others are passed over, as LSP wants it."""
        if message.kind == "response":
            return message.id in self._ours
        if message.kind == "notification" and message.method != types.EXIT:
            return self._initialized and not self._shutdown and _names_a_job(message)
        return True

    def _dispatch(self, message: Incoming) -> None:
        try:
            typed = self.structure_message(message.data)
        except Exception as error:  # noqa: BLE001 - converters raise what they like; the client gets an answer
            # The error's own words may quote a note.
            log.debug("a message of the kind %s cannot be read: %s", message.method, type(error).__name__)
            self._unreadable(message)
            return
        if message.kind == "request":
            self._asked.add(message.id)
            if message.method == types.INITIALIZE:
                self._initialized, self._initializing = True, message.id
        elif message.kind == "response":
            self._ours.discard(message.id)
        self.handle_message(typed)

    def _unreadable(self, message: Incoming) -> None:
        if message.kind == "request":
            told = f"the params are not those that {message.method} takes"
            self.refuse(Refusal(incoming.INVALID_PARAMS, told, message.id))
        elif message.kind == "response":
            self._ours.discard(message.id)
            told = "the client's answer cannot be read"
            self._handle_response(message.id, error=types.ResponseError(code=incoming.INVALID_PARAMS, message=told))

    def send_request(self, method: str, params: Any = None, callback: Any = None, msg_id: Any = None) -> Future[Any]:
        """Ask the client."""
        number = msg_id or str(uuid.uuid4())
        self._ours.add(number)
        return super().send_request(method, params, callback, number)

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        """Take the configured units of a client that announces none, then initialize as pygls does."""
        options = params.initialization_options
        units = options.get(POSITION_ENCODING) if isinstance(options, dict) else None
        general = params.capabilities.general or types.GeneralClientCapabilities()
        if units in list(types.PositionEncodingKind) and not general.position_encodings:
            general.position_encodings = [types.PositionEncodingKind(units)]
            params.capabilities.general = general
        return (yield from super().lsp_initialize(params))

    def use_own_documents(self) -> None:
        """Keep documents of our kind, once pygls has made its workspace: that is just before `initialize` is handled."""
        self._workspace = NoteWorkspace.instead_of(self.workspace)

    def get_message_type(self, method: str) -> type[Any] | None:  # type: ignore[override]  # pygls leaves it without types
        """Type of an incoming message by its method."""
        if method.startswith(PREFIX) and method not in _NOTIFICATIONS:
            return KhojRequest
        return types.METHOD_TO_TYPES.get(method, (None,))[0]

    @contextmanager
    def job(self) -> Iterator[CancelToken]:
        """A token that the client cancels by the id of the request being handled."""
        token = CancelToken()
        request = self.msg_id
        if request is not None:
            self._jobs[request] = token
        try:
            yield token
        finally:
            if request is not None:
                self._jobs.pop(request, None)

    def after_response(self, call: Callable[[], None]) -> None:
        """Have `call` called once the response to the request that is being handled is on its way."""
        if (request := self.msg_id) is not None:
            self._afterwards.setdefault(request, []).append(call)

    def _send_response(self, msg_id: int | str, result: Any = None, error: Any = None) -> None:
        self._asked.discard(msg_id)
        if error is not None and msg_id == self._initializing:
            self._initialized = False
        super()._send_response(msg_id, result, error)
        for call in self._afterwards.pop(msg_id, ()):
            call()

    def _handle_response(self, msg_id: int | str, result: Any = None, error: Any = None) -> None:
        future = self._request_futures.get(msg_id)
        if future is not None and future.done():  # we have called it off; the client was quicker
            self._request_futures.pop(msg_id)
            return
        super()._handle_response(msg_id, result, error)

    def _send_handler_result(self, future: Future[Any], *, msg_id: int | str) -> None:
        error = None if future.cancelled() else future.exception()
        if error is None or isinstance(error, JsonRpcException):
            super()._send_handler_result(future, msg_id=msg_id)
            return
        # pygls would send a traceback, and words that may be of a note.
        self._request_futures.pop(msg_id, None)
        self._send_response(msg_id, error=self.explain(error).to_response_error())

    def _execute_handler(
        self,
        msg_id: int | str,
        handler: Callable[..., Any],
        callback: Callable[[Any], None],
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        def done(future: Any) -> None:
            self._request_futures.pop(msg_id, None)
            if not future.cancelled():
                future.exception()  # of a command that was called off nobody asks for it: asyncio would log it as lost
            callback(future)

        super()._execute_handler(msg_id, handler, done, args, kwargs)

    def _check_handler_result(self, future: Future[Any]) -> None:
        error = None if future.cancelled() else future.exception()
        if error is not None and not isinstance(error, Cancelled):  # as it was raised; pygls would make another one of it
            log.error("a notification failed", exc_info=error)

    @contextmanager
    def cancelled_by(self, progress_token: int | str, cancel: Callable[[], None]) -> Iterator[None]:
        """Let `window/workDoneProgress/cancel` of `progress_token` call `cancel`."""
        self._progress[progress_token] = cancel
        try:
            yield
        finally:
            self._progress.pop(progress_token, None)

    def cancel_progress(self, progress_token: int | str) -> None:
        """Cancel what shows this progress, if it still runs."""
        cancel = self._progress.get(progress_token)
        if cancel is not None:
            cancel()

    def cancel_all(self) -> None:
        """Cancel every running request: the client is gone."""
        for token in list(self._jobs.values()):
            token.cancel()

    def _handle_cancel_notification(self, msg_id: int | str) -> None:
        if msg_id not in self._asked:  # answered already, or one of ours
            return
        token = self._jobs.get(msg_id)
        if token is not None:
            token.cancel()
        super()._handle_cancel_notification(msg_id)

    @lsp_method(types.EXIT)
    def lsp_exit(self, *args: Any) -> None:  # type: ignore[override]  # likewise
        """Close this connection, and nothing else."""
        self.exit_code = 0 if self._shutdown else 1
        self.cancel_all()
        self.closed()


def _names_a_job(message: Incoming) -> bool:
    """Whether a notification that calls something off names it by a number or a text, as no converter looks for."""
    key = {types.CANCEL_REQUEST: "id", types.WINDOW_WORK_DONE_PROGRESS_CANCEL: "token"}.get(message.method)
    params = message.data.get("params")
    return key is None or (isinstance(params, dict) and isinstance(params.get(key), (int, str)))
