"""Completion and diagnostics while one writes, through a real server over a vault of many notes, also while it is embedded.

    python -m benchmarks.editing FOLDER [--samples 200] [--backlog]

The vault is copied, so that nothing in FOLDER is touched. Without --backlog embedding is paused once all words are
indexed; with it the encoder works on the backlog all the while. Times are those of the client: from sending to having the
answer.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import BaseLanguageClient

GOAL_COMPLETION_MS, GOAL_DIAGNOSTICS_MS = 50.0, 100.0
_READY_SECONDS = 900.0


def main() -> int:
    """Measure one folder; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--backlog", action="store_true", help="measure while the notes are being embedded")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["KHOJ_LS_HOME"] = str(Path(folder) / "home")
        vault = Path(folder) / "vault"
        shutil.copytree(options.folder, vault)
        (vault / ".khoj.toml").touch()
        try:
            return asyncio.run(measure(vault, options.samples, options.backlog))
        finally:
            subprocess.run([sys.executable, "-m", "khoj_ls", "daemon", "stop"], check=False, capture_output=True)


class Client(BaseLanguageClient):
    """A client that notes when diagnostics come."""

    def __init__(self) -> None:
        """Know of none."""
        super().__init__("benchmark", "1")
        self.told: dict[str, list[types.Diagnostic]] = {}
        self.came = asyncio.Event()


async def measure(vault: Path, samples: int, backlog: bool) -> int:
    """Open the vault, wait for its words, then write in a note."""
    client = Client()

    @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def published(params: types.PublishDiagnosticsParams) -> None:
        client.told[params.uri] = list(params.diagnostics)
        client.came.set()

    @client.feature("khoj/indexChanged")
    def changed(params: object) -> None:
        pass  # progress is asked for

    await client.start_io(sys.executable, "-m", "khoj_ls", "lsp", "--stdio")
    await client.initialize_async(
        types.InitializeParams(
            capabilities=types.ClientCapabilities(),
            workspace_folders=[types.WorkspaceFolder(uri=vault.as_uri(), name="vault")],
        )
    )
    client.initialized(types.InitializedParams())
    phase = await until_words(client, vault)
    if not backlog:
        await client.protocol.send_request_async("khoj/pause", {"vault": str(vault)})
    paths = [path for path in sorted(vault.rglob("*.md")) if path.stat().st_size < 30_000]
    print(f"{len(paths)} notes of Markdown; phase {phase}, {'embedding goes on' if backlog else 'embedding is paused'}")
    chosen = random.Random(1).sample(paths, 12)
    completions = await complete(client, chosen, samples)
    diagnostics = await diagnose(client, chosen, samples // 4)
    missed = show("completion", completions, GOAL_COMPLETION_MS) | show(
        "diagnostics after an edit", diagnostics, GOAL_DIAGNOSTICS_MS
    )
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()
    return int(missed)


async def until_words(client: Client, vault: Path) -> str:
    """Wait until all notes are found by their words; the phase that follows."""
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until:
        status: Any = await client.protocol.send_request_async("khoj/status", {"vault": str(vault)})
        phase = status.vaults[0].phase
        if phase not in ("scan", "words") and status.vaults[0].files > 0:
            return str(phase)
        await asyncio.sleep(0.5)
    raise TimeoutError("the notes were not read in time")


async def complete(client: Client, paths: list[Path], samples: int) -> list[float]:
    """Write the beginnings of links key by key, and ask at each."""
    numbers = random.Random(2)
    words = [word for path in paths for word in path.stem.split("-") if len(word) > 3]
    times = []
    version = 1
    path = paths[0]
    before = path.read_text(errors="replace") + "\n"
    line = before.count("\n")
    open_document(client, path, before)
    while len(times) < samples:
        word = numbers.choice(words)
        opening = numbers.choice(["[[", "[[", "[x](", "![[", "#"])
        for length in range(min(5, len(word)) + 1):
            version += 1
            text = f"so {opening}{word[:length]}"
            change(client, path, version, before + text)
            begun = time.perf_counter()
            await client.text_document_completion_async(
                types.CompletionParams(
                    text_document=types.TextDocumentIdentifier(uri=path.as_uri()),
                    position=types.Position(line=line, character=len(text)),
                )
            )
            times.append((time.perf_counter() - begun) * 1000)
            await asyncio.sleep(0.08)  # nobody writes faster
    return times[3:]  # the first reads the names


async def diagnose(client: Client, paths: list[Path], samples: int) -> list[float]:
    """Break a link far from the last edit and mend it: until the client is told."""
    times = []
    version = 1
    for number in range(samples):
        path = paths[1 + number % (len(paths) - 1)]
        uri = path.as_uri()
        if number < len(paths) - 1:
            open_document(client, path, path.read_text(errors="replace"))
        version += 1
        # Both edits are whole texts; a link that is mended is told at once, a new one when the text rests.
        broken = f"[[no such note {number}]]\n" + path.read_text(errors="replace")
        change(client, path, version, broken)
        await told(client, uri, f"no such note {number}", True)
        version += 1
        begun = time.perf_counter()
        change(client, path, version, broken.replace(f"[[no such note {number}]]", "mended"))
        await told(client, uri, f"no such note {number}", False)
        times.append((time.perf_counter() - begun) * 1000)
    return times


async def told(client: Client, uri: str, name: str, there: bool) -> None:
    """Wait until a diagnostic about `name` is there, or is not."""
    while any(name in each.message for each in client.told.get(uri, [])) is not there:
        client.came.clear()
        await asyncio.wait_for(client.came.wait(), 60)


def open_document(client: Client, path: Path, text: str) -> None:
    """Open a note."""
    item = types.TextDocumentItem(uri=path.as_uri(), language_id="markdown", version=1, text=text)
    client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))


def change(client: Client, path: Path, version: int, text: str) -> None:
    """Give a note another text."""
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            text_document=types.VersionedTextDocumentIdentifier(uri=path.as_uri(), version=version),
            content_changes=[types.TextDocumentContentChangeWholeDocument(text=text)],
        )
    )


def show(what: str, times: list[float], goal: float) -> bool:
    """One line for people; whether the goal is missed."""
    p95 = statistics.quantiles(times, n=20)[-1]
    print(f"{what}: p50 {statistics.median(times):.1f} ms, p95 {p95:.1f} ms, most {max(times):.1f} ms (goal p95 {goal:g})")
    return p95 > goal


if __name__ == "__main__":
    sys.exit(main())
