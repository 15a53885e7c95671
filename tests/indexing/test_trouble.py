"""Bad files, missing folders, full disks, damaged databases: each costs what it must and is told."""

from __future__ import annotations

import os
import shutil

import pytest
from indexing_bench import plant

from khoj_ls.core.errors import StoreError, VaultError
from khoj_ls.indexing import changes
from khoj_ls.store.database import DamagedDatabase, Database


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


@pytest.mark.parametrize(("content", "tried"), [(b"!!crash", True), (b"!!bloat", True), (b"nul\0", False)])
def test_a_file_that_was_given_up_is_tried_again_when_it_has_rested(real_bench, monkeypatch, content, tried):
    real_bench.write("bad.md", content)
    real_bench.open().index()
    real_bench.settle()
    monkeypatch.setattr(changes, "REST_SECONDS", -1.0)
    real_bench.reopen()
    assert dict(real_bench.indexer.index().failures).keys() == {"bad.md"}
    # Once at the start, and once more where the run that is asked for comes behind it: it has rested each time.
    assert (real_bench.indexer.counts.parsed > 0) is tried


@pytest.mark.skipif(os.name == "nt", reason="no pipes and links among its files")
def test_what_has_the_name_of_a_note_and_is_none_is_named_until_it_is_one(bench):
    bench.write("good.md", "# Good\nwords\n")
    os.mkfifo(bench.root / "pipe.md")
    (bench.root / "link.md").symlink_to("absent.txt")
    (bench.root / ".#good.md").symlink_to("someone@host.4711:1")
    (bench.root / "loop").symlink_to("loop")
    report = bench.open().index()
    assert report.failures == (
        ("link.md", "it is a symbolic link that leads nowhere: delete it, or bring its target back"),
        ("pipe.md", "it is no regular file but a named pipe, which is never read"),
    )
    assert (report.files, bench.indexer.counts.parsed) == (1, 1)
    assert bench.indexer.why("pipe.md").code == "not-a-file"
    (bench.root / "pipe.md").unlink()
    bench.write("pipe.md", "# Mended\n")
    bench.write("absent.txt", "there")
    assert bench.indexer.index().failures == (), "the link leads into the vault now"
    assert bench.finds("mended") == ["pipe.md"]
    (bench.root / "absent.txt").unlink()
    assert dict(bench.indexer.index().failures).keys() == {"link.md"}
    (bench.root / "link.md").unlink()
    assert bench.indexer.index().failures == ()


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


def test_an_error_of_the_disk_does_not_end_the_writer_of_a_sound_database(bench, monkeypatch):
    plant(bench)
    bench.open().index()
    write = Database.write

    def refuse(database):
        raise DamagedDatabase("index.db is damaged (disk I/O error): it will be set aside")

    monkeypatch.setattr(Database, "write", refuse)
    bench.write("a.md", "# Quota\nnot yet\n")
    bench.indexer.changed("a.md")
    bench.until(lambda: "a quota is used up" in bench.indexer.state().message)
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
