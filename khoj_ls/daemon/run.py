"""`python -m khoj_ls.daemon.run`: the daemon as a process."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import faulthandler
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from khoj_ls.config.load import load_user_settings
from khoj_ls.config.paths import Folders, folders
from khoj_ls.config.settings import Settings
from khoj_ls.daemon import endpoint
from khoj_ls.daemon.allocator import few_arenas, large_blocks_apart
from khoj_ls.daemon.launch import FAILED, READY
from khoj_ls.daemon.listen import AlreadyRunning, Listener
from khoj_ls.daemon.log import PLAIN_ERRORS, log_uncaught, start_logging

if TYPE_CHECKING:
    from khoj_ls.daemon.server import Serving

log = logging.getLogger("khoj_ls.daemon")

SWITCH_SECONDS = 0.001
"""How long one thread may hold the interpreter while another waits for it."""
_COLLECTED_AFTER = (20_000, 20, 20)
"""New objects, and rounds of the younger ones: see gc.set_threshold."""
_CLOSE_SECONDS = 0.8
"""How long vaults may take to close; no data depends on it."""
_PREPARE_AFTER_SECONDS = 3.0
"""A daemon that a shell has started answers the shell first and imports what editors need afterwards."""

Compose = Callable[[Settings, Folders], "Serving"]


def main(arguments: Sequence[str] | None = None, compose: Compose | None = None) -> int:
    """Run until told to stop, replaced or idle; ends the process. `compose` makes what is served, if not the usual one.

    Returns 0 when another daemon serves already, 1 when it cannot start: the reason is on standard output after `failed`.
    """
    options = _options(arguments)
    if options.detach:
        _detach()
    os.umask(0o077)
    few_arenas()
    large_blocks_apart()
    # What is imported from here on stays: collecting it again and again would only cost time.
    gc.disable()
    # The index is written in this process too: somebody who waits for an answer gets the interpreter back sooner.
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        listener, serving = _start(compose, foreground=options.foreground)
    except AlreadyRunning:
        _announce(READY)
        return 0
    except Exception as error:  # the boundary of the process: who has started us hears the reason
        log.critical("the daemon does not start", exc_info=error)
        _announce(f"{FAILED} {error if isinstance(error, PLAIN_ERRORS) else type(error).__name__}")
        return 1
    if options.stay:
        serving = replace(serving, idle_exit_seconds=0)
    _serve(listener, serving, editor_first=options.first == "lsp")
    # Threads that still run belong to requests that were called off: nothing waits for them.
    logging.shutdown()
    os._exit(0)


def _start(compose: Compose | None, *, foreground: bool) -> tuple[Listener, Serving]:
    here = folders()
    settings, problems = load_user_settings(here)
    listener = Listener(endpoint.runtime_folder())
    try:
        start_logging(here.log, settings.daemon.log_level, settings.daemon.log_format, foreground=foreground)
        sys.excepthook = log_uncaught
        faulthandler.enable()
        for problem in problems:
            log.warning("%s", problem)
        if compose is None:
            from khoj_ls.daemon.compose import compose as usual

            compose = usual
        return listener, compose(settings, here)
    except BaseException:  # whatever it was, the next daemon finds the place free; it is raised again
        listener.withdraw()
        listener.release()
        raise


def _serve(listener: Listener, serving: Serving, *, editor_first: bool) -> None:
    from khoj_ls.daemon.server import Server

    server = Server(listener, serving)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    def ready() -> None:
        for name in (signal.SIGTERM, signal.SIGINT):
            if sys.platform == "win32":
                signal.signal(name, lambda number, frame: server.stop(signal.Signals(number).name))
            else:
                loop.add_signal_handler(name, server.stop, name.name)
        _announce(READY)
        preparing = threading.Timer(0 if editor_first else _PREPARE_AFTER_SECONDS, _prepare, (serving,))
        preparing.daemon = True
        preparing.start()
        if not editor_first:
            collect_seldom()

    loop.run_until_complete(server.run(ready))
    closing = threading.Thread(target=serving.close, name="close", daemon=True)
    closing.start()
    closing.join(_CLOSE_SECONDS)


def _prepare(serving: Serving) -> None:
    serving.prepare_lsp()
    collect_seldom()


def collect_seldom() -> None:
    """Look for garbage that refers to itself when much was made, not after every few hundred objects.

    A search makes thousands, nearly all of which are gone with it. To look through them many times in each finds nothing, and
    to look through all that lives takes some milliseconds, which somebody waits for.
    """
    gc.freeze()
    gc.set_threshold(*_COLLECTED_AFTER)
    gc.enable()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m khoj_ls.daemon.run", description="The khoj-ls daemon.")
    parser.add_argument("--detach", action="store_true", help="go on in the background, apart from the process that starts it")
    parser.add_argument("--foreground", action="store_true", help="show the log on standard error too")
    parser.add_argument("--stay", action="store_true", help="do not end when nobody has come for long")
    parser.add_argument("--first", choices=("lsp", "rpc", "control"), default="rpc", help="what to be quick at first")
    return parser.parse_args(arguments)


def _detach() -> None:
    """Leave the parent: editors that end their servers end the children of these, too."""
    if hasattr(os, "fork"):
        if os.fork():
            os._exit(0)
        os.chdir("/")


def _announce(line: str) -> None:
    """Tell who has started us; from then on nothing of ours goes to its standard output."""
    with contextlib.suppress(OSError):
        if not os.isatty(1):
            os.write(1, f"{line}\n".encode(errors="replace"))
        os.dup2(2, 1)


if __name__ == "__main__":
    sys.exit(main())
