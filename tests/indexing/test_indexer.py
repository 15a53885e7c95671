"""The word path from end to end: what changes on disk and in buffers is what is found, and nothing is done twice."""

from __future__ import annotations

import os
import shutil
import threading

import pytest

from khoj_ls.core.errors import Cancelled, StoreError, VaultError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.store.database import DamagedDatabase, Database


def test_a_vault_is_indexed_and_found_by_words(real_bench):
    real_bench.write("a.md", "# Router\nchannel thirtysix\n# Bread\nsour dough\n")
    real_bench.write("deep/b.md", "title: Garden\nplum tree\n")
    report = real_bench.open().index()
    assert (report.files, report.entries, report.chunks, report.embedded, report.reused) == (2, 3, 3, 3, 0)
    assert (report.removed, report.failures) == (0, ())
    assert real_bench.finds("sour dough") == ["a.md"]
    assert real_bench.finds("garden") == ["deep/b.md"]
    assert real_bench.covered() == (3, 3)


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


def plant(bench) -> None:
    bench.write("a.md", "# Router\nchannel thirtysix\n")
    bench.write("b.md", "# Bread\nsour dough\n")
    bench.write("folder/c.md", "# Plum\ntree\n")
    bench.write("folder/d.md", "# Bread\nsour dough\n")


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


@pytest.mark.parametrize(
    ("path", "content", "reason"),
    [
        ("large.md", b"x" * 1001, "1,001 bytes, more than the 1,000 of index.max_file_bytes"),
        ("nul.md", b"text\0text", "NUL bytes"),
        ("crash.md", b"!!crash", "the parser process died"),
        ("raise.md", b"!!raise", "toy fault"),
        ("hang.md", b"!!hang", "took longer than"),
        ("bloat.md", b"!!bloat", "more memory"),
    ],
)
def test_a_file_that_cannot_be_indexed_is_named_and_tried_again_only_when_it_changes(real_bench, path, content, reason):
    real_bench.write("good.md", "# Good\nwords\n")
    real_bench.write(path, content)
    settings = {"max_file_bytes": 1000, "parser_timeout_seconds": 3.0}
    report = real_bench.open(**settings).index()
    assert real_bench.finds("words") == ["good.md"]
    [(failed, told)] = report.failures
    assert failed == path
    assert reason in told
    assert reason in real_bench.indexer.why(path).reason
    real_bench.settle()
    real_bench.reopen(**settings)
    assert dict(real_bench.indexer.index().failures).keys() == {path}
    assert real_bench.indexer.counts.parsed == 0
    real_bench.write(path, "# Mended\nfine\n")
    assert real_bench.indexer.index().failures == ()
    assert real_bench.finds("mended") == [path]


def test_an_unreadable_file_is_named_and_read_once_it_can_be(bench, monkeypatch):
    import khoj_ls.indexing.words as words

    bench.write("a.md", "# Secret\nwords\n")
    bench.write("b.md", "# Open\nwords\n")
    read = words.read_source

    def refuse(root, path, limit):
        if path == "a.md":
            raise PermissionError(13, "Permission denied")
        return read(root, path, limit)

    monkeypatch.setattr(words, "read_source", refuse)
    report = bench.open().index()
    assert report.failures == (("a.md", "it cannot be read (Permission denied): check its permissions"),)
    monkeypatch.setattr(words, "read_source", read)
    assert bench.indexer.index().failures == ()
    assert bench.finds("words") == ["a.md", "b.md"]


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


# -- editors ---------------------------------------------------------------------------------------------------------


def test_a_saved_file_is_found_without_a_walk(bench):
    plant(bench)
    bench.open().index()
    bench.write("a.md", "# Router\nappended sentence\n")
    bench.write("new.md", "# New\nfresh note\n")
    (bench.root / "b.md").unlink()
    for path in ("a.md", "new.md", "b.md"):
        bench.indexer.changed(path)
    bench.settle()
    assert bench.finds("appended sentence") == ["a.md"]
    assert bench.finds("fresh note") == ["new.md"]
    assert bench.finds("sour dough") == ["folder/d.md"]


def test_a_changed_folder_or_ignore_file_is_walked(bench):
    plant(bench)
    bench.open().index()
    (bench.root / "folder").rename(bench.root / "moved")
    bench.indexer.changed("folder")
    bench.indexer.changed("moved")
    bench.settle()
    assert bench.paths() == ["a.md", "b.md", "moved/c.md", "moved/d.md"]
    bench.write("moved/.khojignore", "c.md\n")
    bench.indexer.changed("moved/.khojignore")
    bench.settle()
    assert bench.paths() == ["a.md", "b.md", "moved/d.md"]
    bench.indexer.changed("moved/c.md")
    bench.settle()
    assert bench.finds("tree") == []


