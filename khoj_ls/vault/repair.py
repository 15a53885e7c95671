"""Repairing what is kept of a vault: its index is held against one made from the notes, its conversations are read through.

Nothing may write the vault meanwhile. What cannot be made again (conversations) is only ever copied to a new file, beside which
the damaged one stays; what can be (words, links, the HNSW file) is made again, and vectors that are sound are taken over.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from khoj_ls.config.settings import Settings
from khoj_ls.content.registry import default_registry
from khoj_ls.core.errors import KhojError, StoreError
from khoj_ls.embed.service import EncoderService
from khoj_ls.indexing.encoder import IndexingEncoder
from khoj_ls.indexing.indexer import Indexer
from khoj_ls.indexing.parsers import ParserPlugins
from khoj_ls.plugins.manager import PluginManager
from khoj_ls.store.checksum import checksum
from khoj_ls.store.contents import MEANING, TABLES, digests
from khoj_ls.store.conversations_file import ConversationsFile
from khoj_ls.store.database import Database, set_aside
from khoj_ls.store.lock import WriterLock
from khoj_ls.store.recovery import salvage_vectors
from khoj_ls.store.soundness import fault_in, unsound_vectors

log = logging.getLogger(__name__)

State = Literal["intact", "repaired", "failed"]
_HOOK_SECONDS = 5.0
_MADE = tuple(name for name in MEANING if name not in ("embedding", "pending"))


@dataclass(frozen=True)
class Repair:
    """What was found, and done about it."""

    name: str
    """index, vectors, words, conversations, leftovers"""
    state: State
    message: str


@dataclass(frozen=True)
class Bench:
    """What an index is made with."""

    settings: Settings
    plugins: PluginManager
    encoder: EncoderService | None
    """A model that is ready on this machine; None: words are made, and what hangs on meaning is left to the daemon."""


def repair_vault(own: Path, root: Path, bench: Bench) -> Iterator[Repair]:
    """Repair the data folder `own` of the vault at `root`; one result for each thing looked at. Never raises KhojError."""
    lock = WriterLock(own)
    if not lock.acquire():
        yield Repair("index", "failed", f"{root}: another process writes it: end your editors, and try again")
        return
    try:
        steps = (_leftovers(own), _index(own, root, bench), _caches(own), _conversations(own))
        for step in steps:
            try:
                yield from step
            except (KhojError, OSError, sqlite3.Error) as error:
                yield Repair("index", "failed", f"{root}: {error}")
    finally:
        lock.release()


def _leftovers(own: Path) -> Iterator[Repair]:
    """Files that a process was writing when it was killed."""
    left = [path for pattern in ("*.tmp", "index.db.fresh*", "index.db.rescued*") for path in own.glob(pattern)]
    for path in left:
        path.unlink()
    if left:
        yield Repair("leftovers", "repaired", f"{own}: {len(left)} unfinished files of a process that was killed were removed")


def _index(own: Path, root: Path, bench: Bench) -> Iterator[Repair]:
    path, fresh = own / "index.db", own / "index.db.fresh"
    if not path.exists():
        return
    fault = fault_in(path)
    if not root.is_dir():
        told = f"it is damaged ({fault}), and is made anew when the notes are there again" if fault else "intact in itself"
        yield Repair("index", "failed" if fault else "intact", f"{root} is not there to be held against: {told}")
        return
    fault = fault or _brought_up(root, path, bench)
    try:
        database = Database(fresh)
        saved = salvage_vectors(path, database)
        _indexed(root, database, bench)
        fault = fault or _difference(path, fresh, bench)
        if not fault:
            yield Repair("index", "intact", f"{root}: it holds what an index made from the notes just now holds")
            return
        kept = set_aside(path)
        fresh.replace(path)
    finally:
        for left in own.glob("index.db.fresh*"):
            left.unlink()
    log.error("the index of %s was repaired: %s", root, fault)
    told = f"{root}: {fault}; it was made anew from the notes, with {saved} vectors of the old file, which is kept as {kept}"
    yield Repair("index", "repaired", told)


def _brought_up(root: Path, path: Path, bench: Bench) -> str:
    """Bring the index up to date, so that nothing but damage tells it from a new one; why that cannot be done."""
    try:
        unsound = unsound_vectors(path)
        _indexed(root, Database(path), bench)
    except (StoreError, sqlite3.Error) as error:
        return str(error)
    return f"{unsound} vectors are damaged" if unsound else ""


def _indexed(root: Path, database: Database, bench: Bench) -> None:
    """Index `root` into `database`, and close it."""
    indexer = Indexer(
        root,
        database,
        default_registry(bench.plugins),
        IndexingEncoder(bench.encoder) if bench.encoder else None,
        bench.settings,
        lambda event: None,
        plugins=ParserPlugins(bench.plugins.order(str(root), _HOOK_SECONDS), bench.plugins.hooks.reported),
    )
    try:
        indexer.start(watch=False)
        indexer.index()
    finally:
        indexer.close()
        database.close()


def _difference(path: Path, fresh: Path, bench: Bench) -> str:
    """In what two indexes differ."""
    tables = {**TABLES, **({name: MEANING[name] for name in _MADE} if bench.encoder else {})}
    try:
        with contextlib.closing(_reader(path)) as ours, contextlib.closing(_reader(fresh)) as theirs:
            held, right = digests(ours, tables), digests(theirs, tables)
    except sqlite3.Error as error:
        return f"it cannot be read through ({error})"
    wrong = [name for name in tables if held[name] != right[name]]
    return f"it differs from the notes in {', '.join(wrong)}" if wrong else ""


def _reader(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def _caches(own: Path) -> Iterator[Repair]:
    """Files beside the index that are not what their description says: nobody would load them, so they are only in the way."""
    for kind, cache in (*(("vectors", path) for path in own.glob("vectors-*.hnsw")), ("words", own / "words.postings")):
        if not cache.exists():
            continue
        described = cache.with_name(f"{cache.name}.json")
        try:
            right = json.loads(described.read_bytes())["checksum"] == checksum(cache)
        except (OSError, ValueError, KeyError, TypeError):
            right = False
        if not right:
            cache.unlink()
            described.unlink(missing_ok=True)
            yield Repair(kind, "repaired", f"{cache.name} was damaged and was deleted: searches make it anew")


def _conversations(own: Path) -> Iterator[Repair]:
    path = own / "conversations.db"
    file = ConversationsFile(path)
    try:
        if told := file.mend():
            yield Repair("conversations", "repaired", told)
        elif path.exists():
            yield Repair("conversations", "intact", f"{path}: intact")
    finally:
        file.close()
