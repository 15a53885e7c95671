"""Changes made by any program are seen, whole bursts and folders of them."""

from __future__ import annotations

import shutil

import pytest
from indexing_bench import PATIENCE

from khoj_ls.indexing.queue import ChangeQueue, Lane
from khoj_ls.indexing.watch import Watcher


@pytest.fixture
def watched(bench):
    bench.write("a.md", "# Router\nchannel\n")
    bench.write("folder/b.md", "# Bread\nsour dough\n")
    bench.write("folder/deep/c.md", "# Plum\ntree\n")
    bench.open(watch=True).index()
    assert bench.indexer._watcher.watching.wait(PATIENCE)
    bench.settle()
    return bench


OPERATIONS = {
    "write": (lambda root: (root / "a.md").write_text("# New\nwords\n"), {"a.md", "folder/b.md", "folder/deep/c.md"}),
    "create": (lambda root: (root / "new.md").write_text("x"), {"a.md", "new.md", "folder/b.md", "folder/deep/c.md"}),
    "delete": (lambda root: (root / "a.md").unlink(), {"folder/b.md", "folder/deep/c.md"}),
    "rename": (lambda root: (root / "a.md").rename(root / "z.md"), {"z.md", "folder/b.md", "folder/deep/c.md"}),
    "replace": (
        lambda root: ((root / "t").write_text("# New\nwords\n"), (root / "t").rename(root / "a.md")),
        {"a.md", "folder/b.md", "folder/deep/c.md"},
    ),
    "rename a folder": (lambda root: (root / "folder").rename(root / "moved"), {"a.md", "moved/b.md", "moved/deep/c.md"}),
    "delete a folder": (lambda root: shutil.rmtree(root / "folder"), {"a.md"}),
    "move a folder in": (
        lambda root: shutil.move(make(root.parent / "in"), root / "in"),
        {"a.md", "folder/b.md", "folder/deep/c.md", "in/x/one.md", "in/x/two.md"},
    ),
    "move a folder out": (lambda root: (root / "folder").rename(root.parent / "out"), {"a.md"}),
    "create folders": (
        lambda root: make(root / "n"),
        {"a.md", "folder/b.md", "folder/deep/c.md", "n/x/one.md", "n/x/two.md"},
    ),
    "ignore": (lambda root: (root / ".gitignore").write_text("folder/\n"), {"a.md"}),
    "ignore below": (lambda root: (root / "folder" / ".khojignore").write_text("deep\n"), {"a.md", "folder/b.md"}),
}


def make(folder):
    (folder / "x").mkdir(parents=True)
    (folder / "x" / "one.md").write_text("# One\n")
    (folder / "x" / "two.md").write_text("# Two\n")
    return folder


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_index_follows_what_happens_on_disk(watched, snapshot, operation):
    change, expected = OPERATIONS[operation]
    before = len(watched.events)
    change(watched.root)
    watched.until(lambda: set(watched.paths()) == expected and len(watched.events) > before)
    if operation in ("write", "replace"):
        watched.until(lambda: watched.finds("words") == ["a.md"])
    watched.indexer.index()
    assert snapshot(watched) == snapshot.from_scratch(watched)


def test_a_file_in_a_folder_that_was_renamed_is_still_watched(watched):
    (watched.root / "folder").rename(watched.root / "moved")
    watched.until(lambda: "moved/b.md" in watched.paths())
    (watched.root / "moved" / "deep" / "c.md").write_text("# Later\nedit\n")
    watched.until(lambda: watched.finds("edit") == ["moved/deep/c.md"])


def test_a_burst_of_five_thousand_changes_loses_nothing(real_bench):
    watched = real_bench
    watched.open(watch=True).index()
    assert watched.indexer._watcher.watching.wait(PATIENCE)
    watched.encoder.open.clear()  # the words are what is counted here
    (watched.root / "burst").mkdir()
    for number in range(5000):
        (watched.root / "burst" / f"{number}.md").write_text(f"# Note {number}\nword{number}\n")
    watched.until(lambda: watched.rows("SELECT count(*) FROM file") == [(5000,)])
    for number in range(0, 5000, 2):
        (watched.root / "burst" / f"{number}.md").unlink()
    watched.until(lambda: watched.rows("SELECT count(*) FROM file") == [(2500,)])
    assert watched.finds("word4999") == ["burst/4999.md"]
    assert watched.finds("word4998") == []


def test_a_vault_that_comes_back_is_watched_again(watched, tmp_path):
    watched.root.rename(tmp_path / "away")
    watched.until(lambda: watched.indexer.state().phase == "offline" or watched.events[-1].message)
    (tmp_path / "away").rename(watched.root)
    watched.until(lambda: watched.indexer.state().phase == "idle")
    assert watched.indexer._watcher.watching.wait(PATIENCE)
    (watched.root / "back.md").write_text("# Back\nagain\n")
    watched.until(lambda: watched.finds("again") == ["back.md"])


@pytest.fixture
def queue():
    return ChangeQueue(lambda: None, lambda: None)


ADDED, MODIFIED, DELETED = 1, 2, 3


@pytest.mark.parametrize(
    ("seen", "taken", "walked"),
    [
        ([(MODIFIED, "a.md")], ["a.md"], []),
        ([(DELETED, "old.md"), (ADDED, "new.md")], ["new.md", "old.md"], []),
        ([(MODIFIED, ".git/index"), (ADDED, ".#a.md"), (ADDED, "4913"), (ADDED, "a.md~")], [], []),
        ([(MODIFIED, "x/node_modules/y/README.md")], [], []),
        ([(MODIFIED, "server.log"), (ADDED, "folder"), (DELETED, "other")], ["folder", "other"], []),
        ([(MODIFIED, ".gitignore")], [], [""]),
        ([(MODIFIED, "a/b/.khojignore")], [], ["a/b"]),
        ([(DELETED, "")], [], [""]),
    ],
)
def test_what_is_seen_becomes_what_is_looked_at(tmp_path, queue, seen, taken, walked):
    watcher = Watcher(tmp_path, queue, (".md",))
    watcher.take((kind, f"{tmp_path}/{path}" if path else str(tmp_path)) for kind, path in seen)
    changes = queue.take(100)
    assert [change.path for change in changes] == taken
    assert all(change.lane is Lane.LIVE for change in changes)
    assert [rescan.folder for rescan in queue.take_rescans()] == walked


def test_where_watching_fails_the_vault_is_walked_now_and_then(bench, monkeypatch):
    import watchfiles

    import khoj_ls.indexing.watch as watch

    def no_more(*paths, **more):
        raise OSError("OS file watch limit reached")

    monkeypatch.setattr(watchfiles, "watch", no_more)
    monkeypatch.setattr(watch, "_POLL_SECONDS", 0.05)
    bench.open(watch=True).index()
    bench.write("a.md", "# Polled\nwords\n")
    bench.until(lambda: bench.finds("words") == ["a.md"])
    assert "sudo sysctl fs.inotify.max_user_watches" in bench.indexer.state().message
