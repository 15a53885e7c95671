"""The process that runs a GGUF model: llama.cpp's HTTP server on loopback, for whoever has the key. Ends with its input."""

from __future__ import annotations

import os
import sys
from typing import Any

import msgspec

from khoj_ls.workers.child import limit_this_process
from khoj_ls.workers.frames import read_frame, write_frame


class Start(msgspec.Struct):
    """What to run."""

    path: str
    window: int
    threads: int
    nice: int
    key: str
    """What every request has to show: other users of this machine reach the port too."""


class Started(msgspec.Struct):
    """Where it listens, or why it does not."""

    port: int = 0
    error: str = ""


def main() -> None:
    """Read a Start, serve, answer Started, and wait for the end of the input."""
    # What llama.cpp prints must not get between the frames.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    body = read_frame(sys.stdin.buffer)
    if body is None:
        return
    start = msgspec.msgpack.decode(body, type=Start)
    limit_this_process(nice=start.nice)
    try:
        import xllamacpp

        server = xllamacpp.Server(_parameters(start))
        answer = Started(port=int(server.listening_address.rsplit(":", 1)[1]))
    except ImportError:
        answer = Started(error="missing")
    except Exception as error:  # noqa: BLE001  # a process's edge: the other side is told, whatever the library raises
        answer = Started(error=f"{type(error).__name__}: {error}")
    write_frame(answers, answer)
    while read_frame(sys.stdin.buffer) is not None:
        continue
    # The library's own end takes long where an answer is under way.
    os._exit(0)


def _parameters(start: Start) -> Any:
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = start.path
    parameters.n_ctx = start.window
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = start.threads
    parameters.cpuparams_batch.n_threads = start.threads
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.api_keys = [start.key]
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.ctx_shift = False
    parameters.warmup = False
    parameters.verbosity = 0
    return parameters


if __name__ == "__main__":
    main()
