"""What a profile's numbers do to a ranking: type weights, recency, diversity, cap and threshold, and how they are told."""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.config.settings import Tuning
from khoj_ls.core.errors import UsageError
from khoj_ls.core.types import Chunk, EntryDate, Span
from khoj_ls.search.dense import DenseMatch, EntryRef
from khoj_ls.search.diversity import marginal
from khoj_ls.search.explain import explained
from khoj_ls.search.facts import Facts, read_facts
from khoj_ls.search.fusion import Candidate, ordered
from khoj_ls.search.recency import age_of, recency_factor
from khoj_ls.search.tuning import pool_size, tune
from khoj_ls.search.types import SearchRequest
from khoj_ls.store.chunks import ChunkRow, chunk_hash, store_chunks, store_vectors

NEUTRAL = Tuning(score_threshold=0.0, max_per_file=0)
DIMENSIONS = 64
NOW = datetime(2024, 5, 20, 15).timestamp()


def candidate(entry: int, score: float, *, note: int | None = None, words: float = 0.5, exact: bool = False) -> Candidate:
    dense = DenseMatch(score, ChunkRow(entry, note or entry, 0, 0, Span(0, 1, 1, 1), b""))
    return Candidate(EntryRef(entry, note or entry, 0), score, words, dense, True, exact)


def vector(*values: float) -> bytes:
    length = sum(value * value for value in values) ** 0.5
    return struct.pack(f"<{len(values)}f", *(value / length for value in values))


def shown(candidates, tuning=NEUTRAL, limit=10, **facts):
    return [(c.entry.id, round(c.score, 4)) for c in tune(candidates, tuning, limit, lambda near: Facts(**facts)).candidates]


# -- any ranking, any numbers ------------------------------------------------------------------------------------------

UNIT = st.floats(0, 1)
CANDIDATES = st.lists(st.tuples(st.floats(0.001, 1), st.integers(1, 4), st.booleans(), st.booleans()), max_size=25).map(
    lambda rows: ordered(
        candidate(number, 0.9 + score / 10 if exact else 0.9 * score, note=note, words=float(by_words), exact=exact)
        for number, (score, note, by_words, exact) in enumerate(rows, 1)
    )
)
ENTRIES = st.integers(1, 25)
FACTS = st.builds(
    Facts,
    types=st.dictionaries(ENTRIES, st.sampled_from(["org", "markdown", "pdf"])),
    ages=st.dictionaries(ENTRIES, st.floats(0, 5000)),
    vectors=st.dictionaries(
        ENTRIES, st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: any(abs(x) > 0.01 for x in v)).map(lambda v: vector(*v))
    ),
)
TUNINGS = st.builds(
    Tuning,
    bi_encoder_top_k=st.integers(0, 30),
    score_threshold=UNIT,
    max_per_file=st.integers(0, 3),
    diversity_weight=UNIT,
    recency_bias=UNIT,
    recency_decay_days=st.floats(1, 400),
    type_weights=st.dictionaries(st.sampled_from(["org", "pdf"]), UNIT),
)
LIMITS = st.integers(1, 12)


@given(CANDIDATES, TUNINGS, FACTS, LIMITS)
def test_scores_never_rise_and_stay_between_0_and_1(candidates, tuning, facts, limit):
    scores = [c.score for c in tune(candidates, tuning, limit, lambda near: facts).candidates]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


@given(CANDIDATES, TUNINGS, FACTS, LIMITS)
def test_the_limit_is_filled_with_what_passes_the_threshold(candidates, tuning, facts, limit):
    passing = {c.entry.id for c in candidates if c.lexical or c.exact or c.dense.score >= tuning.score_threshold}
    found = [c.entry.id for c in tune(candidates, tuning, limit, lambda near: facts).candidates]
    assert len(found) == len(set(found)) == min(limit, len(passing))
    assert set(found) <= passing


@given(CANDIDATES, FACTS, LIMITS)
def test_numbers_of_nothing_move_nothing(candidates, facts, limit):
    assert tune(candidates, NEUTRAL, limit, lambda near: facts).candidates == candidates[:limit]
    ids = [c.entry.id for c in candidates]
    picks = list(marginal([c.score for c in candidates], ids, facts.vectors, 0.0))
    assert [pick.place for pick in picks] == list(range(len(candidates)))


