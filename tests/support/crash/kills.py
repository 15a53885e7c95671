"""Processes that end in the middle of what they do: killed, stopped for a while, several of them at once."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from random import Random

from crash.ground import LOST, PATIENCE, Ground, Hung, kill, within
from crash.wire import Silent
from crash.workload import Workload

from khoj_ls.core.errors import KhojError
from khoj_ls.daemon.client import DaemonClient


@contextlib.contextmanager
def busy(ground: Ground, work: Workload) -> Iterator[None]:
    """While this holds, the vault is being indexed and somebody works in it."""
    over = threading.Event()

    def index() -> None:
        with contextlib.suppress(*LOST, KhojError, Hung):
            ground.ask("reindex", force=work.random.random() < 0.5)

    def person() -> None:
        while not over.is_set():
            work.step()
            over.wait(0.01)

    threads = [threading.Thread(target=each, daemon=True) for each in (index, person)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(PATIENCE)
            if thread.is_alive():
                raise Hung("who worked while something was killed hangs")


def moment(random: Random) -> None:
    """A while, short more often than long: much happens in the first milliseconds."""
    time.sleep(random.choice((0.0, 0.003, 0.03, 0.2, 0.6, 1.5)) * random.random())


def daemon(ground: Ground, work: Workload, random: Random) -> str:
    """The daemon is killed."""
    with busy(ground, work):
        moment(random)
        done = ground.kill_daemon()
    return "the daemon was killed" if done else "no daemon was there to be killed"


def daemon_twice(ground: Ground, work: Workload, random: Random) -> str:
    """It is killed, and the next one again while it starts or goes on from there."""
    with busy(ground, work):
        moment(random)
        count = int(ground.kill_daemon())
        starting = threading.Thread(target=_start, daemon=True)
        starting.start()
        moment(random)
        count += ground.kill_daemon()
        starting.join(PATIENCE)
    return f"{count} daemons were killed"


def _start() -> None:
    with contextlib.suppress(*LOST, KhojError):
        DaemonClient.connect().close()


def encoder(ground: Ground, work: Workload, random: Random) -> str:
    """The encoder's process is killed."""
    return _workers(ground, work, random, "embed.worker")


def parsers(ground: Ground, work: Workload, random: Random) -> str:
    """The processes that parse are killed."""
    return _workers(ground, work, random, "indexing.parser_worker")


def _workers(ground: Ground, work: Workload, random: Random, module: str) -> str:
    with busy(ground, work):
        moment(random)
        count = sum(kill(pid) for pid in ground.workers(module))
    return f"{count} processes of {module} were killed"


def relay(ground: Ground, work: Workload, random: Random) -> str:
    """The editor's relay is killed; its buffers go with it."""
    with busy(ground, work):
        with contextlib.suppress(Silent):  # whoever changes the settings has just ended it
            ground.editor()
        moment(random)
        count = _kill_session(ground)
    return f"{count} relays were killed"


def _kill_session(ground: Ground) -> int:
    session = ground.session
    if session is None or session.process.poll() is not None:
        return 0
    session.kill()
    return 1


def everything(ground: Ground, work: Workload, random: Random) -> str:
    """All processes at once, as when the machine is switched off (but what was written stays written)."""
    with busy(ground, work):
        moment(random)
        pids = [*ground.workers("embed.worker"), *ground.workers("indexing.parser_worker")]
        count = int(ground.kill_daemon()) + sum(kill(pid) for pid in pids) + _kill_session(ground)
    return f"{count} processes were killed"


def terminated(ground: Ground, work: Workload, random: Random) -> str:
    """SIGTERM, and SIGKILL while it closes."""
    with busy(ground, work):
        moment(random)
        pid = ground.pid
        if pid is not None:
            kill(pid, signal.SIGTERM)
            moment(random)
            kill(pid)
    return "the daemon was asked to end, and killed while it did"


def suspended(ground: Ground, work: Workload, random: Random) -> str:
    """The machine sleeps while files change."""
    with busy(ground, work):
        moment(random)
        pid = ground.pid
        if pid is not None:
            kill(pid, signal.SIGSTOP)
            moment(random)
            work.write()
            work.rename_folder()
            kill(pid, signal.SIGCONT)
    return "the daemon was stopped and went on"


KILLS: tuple[Callable[[Ground, Workload, Random], str], ...] = (
    *(daemon,) * 4,
    *(daemon_twice,) * 2,
    *(everything,) * 2,
    *(encoder,) * 2,
    parsers,
    relay,
    terminated,
)
"""The more often named, the more often done."""


def lost_session(ground: Ground) -> str:
    """An editor whose daemon was killed hears of it: the relay ends with status 1. Returns what is wrong; empty if nothing."""
    editor = ground.editor()
    if not ground.kill_daemon():
        return ""
    status = within(PATIENCE, editor.process.wait, "the end of the relay")
    return "" if status == 1 else f"the relay of a daemon that was killed ends with status {status}"
