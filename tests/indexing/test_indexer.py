"""The word path from end to end: what changes on disk and in buffers is what is found, and nothing is done twice."""

from __future__ import annotations

import os
import shutil
import threading

import pytest
from indexing_bench import plant

from khoj_ls.core.errors import Cancelled
from khoj_ls.core.jobs import CancelToken
from khoj_ls.indexing.pipeline import _MERGED_AFTER, _MOST_SEGMENTS


def test_a_vault_is_indexed_and_found_by_words(real_bench):
    real_bench.write("a.md", "# Router\nchannel thirtysix\n# Bread\nsour dough\n")
    real_bench.write("deep/b.md", "title: Garden\nplum tree\n")
    report = real_bench.open().index()
    assert (report.files, report.entries, report.chunks, report.embedded, report.reused) == (2, 3, 3, 3, 0)
    assert (report.removed, report.failures) == (0, ())
    assert real_bench.finds("sour dough") == ["a.md"]
    assert real_bench.finds("garden") == ["deep/b.md"]
    assert real_bench.covered() == (3, 3)


def test_from_the_first_moment_on_the_phase_says_whether_all_notes_were_read(real_bench):
    for number in range(40):
        real_bench.write(f"{number}.md", "words\n")
    indexer = real_bench.open()
    while indexer.state().phase in ("scan", "words"):
        continue
    assert len(real_bench.paths()) == 40


@pytest.mark.parametrize("path", ["new\nline.md", "😀 émoji 名.md", "a'b\"c%.md", "deep/" * 30 + "x.md"])
def test_any_name_is_indexed_edited_and_forgotten(bench, path):
    bench.write(path, "# First\nwords\n")
    bench.open().index()
    assert bench.finds("first") == [path]
    bench.write(path, "# Second\nwords\n")
    bench.indexer.changed(path)
    bench.settle()
    assert bench.finds("second") == [path]
    (bench.root / path).unlink()
    bench.indexer.index()
    assert bench.paths() == []


def test_opening_an_unchanged_vault_again_reads_and_embeds_nothing(bench):
    for number in range(5):
        bench.write(f"{number}.md", f"# N{number}\n")
    bench.open().index()
    # What was written a moment before it was read is read once more; only then it is trusted.
    bench.settle()
    bench.reopen()
    report = bench.indexer.index()
    assert bench.indexer.counts.read == 0
    assert (report.embedded, report.reused, report.removed) == (0, 5, 0)


CHANGES = {
    "edit": lambda bench: bench.write("a.md", "# New\nother words\n"),
    "same size, same time": lambda bench: rewrite_with_old_times(bench),
    "delete": lambda bench: (bench.root / "a.md").unlink(),
    "rename": lambda bench: (bench.root / "a.md").rename(bench.root / "z.md"),
    "rename and edit": lambda bench: (
        (bench.root / "a.md").rename(bench.root / "z.md"),
        bench.write("z.md", "# New\nother\n"),
    ),
    "rename a folder": lambda bench: (bench.root / "folder").rename(bench.root / "moved"),
    "delete a folder": lambda bench: shutil.rmtree(bench.root / "folder"),
    "swap two files": lambda bench: (
        (bench.root / "a.md").rename(bench.root / "t.md"),
        (bench.root / "b.md").rename(bench.root / "a.md"),
        (bench.root / "t.md").rename(bench.root / "b.md"),
    ),
    "a file becomes a folder": lambda bench: (
        (bench.root / "a.md").unlink(),
        bench.write("a.md/inner.md"),
    ),
    "ignore it": lambda bench: bench.write(".khojignore", "a.md\nfolder/\n"),
    "grow over the limit": lambda bench: bench.write("a.md", "x" * 2000),
    "become binary": lambda bench: bench.write("a.md", b"\0" * 20),
    "touch": lambda bench: os.utime(bench.root / "a.md", (1, 1)),
}


def rewrite_with_old_times(bench) -> None:
    found = (bench.root / "a.md").stat()
    bench.write("a.md", "# Router\nchannel thirtysEx\n")
    os.utime(bench.root / "a.md", ns=(found.st_atime_ns, found.st_mtime_ns))


