"""The walk: what it finds, what it survives, and what it calls a problem."""

from __future__ import annotations

import os

import pytest

from khoj_ls.config.settings import IndexSettings
from khoj_ls.core.errors import Cancelled, VaultError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.indexing.ignore import IgnoreRules
from khoj_ls.indexing.scan import count_files, scan


def rules(root) -> IgnoreRules:
    return IgnoreRules(root, IndexSettings(), {".md"})


def names(found) -> list[str]:
    return sorted(stat.path for stat in found.files)


@pytest.mark.parametrize("name", ["a.md", "with space.md", "new\nline.md", "😀 émoji.md", "%41.md", "back\\slash.md", "A.MD"])
def test_any_name_that_can_be_stored_is_found(bench, name):
    bench.write(f"folder {name}/{name}")
    found = scan(rules(bench.root))
    [stat] = found.files
    assert stat.path == f"folder {name}/{name}"
    assert (stat.size, stat.inode) == (12, (bench.root / stat.path).stat().st_ino)


@pytest.mark.parametrize("path", [b"bad\xff.md", b"bad\xff/note.md"])
def test_a_name_that_is_no_text_is_a_problem(bench, path):
    full = bench.root / os.fsdecode(path)
    full.parent.mkdir(exist_ok=True)
    full.write_text("x")
    bench.write("good.md")
    found = scan(rules(bench.root))
    assert names(found) == ["good.md"]
    [(shown, reason)] = found.problems
    assert shown.startswith("bad\\xff")
    assert "rename it" in reason


def test_one_folder_is_walked_under_the_rules_above_it(bench):
    for path in ("a/b/one.md", "a/b/c/two.md", "a/b/drafts/three.md", "other.md"):
        bench.write(path)
    bench.write(".gitignore", "drafts/\n")
    assert names(scan(rules(bench.root), "a/b")) == ["a/b/c/two.md", "a/b/one.md"]
    assert names(scan(rules(bench.root), "a/b/drafts")) == []
    assert names(scan(rules(bench.root), "a/absent")) == []


def test_a_linked_folder_is_not_walked_even_when_asked_for(bench, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.md").write_text("x")
    (bench.root / "link").symlink_to(tmp_path / "outside")
    assert names(scan(rules(bench.root), "link")) == []


def test_a_folder_that_cannot_be_listed_is_a_problem_and_unknown(bench, monkeypatch):
    bench.write("open/a.md")
    bench.write("closed/b.md")
    listdir = os.scandir

    def refuse(path):
        if str(path).endswith("closed/"):
            raise PermissionError(13, "Permission denied")
        return listdir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = scan(rules(bench.root))
    assert names(found) == ["open/a.md"]
    assert found.unknown == ("closed/",)
    assert found.problems == (("closed/", "it cannot be read (Permission denied): check its permissions"),)


def test_a_vault_that_is_gone_is_an_error_that_says_what_to_do(bench):
    bench.root.rmdir()
    with pytest.raises(VaultError, match="its index is kept: bring the folder back"):
        scan(rules(bench.root))


def test_an_empty_vault_is_empty(bench):
    assert scan(rules(bench.root)).files == []


def test_a_walk_can_be_called_off(bench):
    bench.write("a.md")
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        scan(rules(bench.root), "", token)


def test_counting_stops_beyond_the_limit_and_skips_what_is_hidden(bench):
    for number in range(30):
        bench.write(f"folder/{number}.txt")
        bench.write(f".git/{number}.txt")
        bench.write(f"node_modules/{number}.txt")
    assert count_files(bench.root, 100) == 30
    assert 10 < count_files(bench.root, 10) <= 30
