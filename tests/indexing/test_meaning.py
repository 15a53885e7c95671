"""The meaning path: order, changes of model, consent, privacy, faults, and what was lost."""

from __future__ import annotations

import threading

import pytest
from indexing_bench import PATIENCE, InlinePool
from indexing_toys import ToyEncoder, vector

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.core.errors import ModelError
from khoj_ls.core.types import Chunk, Span
from khoj_ls.indexing import embedding, meaning
from khoj_ls.indexing.cutting import Cutting
from khoj_ls.indexing.messages import Answer
from khoj_ls.indexing.models import ModelInfo, active_model
from khoj_ls.indexing.overlay import Overlays
from khoj_ls.indexing.queue import Lane
from khoj_ls.store.chunks import chunk_hash


def notes(bench, count: int = 3) -> None:
    for number in range(count):
        bench.write(f"{number}.md", f"# N{number}\nwords\n")


def test_each_chunk_gets_the_vector_of_its_text(bench):
    notes(bench)
    bench.open().index()
    stored = dict(bench.rows("SELECT hash, vector FROM embedding"))
    assert stored == {chunk_hash(text): vector(text) for text in bench.encoder.texts}
    assert bench.rows("SELECT count(*) FROM pending") == [(0,)]


def test_words_are_complete_before_anything_is_embedded(bench):
    class Witness(ToyEncoder):
        def embed_documents(self, texts):
            found.append(len(bench.paths()))
            return super().embed_documents(texts)

    found: list[int] = []
    bench.encoder = Witness()
    notes(bench, 300)  # more than one transaction holds
    bench.open().index()
    assert found[0] == 300
    assert bench.covered() == (300, 300)


def test_the_backlog_is_cut_only_a_little_ahead_of_the_encoder(bench, monkeypatch):
    class Witness(ToyEncoder):
        def embed_documents(self, texts):
            waiting.append(bench.rows("SELECT count(*) FROM pending")[0][0])
            status = bench.indexer.state()
            told.append(status.pending)
            return super().embed_documents(texts)

    waiting: list[int] = []
    told: list[int] = []
    monkeypatch.setattr(embedding, "_ENOUGH_TEXTS", 16)
    bench.encoder = Witness()
    bench.embedding_settings = EmbeddingSettings(batch_tokens=8)
    notes(bench, 300)
    bench.open().index()
    assert 0 < max(waiting) < 16 + 2 * InlinePool.width + 16
    assert max(told) > 250  # what is not cut yet is counted
    assert bench.covered() == (300, 300)


def test_an_edit_is_embedded_before_the_backlog(bench):
    bench.embedding_settings = EmbeddingSettings(batch_tokens=8)
    notes(bench, 20)
    bench.encoder.open.clear()
    bench.open()
    assert bench.encoder.asked.wait(PATIENCE)
    bench.write("edit.md", "# Edit\nurgent\n")
    bench.indexer.changed("edit.md")
    bench.until(lambda: bench.rows("SELECT 1 FROM pending WHERE priority > 0"))
    bench.encoder.open.set()
    bench.settle()
    place = [i for i, text in enumerate(bench.encoder.texts) if "urgent" in text]
    # Behind the batch that was under way, before the rest.
    assert place[0] < 5
    assert bench.covered() == (21, 21)


def test_a_buffer_is_embedded_once_it_rests(bench):
    notes(bench, 1)
    bench.open(buffer_rest_seconds=3600.0).index()
    bench.indexer.overlay("0.md", "# N0\nwords\n", 1)
    for version in range(2, 5):
        bench.indexer.overlay("0.md", f"# N0\ntyping {version}\n", version)
        bench.until(lambda version=version: bench.finds(f"typing {version}"))
    assert not any("typing" in text for text in bench.encoder.texts)
    bench.write("0.md", "# N0\ntyping 4\n")
    bench.indexer.changed("0.md")
    bench.settle()
    assert sum("typing" in text for text in bench.encoder.texts) == 1


# -- another model -----------------------------------------------------------------------------------------------------


def active(bench) -> str:
    return bench.rows("SELECT value FROM meta WHERE key = 'active_model'")[0][0]


@pytest.mark.parametrize("tokenizer", ["", "other:"], ids=["same chunker", "other chunker"])
def test_a_new_model_takes_over_when_all_notes_are_embedded_with_it(bench, snapshot, tokenizer):
    notes(bench)
    bench.open().index()
    bench.close()
    old = bench.encoder
    bench.encoder = ToyEncoder("toy-2", tokenizer=tokenizer)
    bench.encoder.open.clear()
    bench.open()
    assert bench.encoder.asked.wait(PATIENCE)
    assert active(bench) == "toy-1"
    assert "toy-1 answers meanwhile" in bench.indexer.state().message
    # The old model's chunks and vectors are all there to answer with.
    covered = (
        "SELECT count(*) FROM chunk c JOIN model m ON m.chunker_id = c.chunker_id JOIN embedding v ON v.hash = c.hash "
        "AND v.model_id = m.id WHERE m.key = 'toy-1'"
    )
    assert bench.rows(covered) == [(3,)]
    bench.encoder.open.set()
    bench.settle()
    assert active(bench) == "toy-2"
    assert bench.covered() == (3, 3)
    assert bench.indexer.state().message == ""
    assert bench.rows("SELECT count(DISTINCT chunker_id) FROM chunk") == [(1,)]
    # Back to the first: its vectors are still known.
    bench.close()
    bench.encoder = old
    before = len(old.texts)
    bench.open().index()
    assert (active(bench), len(old.texts)) == ("toy-1", before)