@pytest.mark.parametrize("while_running", [False, True], ids=["while closed", "while running"])
@pytest.mark.parametrize("change", CHANGES)
def test_after_a_change_the_index_is_what_it_would_be_from_scratch(bench, snapshot, tmp_path, change, while_running):
    plant(bench)
    bench.open(max_file_bytes=1000).index()
    if not while_running:
        bench.close()
    CHANGES[change](bench)
    if not while_running:
        bench.open(max_file_bytes=1000)
    bench.indexer.index()
    bench.settle()
    assert snapshot(bench) == snapshot.from_scratch(bench, max_file_bytes=1000)


@pytest.mark.parametrize("change", ["rename", "rename a folder", "touch", "swap two files", "delete"])
def test_what_has_a_vector_is_never_embedded_again(bench, change):
    plant(bench)
    bench.open().index()
    before = len(bench.encoder.texts)
    bench.close()
    CHANGES[change](bench)
    report = bench.open().index()
    assert (report.embedded, len(bench.encoder.texts)) == (0, before)


def test_a_rename_keeps_the_rows_of_the_file(bench):
    plant(bench)
    bench.open().index()
    before = bench.rows("SELECT id FROM file WHERE path = 'a.md'")
    CHANGES["rename"](bench)
    bench.indexer.index()
    assert bench.rows("SELECT id FROM file WHERE path = 'z.md'") == before
    assert bench.finds("thirtysix") == ["z.md"]
    assert bench.indexer.counts.parsed == 4


def test_the_same_text_in_two_notes_lives_twice_and_is_embedded_once(bench):
    bench.write("a.md", "# Same\nwords\n")
    bench.write("b.md", "# Same\nwords\n")
    report = bench.open().index()
    assert (report.embedded, report.reused, report.chunks) == (1, 1, 2)
    assert bench.finds("words") == ["a.md", "b.md"]
    (bench.root / "a.md").unlink()
    bench.indexer.index()
    assert bench.finds("words") == ["b.md"]


def test_a_file_read_just_after_it_changed_is_read_once_more_and_then_trusted(bench, monkeypatch):
    monkeypatch.setattr("khoj_ls.indexing.reading.is_racy", lambda stat, now: True)
    monkeypatch.setattr("khoj_ls.indexing.words._RACY_SECONDS", 3600.0)
    bench.write("a.md", "# A\n")
    bench.open()
    bench.until(bench.paths)
    # Not even a crash would make us trust what was read.
    assert bench.rows("SELECT ctime_ns FROM file") == [(0,)]
    bench.indexer.changed("a.md")  # now, not in an hour
    bench.settle()
    assert bench.indexer.counts.read == 2
    assert bench.rows("SELECT ctime_ns FROM file") == [((bench.root / "a.md").stat().st_ctime_ns,)]


def test_force_parses_everything_again_and_embeds_nothing(bench):
    plant(bench)
    bench.open().index()
    report = bench.indexer.index(force=True)
    assert bench.indexer.counts.parsed == 8
    assert (report.embedded, report.files) == (0, 4)


def test_only_what_is_asked_for_is_looked_at(bench):
    plant(bench)
    bench.open().index()
    for path in ("a.md", "b.md", "folder/c.md"):
        bench.write(path, "# Fresh\nnews\n")
    bench.indexer.index(paths=["a.md", "folder"])
    assert bench.finds("news") == ["a.md", "folder/c.md"]


def test_a_new_version_of_the_program_reads_all_notes_anew(bench, monkeypatch):
    plant(bench)
    bench.open().index()
    bench.close()
    monkeypatch.setattr("khoj_ls.indexing.indexer.__version__", "99.0")
    report = bench.open().index()
    assert (bench.indexer.counts.parsed, report.embedded) == (4, 0)
    bench.settle()
    bench.reopen().index()
    assert bench.indexer.counts.parsed == 0


def test_notes_are_not_read_again_where_the_first_vectors_were_still_being_made(bench):
    plant(bench)
    bench.encoder.open.clear()
    bench.open()
    bench.until(lambda: bench.rows("SELECT count(*) FROM chunked") == [(4,)])
    bench.close()
    bench.encoder.open.set()
    report = bench.open().index()
    assert (bench.indexer.counts.read, bench.covered()[0]) == (0, bench.covered()[1])
    assert report.embedded > 0


