"""A vault and its indexer, set up and asked in one place; and what an index holds, to be compared."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from dataclasses import replace
from pathlib import Path

from indexing_toys import TOOLS, Tools, ToyEncoder, ToyRegistry

from khoj_ls.config.settings import EmbeddingSettings, IndexSettings, Settings
from khoj_ls.indexing.indexer import Indexer
from khoj_ls.indexing.messages import Answer, Parse
from khoj_ls.store.database import Database

PATIENCE = 60.0
"""Seconds a condition may take on a machine that does much else; only a failing test ever waits so long."""


class InlinePool:
    """Does in this process and at once what parser workers do; each example would start several of them."""

    width = slow_width = 8
    trouble = ""

    def __init__(self, settings, wake, **options) -> None:
        self._wake = wake
        self._tools = Tools()
        self._done: deque = deque()

    def submit(self, job) -> None:
        work = job.work
        try:
            if isinstance(work, Parse):
                answer = Answer(parsed=self._tools.parse(work.data, work.path))
            else:
                answer = Answer(chunks=tuple(self._tools.cut(work.title, work.entries, work.tokenizer, work.max_tokens)))
        except RuntimeError as error:
            answer = Answer(error=f"the content processor failed (RuntimeError: {error})")
        self._done.append((job, answer))
        self._wake()

    def results(self) -> list:
        done, self._done = list(self._done), deque()
        return done

    def withdraw(self) -> list:
        return []  # nothing ever waits

    def close(self) -> None:
        pass


class Workbench:
    """A vault in a temporary folder, with an indexer that can be opened, closed and opened again."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "vault"
        self.root.mkdir(parents=True)
        self.database_path = folder / "data" / "index.db"
        self.encoder: ToyEncoder | None = ToyEncoder()
        self.registry = ToyRegistry()
        self.events: list = []
        self.news = threading.Condition()
        self.database: Database | None = None
        self.indexer: Indexer | None = None
        self.index_settings = IndexSettings(debounce_seconds=0.0, buffer_rest_seconds=0.0, parser_workers=1)
        self.embedding_settings = EmbeddingSettings()
        self.catch_up = self.courtesy = None

    # -- files

    def write(self, path: str, text: str | bytes = "# Note\ntext\n") -> Path:
        full = self.root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        return full

    # -- the indexer

    def open(self, *, watch: bool = False, **changes) -> Indexer:
        self.database = self.database or Database(self.database_path)
        settings = Settings(index=replace(self.index_settings, **changes), embedding=self.embedding_settings)
        self.indexer = Indexer(
            self.root,
            self.database,
            self.registry,
            self.encoder,
            settings,
            self._hear,
            tools=TOOLS,
            catch_up=self.catch_up,
            courtesy=self.courtesy,
        )
        self.indexer.start(watch=watch)
        return self.indexer

    def close(self) -> None:
        if self.indexer:
            self.indexer.close()
            self.indexer = None
        if self.database:
            self.database.close()
            self.database = None

    def reopen(self, **changes) -> Indexer:
        self.close()
        return self.open(**changes)

    def settle(self) -> None:
        """Wait until all that the indexer was told is done."""
        assert self.indexer.wait(PATIENCE), self.indexer.state()

    def _hear(self, event) -> None:
        with self.news:
            self.events.append(event)
            self.news.notify_all()

    def until(self, condition) -> None:
        """Wait until `condition()` holds, looking again at each event and, for what has no event, now and then."""
        deadline = time.monotonic() + PATIENCE
        with self.news:
            while not condition():
                assert time.monotonic() < deadline, (self.indexer.state(), self.events[-5:])
                self.news.wait(0.05)

    # -- the index

    def rows(self, sql: str, *values) -> list:
        with self.database.read() as connection:
            return connection.execute(sql, values).fetchall()

    def paths(self) -> list[str]:
        return [path for (path,) in self.rows("SELECT path FROM file WHERE status = 'indexed' ORDER BY path")]

    def failures(self) -> dict[str, str]:
        return dict(self.indexer.index(wait=False).failures)

    def finds(self, words: str) -> list[str]:
        """Paths of the notes whose entries match."""
        sql = (
            "SELECT DISTINCT f.path FROM entry_fts x JOIN entry e ON e.id = x.rowid JOIN file f ON f.id = e.file_id "
            "WHERE entry_fts MATCH ? ORDER BY f.path"
        )
        return [path for (path,) in self.rows(sql, f'"{words}"')]

    def covered(self) -> tuple[int, int]:
        """Chunks with a vector, and chunks."""
        sql = "SELECT count(*) FROM chunk c {} WHERE c.chunker_id = (SELECT chunker_id FROM model ORDER BY id DESC LIMIT 1)"
        join = "JOIN embedding v ON v.hash = c.hash AND v.model_id = (SELECT id FROM model ORDER BY id DESC LIMIT 1)"
        return self.rows(sql.format(join))[0][0], self.rows(sql.format(""))[0][0]