def test_a_change_of_model_goes_on_after_a_restart(bench):
    bench.embedding_settings = EmbeddingSettings(batch_tokens=8)
    notes(bench, 10)
    bench.open().index()
    bench.close()
    bench.encoder = ToyEncoder("toy-2", tokenizer="t:")
    bench.open()
    bench.until(lambda: bench.encoder.texts)
    bench.reopen().index()
    assert active(bench) == "toy-2"
    assert len(bench.encoder.texts) == len(set(bench.encoder.texts)) or len(bench.encoder.texts) <= 12
    assert bench.covered() == (10, 10)


def test_edits_during_a_change_of_model_are_in_the_new_set(bench):
    notes(bench)
    bench.open().index()
    bench.close()
    bench.encoder = ToyEncoder("toy-2", tokenizer="t:")
    bench.encoder.open.clear()
    bench.open()
    assert bench.encoder.asked.wait(PATIENCE)
    bench.write("0.md", "# Changed\nnew words\n")
    bench.indexer.changed("0.md")
    bench.until(lambda: bench.finds("new words"))
    bench.encoder.open.set()
    bench.settle()
    assert bench.covered() == (3, 3)


# -- remote models -------------------------------------------------------------------------------------------------------


def test_nothing_goes_to_a_remote_model_without_consent(bench):
    bench.encoder = ToyEncoder(remote="https://api.example.com")
    notes(bench)
    report = bench.open().index()
    assert (report.files, report.chunks, report.embedded) == (3, 3, 0)
    assert bench.encoder.texts == []
    assert bench.finds("words") == ["0.md", "1.md", "2.md"]
    state = bench.indexer.state()
    assert state.phase == "waiting"
    assert "3 texts (" in state.message
    assert "https://api.example.com" in state.message
    assert "embedding.allow_remote" in state.message and "$" not in state.message
    assert (state.pending, state.working) == (3, False), "nobody needs to stay up for it"


def test_what_embedding_would_cost_is_told_where_the_price_is_known(bench):
    bench.encoder = ToyEncoder(remote="https://api.openai.com")
    bench.embedding_settings = EmbeddingSettings(model="remote", endpoint="https://api.openai.com/v1")
    notes(bench)
    bench.open().index()
    assert "https://api.openai.com at a cost of about $" in bench.indexer.state().message


def test_private_notes_never_go_to_a_remote_model(bench):
    bench.encoder = ToyEncoder(remote="https://api.example.com")
    bench.embedding_settings = EmbeddingSettings(allow_remote=True)
    notes(bench, 2)
    bench.write("diary.md", "# Diary\nPRIVATE thoughts\n")
    report = bench.open().index()
    assert report.embedded == 2
    assert not any("PRIVATE" in text for text in bench.encoder.texts)
    assert bench.indexer.state().phase == "idle"
    assert bench.indexer.state().pending == 0


def test_private_notes_are_embedded_on_this_machine(bench):
    bench.write("diary.md", "# Diary\nPRIVATE thoughts\n")
    bench.open().index()
    assert bench.covered() == (1, 1)


# -- faults --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [ModelError("the model folder /m is missing: choose another"), RuntimeError("toy fault")])
def test_a_model_that_fails_leaves_words_complete_and_is_tried_again(bench, fault):
    bench.encoder.fault = fault
    notes(bench)
    report = bench.open().index()
    assert (report.files, report.embedded) == (3, 0)
    assert str(fault) in bench.indexer.state().message
    assert bench.indexer.state().phase == "waiting"
    assert bench.finds("words") == ["0.md", "1.md", "2.md"]
    bench.encoder.fault = None
    assert bench.indexer.index().embedded == 3
    assert bench.indexer.state().message == ""


def test_a_model_that_cannot_be_prepared_is_tried_again(bench):
    class Unprepared(ToyEncoder):
        ready = False

        def info(self) -> ModelInfo:
            if not self.ready:
                raise ModelError("no model called foo")
            return super().info()

    bench.encoder = Unprepared()
    notes(bench)
    assert bench.open().index().chunks == 0
    assert "no model called foo" in bench.indexer.state().message
    bench.encoder.ready = True
    assert bench.indexer.index().embedded == 3


@pytest.mark.parametrize("answer", [[], [b"1234"] * 3, [vector("a")] * 4])
def test_vectors_that_cannot_be_right_are_not_stored(bench, monkeypatch, answer):
    monkeypatch.setattr(bench.encoder, "embed_documents", lambda texts: answer)
    notes(bench)
    assert bench.open().index().embedded == 0
    assert "were expected" in bench.indexer.state().message
    assert bench.rows("SELECT count(*) FROM embedding") == [(0,)]


