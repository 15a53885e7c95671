"""What of a conversation is told again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.chat.desk import Turn
from khoj_ls.chat.prompt.history import history


def words(text: str) -> int:
    return len(text.split())


def turn(question: str, answer: str) -> Turn:
    return Turn(question[:8], question, answer)


THREE = [turn("one two", "a b c"), turn("three four", "d e"), turn("five", "f g h")]


@pytest.mark.parametrize(
    ("budget", "told", "dropped"),
    [
        (13, ["one two", "a b c", "three four", "d e", "five", "f g h"], 0),
        (12, ["three four", "d e", "five", "f g h"], 1),
        (8, ["three four", "d e", "five", "f g h"], 1),
        (7, ["five", "f g h"], 2),
        (4, ["five", "f g h"], 2),
        (3, ["five", "… h"], 2),
        (0, [], 3),
    ],
)
def test_the_newest_turns_that_fit_are_told_whole(budget, told, dropped):
    found = history(THREE, budget, words)
    assert ([message.text for message in found.messages], found.dropped) == (told, dropped)
    assert [message.role for message in found.messages] == ["user", "assistant"] * (len(told) // 2)
    assert [message for each in found.turns for message in (each.question, each.answer)][-2:] == ["five", "f g h"][: len(told)]
    assert found.cut is (budget == 3)


def test_what_was_never_answered_is_not_told():
    found = history([THREE[0], turn("lost", ""), THREE[2], turn("now", "")], 100, words)
    assert [message.text for message in found.messages] == ["one two", "a b c", "five", "f g h"]
    assert found.dropped == 0


def test_turns_are_worded_as_they_are_told_and_no_more_of_them():
    asked = []

    def worded(each):
        asked.append(each.question)
        return turn(each.question, "" if each.question == "five" else "x")

    found = history(THREE, 3, words, worded)
    assert [message.text for message in found.messages] == ["three four", "x"]
    assert [each.question for each in found.turns] == ["three four"]
    assert asked == ["five", "three four", "one two"] and found.dropped == 1


TEXT = st.text(max_size=60)
TURNS = st.lists(st.builds(turn, TEXT, TEXT), max_size=12)
COUNTS = st.sampled_from([words, len, lambda text: -(-len(text.encode("utf-8", "replace")) // 3)])


@given(TURNS, st.integers(0, 400), COUNTS)
def test_never_over_budget_and_always_the_last_ones_in_order(turns, budget, count):
    found = history(turns, budget, count)
    texts = [message.text for message in found.messages]
    answered = [each for each in turns if each.answer]
    assert sum(map(count, texts)) <= budget
    assert len(texts) % 2 == 0
    assert found.dropped + len(texts) // 2 == len(answered)
    whole = [text for each in answered for text in (each.question, each.answer)]
    if not found.cut:
        assert texts == whole[len(whole) - len(texts) :]
        # The next older one would not have fitted.
        older = whole[: len(whole) - len(texts)][-2:]
        assert not older or not texts or sum(map(count, [*older, *texts])) > budget
    else:
        assert len(texts) == 2
        for told, kept in zip(texts, whole[-2:], strict=True):
            assert told == kept or (told.startswith("… ") and kept.endswith(told[2:]))