def test_an_unsaved_buffer_stands_for_its_file_until_it_is_closed(bench):
    plant(bench)
    bench.open().index()
    bench.indexer.overlay("a.md", "# Draft\nunsaved thought\n", 1)
    bench.indexer.overlay("new.md", "# Fresh\nnot on disk \ud83d\n", 1)
    bench.settle()
    assert bench.finds("unsaved thought") == ["a.md"]
    assert bench.finds("thirtysix") == []
    assert bench.finds("not on disk") == ["new.md"]
    assert bench.indexer.why("new.md").indexed
    assert bench.covered() == (5, 5)
    bench.indexer.index()
    assert bench.finds("unsaved thought") == ["a.md"]
    bench.indexer.overlay_closed("a.md")
    bench.indexer.overlay_closed("new.md")
    bench.settle()
    assert bench.finds("thirtysix") == ["a.md"]
    assert bench.paths() == ["a.md", "b.md", "folder/c.md", "folder/d.md"]


def test_a_buffer_that_is_saved_is_not_read_again(bench):
    bench.write("a.md", "# Old\nwords\n")
    bench.open().index()
    bench.indexer.overlay("a.md", "# New\ntext\n", 2)
    bench.settle()
    assert bench.rows("SELECT origin FROM file") == [("buffer",)]
    bench.write("a.md", "# New\ntext\n")
    bench.indexer.changed("a.md")
    bench.settle()
    assert bench.rows("SELECT origin FROM file") == [("disk",)]
    assert bench.indexer.counts.parsed == 2


def test_buffers_of_a_session_that_ended_in_a_crash_are_read_from_disk(bench):
    plant(bench)
    bench.open().index()
    bench.indexer.overlay("a.md", "# Draft\nunsaved thought\n", 1)
    bench.indexer.overlay("new.md", "# Fresh\nnot on disk\n", 1)
    bench.settle()
    bench.reopen().index()
    assert bench.finds("unsaved thought") == []
    assert bench.finds("thirtysix") == ["a.md"]
    assert bench.paths() == ["a.md", "b.md", "folder/c.md", "folder/d.md"]


@pytest.mark.parametrize("path", ["ignored.md", ".hidden.md", "../outside.md", "picture.jpg", "link.md", "large.md"])
def test_a_buffer_that_is_left_out_on_disk_is_left_out_unsaved(bench, path):
    bench.write("real.md")
    bench.write(".khojignore", "ignored.md\n")
    (bench.root / "link.md").symlink_to("real.md")
    bench.open(max_file_bytes=100).index()
    bench.indexer.overlay(path, "# Secret\nwords\n" * (10 if path == "large.md" else 1), 1)
    bench.settle()
    assert bench.finds("secret") == []


@pytest.mark.parametrize("path", ["a\0b.md", "x" * 300 + ".md", "d" * 300 + "/x.md", "a//b.md", "./a.md", "", ".", "\udc80.md"])
def test_a_path_that_can_be_no_file_harms_nothing(bench, path):
    plant(bench)
    bench.open().index()
    bench.indexer.changed(path)
    bench.indexer.overlay(path, "# Odd\nodd words\n", 1)
    bench.settle()
    assert not bench.indexer.why(path).indexed or path.startswith("x")
    bench.indexer.overlay_closed(path)
    bench.indexer.index()
    assert bench.paths() == ["a.md", "b.md", "folder/c.md", "folder/d.md"]
    assert bench.indexer.state().message == ""


def test_a_buffer_counts_even_if_its_file_cannot_be_read(bench, monkeypatch):
    bench.write("a.md", "# Old\nwords\n")
    bench.open().index()

    def refuse(root, path, limit):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("khoj_ls.indexing.words.read_source", refuse)
    bench.indexer.overlay("a.md", "# New\nwords\n", 1)  # as long as the file: might be what is saved
    bench.settle()
    assert bench.finds("new") == ["a.md"]


def test_a_fault_of_our_own_costs_one_path_and_is_told(bench, monkeypatch):
    import khoj_ls.indexing.words as words

    read = words.read_source

    def broken(root, path, limit):
        if path == "b.md":
            raise RuntimeError("fault")
        return read(root, path, limit)

    monkeypatch.setattr(words, "read_source", broken)
    plant(bench)
    report = bench.open().index()
    assert bench.paths() == ["a.md", "folder/c.md", "folder/d.md"]
    assert report.failures == (("b.md", "it cannot be looked at (RuntimeError: fault)"),)


def test_a_walk_that_fails_is_told_and_tried_again(bench, monkeypatch):
    import khoj_ls.indexing.scanner as scanner

    walk = scanner.scan
    calls = []

    def broken(*arguments):
        calls.append(arguments)
        if len(calls) == 1:
            raise RuntimeError("fault")
        return walk(*arguments)

    monkeypatch.setattr(scanner, "scan", broken)
    monkeypatch.setattr(scanner, "_OFFLINE_SECONDS", 0.01)
    plant(bench)
    assert bench.open().index().files == 4
    assert any("walking" in event.message for event in bench.events if event.kind == "problem")


