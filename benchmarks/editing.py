"""Hover, definition, completion, diagnostics and search through a real server over 10,000 notes, while they are embedded.

    python -m benchmarks.editing [FOLDER] [--samples 200]

In blocks, in turns: with embedding paused, and with the encoder at work on the backlog; what was measured with it paused is the
baseline. Times are those of the client, from sending to having the answer; a hover is on a link. FOLDER is copied, so that
nothing in it is touched. At the end stands what each process has in memory.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any

import psutil
from lsprotocol import types
from pygls.lsp.client import BaseLanguageClient

from benchmarks.indexing import make_vault
from benchmarks.load.desk import start
from khoj_ls.daemon.client import DaemonClient
from khoj_ls.evaluation.speed.home import throw_away_home
from khoj_ls.evaluation.speed.rows import Row, lines, p50, p95, p99, row
from khoj_ls.evaluation.speed.searching import ask, queries

ASKED = ("hover", "definition", "completion")
_BLOCKS = 4

_READY_SECONDS = 900.0
_NOTES = 10_000
_SETTLE_SECONDS = 1.0
_LOOK_SECONDS = 0.2
_LONGEST_NOTE = 30_000
_REST_SECONDS = 0.08
"""Nobody writes faster."""


def main() -> int:
    """Measure one folder; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="notes of yours; copied. Without: notes made up from a seed")
    parser.add_argument("--samples", type=int, default=200)
    options = parser.parse_args()
    found = list(rows(options.folder, options.samples))
    print("\n".join(lines(found)))
    return int(any(each.met is False for each in found))


def rows(folder: Path | None = None, samples: int = 200) -> Iterator[Row]:
    """Its rows, over the notes of `folder` or over made-up ones."""
    with throw_away_home() as home:
        vault = home / "vault"
        if folder:
            shutil.copytree(folder, vault)
        else:
            make_vault(vault, _NOTES, 1)
        (vault / ".khoj.toml").touch()
        yield from asyncio.run(measure(vault, samples))


class Client(BaseLanguageClient):
    """A client that notes when diagnostics come."""

    def __init__(self) -> None:
        """Know of none."""
        super().__init__("benchmark", "1")
        self.told: dict[str, list[types.Diagnostic]] = {}
        self.came = asyncio.Event()