def plant(bench: Workbench) -> None:
    """Four notes, two of them alike."""
    bench.write("a.md", "# Router\nchannel thirtysix\n")
    bench.write("b.md", "# Bread\nsour dough\n")
    bench.write("folder/c.md", "# Plum\ntree\n")
    bench.write("folder/d.md", "# Bread\nsour dough\n")


class Snapshot:
    """All that an index holds, in order, without ids and times."""

    _QUERIES = (
        "SELECT path, type, size, content_hash, title, status, origin, private, aliases, tags, properties, dates, problems "
        "FROM file ORDER BY path",
        "SELECT f.path, e.ordinal, e.parent, e.level, e.heading, e.outline, e.start_byte, e.end_byte, e.line, e.end_line, "
        "e.raw, e.text, e.blocks, e.todo, e.tags, e.private, e.hash FROM entry e JOIN file f ON f.id = e.file_id ORDER BY 1, 2",
        "SELECT f.path, l.entry, l.kind, l.target, l.start_byte FROM link l JOIN file f ON f.id = l.file_id ORDER BY 1, 5",
        "SELECT f.path, a.entry, a.kind, a.name, a.start_byte FROM anchor a JOIN file f ON f.id = a.file_id ORDER BY 1, 5",
        "SELECT f.path, k.key, c.ordinal, c.entry, c.last_entry, c.hash, c.start_byte, c.end_byte, c.tokens, c.private "
        "FROM chunk c LEFT JOIN file f ON f.id = c.file_id JOIN chunker k ON k.id = c.chunker_id ORDER BY 1, 2, 3",
        "SELECT f.path, k.key FROM chunked c LEFT JOIN file f ON f.id = c.file_id JOIN chunker k ON k.id = c.chunker_id "
        "ORDER BY 1, 2",
        "SELECT DISTINCT m.key, v.hash, v.vector FROM embedding v JOIN model m ON m.id = v.model_id "
        "JOIN chunk c ON c.hash = v.hash ORDER BY 1, 2",
        "SELECT DISTINCT m.key, p.hash FROM pending p JOIN model m ON m.id = p.model_id JOIN chunk c ON c.hash = p.hash "
        "ORDER BY 1, 2",
        "SELECT value FROM meta WHERE key = 'active_model'",
        "SELECT term, doc, cnt FROM entry_vocab ORDER BY term",
    )

    def __call__(self, bench: Workbench) -> list:
        return self.of(bench.database_path)

    def of(self, path: Path) -> list:
        """Read by a connection of its own."""
        connection = sqlite3.connect(path)
        try:
            connection.execute("CREATE VIRTUAL TABLE temp.file_vocab USING fts5vocab(main, file_fts, row)")
            words = connection.execute("SELECT term, doc, cnt FROM file_vocab ORDER BY term").fetchall()
            return [*(connection.execute(query).fetchall() for query in self._QUERIES), words]
        finally:
            connection.close()

    def from_scratch(self, bench: Workbench, **changes) -> list:
        """What an index of the same notes holds that was built at once."""
        other = Workbench.__new__(Workbench)
        other.__dict__ = {**bench.__dict__, "database": None, "indexer": None, "events": [], "encoder": ToyEncoder()}
        other.database_path = bench.database_path.with_name("scratch.db")
        for path in other.database_path.parent.glob("scratch.db*"):
            path.unlink()
        try:
            other.open(**changes).index()
            return self.of(other.database_path)
        finally:
            other.close()
