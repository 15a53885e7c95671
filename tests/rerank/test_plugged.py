"""Rerankers that plugins bring."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from khoj_ls.core.errors import ModelError
from khoj_ls.plugins.kinds import RerankerChoice
from khoj_ls.rerank.plugged import PluggedReranker


class Toy:
    def __init__(self, scores: Any, remote: Any = "") -> None:
        self.scores, self.remote = scores, remote

    def score(self, query, texts, token=None, timeout=None):
        return self.scores(texts) if callable(self.scores) else self.scores


def reranker(scores: Any, remote: Any = "") -> PluggedReranker:
    return PluggedReranker(RerankerChoice("toy", "", lambda: Toy(scores, remote)), "mine")


def test_scores_come_in_the_order_of_texts() -> None:
    own = reranker(lambda texts: [len(text) / 10 for text in texts], "https://far.example")
    assert (own.score("q", ["a", "abc"]), own.remote) == ([0.1, 0.3], "https://far.example")


@pytest.mark.parametrize(
    ("scores", "what"),
    [
        ([0.5], "gave no score for each text"),
        ([0.5, 2.0], "gave a score that is none"),
        ([0.5, float("nan")], "gave a score that is none"),
        ([0.5, "high"], "gave a score that is none"),
        (None, "the reranker toy of the plugin mine failed: TypeError"),
        (lambda texts: 1 / 0, "failed: ZeroDivisionError"),
    ],
)
def test_what_is_no_score_is_told(scores: Any, what: str) -> None:
    with pytest.raises(ModelError, match=what):
        reranker(scores).score("q", ["a", "b"])


def test_one_that_does_not_say_where_texts_go_is_given_none() -> None:
    with pytest.raises(ModelError, match="its remote is no text"):
        reranker([], None).remote  # noqa: B018 - asking is what fails


def test_one_that_hangs_is_not_asked_again_before_it_answers() -> None:
    ends = threading.Event()
    own = reranker(lambda texts: [0.5 for _ in texts if ends.wait()])
    with pytest.raises(ModelError, match=r"it took longer than 0\.05 s"):
        own.score("q", ["a"], timeout=0.05)
    with pytest.raises(ModelError, match="an earlier call of it has not returned"):
        own.score("q", ["a"], timeout=60)
    ends.set()
