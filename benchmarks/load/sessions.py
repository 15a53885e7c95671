"""Many editors at once: typing, hovering, completing, searching and chatting scripts over one daemon, and its memory.

    python -m benchmarks.load.sessions FOLDER [--sessions 20] [--minutes 10] [--seed 1] [--json FILE]

The vault is copied. Every session is a client of its own with its own relay, and does one thing after the other with the pauses
of a person in a hurry. Told are the times of each kind of request, errors, the memory of the daemon, and how fast that grows
over the second half (the first fills caches). At the end every session saves its note: each must be found, nothing else lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import BaseLanguageClient

from benchmarks.load.desk import ask, copied, daemon, editor, leave, megabytes, quiet

_PAUSES = (0.05, 0.6)
_SAMPLE_SECONDS = 5.0
_MOST_ADDED = 40
"""Lines that a note may be longer than it was."""
_MOST_GROWTH = 30.0
"""MB an hour: beyond it memory is said not to be flat."""
_LEAST_SECONDS = 240.0
_REQUESTS = ("type", "type", "type", "hover", "hover", "complete", "search", "related", "chat")
_CANCELLED = -32800


@dataclass
class Told:
    """What was measured."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Milliseconds of each kind of request."""
    errors: list[str] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    """Seconds since the beginning, and MB of the daemon."""


class Person:
    """One editor with one note open."""

    def __init__(self, number: int, seed: int, client: BaseLanguageClient, vault: Path, path: Path, words: list[str]) -> None:
        """Write in the note at `path` and ask about `words`."""
        self._random = random.Random(seed * 1000 + number)
        self._client, self._vault, self._words = client, vault, words
        self.path, self.token = path, f"zugvogel{seed}x{number}"
        self.text = path.read_text(errors="replace")
        self._most_lines = self.text.count("\n") + _MOST_ADDED
        self._version = 1
        item = types.TextDocumentItem(uri=path.as_uri(), language_id="markdown", version=1, text=self.text)
        client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))

    async def work(self, until: float, told: Told) -> None:
        """Do one thing after the other."""
        while time.monotonic() < until:
            kind = self._random.choice(_REQUESTS)
            begun = time.perf_counter()
            try:
                await getattr(self, kind)()
                told.times[kind].append((time.perf_counter() - begun) * 1000)
            except JsonRpcException as error:
                if error.code != _CANCELLED:
                    told.errors.append(f"{kind}: {error}")
            await asyncio.sleep(self._random.uniform(*_PAUSES))

    async def type(self) -> None:
        """Write some words at the end, or take the last lines away: notes that grew for an hour would take ever more memory."""
        lines = self.text.count("\n")
        if lines > self._most_lines or (self._random.random() < 0.2 and lines > 3):
            kept = lines - self._random.randint(1, _MOST_ADDED // 2)
            self._change("".join(self.text.splitlines(keepends=True)[: max(2, kept)]))
        else:
            self._change(self.text + " ".join(self._random.choices(self._words, k=4)) + "\n")
        await ask(self._client, "khoj/status", {"vault": str(self._vault)})  # answered behind the change

    async def hover(self) -> None:
        """Point at a line."""
        await self._client.text_document_hover_async(types.HoverParams(self._document, self._somewhere()))

    async def complete(self) -> None:
        """Begin a link at the end."""
        self._change(f"{self.text}[[{self._random.choice(self._words)[:3]}")
        place = types.Position(self.text.count("\n"), len(self.text.rsplit("\n", 1)[-1]))
        await self._client.text_document_completion_async(types.CompletionParams(self._document, place))
        self._change(self.text.rsplit("[[", 1)[0])

    async def search(self) -> None:
        """Look for a few words."""
        query = " ".join(self._random.choices(self._words, k=self._random.randint(1, 4)))
        await ask(self._client, "khoj/search", {"query": query})

    async def related(self) -> None:
        """Ask what belongs to a line."""
        place = self._somewhere()
        await ask(
            self._client,
            "khoj/related",
            {"textDocument": {"uri": self.path.as_uri()}, "position": {"line": place.line, "character": 0}},
        )

    async def chat(self) -> None:
        """Ask a question that the passages themselves answer."""
        question = "What about " + " and ".join(self._random.choices(self._words, k=3)) + "?"
        await ask(self._client, "khoj/ask", {"message": question, "model": "none", "keep": self._random.random() < 0.2})

    def save(self) -> None:
        """Write the note with words that no other has."""
        self._change(f"{self.text}\n{self.token} is what this session wrote last.\n")
        self.path.write_text(self.text)
        self._client.text_document_did_save(types.DidSaveTextDocumentParams(self._document))
        self._client.text_document_did_close(types.DidCloseTextDocumentParams(self._document))

    @property
    def _document(self) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.path.as_uri())

    def _somewhere(self) -> types.Position:
        return types.Position(self._random.randrange(self.text.count("\n") + 1), 0)

    def _change(self, text: str) -> None:
        self.text, self._version = text, self._version + 1
        self._client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self._version, self.path.as_uri()),
                [types.TextDocumentContentChangeWholeDocument(text)],
            )
        )


