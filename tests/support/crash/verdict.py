"""Is everything right again? It answers, says what it did, and its index is the one that is built from scratch."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from crash.ground import PATIENCE, Ground, Hung, until
from crash.scratch import Scratch

from khoj_ls.core.errors import KhojError
from khoj_ls.store.contents import MEANING, TABLES, rows

_VECTORS = "SELECT m.key, v.hash, v.vector FROM embedding v JOIN model m ON m.id = v.model_id JOIN chunk c ON c.hash = v.hash"
_SHOWN = 3


def faults(ground: Ground, scratch: Scratch, random: Random) -> Iterator[str]:
    """What is wrong, in words; nothing when all is well."""
    try:
        # The daemon hears of the end of an editor by itself, and goes back to the files then.
        left = 1 + (ground.session is not None and not ground.session.over)
        until(lambda: ground.ask("status")["daemon"]["sessions"] <= left, "the end of an editor's session")
        report = ground.ask("reindex", wait=True)[0]
        # A watcher may tell of a file once more.
        status: dict[str, Any] = {}
        until(lambda: _at_rest(status, ground), f"the end of indexing, {status},")
    except (KhojError, Hung) as error:
        yield f"it does not index: {type(error).__name__}: {error}"
        return
    if report["failures"]:
        yield f"failures: {report['failures'][:_SHOWN]}"
    if status["queue"] or status["coverage"] < 1:
        yield f"it is not at rest: {status}"
    yield from _differences(ground, scratch)
    yield from _unfound(ground, random)
    yield from _conversations(ground)


def _at_rest(status: dict[str, Any], ground: Ground) -> bool:
    """Put how the vault is now into `status`; whether it rests."""
    status.update(ground.ask("status")["vaults"][0])
    return bool(status["phase"] == "idle")


def _differences(ground: Ground, scratch: Scratch) -> Iterator[str]:
    """Tables of the index that hold something else than those of one built from scratch."""
    other = ground.base / "scratch" / "index.db"
    shutil.rmtree(other.parent, ignore_errors=True)
    scratch.build(ground.vault, other)
    with closing(_reader(ground.database)) as ours, closing(_reader(other)) as theirs:
        for problem in ours.execute("PRAGMA integrity_check(3)"):
            if problem[0] != "ok":
                yield f"integrity: {problem[0]}"
        for table, query in {**TABLES, **MEANING}.items():
            held, right = sorted(map(repr, rows(ours, query))), sorted(map(repr, rows(theirs, query)))
            if held != right:
                more, less = sorted(set(held) - set(right)), sorted(set(right) - set(held))
                yield f"{table}: {len(more)} rows too many, {len(less)} missing: {more[:_SHOWN]} {less[:_SHOWN]}"
        mine, others = ({row[:2]: row[2] for row in each.execute(_VECTORS)} for each in (ours, theirs))
        wrong = [key for key, vector in others.items() if not _near(vector, mine.get(key))]
        if wrong:
            yield f"{len(wrong)} vectors are not those of their texts"
    shutil.rmtree(other.parent)


def _reader(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=PATIENCE)


def _near(vector: bytes, other: bytes | None) -> bool:
    if other is None or len(other) != len(vector):
        return False
    # What is computed together with other texts differs in the last bits.
    return bool(np.allclose(np.frombuffer(vector, np.float32), np.frombuffer(other, np.float32), atol=1e-3))


def _unfound(ground: Ground, random: Random) -> Iterator[str]:
    """Passages that are not found where they stand: by words, and by the text that they were embedded with."""
    with closing(_reader(ground.database)) as connection:
        known = connection.execute(
            "SELECT f.path, e.raw, e.line, e.end_line FROM entry e JOIN file f ON f.id = e.file_id WHERE e.raw LIKE '%mark%x%'"
        ).fetchall()
    for path, raw, first, last in random.sample(known, min(2, len(known))):
        marks = [word for word in raw.split() if word.startswith("mark") and "x" in word]
        for mode, query in (("lexical", marks[0]), ("dense", raw)):
            found = _answer(ground, query, mode)
            places = [(hit["uri"], hit["range"]["start"]["line"], hit["range"]["end"]["line"]) for hit in found["hits"]]
            uri = (ground.vault.resolve() / path).as_uri()
            if not any(each == uri and start < last and first <= end for each, start, end in places):
                yield f"{mode}: {query[:60]!r} of {path}:{first}-{last} is not found: {found['reason']} {places[:_SHOWN]}"


def _answer(ground: Ground, query: str, mode: str) -> dict[str, Any]:
    """What a search finds once nothing is left out of it: on a busy machine the model may not answer in time."""
    for _ in range(5):
        found = ground.ask("search", query=query, mode=mode, limit=100)
        if not found["degraded"]:
            break
    return dict(found)


def _conversations(ground: Ground) -> Iterator[str]:
    titles = {known["title"] for known in ground.ask("conversations", action="list", limit=100)["conversations"]}
    lost = [question for question in ground.asked[-90:] if question not in titles]
    if lost:
        yield f"{len(lost)} answered questions of {len(ground.asked)} are not kept: {lost[:_SHOWN]}"


def ill_health(ground: Ground) -> Iterator[str]:
    """What `doctor` finds wrong with the indexes."""
    done = ground.cli("doctor", "--vault", str(ground.vault), "--json")
    try:
        checks = json.loads(done.stdout)["checks"]
    except ValueError:
        yield f"doctor fails: {done.stdout[-200:]} {done.stderr[-200:]}"
        return
    yield from (f"doctor: {check['name']}: {check['message']}" for check in checks if check["state"] == "fail")