@given(CANDIDATES, TUNINGS, FACTS, LIMITS)
def test_what_holds_the_query_word_for_word_stays_first(candidates, tuning, facts, limit):
    tuning = replace(tuning, max_per_file=0)
    exact = [c.exact for c in tune(candidates, tuning, limit, lambda near: facts).candidates]
    assert exact == sorted(exact, reverse=True)


@given(CANDIDATES, TUNINGS, FACTS, LIMITS)
def test_an_explanation_changes_nothing_and_leads_from_the_first_score_to_the_last(candidates, tuning, facts, limit):
    plain = tune(candidates, tuning, limit, lambda near: facts)
    told = tune(candidates, tuning, limit, lambda near: facts, explain=True)
    assert (told.candidates, plain.steps) == (plain.candidates, {})
    fused = {c.entry.id: c.score for c in candidates}
    for c in told.candidates:
        score = fused[c.entry.id]
        for step in told.steps.get(c.entry.id, ()):
            assert step.before == pytest.approx(score)
            score = step.after
        assert score == pytest.approx(c.score)


def test_nothing_is_read_where_no_number_asks_for_it():
    def never(near):
        raise AssertionError("read")

    tune([candidate(1, 0.5)], Tuning(), 10, never)
    for numbers in ({"type_weights": {"org": 0.5}}, {"recency_bias": 0.1}, {"diversity_weight": 0.1}):
        with pytest.raises(AssertionError):
            tune([candidate(1, 0.5)], Tuning(**numbers), 10, never)


@pytest.mark.parametrize(
    ("top_k", "limit", "expected"), [(0, 10, 60), (0, 100, 400), (150, 10, 150), (90, 3, 90), (30, 3, 30), (30, 100, 400)]
)
def test_the_pool_grows_with_the_limit(top_k, limit, expected):
    assert pool_size(Tuning(bi_encoder_top_k=top_k), limit) == expected


# -- one number at a time ----------------------------------------------------------------------------------------------

THREE = [candidate(1, 0.8), candidate(2, 0.7), candidate(3, 0.6)]


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"pdf": 0.5}, [(2, 0.7), (3, 0.6), (1, 0.4)]),
        ({"org": 0.5}, [(1, 0.8), (3, 0.6), (2, 0.35)]),
        ({"pdf": 0}, [(2, 0.7), (3, 0.6), (1, 0.0)]),
        ({"pdf": 0.75, "org": 6 / 7}, [(1, 0.6), (2, 0.6), (3, 0.6)]),  # equals stay in their order
    ],
)
def test_types_are_weighed(weights, expected):
    assert shown(THREE, replace(NEUTRAL, type_weights=weights), types={1: "pdf", 2: "org"}) == expected


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        ({1: 0, 2: 0, 3: 0}, [(1, 0.8), (2, 0.7), (3, 0.6)]),
        ({1: 30, 2: 0, 3: 0}, [(2, 0.7), (1, 0.68), (3, 0.6)]),  # one half-life: half of the bias
        ({1: 1e9, 2: 1e9, 3: 0}, [(3, 0.6), (1, 0.56), (2, 0.49)]),  # at most the bias
        ({3: 0}, [(1, 0.8), (2, 0.7), (3, 0.6)]),
    ],
)
def test_what_is_recent_comes_first(ages, expected):
    assert shown(THREE, replace(NEUTRAL, recency_bias=0.3, recency_decay_days=30), ages=ages) == expected


@given(st.floats(0, 1e5), st.floats(0, 1e5), UNIT, st.floats(1, 1e4))
def test_a_score_falls_with_age_and_never_by_more_than_the_bias(age, later, bias, decay):
    older, newer = recency_factor(age + later, bias, decay), recency_factor(age, bias, decay)
    assert 1 - bias - 1e-9 <= older <= newer <= 1


def dates(*texts: str) -> tuple[EntryDate, ...]:
    return tuple(EntryDate("content", *text.split("/")) for text in texts)


