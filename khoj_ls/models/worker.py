"""The process of a model: told by its first message what to load, it computes until its input closes.

On Linux the threads of the backlog are nice and those that read and compute queries are not; elsewhere the whole process is.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from khoj_ls.models.batches import Backend, Split
from khoj_ls.models.lanes import Backlog, Queries, lower_priority
from khoj_ls.models.messages import Ask, Cancel, Load, ModelFile, Ready, Reply, Request, Unusable, read_model
from khoj_ls.models.role import Role
from khoj_ls.workers.child import limit_this_process
from khoj_ls.workers.frames import own_streams, read_frame, write_frame
from khoj_ls.workers.processors import roam, usable

Loader = Callable[[Load, ModelFile], Backend | Split]
"""Makes the backend of a prepared model, or one for each lane."""


def serve(role: Role, load: Loader) -> None:
    """Serve the model that the first message names until standard input closes."""
    # Ctrl-C in a terminal reaches the whole group: the service decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stream, out = own_streams()
    lock = threading.Lock()

    def send(reply: Reply) -> None:
        with lock, contextlib.suppress(BrokenPipeError):
            write_frame(out, reply)

    first = read_frame(stream)
    if first is None:
        return
    wanted = msgspec.msgpack.decode(first, type=Load)
    if sys.platform != "linux":
        limit_this_process(nice=wanted.nice)
    try:
        backend = _loaded(wanted, load)
    except Exception as error:  # noqa: BLE001 - the boundary of the process: the service hears the reason
        send(Unusable(f"the {role.model} cannot be loaded ({type(error).__name__}: {error})"))
        return
    backlog, queries = Backlog(backend.backlog, send), Queries(backend.queries, send)

    def nicely() -> None:
        lower_priority(wanted.nice)
        backlog.serve()

    reading, processors = threading.Lock(), usable()

    def listen() -> None:
        """Compute the queries that this thread reads; meanwhile the other one reads on."""
        while True:
            with reading:
                query = next_query(stream, backlog)
            if query is None:
                # Nobody is left to hear of the batches in work.
                os._exit(0)
            roam(processors)
            queries.answer(query)

    for _ in range(backend.backlog.side_by_side):
        threading.Thread(target=nicely, daemon=True).start()
    other = threading.Thread(target=listen, daemon=True)
    other.start()
    listening = [thread.native_id for thread in (threading.current_thread(), other) if thread.native_id]
    send(Ready(listening, sorted(processors)))
    listen()


def next_query(stream: BinaryIO, backlog: Backlog) -> Ask | None:
    """The next query; what comes before it goes to the backlog, in order. None at the end of the stream."""
    while (body := read_frame(stream)) is not None:
        request: Request = msgspec.msgpack.decode(body, type=Request)
        if isinstance(request, Cancel):
            backlog.cancel(request.id)
        elif request.query:
            return request
        else:
            backlog.add(request)
    return None


def _loaded(wanted: Load, load: Loader) -> Split:
    """The prepared model in a folder. One that does not load, and was made here, is forgotten, so that it is prepared anew."""
    folder = Path(wanted.folder)
    model = read_model(folder)
    if model is None:
        raise FileNotFoundError(f"{folder} holds no prepared model")
    try:
        backend = load(wanted, model)
        return backend if isinstance(backend, Split) else Split(backend, backend)
    except Exception:  # what does not load is prepared anew; the service tells why, as it is raised again
        if model.backend in ("onnx", "plugin"):
            (folder / "model.json").unlink(missing_ok=True)
        raise
