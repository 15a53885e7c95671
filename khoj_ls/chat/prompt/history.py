"""What of a conversation a model is told again: the newest turns that fit, each whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from khoj_ls.chat.desk import Turn
from khoj_ls.core.chat import Message

_CUT = "… "
"""Stands before what is left of a text whose beginning is not told."""


@dataclass(frozen=True)
class History:
    """The turns that are told again."""

    messages: tuple[Message, ...] = ()
    """Questions and answers in turns, oldest first."""
    turns: tuple[Turn, ...] = ()
    """The turns that they are of."""
    dropped: int = 0
    """Older turns that did not fit."""
    cut: bool = False
    """Whether not even the newest turn fits, and only its last part is told."""


def history(
    turns: Sequence[Turn], budget: int, count: Callable[[str], int], worded: Callable[[Turn], Turn] = lambda turn: turn
) -> History:
    """The newest of `turns` (oldest first) whose texts together have at most `budget` tokens, as `count` has them.

    A question and its answer are told both or not at all, as they are `worded`, which is asked of no turn older than the first
    that does not fit; turns without an answer (under way, failed at once, or nothing left of it) never are. Where not even the
    newest fits, its last part is told.
    """
    answered = [turn for turn in turns if turn.answer]
    told: list[Turn] = []
    room = budget
    while answered:
        turn = worded(answered[-1])
        cost = count(turn.question) + count(turn.answer)
        if turn.answer and cost > room:
            last = () if told else _last_part(turn, budget, count)
            if not last:
                break
            return History(last, (turn,), len(answered) - 1, cut=True)
        answered.pop()
        if turn.answer:
            room -= cost
            told.insert(0, turn)
    messages = [message for turn in told for message in (Message("user", turn.question), Message("assistant", turn.answer))]
    return History(tuple(messages), tuple(told), len(answered))


def _last_part(turn: Turn, budget: int, count: Callable[[str], int]) -> tuple[Message, ...]:
    """The turn with as much as fits of the end of its question, at most half of the room, and of its answer."""
    question = _end_of(turn.question, budget // 2, count)
    answer = _end_of(turn.answer, budget - count(question), count)
    return (Message("user", question), Message("assistant", answer)) if question and answer else ()


def _end_of(text: str, room: int, count: Callable[[str], int]) -> str:
    """The longest end of `text` of at most `room` tokens, marked where it is cut; empty when there is none.

    Counts of longer ends need not be larger in every tokenizer; only an end whose count was seen to fit is taken.
    """
    if count(text) <= room:
        return text
    found, least, most = "", 1, len(text)
    while least < most:
        start = (least + most) // 2
        end = _CUT + text[start:].lstrip()
        if count(end) <= room:
            found, most = end, start
        else:
            least = start + 1
    return found