@pytest.mark.parametrize(
    ("own", "notes", "modified_days", "expected"),
    [
        (["2024-05-20"], [], 100, 0),
        (["2024-05-10T09:30"], ["2024-05-19"], 100, 10),  # the entry's own dates come before the note's
        ([], ["2024-05-01"], 100, 19),
        ([], [], 2.5, 2.5),
        ([], [], -3, 0),  # another machine's clock
        (["2024-05-24"], [], 100, 4),  # what is due soon is near, what is due in ten years is not
        (["2034-05-20"], [], 100, 3652),
        (["1999-01-01", "2024-05-22"], [], 100, 2),  # the nearest to today
        (["2024-05-01/2024-06-01"], [], 100, 0),  # within the span
        (["2024-05-01/2024-05-13"], [], 100, 7),
        (["2024-05-25/2024-05-01"], [], 100, 5),  # a span that ends before it begins
        (["2024-13-99", "soon"], ["2024-05-18"], 100, 2),  # no days of the calendar
        (["2024-02-30"], [], 8, 8),
    ],
)
def test_how_old_a_passage_is(own, notes, modified_days, expected):
    assert age_of(dates(*own), dates(*notes), NOW - modified_days * 86_400, NOW) == expected


NEAR, SAME, FAR = vector(1, 0.1), vector(1, 0), vector(0, 1)


@pytest.mark.parametrize(
    ("vectors", "weight", "expected"),
    [
        ({1: SAME, 2: SAME, 3: FAR}, 0.0, [(1, 0.8), (2, 0.7), (3, 0.6)]),
        ({1: SAME, 2: SAME, 3: FAR}, 0.5, [(1, 0.8), (3, 0.6), (2, 0.6)]),  # shown is what the place is worth
        ({1: SAME, 2: NEAR, 3: FAR}, 0.05, [(1, 0.8), (2, 0.7), (3, 0.6)]),  # a little diversity does not outweigh relevance
        ({1: SAME, 2: FAR, 3: FAR}, 0.5, [(1, 0.8), (2, 0.7), (3, 0.6)]),
        ({}, 0.5, [(1, 0.8), (2, 0.7), (3, 0.6)]),  # nothing is embedded yet
        ({1: SAME}, 0.5, [(1, 0.8), (2, 0.7), (3, 0.6)]),
        ({1: SAME, 2: SAME}, 0.5, [(1, 0.8), (2, 0.7), (3, 0.6)]),  # what has no vector is no better than the others
    ],
)
def test_what_says_the_same_comes_later(vectors, weight, expected):
    assert shown(THREE, replace(NEUTRAL, diversity_weight=weight), vectors=vectors) == expected


def test_what_is_word_for_word_is_moved_among_its_like_only():
    exact = [candidate(1, 0.98, exact=True), candidate(2, 0.96, exact=True), candidate(3, 0.89)]
    old = replace(NEUTRAL, recency_bias=1.0, recency_decay_days=1)
    assert shown(exact, old, ages={1: 1, 2: 0, 3: 0}) == [(2, 0.96), (1, 0.94), (3, 0.89)]
    same = replace(NEUTRAL, diversity_weight=0.9)
    assert [entry for entry, _ in shown(exact, same, vectors={1: SAME, 2: SAME, 3: FAR})] == [1, 2, 3]


def test_the_limit_that_was_asked_for_wins_over_the_cap():
    many = [candidate(number, 1 - number / 100, note=1) for number in range(8)]
    assert len(shown(many, Tuning(max_per_file=3), limit=6)) == 6


def test_what_is_beyond_the_pool_follows_it():
    many = [candidate(number, 1 - number / 1000) for number in range(1, 81)]
    tuning = replace(NEUTRAL, recency_bias=0.9)
    seen = []
    ranking = tune(many, tuning, 15, lambda near: seen.extend(near) or Facts(ages={c.entry.id: 1000 for c in near}))
    assert [c.entry.id for c in seen] == list(range(1, 61))
    assert [c.entry.id for c in ranking.candidates] == list(range(1, 16))


def test_other_notes_beyond_the_pool_fill_the_limit_before_the_cap_gives_way():
    many = [candidate(number, 1 - number / 1000, note=1 if number <= 70 else number) for number in range(1, 81)]
    found = tune(many, replace(NEUTRAL, max_per_file=3), 10).candidates
    assert [c.entry.id for c in found] == [1, 2, 3, *range(71, 78)]


# -- what is told ------------------------------------------------------------------------------------------------------


