"""Vectors are made once, by model, kind and text, and found again in a file that older versions wrote."""

from __future__ import annotations

import hashlib
import sqlite3

import pytest

from khoj_ls.core.errors import StoreError
from khoj_ls.evaluation.vectors import VectorCache


class Encoder:
    """Tells what it was asked for."""

    def __init__(self, id: str = "model 1") -> None:
        self.id = id
        self.asked: list[str] = []

    def embed_documents(self, texts):
        self.asked += texts
        return [f"document {text}".encode() for text in texts]

    def embed_query(self, text):
        self.asked.append(text)
        return f"query {text}".encode()


def test_a_text_is_embedded_once(tmp_path):
    path, encoder = tmp_path / "new" / "vectors.db", Encoder()
    cache = VectorCache(path, encoder)
    assert cache.embed(["bb", "a", "bb"]) == [b"document bb", b"document a", b"document bb"]
    assert encoder.asked == ["a", "bb"]
    assert cache.embed(["a", "c"]) == [b"document a", b"document c"]
    assert cache.embed(["a"], "query") == [b"query a"]
    cache.close()
    assert encoder.asked == ["a", "bb", "c", "a"]
    VectorCache(path, again := Encoder()).embed(["a", "bb", "c"])
    VectorCache(path, other := Encoder("model 2")).embed(["a"])
    assert (again.asked, other.asked) == ([], ["a"])


def test_what_was_made_before_an_interruption_is_kept(tmp_path):
    class Stopping(Encoder):
        def embed_documents(self, texts):
            if self.asked:
                raise KeyboardInterrupt
            return super().embed_documents(texts)

    texts = [f"text {number:04}" for number in range(600)]
    with pytest.raises(KeyboardInterrupt):
        VectorCache(tmp_path / "vectors.db", Stopping()).embed(texts)
    VectorCache(tmp_path / "vectors.db", encoder := Encoder()).embed(texts)
    assert 0 < len(encoder.asked) < len(texts)


def test_progress_counts_what_is_known_as_done(tmp_path):
    cache = VectorCache(tmp_path / "vectors.db", Encoder())
    cache.embed(["a", "b"])
    told = []
    cache.embed(["a", "b", "c"], progress=lambda progress: told.append((progress.phase, progress.done, progress.total)))
    cache.embed(["d", "a"], progress=lambda progress: told.append((progress.done, progress.total)), done=10, total=50)
    cache.embed(["a"], progress=told.append)
    assert told == [("embed", 2, 3), (11, 50)]


def test_the_form_of_the_file_is_kept(tmp_path):
    with sqlite3.connect(tmp_path / "vectors.db") as older:
        older.execute("CREATE TABLE vector (key BLOB PRIMARY KEY, vector BLOB)")
        key = hashlib.blake2b(b"model 1\0document\0text", digest_size=16).digest()
        older.execute("INSERT INTO vector VALUES (?, ?)", (key, b"kept"))
    assert VectorCache(tmp_path / "vectors.db", Encoder()).embed(["text"]) == [b"kept"]


def test_a_file_that_is_no_cache(tmp_path):
    (tmp_path / "vectors.db").write_text("not a database, but long enough to be read as one " * 50)
    with pytest.raises(StoreError, match=r"vectors\.db cannot be used as a cache of vectors"):
        VectorCache(tmp_path / "vectors.db", Encoder())
