"""An index that was edited for years: most ids that it ever gave are gone, and it answers as a new one does."""

from __future__ import annotations

import pytest

from khoj_ls.search.bm25 import FEW_ROWS

EDITS = 3
SECTIONS = FEW_ROWS + 100
"""A word that stands in more entries than are counted one by one is counted by how densely it stands among the first ids."""


def sections(word: str) -> str:
    return "".join(f"# {word} {number}\n\nIvy grows here.\n" for number in range(SECTIONS))


@pytest.fixture(scope="module")
def old(empty_vault, tmp_path_factory):
    vault = empty_vault(tmp_path_factory.mktemp("old"))
    vault.put("settled.md", sections("wall"), embedded=False)
    vault.put("moss.md", "# Moss\n\nIvy and moss share the shade.\n", embedded=False)
    vault.put("fern.md", "# Fern\n\nIvy leaves some shade to it.\n", embedded=False)
    for edit in range(EDITS):  # in turns: so none gets the ids again that it had
        for name in ("gate", "shed"):
            vault.put(f"{name}.md", sections(f"{name}{edit}"), embedded=False)
    with vault.database.read() as connection:
        entries, highest = connection.execute("SELECT count(*), max(id) FROM entry").fetchone()
    assert highest > 2 * entries
    yield vault
    vault.database.close()


@pytest.mark.parametrize(
    ("query", "first"), [("ivy", "settled.md"), ("ivy moss", "moss.md"), ("ivy leaves", "fern.md"), ("ivy gate2 7", "gate.md")]
)
def test_a_word_that_is_everywhere_is_searched_for(old, query, first):
    assert old.search(query, mode="lexical").hits[0].path == first


def test_what_belongs_to_a_note_with_a_word_that_is_everywhere(old):
    assert [hit.path for hit in old.related("moss.md").hits] == ["fern.md"]


def test_what_was_written_over_takes_no_place_of_what_there_is(vault):
    # Each version of a paragraph leaves its vector for a while, as near to the query as the last one.
    vault.put("plum.md", "# Plum\n\nPruning plum trees in July, with saw, ladder and rope.\n")
    for edit in range(500):
        vault.put("draft.md", f"# Plum\n\nPruning plum trees in July {edit}.\n")
    paths = ["draft.md", "plum.md"]
    assert sorted(hit.path for hit in vault.search("pruning plum trees july", mode="dense", limit=2).hits) == paths
    assert [hit.path for hit in vault.related("draft.md").hits] == ["plum.md"]
    assert [hit.sources.keys() >= {"dense"} for hit in vault.related("draft.md").hits] == [True]