# -- stopping and going on ---------------------------------------------------------------------------------------------


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


# -- what goes wrong around us -----------------------------------------------------------------------------------------


def test_a_vault_that_vanishes_keeps_its_index(bench, tmp_path):
    plant(bench)
    bench.open().index()
    bench.root.rename(tmp_path / "elsewhere")
    bench.indexer.changed("a.md")
    with pytest.raises(VaultError, match="its index is kept"):
        bench.indexer.index()
    assert bench.indexer.state().phase == "offline"
    assert bench.finds("thirtysix") == ["a.md"]
    (tmp_path / "elsewhere").rename(bench.root)
    (bench.root / "b.md").unlink()
    bench.until(lambda: bench.finds("sour dough") == ["folder/d.md"])
    assert bench.finds("thirtysix") == ["a.md"]


def test_an_unmounted_disk_does_not_empty_the_index(bench, tmp_path):
    plant(bench)
    bench.open().index()
    bench.close()
    bench.root.rename(tmp_path / "disk")
    bench.root.mkdir()
    bench.open()
    with pytest.raises(VaultError, match="is empty and is not the folder that was indexed"):
        bench.indexer.index()
    assert len(bench.paths()) == 4
    assert bench.indexer.index(force=True).files == 0


def test_a_vault_whose_notes_were_all_deleted_is_empty(bench):
    plant(bench)
    bench.open().index()
    bench.close()
    for path in list(bench.root.iterdir()):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    report = bench.open().index()
    assert (report.files, report.removed) == (0, 4)


def test_a_folder_that_cannot_be_listed_keeps_its_notes(bench, monkeypatch):
    plant(bench)
    bench.open().index()
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("folder/"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = bench.indexer.index()
    assert report.files == 4
    assert report.failures == (("folder/", "it cannot be read (Permission denied): check its permissions"),)
    monkeypatch.setattr(os, "scandir", scandir)
    assert bench.indexer.index().failures == ()


def test_a_full_disk_is_told_and_got_over(bench, monkeypatch):
    plant(bench)
    bench.open().index()
    write = Database.write
    full = StoreError("the disk that holds index.db is full: free some space")

    def refuse(database):
        raise full

    monkeypatch.setattr(Database, "write", refuse)
    bench.write("a.md", "# Full\nnot yet\n")
    bench.indexer.changed("a.md")
    bench.until(lambda: any(event.kind == "problem" and "free some space" in event.message for event in bench.events))
    assert "free some space" in bench.indexer.state().message
    with pytest.raises(StoreError, match="free some space"):
        bench.indexer.index()
    monkeypatch.setattr(Database, "write", write)
    bench.indexer.index()
    assert bench.finds("not yet") == ["a.md"]
    assert bench.indexer.state().message == ""


def test_a_row_that_cannot_be_written_costs_its_file_only(bench, monkeypatch):
    import khoj_ls.indexing.storing as storing

    replace_file = storing.replace_file

    def refuse(connection, stat, digest, parsed, **more):
        if stat.path == "b.md":
            raise OverflowError("Python int too large")
        return replace_file(connection, stat, digest, parsed, **more)

    monkeypatch.setattr(storing, "replace_file", refuse)
    plant(bench)
    report = bench.open().index()
    assert report.failures == (("b.md", "it cannot be stored (OverflowError: Python int too large)"),)
    assert bench.paths() == ["a.md", "folder/c.md", "folder/d.md"]


def test_a_damaged_database_is_handed_on(bench, monkeypatch):
    plant(bench)
    bench.open().index()

    def broken(database):
        raise DamagedDatabase("index.db is damaged")

    monkeypatch.setattr(Database, "write", broken)
    bench.write("a.md", "# X\n")
    bench.indexer.changed("a.md")
    bench.until(lambda: any(isinstance(event.error, DamagedDatabase) for event in bench.events))


def test_a_listener_that_fails_does_not_end_the_writer(bench):
    bench._hear = lambda event: 1 / 0
    plant(bench)
    assert bench.open().index().files == 4


def test_an_empty_vault_and_a_vault_without_an_encoder(bench):
    assert bench.open().index().files == 0
    bench.close()
    bench.encoder = None
    plant(bench)
    report = bench.open().index()
    assert (report.files, report.chunks, report.embedded) == (4, 0, 0)
    assert bench.indexer.state().phase == "idle"


def test_a_large_file_and_many_headings(bench):
    bench.write("large.md", "# H\n" + "word " * 10_000_001)
    bench.write("headings.md", "".join(f"# Heading {number}\n" for number in range(10_000)))
    bench.encoder = None
    report = bench.open().index()
    assert [path for path, _ in report.failures] == ["large.md"]
    assert "50,000,009 bytes" in report.failures[0][1]
    assert report.entries == 10_000