def test_changes_made_while_paused_are_indexed_on_resume(real_bench):
    plant(real_bench)
    real_bench.open().index()
    real_bench.indexer.pause()
    real_bench.write("a.md", "# Paused\nlater words\n")
    real_bench.indexer.changed("a.md")
    real_bench.settle()
    assert real_bench.indexer.paused
    assert real_bench.indexer.state().phase == "paused"
    assert real_bench.finds("later words") == []
    real_bench.indexer.resume()
    real_bench.settle()
    assert real_bench.finds("later words") == ["a.md"]


def test_a_cancelled_run_keeps_the_backlog_and_lets_edits_through(real_bench):
    for number in range(30):
        real_bench.write(f"{number}.md", f"# N{number}\nbacklog\n")
    real_bench.encoder.open.clear()
    real_bench.open()
    token = CancelToken()
    failed = []

    def run() -> None:
        try:
            real_bench.indexer.index(None, token)
        except Cancelled as error:
            failed.append(error)

    runner = threading.Thread(target=run)
    runner.start()
    assert real_bench.encoder.asked.wait(30)
    token.cancel()
    runner.join(30)
    assert failed
    real_bench.encoder.open.set()
    real_bench.write("edit.md", "# Edit\nfresh\n")
    real_bench.indexer.changed("edit.md")
    real_bench.until(lambda: real_bench.finds("fresh") == ["edit.md"])
    assert "cancelled" in real_bench.indexer.state().message
    assert not real_bench.indexer.state().working
    report = real_bench.indexer.index()
    assert (report.files, real_bench.covered()) == (31, (31, 31))
    assert len(real_bench.encoder.texts) == len(set(real_bench.encoder.texts)) == 31


def test_progress_is_told_while_waiting(real_bench):
    for number in range(50):
        real_bench.write(f"{number}.md", f"# N{number}\nwords\n")
    seen = []
    real_bench.open().index(seen.append)
    seen += [event.progress for event in real_bench.events if event.progress]
    assert seen
    assert all(0 <= progress.done <= progress.total for progress in seen)
    kinds = [event.kind for event in real_bench.events]
    assert kinds[-1] == "idle"
    changed = {path for event in real_bench.events if event.kind == "changed" for path in event.paths}
    assert changed == {f"{number}.md" for number in range(50)}


def segments(bench) -> list[int]:
    """Every write adds one; FTS5 itself puts only some of them together."""
    return [bench.rows(f"SELECT count(DISTINCT segid) FROM {table}_fts_idx")[0][0] for table in ("entry", "file")]


def test_what_a_process_did_not_put_in_order_the_next_one_does(bench):
    indexer = bench.open()
    for number in range(_MERGED_AFTER - 1):
        bench.write(f"{number}.md", f"# Note {number}\nplum and canal {number}\n")
        indexer.index()
        if max(segments(bench)) > _MOST_SEGMENTS:
            break
    bench.close()
    bench.open()
    bench.until(lambda: segments(bench) == [1, 1])


def test_after_many_writes_the_word_index_is_put_in_order_and_holds_the_same(bench, snapshot):
    indexer = bench.open()
    for number in range(_MERGED_AFTER):
        bench.write(f"{number % 20}.md", f"# Note {number}\nplum and canal {number}\n")
        indexer.index()
    bench.until(lambda: segments(bench) == [1, 1])
    assert bench.finds("canal 87") == ["7.md"]
    assert bench.finds("canal 67") == []
    bench.close()
    assert snapshot(bench) == snapshot.from_scratch(bench)


def test_a_file_that_is_read_by_another_processor_now_is_read_again(bench):
    bench.write("a.md")
    bench.write("b.md")
    bench.open().index()
    bench.settle()
    bench.registry.readers["a.md"] = "toy 2"
    bench.reopen()
    bench.indexer.index()
    assert bench.indexer.counts.read == 1
    bench.reopen()
    bench.indexer.index()
    assert bench.indexer.counts.read == 0
