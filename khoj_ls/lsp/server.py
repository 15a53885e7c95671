"""KhojServer: one per connection. It holds the session and runs blocking questions in threads; nothing clever."""

from __future__ import annotations

import asyncio
import functools
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from cattrs import Converter
from lsprotocol import types
from pygls.exceptions import FeatureRequestError, JsonRpcException, JsonRpcInvalidParams, JsonRpcRequestCancelled
from pygls.lsp.server import LanguageServer
from pygls.protocol import default_converter

from khoj_ls import __version__
from khoj_ls.core.errors import Cancelled, KhojError, UsageError
from khoj_ls.core.jobs import Progress
from khoj_ls.indexing.indexer import IndexEvent
from khoj_ls.lsp.progress import WorkDone
from khoj_ls.lsp.protocol import KhojProtocol
from khoj_ls.vault import Vault
from khoj_ls.vaults import to_path
from khoj_ls.wire.operations import Job, Session
from khoj_ls.wire.turns import Turn

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")
F = TypeVar("F", bound=Callable[..., Any])

_MOST_LONG = 8
"""Long questions at once; more wait for their turn."""
REQUEST_FAILED = -32803
"""LSPErrorCodes.RequestFailed: a well-formed request that could not be answered (LSP 3.17)."""

NOTEBOOKS = types.NotebookDocumentSyncOptions(
    notebook_selector=[
        types.NotebookDocumentFilterWithNotebook(
            notebook=types.NotebookDocumentFilterNotebookType(notebook_type="jupyter-notebook", scheme="file")
        )
    ],
    save=True,
)
"""Which notebooks are followed while they are edited: those that lie in files of Jupyter."""


