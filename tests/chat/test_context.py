"""Passages: whole sections, each once, cut around what was hit, within the budget, and lines that are those of the text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khoj_ls.chat.desk import Section
from khoj_ls.chat.prompt.context import (
    Passage,
    apart,
    chosen_passages,
    fitted,
    found_passages,
    in_turns,
    not_given,
    recut,
    share_given,
    shares,
)
from khoj_ls.chat.prompt.cutting import cut
from khoj_ls.chat.types import ContextItem
from khoj_ls.core.text import text_lines
from khoj_ls.core.types import Span
from khoj_ls.search.types import SearchHit

FILLER = "And then there is more text in this section that says quite little.\n"


def count(text: str) -> int:
    return -(-len(text) // 4)


def hit(path, line, end_line, score=0.5):
    return SearchHit(path, Span(0, 0, line, end_line), "", "", (), "", (), score, "markdown", (), None, 1)


def section(text, *, path="a.md", line=1, private=False, outline=("A",)):
    return Section(path, "a", outline, line, line + len(text_lines(text)) - 1, text, private)


@pytest.mark.parametrize(
    ("sizes", "weights", "budget", "expected"),
    [
        ([10, 20, 30], [1, 1, 1], 100, [10, 20, 30]),
        ([10, 500, 500], [1, 1, 1], 110, [10, 50, 50]),
        ([500, 500], [3, 1], 100, [75, 25]),
        ([500, 10], [1, 1], 100, [90, 10]),
        ([500], [1], 0, [0]),
        ([], [], 10, []),
    ],
)
def test_each_gets_what_it_needs_or_its_share(sizes, weights, budget, expected):
    assert shares(sizes, weights, budget) == expected


def test_a_section_is_given_once_and_whole(desk_of):
    notes = desk_of({"a.md": "# A\n" + FILLER * 9 + "# B\n" + FILLER * 3}).notes
    passages = found_passages(notes, [hit("a.md", 3, 4, 0.9), hit("a.md", 6, 7, 0.8), hit("a.md", 11, 12, 0.7)])
    assert [(each.section.line, each.section.end_line, each.score) for each in passages] == [(1, 10, 0.9), (11, 14, 0.7)]
    sources = fitted(passages, 6000, count, "text")
    assert [(each.number, each.line, each.end_line) for each in sources] == [(1, 1, 10), (2, 11, 14)]


def test_a_hit_over_several_sections_gives_them_all(desk_of):
    notes = desk_of({"a.md": "# A\n" + FILLER * 2 + "# B\n" + FILLER * 2}).notes
    assert [each.section.line for each in found_passages(notes, [hit("a.md", 2, 5)])] == [1, 4]


def test_a_heading_alone_brings_what_is_below(desk_of):
    notes = desk_of({"a.md": "# A\n## B\n" + FILLER * 2 + "## C\n" + FILLER * 2 + "# D\n" + FILLER}).notes
    (passage,) = found_passages(notes, [hit("a.md", 1, 1)])
    assert (passage.section.line, passage.section.end_line, passage.section.outline) == (1, 7, ("A",))


def test_front_matter_alone_brings_the_note(desk_of):
    notes = desk_of({"a.md": "---\ntitle: a\n" + "x: y\n" * 40 + "---\n\n# A\n" + FILLER * 2 + "## B\n" + FILLER}).notes
    (passage,) = found_passages(notes, [hit("a.md", 1, 1)])
    assert (passage.section.line, passage.section.end_line) == (1, 49)


def test_chosen_notes_are_whole_where_they_fit_and_else_what_the_question_is_about(desk_of):
    text = "".join(f"# Part {number}\n{FILLER * 4}{'The roof is red.' if number == 7 else ''}\n" for number in range(10))
    notes = desk_of({"a.md": text}).notes
    item = ContextItem("note", "a.md")
    (whole,) = chosen_passages(notes, [item], "roof", 6000, count)
    assert (whole.section.line, whole.section.text) == (1, text)
    parts = chosen_passages(notes, [item], "What is red: the roof?", 300, count)
    assert len(parts) == 10 and "roof" in parts[0].section.text


@pytest.mark.parametrize("focus", [(1, 2), (50, 51), (99, 100)])
def test_a_long_section_is_cut_around_the_hit(focus):
    text = "".join(f"line {number} of many\n" for number in range(1, 101))
    part = cut(text, 1, 100, count, focus=focus, sought=())
    assert part is not None and part.line <= focus[0] and focus[1] <= part.end_line
    assert part.text == "".join(text_lines(text)[part.line - 1 : part.end_line])
    assert 60 <= count(part.text) <= 100


def test_one_huge_line_is_cut_around_what_is_sought():
    text = "x" * 5000 + " the roof is red " + "y" * 5000
    part = cut(text, 7, 50, count, focus=(7, 7), sought={"roof"})
    assert part is not None and "roof" in part.text and (part.line, part.end_line) == (7, 7) and count(part.text) <= 50


def test_small_sections_are_not_cut_for_a_huge_one():
    small = [Passage(section(FILLER, path=f"{number}.md")) for number in range(3)]
    sources = fitted([Passage(section(FILLER * 900, path="huge.md")), *small], 800, count, "text")
    assert [source.path for source in sources] == ["huge.md", "0.md", "1.md", "2.md"]
    assert all(source.text == FILLER for source in sources[1:])


def test_what_has_no_room_is_left_out_from_the_end():
    passages = [Passage(section(FILLER * 40, path=f"{number}.md")) for number in range(30)]
    sources = fitted(passages, 900, count, "text")
    assert [source.path for source in sources] == [f"{number}.md" for number in range(len(sources))]
    assert 1 < len(sources) < 12


def test_further_sources_go_on_counting_and_repeat_nothing():
    first = fitted([Passage(section(FILLER, path="a.md"))], 500, count, "text")
    more = fitted([Passage(section(FILLER, path=name)) for name in ("a.md", "b.md")], 500, count, "text", first=2, taken=first)
    assert [(source.number, source.path) for source in more] == [(2, "b.md")]


def test_searches_take_turns():
    one = [Passage(section(FILLER, path=path)) for path in ("a", "b", "c")]
    other = [Passage(section(FILLER, path=path)) for path in ("x", "a")]
    assert [each.section.path for each in in_turns(one, other)] == ["a", "x", "b", "c"]


def passage(first, last, score=0.5, *, path="a.md", focus=None, bare=0):
    section, alone = (Section(path, "a", (), first, end, "x", False) for end in (last, bare))
    return Passage(section, focus, score, bare=alone if bare else None)


@pytest.mark.parametrize(
    ("passages", "kept"),
    [
        ([passage(1, 5), passage(6, 9), passage(1, 5, path="b.md")], [(1, 5), (6, 9), (1, 5)]),
        ([passage(1, 5), passage(1, 5)], [(1, 5)]),
        ([passage(1, 9), passage(20, 30), passage(3, 5)], [(1, 9), (20, 30)]),
        ([passage(1, 9, bare=2), passage(20, 30)], [(1, 9), (20, 30)]),
        ([passage(1, 9, bare=2), passage(3, 5), passage(6, 9)], [(1, 2), (3, 5), (6, 9)]),
        ([passage(3, 9, bare=4), passage(5, 6), passage(1, 9, bare=2)], [(3, 4), (5, 6), (1, 2)]),
        ([passage(1, 9, bare=2), passage(1, 9, bare=2)], [(1, 9)]),
        ([passage(1, 9, None), passage(1, 9, bare=2), passage(3, 5)], [(1, 9)]),
        ([passage(1, 9, None), passage(3, 5), passage(1, 9)], [(1, 9)]),
        ([passage(3, 5, None), passage(1, 9)], [(3, 5), (1, 9)]),
        ([passage(1, 9, None), passage(3, 5, None), passage(1, 9, None)], [(1, 9), (3, 5)]),
    ],
)
def test_no_passage_repeats_another(passages, kept):
    assert [(each.section.line, each.section.end_line) for each in apart(passages)] == kept


def test_front_matter_is_no_passage_beside_what_was_found_below_it(desk_of):
    notes = desk_of({"a.md": "---\ntitle: a\n---\n\n# A\n" + FILLER * 2 + "# B\n" + FILLER * 2}).notes
    passages = apart(found_passages(notes, [hit("a.md", 1, 2), hit("a.md", 6, 6)]))
    assert [(each.section.line, each.section.end_line) for each in passages] == [(5, 7)]


def test_what_is_found_in_a_chosen_passage_says_where_to_cut_it():
    found = [passage(1, 99, None), passage(40, 45, focus=(41, 42)), passage(60, 61, focus=(60, 60))]
    assert [each.focus for each in apart(found)] == [(41, 42)]


def test_how_much_of_passages_was_given():
    passages = [Passage(section(FILLER * 10)), Passage(section(FILLER * 10, path="b.md"))]
    sources = fitted(passages[:1], 500, count, "text")
    assert share_given(passages, sources) == 0.5 and share_given(passages[:1], sources) == 1 == share_given([], sources)
    assert not_given(passages, sources) == passages[1:]
    assert 0.3 < share_given(passages[:1], fitted(passages[:1], 120, count, "text")) < 0.7


LINES = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=80), max_size=40).map("\n".join)


@given(st.lists(LINES, max_size=6), st.integers(0, 600), st.data())
@settings(deadline=None)
def test_sources_are_lines_of_their_notes_within_the_budget(texts, budget, data):
    passages = []
    for number, text in enumerate(texts):
        if text.strip():
            each = section(text, path=f"{number}.md", line=data.draw(st.integers(1, 50)))
            at = data.draw(st.integers(each.line, each.end_line))
            passages.append(Passage(each, (at, at)))
    sources = fitted(passages, budget, count, "what is it about")
    for some in (sources, recut(sources, budget // 2, count, "what is it about")):
        assert sum(count(source.text) for source in some) <= (budget if some is sources else budget // 2)
        for source in some:
            whole = next(each.section for each in passages if each.section.path == source.path)
            lines = text_lines(whole.text)[source.line - whole.line : source.end_line - whole.line + 1]
            assert source.text in "".join(lines)
            assert source.text == "".join(lines) or source.line == source.end_line
