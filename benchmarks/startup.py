"""How soon an editor has its server: from spawning `khoj-ls` to the answer to `initialize`, with a warm and with no daemon.

    python -m benchmarks.startup [--runs 30] [--cold-runs 10] [--editor visual-studio-code]

Beside each figure stands a baseline of the same run, because machines and their load differ: for the warm start an
interpreter that does nothing, for the cold one an interpreter that imports pygls.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pygls.protocol import default_converter
from pytest_lsp import client_capabilities

from khoj_ls.daemon import launch

PROGRAM = (str(Path(sys.executable).with_name("khoj-ls")), "lsp")


@dataclass(frozen=True)
class Goal:
    """One line of the report."""

    name: str
    milliseconds: float
    measure: Callable[[], float]
    baseline: Callable[[], float]
    runs: int


def main() -> int:
    """Measure and print; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--cold-runs", type=int, default=10)
    parser.add_argument("--editor", default="visual-studio-code", help="whose capabilities: visual-studio-code, neovim, emacs")
    options = parser.parse_args()
    capabilities = _capabilities(options.editor)
    home = tempfile.mkdtemp(prefix="khoj-")
    os.environ["KHOJ_LS_HOME"] = home
    try:
        goals = [
            Goal(
                "warm daemon: spawn -> initialize answered",
                100,
                lambda: _initialize(capabilities),
                lambda: _interpreter("pass"),
                options.runs,
            ),
            Goal(
                "cold daemon: spawn -> initialize answered",
                800,
                lambda: _initialize_cold(capabilities),
                lambda: _interpreter("import pygls.lsp.server"),
                options.cold_runs,
            ),
        ]
        # The first start of all compiles to bytecode; the first session imports.
        _initialize(capabilities)
        return 0 if all([_report(goal) for goal in goals]) else 1
    finally:
        launch.stop()
        shutil.rmtree(home, ignore_errors=True)


def _report(goal: Goal) -> bool:
    # Interleaved, so that both see the same machine.
    pairs = [(goal.measure(), goal.baseline()) for _ in range(goal.runs)]
    times, baselines = sorted(pair[0] for pair in pairs), [pair[1] for pair in pairs]
    p50, p95 = statistics.median(times), times[min(len(times) - 1, int(len(times) * 0.95))]
    ratio = p50 / statistics.median(baselines)
    print(
        f"{goal.name}: p50 {p50:.0f} ms, p95 {p95:.0f} ms, goal {goal.milliseconds:.0f} ms; "
        f"{ratio:.1f} times its baseline of {statistics.median(baselines):.0f} ms ({goal.runs} runs)"
    )
    return p50 <= goal.milliseconds


def _interpreter(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (time.perf_counter() - start) * 1000


def _initialize_cold(capabilities: dict[str, Any]) -> float:
    launch.stop()
    return _initialize(capabilities)


def _capabilities(editor: str) -> dict[str, Any]:
    """What a real editor says of itself: reading it is a good part of answering."""
    return dict(default_converter().unstructure(client_capabilities(editor)))


def _initialize(capabilities: dict[str, Any]) -> float:
    """Milliseconds from the spawn to the whole answer; then a proper end."""
    start = time.perf_counter()
    editor = subprocess.Popen(PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert editor.stdin is not None and editor.stdout is not None
    _send(editor.stdin, 1, "initialize", {"processId": os.getpid(), "rootUri": None, "capabilities": capabilities})
    answer = _receive(editor.stdout)
    elapsed = (time.perf_counter() - start) * 1000
    assert answer["result"]["serverInfo"]["name"] == "khoj-ls", answer
    _send(editor.stdin, 2, "shutdown", None)
    _receive(editor.stdout)
    _send(editor.stdin, None, "exit", None)
    editor.stdin.close()
    editor.stdout.close()
    editor.wait()
    return elapsed


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
        raise SystemExit("the server ended before it answered")
    return dict(json.loads(stream.read(length)))


if __name__ == "__main__":
    sys.exit(main())
