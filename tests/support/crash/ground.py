"""A home, a vault and a daemon of their own, to be killed and damaged: how they are reached, and what runs for them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import psutil
from crash.tiny_model import make_tiny_model
from crash.wire import Silent, Wire

from khoj_ls.config.paths import folders
from khoj_ls.core.errors import DaemonError
from khoj_ls.daemon.client import DaemonClient
from khoj_ls.daemon.lockfile import holder

PATIENCE = 120.0
"""Seconds that any answer may take on a machine that does much else."""

Answer = TypeVar("Answer")
SETTINGS = """[search]
exact_vectors_below = 0
[index]
parser_workers = 1
debounce_seconds = 0.05
buffer_rest_seconds = 0.1
[[webhooks]]
name = "nobody"
url = "http://127.0.0.1:9/"
allow_private = ["127.0.0.1"]
secret_variable = "KHOJ_LS_CRASH_KEY"
events = ["index.completed", "search.performed", "chat.message"]
"""
"""HNSW from the first vector on, and a webhook that nobody takes."""


class Hung(Exception):
    """Something did not answer in time."""


class Ground:
    """Everything below one folder. `os.environ` names it: this process is a client like others."""

    def __init__(self, base: Path, models: Path | None = None) -> None:
        self.base = base
        self.home, self.vault = base / "home", base / "notes"
        self.data = self.home / "data"
        self.data.mkdir(parents=True)
        (self.home / "config").mkdir()
        self.settings = self.home / "config" / "config.toml"
        self.settings.write_text(SETTINGS)
        if models is None:
            make_tiny_model(self.data / "models")
        else:
            (self.data / "models").symlink_to(models)
        self.vault.mkdir()
        (self.vault / ".khoj.toml").write_text("")
        os.environ.update(KHOJ_LS_HOME=str(self.home), KHOJ_LS_CRASH_KEY="a" * 64)
        self.session: Wire | None = None
        self._sessions = threading.RLock()
        self.at_end: list[Callable[[], object]] = []
        """Called before everything is deleted."""
        self.asked: list[str] = []
        """Questions whose answers were said to be done: their conversations are kept."""

    # -- the daemon ---------------------------------------------------------------------------------------------------

    def ask(self, method: str, seconds: float = PATIENCE, **params: Any) -> Any:
        """What the daemon answers; it is started when it does not run. Raises KhojError, Hung."""
        params.setdefault("vault", str(self.vault))

        def call() -> Any:
            with DaemonClient.connect() as daemon:
                return daemon.call(f"khoj/{method}", params)

        return within(seconds, call, method)

    def chat(self, question: str) -> None:
        """Ask the notes, and take down that the answer is kept."""

        def call() -> None:
            with DaemonClient.connect() as daemon:
                *_, end = daemon.stream("khoj/chat", {"message": question, "vault": str(self.vault), "model": "none"})
                # On a full disk a question is answered all the same, and the answer says that it is not kept.
                if end["kind"] == "done" and not any("could not be kept" in notice for notice in end.get("notices") or ()):
                    self.asked.append(question)

        within(PATIENCE, call, "chat")

    def cli(self, *arguments: str, seconds: float = PATIENCE) -> subprocess.CompletedProcess[str]:
        """What a verb of the command line says."""
        command = [sys.executable, "-m", "khoj_ls", *arguments]
        try:
            return subprocess.run(
                command, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL, cwd=self.base, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise Hung(f"khoj-ls {' '.join(arguments)}") from error

    @property
    def pid(self) -> int | None:
        """The daemon's process, while one runs or starts."""
        return holder(str(self.home / "run" / "daemon.lock"))

    def workers(self, module: str) -> list[int]:
        """Processes that the daemon has started for `module`, e.g. `embed.worker`."""
        pid, found = self.pid, []
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(pid).children(recursive=True) if pid else ():
                if f"khoj_ls.{module}" in child.cmdline():
                    found.append(child.pid)
        return found

    def kill_daemon(self, number: int = signal.SIGKILL) -> bool:
        """Kill it, and wait until it is gone; False when none ran."""
        pid = self.pid
        if pid is None or not kill(pid, number):
            return False
        until(lambda: self.pid != pid, "the end of the daemon")
        return True

    def stop(self) -> None:
        """End the daemon as a user does."""
        self.leave_session()
        self.cli("daemon", "stop")

    # -- an editor ----------------------------------------------------------------------------------------------------

    def editor(self) -> Wire:
        """A session that lives, begun anew where the last one was lost."""
        with self._sessions:
            if self.session is None or self.session.over or self.session.process.poll() is not None:
                self.leave_session()
                self.session = Wire(os.environ)
                self.session.start(self.vault.as_uri())
            return self.session

    def leave_session(self) -> None:
        """End the editor's session, whatever state it is in."""
        with self._sessions:
            session, self.session = self.session, None
        if session is not None:
            with contextlib.suppress(Silent):
                session.leave(10)
            session.kill()

    # -- files --------------------------------------------------------------------------------------------------------

    @property
    def own(self) -> Path:
        """The vault's data folder."""
        return folders().vault(self.vault)

    @property
    def database(self) -> Path:
        """The vault's index."""
        return self.own / "index.db"

    def close(self) -> None:
        """End everything and delete it."""
        with contextlib.suppress(Exception):
            self.stop()
        self.kill_daemon()
        for end in self.at_end:
            end()
        shutil.rmtree(self.base, ignore_errors=True)


def within(seconds: float, work: Callable[[], Answer], what: str) -> Answer:
    """What `work` returns or raises; Hung when it takes longer than that."""
    results: list[Answer] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise Hung(f"{what} did not answer within {seconds:.0f} s")
    return results[0]


def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait until `condition()` holds. Raises Hung."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Hung(f"{what} did not come")
        time.sleep(0.005)  # another process: nothing calls back


def kill(pid: int, number: int = signal.SIGKILL) -> bool:
    """Send a signal; False when there is no such process."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


LOST = (DaemonError, ConnectionError)
"""What a client may hear when the daemon is killed under it."""
