"""What takes long to read waits for nothing else, and nothing else waits for it."""

from __future__ import annotations

import pytest
from indexing_bench import Workbench
from indexing_toys import Tools

from khoj_ls.indexing.indexer import Indexer
from khoj_ls.indexing.queue import Lane

NEVER = "# Scan\n!!hang\n"
"""A file whose reading lasts longer than the test."""


def plant_slow(bench: Workbench, count: int = 12) -> list[str]:
    """More slow files than there are workers, before all others by name."""
    paths = [f"a{number}.slow" for number in range(count)]
    for path in paths:
        bench.write(path, NEVER)
    return paths


def open_patiently(bench: Workbench) -> Indexer:
    return bench.open(parser_workers=2, parser_timeout_seconds=3600.0)


def until_workers_are_busy(bench: Workbench) -> None:
    bench.until(lambda: bench.indexer._pipeline.pool._on_slow == 2)


def test_notes_are_found_by_words_and_by_meaning_while_all_workers_sit_at_slow_files(real_bench):
    plant_slow(real_bench)
    for number in range(100):
        real_bench.write(f"b{number}.md", f"# Note {number}\nplum tree\n")
    indexer = open_patiently(real_bench)
    real_bench.until(lambda: len(real_bench.finds("plum tree")) == 100 and real_bench.covered() == (100, 100))
    assert (indexer.state().queue, indexer.state().phase) == (12, "words")


@pytest.mark.parametrize("how", ["saved", "typed", "seen on disk", "found by a walk"])
def test_an_edit_does_not_wait_for_slow_files(real_bench, how):
    plant_slow(real_bench)
    real_bench.write("note.md", "# Note\nfirst words\n")
    indexer = open_patiently(real_bench)
    real_bench.until(lambda: real_bench.finds("first words"))
    until_workers_are_busy(real_bench)
    if how == "typed":
        indexer.overlay("note.md", "# Note\nother words\n", 1)
    else:
        real_bench.write("note.md", "# Note\nother words\n")
    if how == "saved":
        indexer.changed("note.md")
    elif how == "seen on disk":
        indexer._queue.put(["note.md"], Lane.LIVE)
    elif how == "found by a walk":
        indexer._queue.rescan("")
    real_bench.until(lambda: real_bench.finds("other words") == ["note.md"] and real_bench.covered() == (1, 1))


def test_slow_files_that_come_while_we_watch_do_not_wait_among_the_edits(real_bench):
    real_bench.write("note.md", "# Note\nfirst words\n")
    indexer = open_patiently(real_bench)
    indexer.index()
    indexer._queue.put(plant_slow(real_bench, 40), Lane.LIVE)
    until_workers_are_busy(real_bench)
    real_bench.write("note.md", "# Note\nother words\n")
    indexer._queue.put(["note.md"], Lane.LIVE)
    real_bench.until(lambda: real_bench.finds("other words") == ["note.md"])


def test_a_slow_file_that_is_removed_is_forgotten_at_once(real_bench):
    removed = real_bench.write("gone.slow", "# Gone\nfirst words\n")
    indexer = open_patiently(real_bench)
    indexer.index()
    indexer._queue.put(plant_slow(real_bench), Lane.LIVE)
    until_workers_are_busy(real_bench)
    removed.unlink()
    indexer._queue.put(["gone.slow"], Lane.LIVE)
    real_bench.until(lambda: not real_bench.finds("first words"))


def test_slow_files_are_read_after_all_others_and_not_again_when_they_move(bench, monkeypatch):
    read = []
    parse = Tools.parse
    monkeypatch.setattr(Tools, "parse", lambda self, data, path, *rest: read.append(path) or parse(self, data, path, *rest))
    for number in range(5):
        bench.write(f"{number}.slow", f"# Scan {number}\nwords\n")
        bench.write(f"{number}.md", f"# Note {number}\nwords\n")
    bench.open().index()
    assert [path.rpartition(".")[2] for path in read] == ["md"] * 5 + ["slow"] * 5
    bench.settle()
    (bench.root / "1.slow").rename(bench.root / "moved.slow")
    bench.indexer.index()
    assert (len(read), bench.finds("Scan 1")) == (10, ["moved.slow"])
