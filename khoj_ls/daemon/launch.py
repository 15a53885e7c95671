"""Start, end and look at the daemon. Imported only when one must be started, or by the verb `daemon`."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

from khoj_ls.config.paths import folders
from khoj_ls.core.errors import DaemonError
from khoj_ls.daemon import endpoint
from khoj_ls.daemon.lockfile import FileLock, holder

START_SECONDS = 30.0
"""A daemon that is not ready after this long is given up."""
STOP_SECONDS = 5.0
_ATTEMPTS = 3
_POLL_SECONDS = 0.02
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)

READY = "ready"
"""First word of the daemon's first line on its standard output; `failed` and a message is the other one."""
FAILED = "failed"

_KEPT_EVERYWHERE = ("PATH", "TMPDIR", "TMP", "TEMP", "LANG", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
_KEPT_UNIX = ("HOME", "USER", "LOGNAME", "SHELL", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
_KEPT_WINDOWS = ("SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT", "APPDATA", "LOCALAPPDATA", "USERPROFILE", "PROGRAMDATA")
_KEPT = frozenset({*_KEPT_EVERYWHERE, *_KEPT_UNIX, *_KEPT_WINDOWS})
_KEPT_PREFIXES = ("KHOJ_LS_", "XDG_", "LC_", "DYLD_", "OMP_", "OPENBLAS_", "CUDA_", "HF_")


def daemon_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What a daemon inherits: its folders and its machine, but no key or proxy. Those come with each session."""
    kept = {
        name: value
        for name, value in environment.items()
        if name.upper() in _KEPT or (name.startswith(_KEPT_PREFIXES) and not name.endswith(("_KEY", "_TOKEN")))
    }
    if home := kept.get("KHOJ_LS_HOME"):
        # The daemon runs in the root folder, and must find the same home from there.
        kept["KHOJ_LS_HOME"] = str(Path(home).expanduser().absolute())
    # A search multiplies a matrix with one vector: threads that wait for each other make that slower, on a busy machine by far.
    kept.setdefault("OPENBLAS_NUM_THREADS", "1")
    return kept


def log_path() -> Path:
    """The daemon's log."""
    return folders().log


def ensure_running(folder: str, face: str = "rpc", command: Sequence[str] | None = None) -> None:
    """Return when a daemon listens in `folder`, having started it if need be. Of many callers at once one starts it.

    `face` is what the caller will ask for: the daemon prepares that first. Raises DaemonError, with the reason.
    """
    try:
        _ensure_running(folder, face, command)
    except OSError as error:
        raise DaemonError(f"the daemon cannot be started: {error}") from error


def _ensure_running(folder: str, face: str, command: Sequence[str] | None) -> None:
    endpoint.check_folder(folder, create=True)
    starting = FileLock(f"{folder}/{endpoint.START_LOCK}")
    deadline = time.monotonic() + START_SECONDS
    while not starting.acquire():
        if endpoint.answers(folder):
            return
        _wait(deadline, f"another process has been starting the daemon for {START_SECONDS:.0f} s; {_see_log()}")
    try:
        for _ in range(_ATTEMPTS):
            if _settled(folder, deadline):
                return
            _spawn(command or (sys.executable, "-m", "khoj_ls.daemon.run", "--detach", "--first", face))
        if not _settled(folder, deadline):
            raise DaemonError(f"the daemon ends as soon as it has started; {_see_log()}")
    finally:
        starting.release()


def _settled(folder: str, deadline: float) -> bool:
    """Wait while a daemon is starting or ending; whether one listens then. Raises DaemonError when it does neither in time."""
    while not endpoint.answers(folder):
        pid = holder(f"{folder}/{endpoint.LOCK}")
        if pid is None:
            return False
        _wait(deadline, f"the daemon (process {pid}) does not listen: run khoj-ls daemon stop, then try again")
    return True


def stop(timeout: float = STOP_SECONDS) -> bool:
    """End the daemon: ask it, and if it does not hear, kill it. Returns when its process has let go of everything.

    False when none was running. Raises DaemonError.
    """
    folder = endpoint.runtime_folder()
    lock = f"{folder}/{endpoint.LOCK}"
    try:
        endpoint.check_folder(folder)
    except endpoint.NotRunning:
        return False
    pid = holder(lock)
    if pid is None:
        return False
    for last_word in (_asked_to_stop, _signalled(pid, signal.SIGTERM), _signalled(pid, _KILL)):
        deadline = time.monotonic() + (timeout if last_word() else 0)
        while time.monotonic() < deadline:
            if holder(lock) != pid:
                return True
            time.sleep(_POLL_SECONDS)  # the end of a process that is no child can only be looked for
    raise DaemonError(f"the daemon (process {pid}) does not end: kill it by hand")


def status() -> dict[str, Any] | None:
    """What the daemon says of itself (see `Server.status`); None when none is running. Raises DaemonError."""
    try:
        return cast("dict[str, Any]", _ask("daemon/status"))
    except endpoint.NotRunning:
        return None
    except DaemonError:
        # It may have ended while it was being asked; one that hangs still takes connections.
        if endpoint.answers(endpoint.runtime_folder()):
            raise
        return None


def _ask(method: str) -> Any:
    from khoj_ls.daemon.client import DaemonClient

    with DaemonClient.connect(start=False, face="control") as client:
        return client.call(method)


def _asked_to_stop() -> bool:
    try:
        _ask("daemon/stop")
    except DaemonError:  # it cannot answer, or went away before it did
        return False
    return True


def _signalled(pid: int, number: int) -> Callable[[], bool]:
    def send() -> bool:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        return True

    return send


def _spawn(command: Sequence[str]) -> None:
    """Run a daemon apart from us, and wait until it says that it is ready. Raises DaemonError."""
    log = log_path()
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=descriptor,
            cwd="/",
            env=daemon_environment(os.environ),
            **_apart(),
        )
    except OSError as error:
        raise DaemonError(f"{command[0]} cannot be run: {error.strerror}") from error
    finally:
        os.close(descriptor)
    answer = _first_line(cast("IO[bytes]", process.stdout), START_SECONDS)
    word, _, message = (answer or "").partition(" ")
    if word == READY:
        # What was started has forked and ended (POSIX), or is the daemon itself and lives on.
        if os.name != "nt":
            process.wait()
        return
    if answer is None:
        process.kill()
        raise DaemonError(f"the daemon was not ready after {START_SECONDS:.0f} s; {_see_log()}")
    raise DaemonError(f"the daemon did not start: {message if word == FAILED else _last_line(log)}; {_see_log()}")


def _apart() -> dict[str, Any]:
    if sys.platform == "win32":
        return {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _first_line(stream: IO[bytes], seconds: float) -> str | None:
    """The first line, empty at the end of the stream; None when it does not come in time."""
    lines: list[str] = []
    reading = threading.Thread(target=lambda: lines.append(stream.readline().decode(errors="replace").strip()), daemon=True)
    reading.start()
    reading.join(seconds)
    if not lines:
        return None
    stream.close()
    return lines[0]


def _last_line(log: Path) -> str:
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4096))
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
        if lines:
            return lines[-1]
    return "it gave no reason"


def _see_log() -> str:
    return f"see {log_path()}"


def _wait(deadline: float, failure: str) -> None:
    if time.monotonic() > deadline:
        raise DaemonError(failure)
    time.sleep(_POLL_SECONDS)  # nothing tells when a socket or a lock of another process is there
