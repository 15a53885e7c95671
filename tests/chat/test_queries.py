"""A message as a question and a query, and what is read out of a model's answer about what to search for."""

from __future__ import annotations

import pytest

from khoj_ls.chat.question.queries import ask_queries, read_queries, reading, with_words
from khoj_ls.core.errors import Cancelled, RateLimited
from khoj_ls.core.jobs import CancelToken


@pytest.mark.parametrize(
    ("message", "question", "filters"),
    [
        ("what did we decide about the roof", "what did we decide about the roof", ""),
        ("what did we decide tag:work about the roof", "what did we decide about the roof", "tag:work"),
        ('who said "red roof" -"blue roof" file:"*.org"?', 'who said "red roof" ?', '-"blue roof" file:"*.org"'),
        ('what of +"red roof"', 'what of "red roof"', ""),
        ("explain std::vector and title: x", "explain std::vector and title: x", ""),
        ("tag:work", "tag:work", "tag:work"),
        ("why\n\n    x = a[1]\n    y = 2", "why\n\n    x = a[1]\n    y = 2", ""),
    ],
)
def test_filters_steer_the_search_and_are_no_part_of_the_question(message, question, filters):
    found = reading(message)
    assert (found.query, found.question, found.filters, found.notice) == (message, question, filters, "")


def test_a_wrong_filter_is_told_and_its_words_are_searched():
    found = reading("what tags:work says")
    assert found.question == "what tags:work says" and "tags:work" not in found.query and "work" in found.query
    assert "tags" in found.notice


def test_a_follow_up_stays_within_the_filters_of_the_question_before():
    assert with_words(reading("who pays"), "roof", "tag:work") == "who pays roof tag:work"
    assert with_words(reading("who pays tag:home"), "roof", "tag:work") == "who pays tag:home roof"


@pytest.mark.parametrize(
    ("answer", "queries"),
    [
        ('["a b", "c"]', ("a b", "c")),
        ('Sure! Here you go:\n```json\n["a b", "c"]\n```\nHope it helps', ("a b", "c")),
        ('{"queries": ["a", "b"]}', ("a", "b")),
        ('[{"query": "a"}, {"query": "b"}]', ("a", "b")),
        ('["a", "b', ("a",)),
        ('["a", "a", "b", "c", "d", "e", "f", "g"]', ("a", "b", "c", "d", "e")),
        ("1. who pays\n2. roof cost", ("who pays", "roof cost")),
        ("- who pays\n- roof cost", ("who pays", "roof cost")),
        ("I do not know what to search for.", ()),
        ("[]", ()),
        ("", ()),
        ('["  ", "?!", "a\\nb"]', ("a b",)),
        ("[" * 5000, ()),
        ('["' + "x" * 500 + '"]', ("x" * 200,)),
    ],
)
def test_reading_queries(answer, queries):
    assert read_queries(answer) == queries


def test_asking_is_cheap_and_sober(scripted):
    model = scripted(['["a"', ', "b"]'])
    queries, usage = ask_queries(model, (), "and why?", CancelToken())
    ((messages, sampling),) = model.asked
    assert queries == ("a", "b") and usage is not None and "and why?" in messages[-1].text
    assert sampling.temperature == 0.0 and sampling.max_tokens <= 200


def test_a_failure_is_no_failure(scripted):
    assert ask_queries(scripted([RateLimited("busy")]), (), "why?", CancelToken()) == ((), None)
    assert ask_queries(scripted(['["a", ', RateLimited("busy")]), (), "why?", CancelToken()) == (("a",), None)


def test_a_slow_model_is_not_waited_for(scripted, monkeypatch):
    monkeypatch.setattr("khoj_ls.chat.question.queries._SECONDS", 0.05)

    def slow(messages, token):
        yield '["a"'
        assert token.wait(60)
        yield ', "b"]'

    model = scripted(slow)
    queries, _ = ask_queries(model, (), "why?", CancelToken())
    assert queries == ("a",) and model.closed_streams == 1


def test_cancelling_ends_it(scripted):
    token = CancelToken()

    def cancelled(messages, given):
        token.cancel()
        yield "["
        assert given.cancelled

    with pytest.raises(Cancelled):
        ask_queries(scripted(cancelled), (), "why?", token)
