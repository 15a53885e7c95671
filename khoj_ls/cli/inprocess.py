"""The wire's operations in this process: the same functions the daemon runs, on vaults opened here."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from khoj_ls.cli.chatting.events import changed
from khoj_ls.config.load import load_user_settings
from khoj_ls.config.paths import folders
from khoj_ls.core.errors import Cancelled, UsageError
from khoj_ls.core.jobs import CancelToken, Progress, ProgressCallback
from khoj_ls.vaults import OpenVaults
from khoj_ls.wire.operations import OPERATIONS
from khoj_ls.wire.session import Job, Session

Given = TypeVar("Given")

_LOOK_SECONDS = 0.1
_STOP_SECONDS, _CLOSE_SECONDS = 0.15, 0.6
"""How long work that was called off, and then the vaults, may take to end. What is slower is left: nothing depends on it."""


@contextmanager
def in_process(overrides: Mapping[str, Any]) -> Iterator[InProcess]:
    """A connection to vaults opened for the block, in this process; checked `overrides` win over all files."""
    here = folders()
    before = os.umask(0o077)
    settings, _ = load_user_settings(here, overrides)
    vaults = OpenVaults(settings, here, watch=False, environment=os.environ)
    with _workers_apart(here.state / "in-process.log"):
        try:
            yield InProcess(Session(vaults))
        except (KeyboardInterrupt, Cancelled):
            _in_thread("khoj-close", vaults.close).join(_CLOSE_SECONDS)
            raise
        else:
            vaults.close()
        finally:
            os.umask(before)


class InProcess:
    """Answers what a daemon would, for one session."""

    def __init__(self, session: Session) -> None:
        """Answer for `session`."""
        self._session = session

    def call(self, method: str, params: Mapping[str, Any], on_progress: ProgressCallback | None = None) -> Any:
        """The result of `khoj/<operation>` as plain values. Raises KhojError; Ctrl-C calls the work off."""
        operation = {f"khoj/{known.name}": known for known in OPERATIONS}[method]
        given: Any = _given(method, params, operation.params)
        job = Job(CancelToken(), on_progress or _nothing)
        running: Future[Any] = Future()

        def work() -> None:
            try:
                running.set_result(operation.run(self._session, given, job))
            except BaseException as error:  # noqa: BLE001 - the boundary of the thread: `result` raises it
                running.set_exception(error)

        _in_thread(f"khoj-{operation.name}", work)
        try:
            # Looked at again and again: a signal that the system gives to another thread does not end a wait of this one.
            while wait([running], timeout=_LOOK_SECONDS).not_done:
                pass
        except KeyboardInterrupt:
            job.token.cancel()
            wait([running], timeout=_STOP_SECONDS)
            raise
        return msgspec.to_builtins(running.result())

    def stream(self, method: str, params: Mapping[str, Any]) -> Generator[Mapping[str, Any], None, None]:
        """The events of `khoj/chat`, as a daemon sends them. Closing it, and Ctrl-C, call the turn off. Raises KhojError."""
        # Imported here: searches do without the chat.
        from khoj_ls.wire import chat
        from khoj_ls.wire.chat_messages import AnyChatEvent, ChatParams

        events = cast(Generator[AnyChatEvent, None, None], chat.stream(self._session, _given(method, params, ChatParams)))
        yield from changed(events, msgspec.to_builtins)


def _given(method: str, params: Mapping[str, Any], kind: type[Given]) -> Given:
    """The parameters as the operation wants them. Raises UsageError."""
    try:
        return msgspec.convert(dict(params), kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"{method}: {error}") from error


def _in_thread(name: str, call: Callable[[], object]) -> threading.Thread:
    """Run `call` in a thread that the end of the process does not wait for."""
    thread = threading.Thread(target=call, name=name, daemon=True)
    thread.start()
    return thread


@contextmanager
def _workers_apart(path: Path) -> Iterator[None]:
    """Let worker processes write their warnings to a log instead of the terminal; what we say still goes there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    log, terminal, ours = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), os.dup(2), sys.stderr
    if ours is sys.__stderr__:
        sys.stderr = open(os.dup(2), "w", buffering=1, errors="backslashreplace")  # noqa: SIM115 - closed below
    os.dup2(log, 2)
    os.close(log)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        if sys.stderr is not ours:
            sys.stderr.close()
            sys.stderr = ours


def _nothing(progress: Progress) -> None:
    """Nobody looks."""
