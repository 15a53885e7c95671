"""What is asked of the chunks of one note."""

from __future__ import annotations

import pytest

from khoj_ls.store.note_chunks import NoteChunks


@pytest.mark.parametrize(
    ("embeddings", "wanted", "places"),
    [
        ((7, 8, 9), 8, [1]),
        ((7, 8, 9), 5, []),
        ((), 5, []),
        # Equal texts stand in a note several times.
        ((7, 8, 7, 7, 9, 7), 7, [0, 2, 3, 5]),
    ],
)
def test_the_places_of_a_text(embeddings, wanted, places):
    note = NoteChunks(1)
    for ordinal, embedding in enumerate(embeddings):
        note._add(embedding, ordinal, ordinal, (10 * ordinal, 5, 0, 0, 1, 1))
    assert note.places(wanted) == places