async def measure(vault: Path, sessions: int, minutes: float, seed: int) -> Told:
    """Let all of them work at once, and look at the daemon meanwhile."""
    notes = [path for path in sorted(vault.rglob("*.md")) if 500 < path.stat().st_size < 50_000]
    chosen = random.Random(seed).sample(notes, sessions)
    words = sorted({word for path in chosen for word in path.read_text(errors="replace").split() if word.isalpha()})
    clients = [await editor(vault) for _ in range(sessions)]
    await quiet(clients[0], vault, "idle", "embed", "paused")
    people = [
        Person(number, seed, client, vault, path, words)
        for number, (client, path) in enumerate(zip(clients, chosen, strict=True))
    ]
    told = Told()
    begun = time.monotonic()
    until = begun + minutes * 60
    watching = asyncio.create_task(_watch(told, begun, minutes))
    await asyncio.gather(*(each.work(until, told) for each in people))
    await watching
    for each in people:
        each.save()
    await quiet(clients[0], vault, "idle")
    for each in people:
        found = await ask(clients[0], "khoj/search", {"query": f'+"{each.token}"', "mode": "lexical"})
        if [hit.uri.split("#")[0] for hit in found.hits] != [each.path.as_uri()]:
            told.errors.append(f"what was saved in {each.path.name} is found {len(found.hits)} times")
    for client in clients:
        await leave(client)
    return told


async def _watch(told: Told, begun: float, minutes: float) -> None:
    """Look at the daemon's memory, and say once a minute how far it is."""
    process, said = daemon(), 0
    while (passed := time.monotonic() - begun) < minutes * 60:
        told.memory.append((passed, megabytes(process)))
        if passed // 60 >= said:
            said = int(passed // 60) + 1
            requests = sum(map(len, told.times.values()))
            state = f"{requests:,} requests, {len(told.errors)} errors, {told.memory[-1][1]:.0f} MB"
            print(f"minute {said} of {minutes:g}: {state}", file=sys.stderr)
        await asyncio.sleep(_SAMPLE_SECONDS)


def growth(memory: list[tuple[float, float]]) -> float | None:
    """MB an hour over the second half of the time (least squares); None for a time that is too short to tell."""
    if memory[-1][0] < _LEAST_SECONDS:
        return None
    half = [each for each in memory if each[0] >= memory[-1][0] / 2]
    slope, _ = statistics.linear_regression([at for at, _ in half], [used for _, used in half])
    return slope * 3600


def course(memory: list[tuple[float, float]]) -> list[int]:
    """The lowest MB of each minute: what stays when nothing is under way."""
    minutes: dict[int, float] = {}
    for at, used in memory:
        minutes[int(at // 60)] = min(used, minutes.get(int(at // 60), used))
    return [round(minutes[number]) for number in sorted(minutes)]


def main() -> int:
    """Measure; 1 when something failed or memory grew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write what was measured there, too")
    options = parser.parse_args()
    with copied(options.folder) as vault:
        told = asyncio.run(measure(vault, options.sessions, options.minutes, options.seed))
    grown = growth(told.memory)
    result = {
        "sessions": options.sessions,
        "minutes": options.minutes,
        "seed": options.seed,
        "requests": {
            kind: {
                "count": len(times),
                "p50_ms": round(statistics.median(times), 1),
                "p95_ms": round(statistics.quantiles(times, n=20)[-1], 1),
                "most_ms": round(max(times), 1),
            }
            for kind, times in sorted(told.times.items())
            if len(times) > 1
        },
        "errors": told.errors,
        "memory_mb": {"first": round(told.memory[0][1]), "most": round(max(used for _, used in told.memory))},
        "memory_mb_by_minute": course(told.memory),
        "growth_mb_per_hour": grown and round(grown, 1),
    }
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    return int(bool(told.errors) or (grown or 0.0) > _MOST_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