class KhojServer(LanguageServer):
    """The server side of one editor's connection."""

    protocol: KhojProtocol

    def __init__(self, session: Session) -> None:
        """Serve `session`'s vaults to one client."""
        super().__init__(
            "khoj-ls",
            __version__,
            notebook_document_sync=NOTEBOOKS,
            protocol_cls=KhojProtocol,
            converter_factory=shared_converter,
            max_workers=8,
        )
        self.session = session
        self.protocol.explain = rpc_error
        self.name_of_session = uuid.uuid4().hex
        """Keeps this client's buffer versions apart from other clients'."""
        self.leases: dict[Path, Callable[[], None]] = {}
        """What to call when a vault is not used any more, by vault root."""
        self.backgrounds: dict[Path, Any] = {}
        """Progress displays of background indexing, by vault root."""
        self.words_alone: dict[Path, dict[str, None]] = {}
        """Notes whose words are new in the index and their meaning perhaps not yet, by vault root."""
        self.tasks: set[asyncio.Future[Any]] = set()
        """Running background tasks; kept here so that they are not collected."""
        self.told: set[str] = set()
        """What is wrong with settings files and was said already."""
        self.loop: asyncio.AbstractEventLoop | None = None
        self.over = False
        """The client is gone: nothing is begun for it any more."""
        self.on_initialize: list[Callable[[types.InitializeParams], None]] = []
        """Who wants to know what the client can do before it is told what is served."""
        self.on_document: list[Callable[[str, types.DidChangeTextDocumentParams | None], None]] = []
        """Who hears by URI of documents that were opened, changed (then with what) or closed."""
        self.on_index: list[Callable[[Vault, IndexEvent], None]] = []
        """Who hears what happened to the index of one of the session's vaults; on the connection's loop."""
        self.code_actions: list[Callable[[types.CodeActionParams], Awaitable[list[types.CodeAction]]]] = []
        """Who offers code actions; textDocument/codeAction answers with what all of them offer."""
        self.code_lenses: list[Callable[[str], list[types.CodeLens]]] = []
        """Who has lenses for documents that are no notes, by URI."""
        self.guests: dict[str, tuple[Path, str]] = {}
        """Open documents outside of every vault that are read as notes of one: its root and a path in it, by URI."""
        self._long_pool = ThreadPoolExecutor(_MOST_LONG, "khoj-long")
        """For questions that may take minutes: answers of a chat model, indexing."""
        self.on_settings: list[Callable[[], None]] = []
        """Who hears that the session's settings are others."""
        self.follow: Callable[[Turn], None] = lambda turn: turn.cancel()
        """Sends the events of a turn whose request was answered; on the connection's loop."""
        self.drain: Callable[[], Awaitable[None]] = _at_once
        """Waits until the client has read most of what it was sent. Raises ConnectionError."""

    def command(self, command_name: str) -> Callable[[F], F]:
        """Register a command. Its annotations are kept from pygls: before Python 3.11 it fails over Any, which was no class."""
        register = super().command(command_name)

        def plainly(handler: F) -> F:
            handler.__annotations__ = {}
            return register(handler)

        return plainly

    async def answer(
        self,
        question: Callable[[Job], Answer],
        *,
        title: str | None = None,
        progress_token: int | str | None = None,
    ) -> Answer:
        """Run a blocking question in a thread; `title` makes it a long one: it shows progress, and keeps no short one waiting.

        The client's cancellation reaches the question through its job's token. Raises JsonRpcException.
        """
        loop = asyncio.get_running_loop()
        with self.protocol.job() as token:
            done = await self.work_done(title, progress_token) if title else None
            cancellable: AbstractContextManager[None] = (
                self.protocol.cancelled_by(done.token, token.cancel) if done is not None else nullcontext()
            )

            def report(progress: Progress) -> None:
                if done is not None:
                    loop.call_soon_threadsafe(done.report, progress)

            turns: list[Turn] = []

            def follow(turn: Turn) -> None:
                turns.append(turn)
                if token.cancelled:
                    turn.cancel()

            with cancellable:
                try:
                    answer = await self.in_thread(question, Job(token, report, follow), long=bool(title))
                    for turn in turns:
                        self.protocol.after_response(partial(self.follow, turn))
                    return answer
                except asyncio.CancelledError:
                    token.cancel()
                    for turn in turns:
                        turn.cancel()
                    raise
                except Exception as error:  # the boundary to the client: whatever it was, it gets an answer
                    raise rpc_error(error) from error
                finally:
                    if done is not None:
                        done.end("cancelled" if token.cancelled else "")

    async def in_thread(self, call: Callable[..., Answer], *args: Any, long: bool = False) -> Answer:
        """Call what blocks in a thread; a `long` one in one of the few for that. Raises Cancelled once the client is gone."""
        if self.over:
            raise Cancelled("the client is gone")
        pool = self._long_pool if long else self.thread_pool
        return await asyncio.get_running_loop().run_in_executor(pool, call, *args)

    async def work_done(self, title: str, token: int | str | None = None) -> WorkDone | None:
        """A progress display: on the client's own token, or on one made here if the client can show it."""
        if token is None:
            window = self.client_capabilities.window
            if window is None or not window.work_done_progress:
                return None
            token = f"khoj-{uuid.uuid4()}"
            try:
                await self.window_work_done_progress_create_async(types.WorkDoneProgressCreateParams(token=token))
            except JsonRpcException as error:
                log.debug("the client does not want a progress display: %s", error)
                return None
        done = WorkDone(self.protocol, token)
        done.begin(title)
        return done

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log what went wrong outside of requests; pygls would show it to the user, in words that may be of a note."""
        if source is not FeatureRequestError:
            log.error("the session of an editor fails", exc_info=error)

    def soon(self, call: Callable[..., Any], *args: Any) -> None:
        """Run `call` on this connection's event loop, from any thread; nothing happens once the connection is closed."""
        loop = self.loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(call, *args)

    def vault_of(self, uri: str) -> Vault | None:
        """The open vault that a document belongs to; None for other schemes and files outside."""
        try:
            return self.session.vaults.get(to_path(uri))
        except UsageError:
            return None

    def _close_documents(self) -> None:
        """Go back to the files: editors that end or are killed close none of their documents."""
        try:
            documents = [*self.workspace.text_documents, *self.workspace.notebook_documents]
        except RuntimeError:  # the client never said `initialize`
            return
        for uri in documents:
            vault = self.vault_of(uri)
            if vault is not None:
                vault.overlay_closed(to_path(uri), self.name_of_session)

    async def close(self) -> None:
        """Begin nothing more, and give back everything this connection holds."""
        self.over = True
        await asyncio.get_running_loop().run_in_executor(None, self.release_all)

    def release_all(self) -> None:
        """Give back everything this connection holds; not on its loop, which other sessions are on."""
        self.protocol.cancel_all()
        self.session.close()
        self._close_documents()
        for release in self.leases.values():
            release()
        self.leases.clear()
        for background in self.backgrounds.values():
            background.over.set()
        self.backgrounds.clear()
        self.loop = None
        for pool in (self._thread_pool, self._long_pool):
            if pool is not None:
                pool.shutdown(wait=False, cancel_futures=True)


@functools.cache
def shared_converter() -> Converter:
    """The converter of all connections: a new one would spend 30 ms on reading the first client's capabilities."""
    return cast(Converter, default_converter())  # type: ignore[no-untyped-call]  # pygls leaves it without types


def rpc_error(error: BaseException) -> JsonRpcException:
    """The JSON-RPC error for an exception: a message a person can act on, and the code of the kind of error as data."""
    if isinstance(error, JsonRpcException):
        return error
    if isinstance(error, Cancelled):
        return cast(JsonRpcException, JsonRpcRequestCancelled(message="cancelled"))
    if isinstance(error, UsageError):
        return cast(JsonRpcException, JsonRpcInvalidParams(message=str(error), data=_data(error)))
    if isinstance(error, UnicodeEncodeError):  # "\ud800" is JSON, and no text
        return cast(JsonRpcException, JsonRpcInvalidParams(message="the params hold half of a character"))
    if isinstance(error, KhojError):
        return JsonRpcException(str(error), REQUEST_FAILED, _data(error))
    log.error("a request failed", exc_info=error)
    return JsonRpcException(f"internal error ({type(error).__name__}); the log says more: khoj-ls daemon logs", -32603)


def _data(error: KhojError) -> Mapping[str, Any]:
    return {**error.details, "code": error.code}


async def _at_once() -> None:
    """Nobody reads slowly."""
