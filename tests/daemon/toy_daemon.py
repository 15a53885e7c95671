"""A daemon with toy faces: everything is real but what is served. Run by the tests as a process."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from dataclasses import replace

from khoj_ls.core.errors import KhojError, UsageError, VaultError
from khoj_ls.core.jobs import Progress
from khoj_ls.daemon import run
from khoj_ls.daemon.rpc import MethodNotFound
from khoj_ls.daemon.server import Serving


async def lsp(reader, writer, hello, status):
    """Echo; a line `!word` is an order."""
    farewell = b""
    while data := await reader.read(1 << 16):
        if data == b"!exit\n":
            raise SystemExit(0)
        if data == b"!crash\n":
            raise RuntimeError("the toy breaks")
        if data == b"!close\n":
            return
        if data == b"!farewell\n":
            farewell = b"farewell\n"
        if data == b"!hello\n":
            data = json.dumps({"environment": dict(hello.environment), "cwd": hello.cwd, "pid": hello.pid}).encode() + b"\n"
        writer.write(data)
        await writer.drain()
    writer.write(farewell)


class Toy:
    def __init__(self):
        self.busy = threading.Event()
        self.waiting = threading.Event()

    def rpc(self, hello, status):
        methods = {
            "echo": lambda params, token, progress: params,
            "fail": self.fail,
            "crash": self.crash,
            "count": self.count,
            "wait": self.wait,
            "is-waiting": self.is_waiting,
            "busy": lambda params, token, progress: self.busy.set() if params["busy"] else self.busy.clear(),
            "environment": lambda params, token, progress: {
                "session": dict(hello.environment),
                "process": dict(os.environ),
            },
        }

        def handle(method, params, token, progress, follow):
            if method not in methods:
                raise MethodNotFound(method)
            return methods[method](params, token, progress)

        return handle

    def fail(self, params, token, progress):
        """Raise the KhojError with a code."""
        raise next(kind for kind in (KhojError, *KhojError.__subclasses__()) if kind.code == params["code"])("it went wrong")

    def crash(self, params, token, progress):
        raise ValueError(params["text"])

    def count(self, params, token, progress):
        for done in range(params["total"] + 1):
            progress(Progress("count", done, params["total"], "counting", 0.5))
        return params["total"]

    def wait(self, params, token, progress):
        """Run until called off."""
        self.waiting.set()
        token.wait(60)
        self.waiting.clear()
        token.raise_if_cancelled()
        raise UsageError("nobody called off")

    def is_waiting(self, params, token, progress):
        return self.waiting.is_set()


def slowly(word):
    """Letting go of what the next daemon needs takes its time."""

    def work():
        time.sleep(0.3)  # the time it takes, which the next daemon must wait
        logging.getLogger("toy").info(word)

    return work


def compose(settings, folders):
    if os.environ.get("KHOJ_LS_TOY_FAILS"):
        raise VaultError("the toy is broken")
    toy = Toy()
    serving = Serving(
        lsp=lsp,
        rpc=toy.rpc,
        idle_exit_seconds=settings.daemon.idle_exit_seconds,
        busy=toy.busy.is_set,
        make_room=slowly("made room"),
        close=slowly("closed"),
        log_path=str(folders.log),
        watch_seconds=0.05,
    )
    if version := os.environ.get("KHOJ_LS_TOY_VERSION"):
        serving = replace(serving, version=version)
    if uid := os.environ.get("KHOJ_LS_TOY_PEER"):
        serving = replace(serving, peer_uid=lambda connected: int(uid))
    return serving


if __name__ == "__main__":
    # How many were started, also of those that find another one running.
    with open(f"{os.environ['KHOJ_LS_HOME']}/started", "a") as started:
        started.write(f"{os.getpid()}\n")
    sys.exit(run.main(compose=compose))
