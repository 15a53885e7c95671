"""Which notes belong linked at a place. `|` is the caret; words between `<` and `>` are selected."""

from __future__ import annotations

import struct

import pytest

from khoj_ls.content.registry import default_registry
from khoj_ls.core.errors import Cancelled
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.types import Chunk
from khoj_ls.graph.open_note import NoteReader
from khoj_ls.graph.suggest import suggest
from khoj_ls.search.context import SearchContext
from khoj_ls.store.chunks import chunk_hash, store_chunks, store_vectors, use_model
from khoj_ls.store.vectors import VectorIndex

VAULT = {
    "garden/pruning.md": "---\ntitle: Pruning fruit trees\naliases: [winter cut]\n---\nCut back before the buds swell.\n",
    "garden/compost.md": "# Compost heap\n\nKitchen scraps and leaves rot to soil.\n",
    "garden/soil.md": "# Soil\n\nSoil wants [[compost]] and mulch; see [[pruning|the yearly cut]] for branches.\n",
    "network/router.md": "# Router\n\nThe access point on channel 36, its firmware rolled back.\n",
    "network/firewall.org": "#+title: Firewall rules\n\n* Ports\nOnly the [[file:router.md][access point]] answers.\n",
    "network.vpn.tunnel.md": "# Tunnel\n\nKeys are exchanged once a month.\n",
    "index.md": "# Home\n\n- [[garden/soil]]\n- [[network/router]]\n- [[network/firewall]]\n",
    "cake.md": "# Cake\n\nFlour, eggs, sugar.\n",
    "bread.md": "# Bread\n\nFlour, water, salt.\n",
    "jam.md": "# Jam\n\nPlums and sugar.\n",
}
READER = NoteReader(default_registry(third_party=False))


@pytest.fixture
def notes(graph):
    for path, text in VAULT.items():
        graph.put(path, text)
    return graph


def asked(graph, path, marked, *, context=None, limit=5, token=None):
    """Suggestions at the mark in a text."""
    start, end = marked.find("<"), marked.find(">")
    text = marked.replace("<", "").replace(">", "") if start >= 0 else marked.replace("|", "")
    first = len(marked[: start if start >= 0 else marked.index("|")].encode())
    selection = (first, first + len(marked[start + 1 : end].encode())) if start >= 0 else None
    note = READER.read(path, text)
    context = context or SearchContext(graph.database, None, None, None)
    return note, graph.ask(lambda network: suggest(network, context, note, first, selection, limit, token))


@pytest.mark.parametrize(
    ("path", "text", "expected", "words"),
    [
        ("new.md", "Mind the prun|ing of fruit trees in spring.\n", "garden/pruning.md", "pruning of fruit trees"),
        ("new.md", "🌳 木を the |winter cut is due\n", "garden/pruning.md", "winter cut"),
        ("new.md", "All <Firewall rules> are reviewed.\n", "network/firewall.org", "Firewall rules"),
        ("new.org", "* Plan\nLook at the compost| heap.\n", "garden/compost.md", "compost heap"),
        ("new.md", "restart the access po|int\n", "network/router.md", None),  # what a link elsewhere is made of
        ("new.md", "renew the tunnel| of the vpn\n", "network.vpn.tunnel.md", "tunnel of the vpn"),  # parts of a dotted name
        ("new.md", "Leaves and kitchen scraps rot. |\n", "garden/compost.md", None),  # words of the paragraph
        ("new.md", "keys |\n\nchannel 36 and firmware\n", "network.vpn.tunnel.md", None),  # of the paragraph, not the note
    ],
)
def test_the_note_that_is_meant_comes_first(notes, path, text, expected, words):
    note, found = asked(notes, path, text)
    assert found[0].path == expected
    if words:
        start, end = found[0].phrase
        assert note.source[start:end].decode() == words


def test_what_is_linked_together_elsewhere_belongs_together(notes):
    _, found = asked(notes, "elsewhere/list.md", "- [[network/router]]\n- [[garden/soil]]\n- |\n")
    assert "network/firewall.org" in [each.path for each in found[:4]]
    assert [each.path for each in found if each.linked] == [
        p for p in [each.path for each in found] if p in ("network/router.md", "garden/soil.md")
    ]


def test_the_note_itself_is_not_suggested_and_its_stored_links_speak_for_nothing(notes):
    before = [each.path for each in asked(notes, "index.md", "# Home\n\nsoil and flour|\n", limit=50)[1]]
    assert "index.md" not in before
    told = {
        each.path: each.signals["neighbours"] for each in asked(notes, "index.md", "# Home\n\nsoil and flour|\n", limit=50)[1]
    }
    assert set(told.values()) == {0.0}
    linked = {each.path: each for each in asked(notes, "index.md", "# Home\n\n- [[network/router]]\n- soil|\n", limit=50)[1]}
    assert linked["network/firewall.org"].signals["neighbours"] > 0.0


def test_scores_fall_and_stay_within_bounds(notes):
    _, found = asked(notes, "new.md", "Pruning| and compost in the garden.\n", limit=50)
    scores = [each.score for each in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0.0 <= each.score <= 1.0 and all(0.0 <= value <= 1.0 for value in each.signals.values()) for each in found)
    assert len(asked(notes, "new.md", "Pruning|\n", limit=2)[1]) == 2


@pytest.mark.parametrize(
    "text", ["|", "\n\n|\n", "---\ntitle: |", "\u0000|\n", "[[|", "😀|😀", "* |", "|" + "a " * 5000, "- [[x|\n"]
)
@pytest.mark.parametrize("path", ["new.md", "new.org", "cake.md", "new.unknown"])
def test_no_text_is_too_odd(notes, path, text):
    asked(notes, path, text)


def test_it_can_be_called_off(notes):
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        asked(notes, "new.md", "compost|\n", token=token)


def vector(*values):
    length = sum(value * value for value in values) ** 0.5
    return struct.pack("<3f", *(value / length for value in values))


def test_the_stored_vector_serves_until_the_text_is_newer(notes, tmp_path):
    """`cake` and `jam` are near each other for this model; the model is asked only for a text that is not in the index."""
    with notes.database.write() as connection:
        model = use_model(connection, "three", "three", 3, "whole")
        for path, made in (("cake.md", vector(1, 0, 0)), ("jam.md", vector(1, 0.1, 0)), ("bread.md", vector(0, 1, 0))):
            (row,) = connection.execute("SELECT id FROM file WHERE path = ?", (path,)).fetchall()
            entry = READER.read(path, VAULT[path]).parsed.entries
            chunk = Chunk(0, len(entry) - 1, 0, entry[0].span, path, 1)
            store_chunks(connection, model, row[0], [chunk], 0.0)
            store_vectors(connection, model, [(chunk_hash(path), made)])
    questions = []

    def embed(text):
        questions.append(text)
        return vector(0, 1, 0)

    index = VectorIndex(notes.database, model, tmp_path / "vectors", exact_below=100)
    context = SearchContext(notes.database, model, index, embed)
    _, found = asked(notes, "cake.md", VAULT["cake.md"].replace("eggs", "|eggs"), context=context, limit=50)
    meaning = {each.path: each.signals["meaning"] for each in found}
    assert meaning["jam.md"] > 0.9
    assert not questions
    _, found = asked(notes, "cake.md", VAULT["cake.md"].replace("eggs", "honey|"), context=context, limit=50)
    meaning = {each.path: each.signals["meaning"] for each in found}
    assert meaning["bread.md"] > 0.9
    assert questions == ["Cake\nCake\nFlour, honey, sugar."]
