"""What editors tell: saved files and unsaved buffers."""

from __future__ import annotations

import pytest
from indexing_bench import plant


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
