"""The stage that lets a cross-encoder order the best candidates, played with a model that is told what to say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.core.errors import Cancelled, ModelError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.types import Span
from khoj_ls.search.dense import DenseMatch, EntryRef
from khoj_ls.search.fusion import Candidate
from khoj_ls.search.rerank import PassageText, best_part, passage_texts, rerank
from khoj_ls.search.types import Source
from khoj_ls.store.chunks import ChunkRow


class Model:
    """Scores texts as it is told, and remembers what it was asked."""

    def __init__(self, scores=None, *, remote="", error=None):
        self.scores, self.remote, self.error, self.asked = scores or {}, remote, error, None

    def score(self, query, texts, token=None, timeout=None):
        self.asked = query, list(texts)
        if token:
            token.raise_if_cancelled()
        if self.error:
            raise self.error
        return [self.scores[text] for text in texts]


def candidate(number, score, *, exact=False):
    return Candidate(EntryRef(number, number, 0), score, score, None, True, exact)


FOUND = [candidate(1, 0.8), candidate(2, 0.7), candidate(3, 0.6), candidate(4, 0.5), candidate(5, 0.4)]


def texts(*numbers, private=()):
    return {number: PassageText(f"text {number}", number in private) for number in numbers}


def scores(**by_number):
    return {f"text {name[1:]}": score for name, score in by_number.items()}


def shown(reranked):
    return [(found.entry.id, pytest.approx(found.score)) for found in reranked.candidates]


def test_the_models_order_replaces_the_other():
    model = Model(scores(t1=0.1, t2=0.9, t3=0.5))
    found = rerank("question", FOUND[:3], texts(1, 2, 3), model)
    assert shown(found) == [(2, 0.81), (3, 0.45), (1, 0.09)]
    assert dict(found.sources) == {2: Source(1, 0.9), 3: Source(2, 0.5), 1: Source(3, 0.1)}
    assert model.asked == ("question", ["text 1", "text 2", "text 3"])
    assert found.reason is None


def test_equals_stay_in_the_order_they_had():
    found = rerank("question", FOUND[:3], texts(1, 2, 3), Model(scores(t1=0.5, t2=0.5, t3=0.5)))
    assert [one.entry.id for one in found.candidates] == [1, 2, 3]


def test_what_was_not_read_follows_and_is_scored_no_higher():
    found = rerank("question", FOUND, texts(1, 2), Model(scores(t1=0.2, t2=0.5)))
    assert shown(found) == [(2, 0.45), (1, 0.18), (3, 0.18), (4, 0.18), (5, 0.18)]
    assert set(found.sources) == {1, 2}


def test_the_query_word_for_word_stays_in_front():
    exact = [candidate(1, 0.97, exact=True), candidate(2, 0.95, exact=True), *FOUND[2:]]
    found = rerank("question", exact, texts(1, 2, 3), Model(scores(t1=0.1, t2=0.4, t3=0.99)))
    assert shown(found)[:3] == [(2, 0.94), (1, 0.91), (3, 0.891)]
    assert found.sources[3].rank == 1


def test_private_notes_are_not_sent_away_and_keep_their_places():
    model = Model(scores(t1=0.1, t3=0.9, t4=0.5), remote="https://api.example.org")
    found = rerank("question", FOUND, texts(1, 2, 3, 4, private=(2,)), model)
    assert model.asked[1] == ["text 1", "text 3", "text 4"]
    assert shown(found) == [(3, 0.81), (2, 0.7), (4, 0.45), (1, 0.09), (5, 0.09)]
    assert 2 not in found.sources


def test_private_notes_are_read_on_this_machine():
    found = rerank("question", FOUND[:2], texts(1, 2, private=(2,)), Model(scores(t1=0.1, t2=0.9)))
    assert [one.entry.id for one in found.candidates] == [2, 1]


def test_nothing_to_read_asks_nobody():
    model = Model(remote="https://api.example.org")
    found = rerank("question", FOUND, texts(1, 2, private=(1, 2)), model)
    assert (model.asked, found.candidates, found.reason) == (None, FOUND, None)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (None, "not reranked: no reranker is set up: `khoj-ls config set rerank.model fast`"),
        (Model(error=ModelError("the reranker is being prepared")), "not reranked: the reranker is being prepared"),
    ],
)
def test_without_a_model_the_order_stays_and_the_reason_is_told(model, reason):
    found = rerank("question", FOUND, texts(1, 2), model)
    assert (found.candidates, dict(found.sources)) == (FOUND, {})
    assert reason in found.reason


def test_it_can_be_called_off():
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        rerank("question", FOUND, texts(1), Model(scores(t1=0.1)), token)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.booleans(), st.booleans(), st.booleans()), max_size=12),
    st.booleans(),
)
def test_nothing_is_lost_and_no_score_rises(rows, away):
    ordered = sorted(rows, key=lambda row: (-row[2], -row[0]))
    found = [
        candidate(number, (0.9 + row[0] / 10) if row[2] else 0.9 * row[0], exact=row[2]) for number, row in enumerate(ordered)
    ]
    read = {number: PassageText(f"text {number}", row[4]) for number, row in enumerate(ordered) if row[3]}
    model = Model({f"text {number}": row[1] for number, row in enumerate(ordered)}, remote="x" if away else "")
    result = rerank("question", found, read, model)
    assert sorted(one.entry.id for one in result.candidates) == list(range(len(rows)))
    after = [one.score for one in result.candidates]
    assert after == sorted(after, reverse=True)
    assert all(0.0 <= score <= 1.0 for score in after)
    assert sorted(source.rank for source in result.sources.values()) == list(range(1, len(result.sources) + 1))


def of_note(vault, path, ordinal, *, worded=True, lines=None, covered=()):
    """A candidate for an entry of a note, with the lines of the nearest chunk where it has one."""
    with vault.database.read() as connection:
        (number,) = connection.execute(
            "SELECT id FROM entry WHERE file_id = ? AND ordinal = ?", (vault.files[path], ordinal)
        ).fetchone()
    chunk = ChunkRow(1, vault.files[path], 0, 0, Span(0, 0, *lines), b"") if lines else None
    dense = DenseMatch(0.5, chunk, tuple(covered)) if chunk else None
    return Candidate(EntryRef(number, vault.files[path], ordinal), 0.5, 0.5, dense, worded)


def read(vault, *candidates, terms=()):
    with vault.database.read() as connection:
        found = passage_texts(connection, candidates, terms)
    return [found[one.entry.id] for one in candidates]


NOTE = "# Garden\nSeeds and soil.\n## Water\nOnce a day.\n\nIn summer twice.\n"


def test_a_passage_has_its_title_and_headings_in_front(vault):
    vault.put("garden.md", NOTE, title="My garden")
    vault.put("notes/plain.md", "Only text.\n")
    assert read(vault, of_note(vault, "garden.md", 1), of_note(vault, "notes/plain.md", 0)) == [
        PassageText("My garden > Garden > Water\nOnce a day.\n\nIn summer twice.", False),
        PassageText("plain\nOnly text.", False),
    ]


def test_the_nearest_chunk_is_what_is_read(vault):
    vault.put("garden.md", NOTE, title="My garden")
    assert read(vault, of_note(vault, "garden.md", 1, lines=(6, 6)))[0].text == "My garden > Garden > Water\nIn summer twice."
    elsewhere = read(vault, of_note(vault, "garden.md", 1, lines=(50, 60)))[0].text
    assert elsewhere == "My garden > Garden > Water\nOnce a day.\n\nIn summer twice."


def test_entries_that_are_shown_as_one_are_read_as_one(vault):
    vault.put("garden.md", NOTE, title="My garden")
    first, second = (of_note(vault, "garden.md", ordinal).entry.id for ordinal in (0, 1))
    together = of_note(vault, "garden.md", 0, worded=False, lines=(1, 4), covered=(first, second))
    assert read(vault, together)[0].text == "My garden > Garden\nSeeds and soil.\nOnce a day."


def test_a_title_that_is_the_heading_stands_once(vault):
    vault.put("garden.md", NOTE, title="Garden")
    assert read(vault, of_note(vault, "garden.md", 0))[0].text == "Garden\nSeeds and soil."


@pytest.mark.parametrize("column", ["entry", "file"])
def test_what_is_private_is_known(vault, column):
    vault.put("garden.md", NOTE)
    with vault.database.write() as connection:
        connection.execute(f"UPDATE {column} SET private = 1")
    assert read(vault, of_note(vault, "garden.md", 1))[0].private


def test_of_a_long_entry_the_part_with_the_words_is_read(vault):
    paragraphs = [f"Paragraph {number} says nothing new about anything at all.\n\n" for number in range(200)]
    paragraphs[150] = "The Router hums at night.\n\n"
    vault.put("long.md", "".join(paragraphs))
    text = read(vault, of_note(vault, "long.md", 0), terms=("router", "nights"))[0].text
    assert "The Router hums" in text
    assert "Paragraph 149" in text
    assert 1000 < len(text) < 1300


PARTS = (
    ("short", ("word",), 10, "short"),
    ("aaaa\nbbbb\ncccc\n", ("c",), 10, "bbbb\ncccc\n"),
    ("aaaa\nbbbb\ncccc\n", ("x",), 10, "aaaa\nbbbb\n"),
    ("aaaa\nbbbb\ncccc\n", ("a", "b", "c"), 10, "aaaa\nbbbb\n"),
    ("aaaa\nbbbb\ncccc\n", ("b", "c"), 10, "bbbb\ncccc\n"),
    ("one line " * 50 + "the Word " + "one line " * 50, ("word",), 220, None),
)


@pytest.mark.parametrize(("text", "terms", "most", "part"), PARTS)
def test_the_best_part(text, terms, most, part):
    found = best_part(text, terms, most)
    assert found in text
    assert len(found) <= most
    assert found == part if part else "the Word" in found


@given(st.text(max_size=2000), st.lists(st.text(min_size=1, max_size=3), max_size=3), st.integers(200, 400))
def test_any_part_is_of_the_text_and_short_enough(text, terms, most):
    found = best_part(text, terms, most)
    assert found in text
    assert len(found) <= most
    assert found or not text
