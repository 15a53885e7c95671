"""Invariant 10: after any sequence of changes the index equals the one built anew, and no text was embedded twice."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from indexing_bench import Workbench

NAMES = ("a.md", "b.md", "d/a.md", "d/c.md", "e/b.md", "d/f/x.md", "picture.jpg")
FOLDERS = ("d", "e", "d/f")
TEXTS = (
    "# One\nalpha\n",
    "# One\nalpha\n# Two\nbeta\n",
    "# Two\nbeta\n",
    "title: Named\nplain text\n",
    "",
    "# Links\n[[a]] [[d/c]]\n",
    "# Secret\nPRIVATE words\n",
    "nul \0 byte\n",
)
RULES = ("", "d/\n", "*.md\n!a.md\n", "b.md\n", "f/\n!a.md\n")

names, folders, texts = st.sampled_from(NAMES), st.sampled_from(FOLDERS), st.sampled_from(TEXTS)
operations = st.one_of(
    st.tuples(st.just("write"), names, texts),
    st.tuples(st.just("rename"), names, names),
    st.tuples(st.just("rename_folder"), folders, folders),
    st.tuples(st.just("delete"), names),
    st.tuples(st.just("delete_folder"), folders),
    st.tuples(st.just("touch"), names),
    st.tuples(st.just("ignore"), st.sampled_from((".gitignore", ".khojignore", "d/.gitignore")), st.sampled_from(RULES)),
    st.tuples(st.just("overlay"), names, texts),
    st.tuples(st.just("overlay_closed"), names),
    st.tuples(st.just("changed"), st.one_of(names, folders)),
    st.tuples(st.just("settle")),
    st.tuples(st.just("index")),
    st.tuples(st.just("reopen")),
)


class Player:
    """Carries out operations on the notes and tells the indexer about some of them."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.version = 0

    def play(self, operation: str, *arguments: str) -> None:
        getattr(self, operation)(*arguments)

    def write(self, path: str, text: str) -> None:
        if not (self.bench.root / path).is_dir():
            self.bench.write(path, text)

    def rename(self, path: str, to: str) -> None:
        source, target = self.bench.root / path, self.bench.root / to
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)

    def rename_folder(self, folder: str, to: str) -> None:
        source, target = self.bench.root / folder, self.bench.root / to
        if source.is_dir() and not target.exists() and source not in target.parents:
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)

    def delete(self, path: str) -> None:
        (self.bench.root / path).unlink(missing_ok=True)

    def delete_folder(self, folder: str) -> None:
        shutil.rmtree(self.bench.root / folder, ignore_errors=True)

    def touch(self, path: str) -> None:
        if (self.bench.root / path).exists():
            (self.bench.root / path).touch()

    def ignore(self, path: str, rules: str) -> None:
        self.write(path, rules)

    def overlay(self, path: str, text: str) -> None:
        self.version += 1
        self.bench.indexer.overlay(path, text, self.version)

    def overlay_closed(self, path: str) -> None:
        self.bench.indexer.overlay_closed(path)

    def changed(self, path: str) -> None:
        self.bench.indexer.changed(path)

    def settle(self) -> None:
        self.bench.settle()

    def index(self) -> None:
        self.bench.indexer.index()

    def reopen(self) -> None:
        self.bench.reopen()


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.lists(operations, max_size=14))
@example([("write", "d/a.md", TEXTS[0]), ("index",), ("rename_folder", "d", "e"), ("reopen",)])
@example([("write", "a.md", TEXTS[0]), ("overlay", "a.md", TEXTS[2]), ("settle",), ("delete", "a.md"), ("reopen",)])
@example([("write", "d/a.md", TEXTS[0]), ("index",), ("ignore", ".gitignore", "d/\n"), ("changed", ".gitignore")])
@pytest.mark.usefixtures("parse_inline")
def test_incremental_equals_from_scratch(snapshot, sequence):
    with tempfile.TemporaryDirectory() as folder:
        bench = Workbench(Path(folder))
        try:
            bench.open()
            player = Player(bench)
            for operation in sequence:
                player.play(*operation)
            for path in NAMES:
                bench.indexer.overlay_closed(path)
            bench.indexer.index()
            assert snapshot(bench) == snapshot.from_scratch(bench)
            assert len(bench.encoder.texts) == len(set(bench.encoder.texts))
            assert bench.reopen().index().embedded == 0
        finally:
            bench.close()