def test_every_factor_is_told_with_its_numbers():
    tuning = Tuning(
        score_threshold=0.3,
        max_per_file=1,
        diversity_weight=0.5,
        recency_bias=0.4,
        recency_decay_days=10,
        type_weights={"pdf": 0.5},
    )
    candidates = [candidate(1, 0.8, note=7), candidate(2, 0.7, note=7, words=0), candidate(3, 0.6)]
    facts = Facts({1: "org", 2: "org", 3: "pdf"}, {1: 0, 2: 10, 3: 0}, {1: SAME, 2: SAME, 3: FAR})
    steps = tune(candidates, tuning, 3, lambda near: facts, explain=True).steps
    told = {entry: [(s.name, round(s.before, 3), round(s.after, 3), s.why) for s in each] for entry, each in steps.items()}
    assert told == {
        1: [
            ("type", 0.8, 0.8, "its note is of type org"),
            ("recency", 0.8, 0.8, "of today"),
            ("cap", 0.8, 0.8, "number 1 of its note, of at most 1"),
            ("threshold", 0.8, 0.8, "words speak for it, so that its cosine may be any"),
        ],
        3: [
            ("type", 0.6, 0.3, "its note is of type pdf"),
            ("recency", 0.3, 0.3, "of today"),
            ("diversity", 0.3, 0.3, "of all before it the nearest is hit 1"),
            ("cap", 0.3, 0.3, "number 1 of its note, of at most 1"),
            ("threshold", 0.3, 0.3, "words speak for it, so that its cosine may be any"),
        ],
        2: [
            ("type", 0.7, 0.7, "its note is of type org"),
            ("recency", 0.7, 0.56, "10 days from today"),
            ("diversity", 0.56, 0.56, "of all before it the nearest is hit 1"),
            ("cap", 0.56, 0.56, "number 2 of its note, over the cap of 1: no other note fills the limit"),
            ("threshold", 0.56, 0.56, "its cosine is not below 0.3"),
            ("behind", 0.56, 0.3, "a hit that scores less stands before it"),
        ],
    }
    numbers = {step.name: dict(step.numbers) for step in steps[2]}
    assert numbers["recency"] == {"age_days": 10, "factor": pytest.approx(0.8)}
    assert numbers["diversity"] == {"cosine": pytest.approx(1.0), "penalty": pytest.approx(0.5), "nearest": 1}
    assert numbers["cap"] == {"number": 2, "most": 1}


def test_what_cannot_be_compared_is_told():
    tuning = replace(NEUTRAL, diversity_weight=0.1, max_per_file=1)
    facts = Facts(vectors={1: SAME, 2: SAME, 3: FAR})
    hidden = [candidate(1, 0.8, note=1), candidate(2, 0.799, note=1), candidate(3, 0.3), candidate(4, 0.2)]
    steps = tune(hidden, tuning, 3, lambda near: facts, explain=True).steps
    assert [steps[entry][0].why for entry in (3, 4)] == [
        "of all before it the nearest is hit 1",
        "without a vector, it or hit 1 is like any other",
    ]
    like_the_hidden = Facts(vectors={1: FAR, 2: SAME, 3: SAME})
    assert tune(hidden, tuning, 3, lambda near: like_the_hidden, explain=True).steps[3][0].why == (
        "of all before it the nearest is one that is not shown"
    )


def test_hits_carry_their_explanation(vault):
    vault.put("a.md", "# Plum\n\nA plum tree.\n")
    vault.put("b.md", "# Orchard\n\nThe plum trees of the orchard.\n")
    request = SearchRequest("plum", tuning=Tuning(score_threshold=0, recency_bias=0.3), profile="mine")
    hits = vault.search("plum").hits
    candidates = [replace_score(hit) for hit in hits]
    ranking = tune(candidates, request.tuning, 10, lambda near: Facts(ages={c.entry.id: 3 for c in near}), explain=True)
    (first, _) = explained(request, hits, candidates, [ranking.steps])
    how = first.explanation
    assert (how.rank, how.fused, how.score, how.profile, how.tuning) == (
        1,
        hits[0].score,
        hits[0].score,
        "mine",
        request.tuning,
    )
    assert how.retrievers == hits[0].sources
    assert [step.name for step in how.steps] == ["recency", "cap"]


def replace_score(hit):
    return Candidate(EntryRef(hit.entry_id, hit.entry_id, 0), hit.score, 0.5, None, True)


# -- what is read ------------------------------------------------------------------------------------------------------


