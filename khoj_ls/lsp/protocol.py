"""pygls' protocol with some things made right: cancelling commands, one editor's exit, typed khoj/* requests, lines of texts.

* `$/cancelRequest` on `workspace/executeCommand` tells the client "cancelled" and lets the work go on, because only the outer
  future of pygls is cancelled. Here every request that runs our code has a CancelToken, found by its message id.
* pygls' `exit` handler ends the process. A daemon serves many editors: the connection is closed instead.
* Its documents end lines where LSP does not (see `text_document`).
* A client that counts in other units than UTF-16 and does not know how to say so may be configured to (`POSITION_ENCODING`).
* Unknown requests arrive as attribute objects; ours arrive as plain dictionaries, to be decoded into their own types.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import attrs
from lsprotocol import types
from pygls.protocol import LanguageServerProtocol, lsp_method

from khoj_ls.core.jobs import CancelToken
from khoj_ls.lsp.text_document import NoteWorkspace
from khoj_ls.wire.chat_messages import CHAT_EVENT

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


class KhojProtocol(LanguageServerProtocol):
    """One connection's protocol state."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Start with no job running."""
        super().__init__(*args, **kwargs)
        self._jobs: dict[int | str, CancelToken] = {}
        self._progress: dict[int | str, Callable[[], None]] = {}
        self._afterwards: dict[int | str, list[Callable[[], None]]] = {}
        self.closed: Callable[[], None] = lambda: None
        """Called once when the client said `exit`."""
        self.exit_code = 1
        """0 once the client asked for shutdown before it left (LSP 3.17, exit)."""

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
        super()._send_response(msg_id, result, error)
        for call in self._afterwards.pop(msg_id, ()):
            call()

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
