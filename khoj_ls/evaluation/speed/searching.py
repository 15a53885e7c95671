"""How long a search takes over the socket of a running daemon, its model included, in a vault of real notes."""

from __future__ import annotations

import random
import re
import time
import timeit
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from khoj_ls.daemon.client import DaemonClient
from khoj_ls.evaluation.speed.rows import Row, p50, p95, row

FILTERS = ("type:markdown", "dt>=2000", "-path:archive", "-tag:draft", "-todo:*", 'file:"*.md"', "-heading:changelog", "path:a")
"""One of them goes with every query of those with a filter."""

NEW, AGAIN, FILTERED = "new query", "the same again", "new query with a filter"
RESTED = "new query after a rest"
"""The kinds of query. Where nothing was asked for a while, processors have gone to sleep and caches hold other things."""

LOOP = "a loop that is always the same"

_WARM = 20
_ASKED_BETWEEN_LOOPS = 5
_AT_A_TIME = 50
_REST_SECONDS = 0.02
_SUFFIXES = frozenset((".md", ".org", ".txt", ".markdown"))
_TRIES = 10_000


def search_rows(daemon: DaemonClient, root: Path, count: int, seed: int) -> Iterator[Row]:
    """The rows of `count` queries; what they had to search stands in the note."""
    times = search_times(daemon, root, count, random.Random(seed))
    [state] = daemon.call("khoj/status", {"vault": str(root)})["vaults"]
    there = f"{state['files']:,} notes, {state['chunks']:,} passages"
    if state["coverage"] < 1:
        there += f", {state['coverage']:.0%} of them with their vectors"
    asked = f"{count} queries, each a new one"
    for kind, found in (("", times[NEW]), (" with a filter", times[FILTERED])):
        name = f"search in the daemon{kind}"
        yield row(f"{name}, p50", p50(found), p50(times[LOOP]), note=there)
        yield row(f"{name}, p95", p95(found), note=asked)
    new, rested = times[NEW], times[RESTED]
    yield row("search in the daemon after a rest, p50", p50(rested), p50(new), note=f"of 20 ms; p95 {p95(rested):.1f} ms")


def search_times(daemon: DaemonClient, root: Path, count: int, numbers: random.Random) -> dict[str, list[float]]:
    """Milliseconds by kind of query, and of the parts of the new ones. No query is asked twice but where that is measured.

    Each kind is asked one after the other, the kinds in turns: what one leaves behind - a rest, a filter - is not another's.
    Between the new ones a loop that is always the same tells how fast the machine is just then.
    """
    texts = queries(root, numbers)
    for text in islice(texts, _WARM):
        ask(daemon, root, text)
    times: dict[str, list[float]] = {NEW: [], AGAIN: [], FILTERED: [], RESTED: [], LOOP: []}
    parts: dict[str, list[float]] = {}
    for start in range(0, count, _AT_A_TIME):
        block = list(islice(texts, min(_AT_A_TIME, count - start)))
        for number, text in enumerate(block):
            if number % _ASKED_BETWEEN_LOOPS == 0:
                times[LOOP].append(_loop())
            took, answer = ask(daemon, root, text)
            times[NEW].append(took)
            for part, milliseconds in answer["timings"].items():
                parts.setdefault(f"  of a new one: {part}", []).append(milliseconds)
        times[AGAIN] += [ask(daemon, root, text)[0] for text in block]
        filters = (FILTERS[(start + number) % len(FILTERS)] for number in range(len(block)))
        filtered = [f"{text} {each}" for text, each in zip(islice(texts, len(block)), filters, strict=False)]
        times[FILTERED] += [ask(daemon, root, text)[0] for text in filtered]
        for text in list(islice(texts, len(block))):
            time.sleep(_REST_SECONDS)
            times[RESTED].append(ask(daemon, root, text)[0])
    return {**times, **parts}


def _loop() -> float:
    """Milliseconds of LOOP."""
    return timeit.timeit("for i in range(25_000): x += i * i % 7", "x = 0", number=1) * 1000


def queries(root: Path, numbers: random.Random) -> Iterator[str]:
    """2 to 9 words in a row out of the notes, ever new ones; it ends when the notes have no more."""
    files = sorted(path for path in root.rglob("*") if path.suffix in _SUFFIXES and path.is_file())
    asked: set[str] = set()
    misses = 0
    while files and misses < _TRIES:
        words = re.findall(r"[^\W_]+", numbers.choice(files).read_text(encoding="utf-8", errors="replace"))
        size = numbers.randint(2, 9)
        start = numbers.randrange(max(1, len(words) - size + 1))
        text = " ".join(words[start : start + size])
        if len(words) < size or text in asked:
            misses += 1
            continue
        asked.add(text)
        yield text


def ask(daemon: DaemonClient, root: Path, query: str) -> tuple[float, Any]:
    """Milliseconds and answer of one search."""
    begun = time.perf_counter()
    answer = daemon.call("khoj/search", {"query": query, "vault": str(root)})
    return (time.perf_counter() - begun) * 1000, answer
