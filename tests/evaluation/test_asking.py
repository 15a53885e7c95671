"""From hits to rankings: what leaves them, and how own notes' passages become answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from khoj_ls.evaluation.asking import ask_all
from khoj_ls.evaluation.baselines import fused
from khoj_ls.evaluation.beir import RetrievalSet
from khoj_ls.evaluation.indexed import note
from khoj_ls.evaluation.measures import Run, figures
from khoj_ls.evaluation.own_notes import Passage, ask_notes, judgements
from khoj_ls.evaluation.questions import Answer, Question


def silent(progress):
    """Nobody looks."""


def test_the_note_that_a_query_is_leaves_its_own_ranking():
    data = RetrievalSet("s", Path(), frozenset("abc"), {"a": "", "b": ""}, {"a": {"b": 1}, "b": {"b": 1}}, frozenset("a"))
    run = ask_all(data, lambda query: (["a", "b", "b", "c"], 2.5), "mode", silent)
    assert run == Run({"a": ["b", "c"], "b": ["a", "b", "c"]}, [2.5, 2.5])


def test_a_ranking_has_no_more_than_a_hundred():
    data = RetrievalSet("s", Path(), frozenset(), {"q": ""}, {"q": {"a": 1}}, frozenset())
    run = ask_all(data, lambda query: ([str(number) for number in range(150)], 0.0), "mode", silent)
    assert run.rankings["q"] == [str(number) for number in range(100)]


def test_rank_fusion():
    # 1/61 + 1/62, 1/62, 1/61: found by both wins, the first before the second
    assert fused(Run({"q": ["a", "b"]}), Run({"q": ["c", "a"]})).rankings == {"q": ["a", "c", "b"]}


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        ("", "text", b"text\n"),
        ('On "quotes"', "text", b'---\ntitle: "On \\"quotes\\""\n---\n\ntext\n'),
    ],
)
def test_a_document_as_a_note(title, text, expected):
    assert note(title, text) == expected


A_NOTE = Answer("a.md", None, "a.md")
A_PLACE = Answer("a.md", (10, 12), "a.md#Fix")
ANOTHER = Answer("b.md", (5, 5), "b.md:5")


@pytest.mark.parametrize(
    ("answers", "shown", "found"),
    [
        ([A_NOTE], [("b.md", 1, 9), ("a.md", 1, 2), ("a.md", 5, 9)], [None, "a.md", None]),
        ([A_PLACE], [("a.md", 1, 9), ("a.md", 12, 20)], [None, "a.md#Fix"]),
        ([A_PLACE], [("a.md", 13, 20), ("b.md", 10, 12)], [None, None]),
        ([A_PLACE, ANOTHER], [("b.md", 5, 5), ("a.md", 1, 99)], ["b.md:5", "a.md#Fix"]),
        # One passage counts as one answer, so that a long one does not take two places.
        ([A_NOTE, A_PLACE], [("a.md", 1, 99), ("a.md", 11, 11)], ["a.md", "a.md#Fix"]),
    ],
)
def test_passages_that_hold_an_answer(answers, shown, found):
    question = Question("q", tuple(answers))
    run = ask_notes([question], lambda query, limit: ([Passage(*place) for place in shown], 1.0), "mode", silent)
    assert [name if name in {answer.name for answer in answers} else None for name in run.rankings["q"]] == found
    best = next((1 / place for place, name in enumerate(found, 1) if name), 0.0)
    assert figures(judgements([question]), run).mrr == best


def test_the_first_ten_are_those_that_people_are_shown():
    """A longer list may put others among its first ten, because fewer are kept out of it."""

    def ask(query, limit):
        asked.append(limit)
        if limit == 10:
            return [Passage("short.md", line, line) for line in range(10)], 3.0
        return [Passage("long.md", 1, 1), *(Passage("short.md", line, line) for line in range(10)), Passage("a.md", 1, 1)], 99.0

    asked: list[int] = []
    run = ask_notes([Question("q", (A_NOTE, Answer("long.md", None, "long.md")))], ask, "mode", silent)
    assert (run.rankings["q"][10:], run.milliseconds, asked) == (["long.md", "a.md"], [3.0], [10, 100])
