"""Citations with the sentence that is meant, and statements that cite nothing."""

from __future__ import annotations

import pytest

from khoj_ls.chat.answer.claims import checked
from khoj_ls.chat.answer.streaming import AnswerFilter, Placed
from khoj_ls.chat.types import Source
from khoj_ls.core.text import text_lines

GARDEN = """\
## Greenhouse
The roof of the greenhouse costs 400 euros.
It was ordered in March, by letter,
and it came in May. Anna pays for
the roof; Bernd pays for the glass.

| plant  | where |
|--------|-------|
| beans  | south |
| tomato | door  |

- [ ] water the beans
- [x] order soil for the *tomatoes*
"""
TRIP = "Wir fahren im Juli nach Rom. Die Fahrkarten kosten 90 Euro.\n火曜日に会議があります。水曜日は休みです。\n"
SOURCES = (
    Source(1, "garden.md", "Garden", ("Greenhouse",), 11, 11 + len(text_lines(GARDEN)) - 1, GARDEN),
    Source(2, "trip.md", "Trip", (), 1, 2, TRIP),
)


def held(answer):
    read = AnswerFilter(frozenset({1, 2}))
    read.feed(answer)
    read.end()
    return read.text, checked(read.text, read.placed, read.code, SOURCES)


@pytest.mark.parametrize(
    ("answer", "number", "quote", "lines"),
    [
        ("The roof costs 400 euros [1].", 1, "The roof of the greenhouse costs 400 euros.", (12, 12)),
        ("👩‍🚀 𝕏 The roof costs 400 euros [1].", 1, "The roof of the greenhouse costs 400 euros.", (12, 12)),
        ("The roof costs 400 euros. [1]", 1, "The roof of the greenhouse costs 400 euros.", (12, 12)),
        ("It arrived in May, after an order by letter in March [1].", 1,
         "It was ordered in March, by letter,\nand it came in May.", (13, 14)),
        ("The glass is paid by Bernd[1].", 1, "Anna pays for\nthe roof; Bernd pays for the glass.", (14, 15)),
        ("Tomatoes stand at the door [1].", 1, "| tomato | door  |", (20, 20)),
        ("The soil for the tomatoes has been ordered [1].", 1, "order soil for the *tomatoes*", (23, 23)),
        ("- the beans want water [1]", 1, "water the beans", (22, 22)),
        ("Tickets to Rome: Fahrkarten kosten 90 Euro [2]", 2, "Die Fahrkarten kosten 90 Euro.", (1, 1)),
        ("会議は火曜日です[2]。", 2, "火曜日に会議があります。", (2, 2)),
        ("The roof costs 400 euros.\n\n[1]", 1, "The roof of the greenhouse costs 400 euros.", (12, 12)),
    ],
)  # fmt: skip
def test_the_nearest_sentence(answer, number, quote, lines):
    text, found = held(answer)
    (citation,) = found.citations
    assert (citation.number, citation.quote, (citation.line, citation.end_line)) == (number, quote, lines)
    assert text[citation.start : citation.end] == f"[{number}]"
    source = SOURCES[number - 1]
    first = citation.line - source.line
    assert quote in "".join(text_lines(source.text)[first : citation.end_line - source.line + 1])


def test_each_part_of_a_sentence_has_its_own_quote():
    _, found = held("The roof costs 400 euros [1], and tickets kosten 90 Euro [2].")
    assert [(each.number, each.quote) for each in found.citations] == [
        (1, "The roof of the greenhouse costs 400 euros."),
        (2, "Die Fahrkarten kosten 90 Euro."),
    ]


def test_one_mark_of_several_numbers_is_a_citation_of_each():
    _, found = held("Both are so [1, 2].")
    assert [(each.number, each.start, each.end) for each in found.citations] == [(1, 12, 18), (2, 12, 18)]


@pytest.mark.parametrize(
    ("answer", "unsupported"),
    [
        ("It costs 400 euros [1]. It is large.", ["It is large."]),
        ("It costs 400 euros. [1] It is large. [2]", []),
        ("It is large [9].", ["It is large."]),
        ("Sure! It costs 400 euros [1]. Is that enough? Let me know if you want more.", []),
        ("# The roof of it\n\nIt costs 400 euros [1].", []),
        ("These are the costs:\n\n- roof 400 euros [1]\n- glass ninety euros\n", ["glass ninety euros"]),
        ("Run this:\n\n```\nx = a[1]. It is code.\n```\n\nIt then works.", ["It then works."]),
        ("`a.b()` is what you want [1].", []),
        ("| what | cost |\n|---|---|\n| roof | 400 [1] |\n| glass | 90 |\n", ["| glass | 90 |"]),
        ("Dr. Weber ordered it on 3.5. in Bonn, e.g. by letter [1].", []),
        ("屋根は400ユーロです[1]。とても大きいです。", ["とても大きいです。"]),
        ("> A quotation of it [1].\n> And one without.", ["And one without."]),
        ("It costs\n400 euros,\nall in all [1].", []),
        ("It is so[^1] and so.\n\n[^1]: the garden note says it", []),
        ("", []),
    ],
)
def test_statements_without_a_source(answer, unsupported):
    text, found = held(answer)
    assert [each.text for each in found.unsupported] == unsupported
    assert all(text[each.start : each.end] == each.text for each in found.unsupported)


@pytest.mark.parametrize("between", [", ", ".\n", " ", ", e.g. "])
def test_a_long_answer_is_held_in_no_time_that_grows_with_its_square(between):
    text, found = held(f"The roof costs 400 euros [1] and it is large{between}" * 3_000)
    assert len(found.citations) == 3_000 and text[found.citations[-1].start :].startswith("[1] and")


def test_an_empty_source_has_an_empty_quote():
    (citation,) = checked("So [1].", [Placed((1,), 3, 6)], (), (Source(1, "a.md", "", (), 3, 3, ""),)).citations
    assert (citation.quote, citation.line, citation.end_line) == ("", 3, 3)