@pytest.mark.parametrize("loss", ["DELETE FROM pending", "DELETE FROM embedding", "DELETE FROM embedding WHERE id = 1"])
def test_lost_vectors_are_made_again_at_the_next_start(bench, loss):
    notes(bench)
    bench.open().index()
    with bench.database.write() as connection:
        connection.execute(loss)
    bench.reopen().index()
    assert bench.covered() == (3, 3)


@pytest.mark.parametrize("event", ["forget", "want"])
def test_chunks_of_a_file_that_changed_while_it_was_cut_are_not_stored(bench, event):
    notes(bench, 1)
    bench.open()
    bench.indexer.index()
    info = bench.encoder.info()
    model = active_model(bench.database._writer)
    [(file_id,)] = bench.rows("SELECT id FROM file")
    jobs: list = []
    cutting = Cutting(bench.database, Overlays(0.0), jobs.append)
    cutting.want(file_id, Lane.LIVE)
    assert cutting.begin(info, 9)
    {"forget": cutting.forget, "want": lambda file_id: cutting.want(file_id, Lane.LIVE)}[event](file_id)
    cutting.cut(jobs[0], Answer(chunks=(Chunk(0, 0, 0, Span(0, 1, 1, 1), "old text", 3),)))
    assert cutting.store(model) is None
    assert bench.rows("SELECT count(*) FROM pending") == [(0,)]
    assert len(cutting) == (event == "want")


def test_a_file_that_cannot_be_cut_is_found_by_words_and_named(bench):
    notes(bench)
    bench.write("bad.md", "# Bad\n!!uncut words\n")
    report = bench.open().index()
    assert bench.finds("uncut") == ["bad.md"]
    assert bench.covered() == (3, 3)
    [(path, reason)] = report.failures
    assert path == "bad.md"
    assert reason.startswith("it is found by words only, since the content processor failed (RuntimeError: toy fault)")


# -- housekeeping --------------------------------------------------------------------------------------------------------


def test_unused_vectors_are_kept_for_an_undo_and_purged_later(bench):
    notes(bench)
    bench.open(keep_vectors_days=14.0).index()
    (bench.root / "1.md").unlink()
    with bench.database.write() as connection:
        connection.execute("UPDATE meta SET value = '1' WHERE key = 'last_purge'")
    bench.reopen(keep_vectors_days=14.0).index()
    counts = "SELECT (SELECT count(*) FROM embedding), (SELECT count(*) FROM unused_embedding)"
    bench.until(lambda: bench.rows(counts) == [(2, 1)])
    # A month later.
    with bench.database.write() as connection:
        connection.execute("UPDATE unused_embedding SET since = 1")
        connection.execute("UPDATE meta SET value = '1' WHERE key = 'last_purge'")
    bench.reopen(keep_vectors_days=14.0).index()
    assert bench.rows(counts) == [(2, 0)]
    assert bench.covered() == (2, 2)


def test_versions_that_were_written_over_leave_the_searches_while_somebody_always_writes(bench, monkeypatch):
    class Author(ToyEncoder):
        """Has written a next version, and that was cut, before the last one has its vector: never is all done."""

        def embed_documents(self, texts):
            searched.append(bench.rows("SELECT count(*) FROM embedding")[0][0])
            if len(searched) <= 60:
                bench.write("0.md", f"# Draft\nversion {len(searched)}\n")
                bench.indexer.changed("0.md")
                bench.until(lambda: bench.rows(f"SELECT 1 FROM pending WHERE text LIKE '%version {len(searched)}%'"))
            return super().embed_documents(texts)

    searched: list[int] = []
    monkeypatch.setattr(meaning, "_SET_ASIDE_AFTER", 10)
    monkeypatch.setattr(meaning, "_SET_ASIDE_AT_ONCE", 4)
    bench.encoder = Author()
    notes(bench)
    bench.open().index()
    assert len(searched) > 60
    assert 10 < max(searched) <= 3 + 10 + 4
    assert bench.rows("SELECT (SELECT count(*) FROM embedding) + (SELECT count(*) FROM unused_embedding)") == [(3 + 60,)]
    assert bench.covered() == (3, 3)


def test_the_vector_index_is_caught_up_while_vectors_come_in(bench):
    caught_up = threading.Event()
    bench.catch_up = caught_up.set
    notes(bench)
    bench.open().index()
    assert caught_up.wait(PATIENCE)


def test_the_state_tells_what_waits(bench):
    notes(bench, 10)
    bench.encoder.open.clear()
    bench.open()
    bench.until(lambda: bench.indexer.state().phase == "embed")
    state = bench.indexer.state()
    assert (state.queue, state.paused, state.scanning, state.working) == (0, False, False, True)
    assert state.pending > 0
    bench.encoder.open.set()
    bench.settle()
    assert bench.indexer.state() == type(state)(0, 0, "idle", False, False, False, None, "")
