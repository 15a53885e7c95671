"""The encoder process: `python -m khoj_ls.embed.worker FOLDER THREADS BUDGET NICE DEVICE`.

Two threads embed: one works through the backlog in small batches, one answers queries, both on the same model. A query never
waits for the backlog, only beside it.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from khoj_ls.embed.messages import Embed, Reply
from khoj_ls.embed.prepare import read_model
from khoj_ls.workers.frames import read_frame, write_frame


def main() -> int:
    """Serve until standard input closes."""
    folder, threads, budget, nice, device = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    lock = threading.Lock()

    def send(reply: Reply) -> None:
        with lock, contextlib.suppress(BrokenPipeError):
            write_frame(out, reply)

    try:
        encoder = load(folder, threads, budget, nice, device)
    except Exception as error:  # noqa: BLE001 - the boundary of the process: the service hears the reason
        send(Reply(error=f"the embedding model cannot be loaded: {error}"))
        return 1
    backlog: queue.SimpleQueue[Embed | None] = queue.SimpleQueue()
    queries: queue.SimpleQueue[Embed | None] = queue.SimpleQueue()
    for lane in (backlog, queries):
        threading.Thread(target=serve, args=(encoder, lane, send), daemon=True).start()
    send(Reply(ready=True))
    read_requests(sys.stdin.buffer, backlog, queries)
    return 0


def load(folder: Path, threads: int, budget: int, nice: int, device: str) -> Any:
    """The encoder of the prepared model in `folder`."""
    model = read_model(folder)
    if model is None:
        raise FileNotFoundError(f"{folder} holds no prepared model")
    if model.backend == "onnx":
        from khoj_ls.embed.onnx_backend import OnnxEncoder

        return OnnxEncoder(folder, model.max_tokens, threads, nice)
    from khoj_ls.embed.sentence_transformers_backend import SentenceTransformersEncoder

    return SentenceTransformersEncoder(model.source, device, model.max_tokens, budget)


def read_requests(stream: BinaryIO, backlog: queue.SimpleQueue[Any], queries: queue.SimpleQueue[Any]) -> None:
    """Put requests into their lanes until the stream ends."""
    while (body := read_frame(stream)) is not None:
        request = msgspec.msgpack.decode(body, type=Embed)
        (queries if request.query else backlog).put(request)


def serve(encoder: Any, lane: queue.SimpleQueue[Any], send: Any) -> None:
    """Embed what comes in one lane."""
    while (request := lane.get()) is not None:
        try:
            send(Reply(request.id, encoder.embed(request.texts, query=request.query)))
        except Exception as error:  # noqa: BLE001 - one text must not end the process
            send(Reply(request.id, error=f"embedding failed ({type(error).__name__}: {error})"))


if __name__ == "__main__":
    sys.exit(main())
