"""The encoder process: `python -m khoj_ls.embed.worker`, told by its first message what to load.

On Linux the threads of the backlog are nice and the one of the queries is not; elsewhere the whole process is.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path

import msgspec

from khoj_ls.embed.batches import Backend
from khoj_ls.embed.lanes import Backlog, Queries, lower_priority
from khoj_ls.embed.messages import Cancel, Load, Ready, Reply, Request, Unusable, frame_streams, read_model
from khoj_ls.workers.child import limit_this_process
from khoj_ls.workers.frames import read_frame, write_frame


def main() -> None:
    """Serve until standard input closes."""
    # Ctrl-C in a terminal reaches the whole group: the service decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stream, out = frame_streams()
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
        backend = load(wanted)
    except Exception as error:  # noqa: BLE001 - the boundary of the process: the service hears the reason
        send(Unusable(f"the embedding model cannot be loaded ({type(error).__name__}: {error})"))
        return
    backlog, queries = Backlog(backend, send), Queries(backend, send)

    def nicely() -> None:
        lower_priority(wanted.nice)
        backlog.serve()

    for work in (queries.serve, *[nicely] * backend.side_by_side):
        threading.Thread(target=work, daemon=True).start()
    send(Ready())
    while (body := read_frame(stream)) is not None:
        request = msgspec.msgpack.decode(body, type=Request)
        if isinstance(request, Cancel):
            backlog.cancel(request.id)
        else:
            (queries if request.query else backlog).add(request)
    # Nobody is left to hear of the batches in work.
    os._exit(0)


def load(wanted: Load) -> Backend:
    """The prepared model in a folder. An ONNX file that does not load is forgotten, so that it is prepared anew."""
    folder = Path(wanted.folder)
    model = read_model(folder)
    if model is None:
        raise FileNotFoundError(f"{folder} holds no prepared model")
    if model.backend == "onnx":
        from khoj_ls.embed.onnx_backend import OnnxBackend

        try:
            return OnnxBackend(folder, model.max_tokens, wanted.threads, wanted.batch_tokens)
        except Exception:  # what does not load is prepared anew; the service tells why, as it is raised again
            (folder / "model.json").unlink(missing_ok=True)
            raise
    from khoj_ls.embed.sentence_transformers_backend import SentenceTransformersBackend

    return SentenceTransformersBackend(
        Path(model.source), model.device, model.max_tokens, wanted.batch_tokens, wanted.batch_texts
    )


if __name__ == "__main__":
    main()
