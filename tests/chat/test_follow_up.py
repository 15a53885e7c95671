"""Which questions lean on what was said before, and what they are then about."""

from __future__ import annotations

import pytest

from khoj_ls.chat.question.follow_up import leans, subject


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("and who pays for it?", True),
        ("Why?", True),
        ("What about the second one?", True),
        ("Tell me more", True),
        ("Who is Anna?", True),
        ("How much did they cost?", True),
        ("What does the greenhouse roof cost in euros?", False),
        ("Which vegetables did we plant in the garden last spring?", False),
        ("Und wer bezahlt das?", True),
        ("Welche Pflanzen stehen im Gewächshaus neben der Tür?", False),
        ("それはなぜですか", True),
        ("温室の屋根の費用はいくらですか、教えてください", False),
        (
            "Please write a long plan for the greenhouse, with the roof, the plants, the watering and how it is paid for "
            "by each of us",
            False,
        ),
    ],
)
def test_leaning(question, expected):
    assert leans(question) is expected


@pytest.mark.parametrize(
    ("question", "before", "expected"),
    [
        ("and who pays for it?", ["What does the greenhouse roof cost?"], "greenhouse roof cost"),
        ("and why?", ["What does the greenhouse roof cost?", "and who pays for it?"], "pays greenhouse roof cost"),
        ("and who pays for it?", ["Who feeds the cat?", "What does the greenhouse roof cost?"], "greenhouse roof cost"),
        ("and who pays for the roof?", ["What does the greenhouse roof cost?"], "greenhouse cost"),
        ("Which vegetables did we plant in the garden last spring?", ["What does the greenhouse roof cost?"], ""),
        ("Why?", [], ""),
    ],
)  # fmt: skip
def test_subject(question, before, expected):
    assert subject(question, before) == expected
