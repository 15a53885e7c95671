"""What is remembered of the notes' chunks is what the index holds, after any change to it."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khoj_ls.core.types import Span
from khoj_ls.search import chunk_cache
from khoj_ls.search.chunk_cache import ChunkCache
from khoj_ls.store.note_chunks import HeldChunk, note_chunks

TEXTS = ("plain\n", "# Plum\n\nPruned.\n# Pear\n\nPicked.\n", "# Pear\n\nPicked.\n", "# A\n\na\n## B\n\nb\n### C\n\nc\n")
NAMES = ("file_id", "entry", "span", "covered")
CHANGES = st.tuples(st.sampled_from("abc"), st.sampled_from(TEXTS), st.booleans(), st.booleans())


@settings(max_examples=40, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=6))
def test_what_is_remembered_is_what_is_there(empty_vault, changes):
    # A folder of each example's own: tmp_path is one for all of them.
    with tempfile.TemporaryDirectory() as folder:
        vault = empty_vault(Path(folder))
        cache = ChunkCache()
        for name, text, embedded, whole in changes:
            vault.put(f"{name}.md", text, embedded=embedded, whole=whole)
            with vault.database.read() as connection:
                reader = cache.of(connection, vault.model)
                embeddings = [row[0] for row in connection.execute("SELECT id FROM embedding")]
                entries = connection.execute("SELECT file_id, ordinal, id FROM entry").fetchall()
                there = stored(connection, vault.model)
                chunks = [held for each in there.values() for held in each]
                for _ in ("read", "remembered"):
                    assert by_chunk(reader.of_embeddings(embeddings)) == by_chunk(there)
                    for file_id, ordinal, entry in entries:
                        covering = {
                            embedding: [held for held in each if entry in held["covered"]] for embedding, each in there.items()
                        }
                        assert by_chunk(reader.of_entries([(file_id, ordinal)])) == by_chunk(covering)
                    found = {file for each in reader.homes(embeddings).values() for file in each}
                    assert found == {held["file_id"] for held in chunks}
                    notes = reader.of_notes(vault.files.values())
                    sizes = dict(connection.execute("SELECT id, size FROM file"))
                    assert {file_id: note.file_bytes for file_id, note in notes.items()} == sizes
                    counts = sorted(pair for note in notes.values() for pair in note.token_counts())
                    assert counts == sorted((embedding, held["tokens"]) for embedding, each in there.items() for held in each)
        vault.database.close()


def stored(connection, model):
    """All chunks that have a vector, by embedding, as the database has them."""
    rows = connection.execute(
        "SELECT v.id, c.tokens, c.id, c.file_id, c.entry, c.start_byte, c.end_byte, c.line, c.end_line, "
        "(SELECT json_group_array(id) FROM (SELECT id FROM entry e "
        "WHERE e.file_id = c.file_id AND e.ordinal BETWEEN c.entry AND c.last_entry ORDER BY ordinal)) "
        "FROM embedding v JOIN chunk c ON c.hash = v.hash AND c.chunker_id = ? WHERE v.model_id = ?",
        (model.chunker_id, model.id),
    )
    found = {}
    for embedding, tokens, chunk, file_id, entry, *span, covered in rows:
        held = {"id": chunk, "file_id": file_id, "entry": entry, "span": Span(*span), "covered": json.loads(covered)}
        found.setdefault(embedding, []).append({**held, "tokens": tokens})
    return found


def by_chunk(found):
    """What is told of chunks, in one order whether they were read by the cache or here."""
    told = [(embedding, held if isinstance(held, dict) else read(held)) for embedding, each in found.items() for held in each]
    return sorted((embedding, held["id"], *(held[name] for name in NAMES)) for embedding, held in told)


def read(held):
    return {"id": held.id, **{name: getattr(held, name) for name in NAMES[:-1]}, "covered": list(held.covered)}


def test_readers_of_two_states_do_not_mix_what_they_read(empty_vault, tmp_path):
    vault = empty_vault(tmp_path)
    vault.put("a.md", TEXTS[1])
    vault.put("b.md", TEXTS[0])
    notes = list(vault.files.values())
    cache = ChunkCache()
    before = sqlite3.connect(vault.database.path, isolation_level=None)
    before.execute("BEGIN")
    old = cache.of(before, vault.model)
    first = old.of_notes(notes)
    first_told = told(first)
    vault.put("a.md", TEXTS[3])
    with vault.database.read() as connection:
        new = cache.of(connection, vault.model)
        second = new.of_notes(notes)
        assert told(second) == told(ChunkCache().of(connection, vault.model).of_notes(notes)) != first_told
        assert told(old.of_notes(notes)) == first_told
        assert told(new.of_notes(notes)) == told(second)
        a, b = notes
        assert (second[a] is first[a], second[b] is first[b]) == (False, True)
    before.close()
    vault.database.close()


def told(notes):
    return {file_id: [read(HeldChunk(note, place)) for place in range(len(note))] for file_id, note in notes.items()}


def test_a_chunk_of_which_no_entry_is_there_is_passed_over(empty_vault, tmp_path):
    vault = empty_vault(tmp_path)
    vault.put("a.md", TEXTS[1])
    with vault.database.write() as connection:
        connection.execute("DELETE FROM entry")
    with vault.database.read() as connection:
        embeddings = [row[0] for row in connection.execute("SELECT id FROM embedding")]
        reader = ChunkCache().of(connection, vault.model)
        assert embeddings
        assert reader.of_embeddings(embeddings) == {}
        assert reader.of_entries([(file_id, 0) for file_id in vault.files.values()]) == {}
    vault.database.close()


@pytest.mark.parametrize(("over", "read_later"), [(False, []), (True, ["c.md"])])
def test_what_was_read_ahead_is_not_read_again(empty_vault, tmp_path, monkeypatch, over, read_later):
    monkeypatch.setattr(chunk_cache, "_FILLED_AT_ONCE", 2)
    vault = empty_vault(tmp_path)
    for name in "abc":
        vault.put(f"{name}.md", TEXTS[1])
    cache = ChunkCache()
    cache.fill(vault.database, vault.model, lambda: over)
    read = []
    monkeypatch.setattr(chunk_cache, "note_chunks", lambda *args: read.extend(args[2]) or note_chunks(*args))
    with vault.database.read() as connection:
        found = cache.of(connection, vault.model).of_notes(vault.files.values())
    assert [len(found[vault.files[f"{name}.md"]]) for name in "abc"] == [2, 2, 2]
    assert len(read) == len(read_later)
    vault.database.close()
