"""Each hit tells how it came to stand where it does: every number leads to the next, up to the score that is shown."""

from __future__ import annotations

from itertools import pairwise

import pytest

from khoj_ls.config.settings import Tuning
from khoj_ls.search.pipeline import search
from khoj_ls.search.types import SearchRequest


@pytest.fixture
def house(vault):
    vault.put(
        "car.md", "# Car\n\nThe vehicle wants oil.\n\n## Winter\n\nThe car does not start in winter.\n", date="2024-05-01"
    )
    vault.put("bike.org", "# Bike\n\nThe bicycle wants oil and a new chain.\n")
    vault.put("cat.md", "# Kitten\n\nA kitten sleeps on the car, all winter.\n", date="2020-01-01")
    return vault


@pytest.mark.parametrize("mode", ["hybrid", "lexical", "dense"])
@pytest.mark.parametrize("query", ["car in winter", "The vehicle wants oil", "oil for the feline router", "Winter"])
@pytest.mark.parametrize(
    "tuning",
    [
        Tuning(),
        Tuning(recency_bias=0.5),
        Tuning(type_weights={"markdown": 0.5}),
        Tuning(diversity_weight=0.3),
        Tuning(names_weight=0),
    ],
    ids=["default", "recency", "types", "diversity", "no names"],
)
def test_steps_lead_from_the_retrievers_to_the_score(house, mode, query, tuning):
    hits = search(house.context, SearchRequest(query, mode=mode, tuning=tuning, explain=True)).hits
    assert hits
    for hit in hits:
        how = hit.explanation
        assert [step.after for step in how.steps][:-1] == pytest.approx([step.before for step in how.steps][1:])
        assert how.steps[-1].after == pytest.approx(how.score) == pytest.approx(hit.score)
        assert how.fused == pytest.approx(
            next(step.after for step in reversed(how.steps) if step.name in ("note_share", "word_for_word"))
        )
        share = how.steps[0].numbers["lexical_share"]
        own = share * how.steps[0].numbers["words"] + (1 - share) * how.steps[0].numbers["meaning"]
        assert how.steps[0].before == pytest.approx(own)
        assert {name: how.retrievers[name] for name in hit.sources} == dict(hit.sources)


def test_ranks_are_those_of_the_notes(house):
    hits = search(house.context, SearchRequest("winter car", explain=True)).hits
    by_note = {hit.path: hit.explanation.retrievers for hit in hits}
    for name in ("lexical_note", "dense_note", "names"):
        seen = sorted((notes[name].rank, -notes[name].score) for notes in by_note.values() if name in notes)
        assert all(first[1] <= second[1] for first, second in pairwise(seen))
    assert by_note["car.md"]["names"].rank == 1


def test_nothing_is_explained_unless_asked(house):
    assert [hit.explanation for hit in search(house.context, SearchRequest("winter car")).hits] == [None] * 4


def test_of_words_that_stand_nowhere_meaning_decides(house):
    def shares(query: str) -> float:
        return search(house.context, SearchRequest(query, explain=True)).hits[0].explanation.steps[0].numbers["lexical_share"]

    assert shares("winter oil") == Tuning().lexical_share
    assert 0 < shares("winter snowplough") < Tuning().lexical_share
    assert shares("snowplough hydraulics") == 0