def test_facts_are_read_from_the_index(vault):
    vault.put("a.md", "# Plum\n\nA plum tree.\n# Pear\n\nA pear tree.\n", date="2024-05-10")
    vault.put("b.md", "# Plum\n\nA plum tree.\n", embedded=False)
    vault.put("c.md", "# Quince\n\nNo vector yet.\n", embedded=False)
    with vault.database.write() as connection:
        connection.execute("UPDATE file SET mtime_ns = ?", (int((NOW - 5 * 86_400) * 1e9),))
    with vault.database.read() as connection:
        rows = connection.execute("SELECT e.id, e.file_id, e.ordinal FROM entry e ORDER BY e.file_id, e.ordinal").fetchall()
        refs = [EntryRef(*row) for row in rows]
        found = [Candidate(ref, 0.5, 0.5, None) for ref in refs]
        every = Tuning(type_weights={"org": 0.5}, recency_bias=0.1, diversity_weight=0.1)
        facts = read_facts(connection, vault.model, found, every, NOW)
        assert facts.types == {ref.id: "markdown" for ref in refs}
        assert [facts.ages[ref.id] for ref in refs[:2]] == [10, 10]
        assert facts.ages[refs[2].id] == pytest.approx(5)  # when the file was changed
        assert set(facts.vectors) == {ref.id for ref in refs[:3]}  # equal texts share a vector, wherever they stand
        assert facts.vectors[refs[0].id] == facts.vectors[refs[2].id]
        by_meaning = [Candidate(r, 0.5, 0.0, dense_match(connection, r)) for r in refs]
        assert read_facts(connection, vault.model, by_meaning, every, NOW).vectors == facts.vectors
        assert read_facts(connection, None, found, every, NOW).vectors == {}
        assert read_facts(connection, vault.model, found, Tuning(), NOW) == Facts()


def test_of_the_passages_of_an_entry_the_first_is_compared(vault):
    vault.put("a.md", "# Plum\n\nA plum tree.\n")
    parts = [Chunk(0, 0, number, Span(0, 5, 1, 3), text, 3) for number, text in enumerate(["first part", "second part"])]
    with vault.database.write() as connection:
        store_chunks(connection, vault.model, vault.files["a.md"], parts, 0.0)
        store_vectors(connection, vault.model, [(chunk_hash(part.text), embed(part.text)) for part in parts])
    with vault.database.read() as connection:
        (entry,) = connection.execute("SELECT id FROM entry").fetchone()
        found = [Candidate(EntryRef(entry, vault.files["a.md"], 0), 0.5, 0.5, None)]
        facts = read_facts(connection, vault.model, found, Tuning(diversity_weight=0.1), NOW)
    assert facts.vectors == {entry: embed("first part")}


def embed(text: str) -> bytes:
    return vector(len(text), *[1.0] * (DIMENSIONS - 1))


def dense_match(connection, ref):
    (chunk,) = connection.execute("SELECT id FROM chunk WHERE file_id = ? AND entry = ?", (ref.file_id, ref.ordinal)).fetchone()
    return DenseMatch(0.5, ChunkRow(chunk, ref.file_id, ref.ordinal, ref.ordinal, Span(0, 1, 1, 1), b""))


def test_the_note_of_a_date_that_an_entry_has_itself_does_not_count():
    today = datetime.fromtimestamp(NOW).date()
    own, note = (EntryDate("scheduled", str(today + timedelta(days=days))) for days in (3, 0))
    assert age_of([own], [note], NOW, NOW) == 3


# -- the request -------------------------------------------------------------------------------------------------------


def test_a_request_carries_its_numbers():
    request = SearchRequest("x", max_per_file=1, score_threshold=0.5)
    assert (request.tuning.max_per_file, request.tuning.score_threshold) == (1, 0.5)
    assert replace(request, query="y").tuning == request.tuning
    assert SearchRequest("x").tuning.score_threshold == 0
    with pytest.raises(UsageError, match="max_per_file wants a whole number from 0 to 100, not -1"):
        SearchRequest("x", max_per_file=-1)


@pytest.mark.parametrize(("profile", "asked", "expected"), [(True, None, True), (True, False, False), (False, True, True)])
def test_the_question_decides_over_the_profile_whether_to_rerank(profile, asked, expected):
    assert SearchRequest("x", tuning=Tuning(rerank=profile), rerank=asked).wants_rerank is expected
