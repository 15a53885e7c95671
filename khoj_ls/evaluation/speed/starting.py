"""How soon it is there: an editor's server, and the first answers of a daemon that has to be started."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, cast

from khoj_ls.daemon import launch
from khoj_ls.evaluation.speed.rows import Row, p95, row

_IMPORTS_PYGLS = "import pygls.lsp.server"
_EMBEDS = """
import sys
from sentence_transformers import SentenceTransformer
SentenceTransformer(sys.argv[1], device="cpu", local_files_only=True).encode("the first query")
"""


def start_rows(runs: int, cold_runs: int, capabilities: Mapping[str, Any] | None = None) -> Iterator[Row]:
    """From spawning `khoj-ls` to the answer to `initialize`, with a warm daemon and with none; baselines in turn with them.

    `capabilities` are what the editor says of itself: reading them is a good part of answering. The daemon of the current
    home is ended again and again.
    """
    sent = capabilities or {}
    initialize(sent)  # the first start of all compiles to bytecode; the first session imports
    yield _paired("start, daemon running: spawn to initialize", runs, lambda: initialize(sent), lambda: interpreter("pass"))
    yield _paired("start, no daemon: spawn to initialize", cold_runs, lambda: _cold(sent), lambda: interpreter(_IMPORTS_PYGLS))


def first_answer_rows(vault: Path, model: str, runs: int) -> Iterator[Row]:
    """From spawning `khoj-ls search` to its end, with no daemon running and `vault` indexed; `model` is a folder of weights."""
    words = _search(vault, "lexical", "router"), lambda: interpreter("pass")
    meaning = _search(vault, "dense", "how did I fix the router"), lambda: interpreter(_EMBEDS, model)
    yield _paired("first search by words after a cold start", runs, *words)
    yield _paired("first search by meaning after a cold start", runs, *meaning)


def initialize(capabilities: Mapping[str, Any]) -> float:
    """Milliseconds from the spawn to the whole answer; then a proper end."""
    start = time.perf_counter()
    editor = subprocess.Popen([*program(), "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    requests, answers = cast("IO[bytes]", editor.stdin), cast("IO[bytes]", editor.stdout)
    _send(requests, 1, "initialize", {"processId": os.getpid(), "rootUri": None, "capabilities": dict(capabilities)})
    answer = _receive(answers)
    elapsed = (time.perf_counter() - start) * 1000
    if answer.get("result", {}).get("serverInfo", {}).get("name") != "khoj-ls":
        raise RuntimeError(f"no answer to initialize: {answer}")
    _send(requests, 2, "shutdown", None)
    _receive(answers)
    _send(requests, None, "exit", None)
    requests.close()
    answers.close()
    editor.wait()
    return elapsed


def interpreter(code: str, *arguments: str) -> float:
    """Milliseconds that a Python of its own takes for `code`."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)
    return (time.perf_counter() - start) * 1000


def program() -> tuple[str, ...]:
    """The command that editors run: the script beside this interpreter, else the module."""
    script = Path(sys.executable).with_name("khoj-ls.exe" if os.name == "nt" else "khoj-ls")
    return (str(script),) if script.is_file() else (sys.executable, "-m", "khoj_ls")


def _paired(name: str, runs: int, measure: Callable[[], float], baseline: Callable[[], float]) -> Row:
    # In turns, so that both see the same machine.
    pairs = [(measure(), baseline()) for _ in range(runs)]
    times = [mine for mine, _ in pairs]
    note = f"p95 {p95(times):.0f} ms of {runs}"
    return row(name, statistics.median(times), statistics.median(other for _, other in pairs), note=note)


def _cold(capabilities: Mapping[str, Any]) -> float:
    launch.stop()
    return initialize(capabilities)


def _search(vault: Path, mode: str, query: str) -> Callable[[], float]:
    command = [*program(), "search", "--vault", str(vault), "--mode", mode, "--limit", "1", query]

    def first() -> float:
        launch.stop()
        start = time.perf_counter()
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        elapsed = (time.perf_counter() - start) * 1000
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
        return elapsed

    return first


def _send(stream: IO[bytes], request: int | None, method: str, params: dict[str, Any] | None) -> None:
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
    if request is not None:
        message["id"] = request
    if params is not None:
        message["params"] = params
    body = json.dumps(message).encode()
    stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    stream.flush()


def _receive(stream: IO[bytes]) -> dict[str, Any]:
    length = 0
    while line := stream.readline().strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    if not length:
        raise RuntimeError("the server ended before it answered")
    return dict(json.loads(stream.read(length)))
