"""What a whole note is about: by vectors from all of it and by its beginning."""

from __future__ import annotations

import numpy as np
import pytest

from khoj_ls.search.notes import whole_notes
from khoj_ls.store.note_chunks import NoteChunks


class Index(dict):
    """Cosines with the query, by embedding."""

    def scores(self, query, ids):
        return np.array([self.get(each, np.nan) for each in ids], np.float32)


def note(*chunks):
    """A note of chunks, each (embedding, tokens)."""
    made = NoteChunks(1)
    made.file_bytes = 100
    for number, (embedding, tokens) in enumerate(chunks):
        made._add(embedding, number, number, [number, tokens, 0, 0, 1, 1])
    return made


LONG = [(number, 40) for number in range(20)]


@pytest.mark.parametrize(
    ("chunks", "cosines", "meaning"),
    [
        ([(1, 30)], {1: 0.4}, 0.4),
        # All three of the whole note; of its beginning the first and 56 tokens of the second.
        ([(1, 200), (2, 100), (3, 50)], {1: 0.9, 2: 0.3, 3: 0.6}, 0.5 * (1.8 / 3) + 0.5 * (0.9 * 200 + 0.3 * 56) / 256),
        # The same text twice counts twice.
        ([(1, 50), (2, 50), (1, 50)], {1: 0.9, 2: 0.3}, (0.9 + 0.9 + 0.3) / 3),
        # Each third of twenty; of the beginning six and 16 tokens of the seventh.
        (LONG, {n: n / 20 for n in range(20)}, 0.5 * (63 / 20 / 7) + 0.5 * (15 / 20 * 40 + 6 / 20 * 16) / 256),
        ([(1, 100), (2, 100)], {1: 0.8}, 0.8),
        ([(1, 100)], {1: -0.2}, 0.0),
        ([(1, 100)], {}, None),
        ([], {1: 0.5}, None),
        ([(1, 0)], {1: 0.5}, 0.5),
    ],
    ids=["one", "few", "equal texts", "many", "one is not there", "far away", "none is there", "no chunks", "no tokens"],
)
def test_meaning(chunks, cosines, meaning):
    # Asked twice: what is kept of the first time says the same.
    notes = {1: note(*chunks)}
    for _ in range(2):
        found = whole_notes(None, [1], notes, Index(cosines), b"query").meaning
        assert found == ({} if meaning is None else {1: pytest.approx(meaning)})
