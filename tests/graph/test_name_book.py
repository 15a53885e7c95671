"""Names are read again after what may change them, and after nothing else."""

from __future__ import annotations

import threading

import pytest

from khoj_ls.graph import name_book
from khoj_ls.graph.name_book import Shelf
from khoj_ls.store.database import set_meta

ORG = "#+title: Plum\n* Tree\n"
WITH_ID = ":PROPERTIES:\n:ID: plum-1\n:END:\n"


@pytest.fixture
def notes(graph, monkeypatch):
    """A vault whose names are old at once."""
    monkeypatch.setattr(name_book, "_FRESH_SECONDS", -1.0)
    monkeypatch.setattr(name_book, "_OLD_SECONDS", -1.0)
    graph.put("plum.org", ORG)
    graph.put("fig.md", "# Fig\n\n#fruit\n")
    return graph


def asked(graph, shelf, section):
    return graph.ask(lambda network: shelf.names(network.connection, section))


def stored_vector(graph):
    with graph.database.write() as connection:
        set_meta(connection, "any", "thing")


EDITS = {
    "a vector": (stored_vector, []),
    "a note": (lambda graph: graph.put("fig.md", "# Fig\n\n#fruit\n\nIt is ripe.\n"), ["notes", "tags"]),
    "a note that goes": (lambda graph: graph.remove("fig.md"), ["notes", "tags"]),
}


@pytest.mark.parametrize(("edit", "stale"), EDITS.values(), ids=EDITS)
def test_what_is_stored_makes_names_old(notes, edit, stale):
    shelf = Shelf()
    asked(notes, shelf, "notes"), asked(notes, shelf, "tags")
    edit(notes)
    assert notes.ask(lambda network: shelf.stale(network.connection)) == stale


@pytest.mark.parametrize(
    ("path", "text", "made_anew"),
    [
        ("fig.md", "# Fig\n\n#fruit\n\nIt is ripe.\n", set()),
        ("fig.md", "# Fig tree\n\n#fruit\n", {"notes"}),
        ("fig.md", "# Fig\n\n#tree\n", {"tags"}),
        ("plum.org", ORG.replace("* Tree", "* Tree :wood:"), {"tags"}),
        ("plum.org", WITH_ID + ORG, {"notes", "ids"}),
    ],
)
def test_names_are_made_anew_where_an_edit_changes_them(notes, path, text, made_anew):
    shelf = Shelf()
    before = {section: asked(notes, shelf, section) for section in ("notes", "tags", "ids")}
    notes.put(path, text)
    notes.ask(lambda network: shelf.refresh(network.connection))
    assert {section for section, names in before.items() if asked(notes, shelf, section) is not names} == made_anew


def test_known_names_wait_for_no_reading(notes):
    shelf = Shelf()
    known = asked(notes, shelf, "notes")
    notes.put("fig.md", "# Fig tree\n")
    begun, go_on = threading.Event(), threading.Event()

    def slow_reading(network):
        def hold():
            begun.set()
            go_on.wait(60)

        network.connection.set_progress_handler(hold, 1)
        try:
            shelf.refresh(network.connection)
        finally:
            network.connection.set_progress_handler(None, 0)

    reader = threading.Thread(target=notes.ask, args=(slow_reading,))
    reader.start()
    try:
        assert begun.wait(60)
        assert asked(notes, shelf, "notes") is known
        asker = threading.Thread(target=shelf.begin)
        asker.start()
        asker.join(10)
        assert not asker.is_alive()
    finally:
        go_on.set()
        reader.join()
    assert asked(notes, shelf, "notes") is not known
