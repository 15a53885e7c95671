"""How well people's own notes answer their own questions, through whatever answers a search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from khoj_ls.core.jobs import Progress, ProgressCallback
from khoj_ls.evaluation.measures import DEPTH, TOP, Judgements, Run
from khoj_ls.evaluation.questions import Question


@dataclass(frozen=True)
class Passage:
    """A hit: lines of a note (relative to the vault, posix)."""

    path: str
    first: int
    last: int


Ask = Callable[[str, int], tuple[Sequence[Passage], float]]
"""Passages for a query and a limit, best first, and milliseconds."""


def judgements(questions: Sequence[Question]) -> Judgements:
    """The right answers by query, all as good as each other."""
    return {question.query: {answer.name: 1 for answer in question.answers} for question in questions}


def ask_notes(questions: Sequence[Question], ask: Ask, name: str, progress: ProgressCallback) -> Run:
    """The rankings of the questions: as people are shown them down to the tenth, and what a longer list adds below.

    A hit counts as the first answer it holds that no better hit holds, else as a place that was spent on something else.
    """
    rankings, times = {}, []
    for number, question in enumerate(questions):
        progress(Progress("ask", number, len(questions), name))
        head, took = ask(question.query, TOP)
        shown = dict.fromkeys(head)
        longer, _ = ask(question.query, DEPTH) if len(head) == TOP else ((), 0.0)
        shown.update(dict.fromkeys(longer))
        rankings[question.query] = _ranking(question, list(shown))
        times.append(took)
    return Run(rankings, times)


def _ranking(question: Question, passages: Sequence[Passage]) -> list[str]:
    ranking: list[str] = []
    for place, passage in enumerate(passages[:DEPTH]):
        held = [answer.name for answer in question.answers if answer.stands_in(passage.path, passage.first, passage.last)]
        # No answer is called so: names of answers begin with a path, and paths hold no NUL.
        ranking.append(next((name for name in held if name not in ranking), f"\0{place}"))
    return ranking
