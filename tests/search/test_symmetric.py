"""A pasted passage is compared as the passages of the notes are, a question as the model wants questions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from khoj_ls.search.pipeline import search
from khoj_ls.search.related import related
from khoj_ls.search.types import RelatedRequest, SearchRequest

QUESTION = "why does the car not start"
LINES = "The car does not start.\nIt is cold."
LONG = "the car does not start when it is cold " * 11


class Recorder:
    """Embeds as the vault of these tests does, and remembers with which prefix."""

    def __init__(self, embed) -> None:
        self.embed = embed
        self.asked: list[str] = []

    def context(self, vault):
        return replace(vault.context, embed_query=self.prefixed("query: "), embed_passage=self.prefixed("passage: "))

    def prefixed(self, prefix: str):
        def embed(text: str) -> bytes:
            self.asked.append(prefix + text)
            return self.embed(text)

        return embed


@pytest.fixture
def house(vault):
    vault.put("car.md", "# Car\n\nThe vehicle wants oil.\n\n## Winter\n\nThe car does not start when it is cold.\n")
    vault.put("cat.md", "# Kitten\n\nA kitten sleeps on the car, all winter.\n")
    return vault


@pytest.fixture
def recorder(house) -> Recorder:
    return Recorder(house.embed_query)


def one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("query", "symmetric", "embedded"),
    [
        (QUESTION, None, f"query: {QUESTION}"),
        (f"\n{QUESTION}\n", None, f"query: {QUESTION}"),
        (LINES, None, f"passage: {one_line(LINES)}"),
        (LONG, None, f"passage: {one_line(LONG)}"),
        (QUESTION, True, f"passage: {QUESTION}"),
        (LINES, False, f"query: {one_line(LINES)}"),
        (f"{QUESTION} -tag:old", True, f"passage: {QUESTION}"),
    ],
    ids=lambda value: None if isinstance(value, bool) else str(value)[:20],
)
@pytest.mark.parametrize("mode", ["hybrid", "dense"])
def test_a_search_embeds(house, recorder, query, symmetric, embedded, mode):
    request = SearchRequest(query, mode=mode, symmetric=symmetric, explain=True)
    hits = search(recorder.context(house), request).hits
    assert recorder.asked == [embedded]
    assert {hit.explanation.embedded_as for hit in hits} == {embedded.partition(":")[0]}


def test_words_alone_embed_nothing(house, recorder):
    hits = search(recorder.context(house), SearchRequest(LINES, mode="lexical", symmetric=True, explain=True)).hits
    assert (recorder.asked, {hit.explanation.embedded_as for hit in hits}) == ([], {None})


def test_where_no_model_is_ready_nothing_was_embedded(house):
    context = replace(house.context, model=None, index=None)
    hits = search(context, SearchRequest(QUESTION, explain=True)).hits
    assert {hit.explanation.embedded_as for hit in hits} == {None}


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (RelatedRequest(None, text=QUESTION), "query"),
        (RelatedRequest(None, text=LINES), "passage"),
        (RelatedRequest(None, text=LONG), "passage"),
        (RelatedRequest(None, text=QUESTION, symmetric=True), "passage"),
        (RelatedRequest(None, text=LINES, symmetric=False), "query"),
        (RelatedRequest("cat.md", text=QUESTION), "passage"),  # a region of an unsaved note
        (RelatedRequest("cat.md", text=QUESTION, symmetric=False), "query"),
        (RelatedRequest("cat.md"), None),  # by stored vectors
    ],
)
def test_related_notes_of_a_text(house, recorder, request_, kind):
    assert related(recorder.context(house), request_).hits
    assert recorder.asked == ([f"{kind}: {request_.text}"] if kind else [])


@pytest.mark.parametrize("query", [QUESTION, LINES])
def test_where_the_model_makes_no_difference_neither_does_this(house, query):
    for context in (house.context, replace(house.context, embed_passage=house.embed_query)):
        as_either = [search(context, SearchRequest(query, symmetric=each)).hits for each in (None, True, False)]
        assert as_either[0] == as_either[1] == as_either[2] != ()
