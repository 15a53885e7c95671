"""Comparing what is there with what is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from khoj_ls.core.types import GIVEN_UP, Problem
from khoj_ls.indexing.changes import RACY_NS, REST_SECONDS, diff, is_racy
from khoj_ls.store.files import FileRow, FileStat

A = FileStat("a.md", 10, 100, 100, 1)
B = FileStat("b.md", 20, 200, 200, 2)
LIMIT = 1000
NOW = 1_700_000_000.0


def row(stat: FileStat, **changes) -> FileRow:
    return replace(FileRow(1, stat, b"", "indexed", "disk", ()), **changes)


def rows(*known: FileRow) -> dict[str, FileRow]:
    return {each.stat.path: each for each in known}


@pytest.mark.parametrize(
    ("found", "known", "expected"),
    [
        ([], rows(), ([], [], [])),
        ([A], rows(), ([], ["a.md"], [])),
        ([A], rows(row(A)), ([], [], [])),
        ([], rows(row(A)), (["a.md"], [], [])),
        ([replace(A, size=11)], rows(row(A)), ([], ["a.md"], [])),
        ([replace(A, mtime_ns=101)], rows(row(A)), ([], ["a.md"], [])),
        ([replace(A, ctime_ns=101)], rows(row(A)), ([], ["a.md"], [])),
        ([replace(A, inode=9)], rows(row(A)), ([], ["a.md"], [])),
        ([A], rows(row(A, origin="buffer")), ([], ["a.md"], [])),
        # A new file of the size of a missing one may be that one moved: it is looked at first.
        ([replace(A, path="c.md")], rows(row(A)), ([], ["c.md"], ["a.md"])),
        ([replace(B, path="c.md")], rows(row(A)), (["a.md"], ["c.md"], [])),
        # The most recently changed first.
        ([A, B], rows(), ([], ["b.md", "a.md"], [])),
        # Another size limit than before judges anew, the same one does not.
        ([replace(A, size=2000)], rows(row(replace(A, size=2000))), ([], ["a.md"], [])),
        ([A], rows(row(A, problems=(Problem("error", "too-large", ""),))), ([], ["a.md"], [])),
        (
            [replace(A, size=2000)],
            rows(row(replace(A, size=2000), problems=(Problem("error", "too-large", ""),))),
            ([], [], []),
        ),
        # Parts of a file that are too large are no matter of its size.
        ([A], rows(row(A, content_hash=b"1", problems=(Problem("warning", "too-large", ""),))), ([], [], [])),
        # What took too long is left alone for a day.
        ([A], rows(row(A, indexed_at=NOW - REST_SECONDS, problems=(Problem("error", GIVEN_UP, ""),))), ([], [], [])),
        ([A], rows(row(A, indexed_at=NOW - REST_SECONDS - 1, problems=(Problem("error", GIVEN_UP, ""),))), ([], ["a.md"], [])),
        # The clock has been set back.
        ([A], rows(row(A, indexed_at=NOW + 1, problems=(Problem("error", GIVEN_UP, ""),))), ([], ["a.md"], [])),
    ],
)
def test_differences(found, known, expected):
    changes = diff(found, known, max_file_bytes=LIMIT, now=NOW)
    assert (changes.removed, changes.present, changes.vanished) == expected
    assert bool(changes) == any(expected)


def test_rows_in_folders_that_could_not_be_listed_are_kept():
    known = rows(row(replace(A, path="closed/a.md")), row(replace(B, path="closedown.md")))
    changes = diff([], known, max_file_bytes=LIMIT, unknown=("closed/",))
    assert changes.removed == ["closedown.md"]


def test_open_buffers_stand_for_their_files():
    changes = diff([replace(A, size=11)], rows(row(A), row(B)), max_file_bytes=LIMIT, open_paths={"a.md", "b.md"})
    assert not changes


def test_everything_means_unchanged_files_too():
    assert diff([A], rows(row(A)), max_file_bytes=LIMIT, everything=True).present == ["a.md"]


NOW_NS = 1_700_000_000_123_456_789
SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("mtime", "ctime", "racy"),
    [
        (NOW_NS - SECOND, NOW_NS - SECOND, False),
        (NOW_NS - RACY_NS // 2, NOW_NS - SECOND, True),
        (NOW_NS - SECOND, NOW_NS - RACY_NS // 2, True),
        (NOW_NS + 3600 * SECOND, NOW_NS - SECOND, False),
        (NOW_NS // SECOND * SECOND - SECOND, NOW_NS // SECOND * SECOND - SECOND, True),
        (NOW_NS // SECOND * SECOND - 3 * SECOND, NOW_NS // SECOND * SECOND - 3 * SECOND, False),
    ],
    ids=["old", "just written", "just renamed", "dated in the future", "coarse clock, recent", "coarse clock, old"],
)
def test_a_file_that_changed_just_now_is_not_trusted(mtime, ctime, racy):
    assert is_racy(FileStat("a.md", 1, mtime, ctime, 1), NOW_NS) is racy
