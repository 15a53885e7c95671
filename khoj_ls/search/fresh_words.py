"""The words of the few files that were written lately, as arrays: cut by FTS5 in a word index of their own."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from khoj_ls.search.matching import TOKENIZER
from khoj_ls.store import fts
from khoj_ls.store.postings import Postings, WordTable, read_postings


class FreshWords:
    """A word index of some files, in memory. Not thread-safe."""

    def __init__(self, tables: Sequence[WordTable]) -> None:
        """Hold none yet, of the database's two word indexes."""
        self._tables = tables
        self._held: dict[int, int] = {}
        self._own = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._own.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY, file_id INTEGER)")
        self._own.execute("CREATE TABLE file (id INTEGER PRIMARY KEY)")
        for table in tables:
            columns = ", ".join(table.columns)
            self._own.execute(f"CREATE VIRTUAL TABLE {table.name} USING fts5({columns}, tokenize = '{TOKENIZER}')")
            self._own.execute(f"CREATE VIRTUAL TABLE {table.name}_hit USING fts5vocab({table.name}, 'instance')")

    def of(self, connection: sqlite3.Connection, files: Mapping[int, int]) -> dict[WordTable, Postings]:
        """The postings of these files in the state that `connection` reads; each is read again when its number is another."""
        gone = [file for file, drawn in self._held.items() if files.get(file) != drawn]
        new = [file for file, drawn in files.items() if self._held.get(file) != drawn]
        self._own.execute("BEGIN")
        try:
            self._drop(gone)
            for file in new:
                self._take(connection, file)
            self._own.execute("COMMIT")
        except BaseException:  # whatever it was, half of it is of no use; it is raised again
            self._own.execute("ROLLBACK")
            raise
        self._held = dict(files)
        return {table: read_postings(self._own, table) for table in self._tables}

    def clear(self) -> None:
        """Hold none any more."""
        self._drop(list(self._held))
        self._held = {}

    def _drop(self, files: Sequence[int]) -> None:
        these = (json.dumps(files),)
        listed = "(SELECT value FROM json_each(?))"
        self._own.execute(f"DELETE FROM entry_fts WHERE rowid IN (SELECT id FROM entry WHERE file_id IN {listed})", these)
        self._own.execute(f"DELETE FROM entry WHERE file_id IN {listed}", these)
        self._own.execute(f"DELETE FROM file_fts WHERE rowid IN {listed}", these)
        self._own.execute(f"DELETE FROM file WHERE id IN {listed}", these)

    def _take(self, connection: sqlite3.Connection, file: int) -> None:
        words = fts.stored_entry_words(connection, file)
        self._own.executemany("INSERT INTO entry VALUES (?, ?)", ((row[0], file) for row in words))
        fts.add_entries(self._own, words)
        self._own.execute("INSERT INTO file VALUES (?)", (file,))
        fts.add_file(self._own, fts.stored_file_words(connection, file))