async def measure(vault: Path, samples: int) -> list[Row]:
    """Open the vault, wait for its words, then ask in blocks, in turns with embedding paused and going on."""
    client = await started(vault)
    await until_words(client, vault)
    small = [path for path in sorted(vault.rglob("*.md")) if path.stat().st_size < _LONGEST_NOTE]
    chosen = random.Random(1).sample(small, 12)
    times: dict[bool, dict[str, list[float]]] = {False: defaultdict(list), True: defaultdict(list)}
    desk = Desk(client, vault, chosen)
    with DaemonClient.connect() as daemon:
        for number in range(2 * _BLOCKS):
            backlog = bool(number % 2)
            await client.protocol.send_request_async("khoj/resume" if backlog else "khoj/pause", {"vault": str(vault)})
            if backlog:
                await until_embedding(client, vault)
            else:
                await asyncio.sleep(_SETTLE_SECONDS)  # what was handed out before is through
            for name, found in (await desk.block(samples // _BLOCKS)).items():
                times[backlog][name] += found
            times[backlog]["search"] += await asyncio.to_thread(desk.searches, daemon, samples // _BLOCKS)
        state = await asyncio.to_thread(daemon.call, "khoj/status", {"vault": str(vault)})
    found = list(rows_of(times, state, children_of(client)))
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()
    return found


def rows_of(times: dict[bool, dict[str, list[float]]], state: dict[str, Any], relay_mb: float) -> Iterator[Row]:
    """The rows of what was measured beside a backlog, with the idle times as baselines; and the memory of each process."""
    [index], process = state["vaults"], state["daemon"]
    about = f"{index['files']:,} notes, {index['entries']:,} entries; {index['coverage']:.0%} embedded at the end"
    for name in ASKED:
        beside, idle = times[True][name], times[False][name]
        note = f"p95 {p95(beside):.1f}, idle {p95(idle):.1f}, of {len(beside)}; {about}"
        yield row(f"{name} while embedding, p99", p99(beside), p99(idle), note=note)
    beside, idle = times[True]["diagnostics"], times[False]["diagnostics"]
    yield row("diagnostics after an edit while embedding, p95", p95(beside), p95(idle), note=f"of {len(beside)}")
    beside, idle = times[True]["search"], times[False]["search"]
    yield row("search in the daemon while embedding, p95", p95(beside), p95(idle), note=f"p50 {p50(beside):.1f}; {about}")
    yield row("daemon at 10,000 notes: memory", process["rss_bytes"] / 1e6, note=about)
    if process["worker"] and process["worker"]["rss_bytes"]:
        note = f"{process['worker']['backend']}, beside a backlog"
        yield row("encoder process: memory", process["worker"]["rss_bytes"] / 1e6, note=note)
    yield row("relay: memory", relay_mb)


def children_of(client: Client) -> float:
    """Megabytes of the relay that this process started."""
    return float(psutil.Process(client._server.pid).memory_info().rss / 1e6)  # type: ignore[union-attr]  # it runs


async def until_embedding(client: Client, vault: Path) -> None:
    """Wait until more passages have their vectors than when this was called, or all have. Raises TimeoutError."""
    until, before = time.monotonic() + _READY_SECONDS, None
    while time.monotonic() < until:
        status: Any = await client.protocol.send_request_async("khoj/status", {"vault": str(vault)})
        now = status.vaults[0]
        before = now.embedded if before is None else before
        if now.embedded > before or now.phase == "idle":
            return
        await asyncio.sleep(_LOOK_SECONDS)
    raise TimeoutError("nothing was embedded in time")


class Desk:
    """Somebody who writes in a few notes of a vault."""

    def __init__(self, client: Client, vault: Path, paths: list[Path]) -> None:
        """Work on `paths` of `vault`."""
        self._client = client
        self._vault = vault
        self._paths = paths
        self._numbers = random.Random(2)
        self._texts = queries(vault, random.Random(3))
        self._versions: dict[Path, int] = {}

    async def block(self, samples: int) -> dict[str, list[float]]:
        """Milliseconds by method of so many requests of each kind, and of a fourth as many edits to their diagnostics."""
        times: dict[str, list[float]] = defaultdict(list)
        for number in range(samples):
            path = self._paths[number % len(self._paths)]
            line, character = self._link_in(path)
            place = {"text_document": types.TextDocumentIdentifier(path.as_uri()), "position": types.Position(line, character)}
            for method, asked in (
                ("hover", self._client.text_document_hover_async(types.HoverParams(**place))),
                ("definition", self._client.text_document_definition_async(types.DefinitionParams(**place))),
            ):
                times[method].append(await timed(asked))
            times["completion"].append(await self._complete(path))
            await asyncio.sleep(_REST_SECONDS)
        for _ in range(max(1, samples // 4)):
            times["diagnostics"].append(await self._mend(self._numbers.choice(self._paths[1:])))
        return times

    def searches(self, daemon: DaemonClient, count: int) -> list[float]:
        """Milliseconds of so many new searches."""
        return [ask(daemon, self._vault, next(self._texts))[0] for _ in range(count)]

    def _write(self, path: Path, text: str) -> None:
        """Give a note another text, opening it first where it is not open."""
        version = self._versions[path] = self._versions.get(path, 0) + 1
        if version == 1:
            open_document(self._client, path, text)
        else:
            change(self._client, path, version, text)

    def _link_in(self, path: Path) -> tuple[int, int]:
        """The place of a link of a note, which is open then with the text it has on the disk."""
        text = path.read_text(errors="replace")
        if path not in self._versions:
            self._write(path, text)
        found = [(number, line.find("](") + 3) for number, line in enumerate(text.splitlines()) if "](" in line]
        return self._numbers.choice(found) if found else (0, 0)

    async def _complete(self, path: Path) -> float:
        """Write the beginning of a link at the end of a note, and ask there."""
        text = path.read_text(errors="replace") + "\n"
        opening = self._numbers.choice(("[[", "[[", "[x](", "![[", "#"))
        written = f"so {opening}{self._numbers.choice(self._paths).stem[: self._numbers.randrange(4)]}"
        self._write(path, text + written)
        position = types.Position(text.count("\n"), len(written))
        asked = types.CompletionParams(types.TextDocumentIdentifier(path.as_uri()), position)
        taken = await timed(self._client.text_document_completion_async(asked))
        self._write(path, text)
        return taken

    async def _mend(self, path: Path) -> float:
        """Break a link, and mend it: until the client is told. What is mended is told at once, a new link when it rests."""
        text, uri = path.read_text(errors="replace"), path.as_uri()
        name = f"no such note {self._versions.get(path, 0)}"
        broken = f"[[{name}]]\n{text}"
        self._write(path, broken)
        await told(self._client, uri, name, True)
        begun = time.perf_counter()
        self._write(path, broken.replace(f"[[{name}]]", "mended"))
        await told(self._client, uri, name, False)
        return (time.perf_counter() - begun) * 1000


async def timed(asked: Awaitable[object]) -> float:
    """Milliseconds until the answer is there."""
    begun = time.perf_counter()
    await asked
    return (time.perf_counter() - begun) * 1000


async def started(vault: Path) -> Client:
    """A client of a server on `vault`."""
    client = Client()

    @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def published(params: types.PublishDiagnosticsParams) -> None:
        client.told[params.uri] = list(params.diagnostics)
        client.came.set()

    @client.feature("khoj/indexChanged")
    def changed(params: object) -> None:
        pass  # progress is asked for

    await start(client, vault)
    return client


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


if __name__ == "__main__":
    sys.exit(main())
