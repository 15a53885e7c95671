from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khoj_ls.content.chunk import CHUNKER_VERSION, chunk_file, chunker_id
from khoj_ls.content.markdown import MarkdownProcessor
from khoj_ls.content.plaintext import PlainTextProcessor
from khoj_ls.core.text import text_lines
from khoj_ls.core.types import Chunk, Entry, ParsedFile

WORDS = "the router in the attic drops its wireless link whenever somebody uses the microwave oven downstairs".split()  # noqa: SIM905 - it reads as a sentence


def prose(tokens: int, start: int = 0) -> str:
    """About `tokens` tokens, in sentences of nine words."""
    words = [WORDS[(start + at * 7) % len(WORDS)] for at in range(tokens)]
    return " ".join(" ".join(words[at : at + 9]).capitalize() + "." for at in range(0, tokens, 9))


def markdown(text: str) -> ParsedFile:
    return MarkdownProcessor().parse(text.encode(), "file-name.md")


def chunks_of(text: str, tokenizer: Any, **options: Any) -> list[Chunk]:
    parsed = markdown(text)
    return chunk_file(parsed.title, parsed.entries, tokenizer, **options)


def covered(chunks: Sequence[Chunk]) -> list[tuple[int, int]]:
    return [(chunk.span.line, chunk.span.end_line) for chunk in chunks]


def test_a_small_note_is_one_chunk_of_title_headings_and_text(tokenizer: Any) -> None:
    (chunk,) = chunks_of(
        "---\ntitle: Attic\ntags: [x]\n---\nIntro *text*.\n\n## Wi-Fi\n\nSlow.\n\n### Fix\nChannel 11.\n", tokenizer
    )
    assert chunk.text == "Attic\nIntro text.\nWi-Fi\nSlow.\nFix\nChannel 11."
    assert (chunk.entry, chunk.last_entry, chunk.ordinal) == (0, 2, 0)
    assert covered([chunk]) == [(1, 12)]
    assert chunk.tokens == tokenizer.count([chunk.text])[0] + 2


def test_a_title_that_is_the_first_heading_is_said_once(tokenizer: Any) -> None:
    assert [chunk.text for chunk in chunks_of("# Attic\n\nCold.\n", tokenizer)] == ["Attic\nCold."]
    assert [chunk.text for chunk in chunks_of("---\ntitle: Attic\n---\n# Attic\n\nCold.\n", tokenizer)] == ["Attic\nCold."]


def test_a_note_is_cut_only_when_it_does_not_fit(tokenizer: Any) -> None:
    sections = f"# A\n\n{prose(90)}\n\n## B\n\n{prose(80)}\n"
    (chunk,) = chunks_of(sections, tokenizer)
    assert 190 < chunk.tokens <= 222
    assert len(chunks_of(sections, tokenizer, target_tokens=150)) == 2


def test_the_first_chunk_takes_in_what_stands_above_the_text_and_none_what_is_blank_below(tokenizer: Any) -> None:
    chunks = chunks_of(f"---\ntitle: T\n---\n\n{prose(150)}\n\n{prose(150)}\n\n\n", tokenizer, overlap_tokens=0)
    assert covered(chunks) == [(1, 5), (7, 7)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("---\ntitle: Only a title\n---\n", ["Only a title"]),
        ("# Only a heading\n", ["Only a heading"]),
        ("## A\n### B\n", ["A\nB"]),
        ("---\ntags: [x]\n---\n", []),
        ("", []),
        ("\n\n", []),
    ],
)
def test_notes_with_little_in_them(text: str, expected: list[str], tokenizer: Any) -> None:
    assert [chunk.text for chunk in chunks_of(text, tokenizer)] == expected


def test_sections_that_fit_are_kept_whole_and_longer_ones_cut_with_their_outline(tokenizer: Any) -> None:
    long = f"## Long\n\n{prose(150)}\n\n{prose(150, 3)}\n\n### Small\n\n{prose(20)}\n\n#### Leaf\n\n"
    text = f"# Note\n\n{prose(60)}\n\n{long}## Bare\n"
    chunks = chunks_of(text, tokenizer)
    assert [(chunk.entry, chunk.last_entry) for chunk in chunks] == [(0, 0), (1, 1), (1, 1), (2, 3), (4, 4)]
    assert covered(chunks) == [(1, 4), (5, 7), (7, 9), (11, 16), (17, 17)]
    assert [chunk.text.split("\n")[:2] for chunk in chunks[1:]] == [
        ["Note", "Long"],
        ["Note > Long", chunks[2].text.split("\n")[1]],
        ["Note > Long", "Small"],
        ["Note", "Bare"],
    ]
    assert chunks[3].text.split("\n")[-1] == "Leaf"


def test_title_from_front_matter_is_above_the_outline(tokenizer: Any) -> None:
    chunks = chunks_of(f"---\ntitle: T\n---\n# A\n\n{prose(150)}\n\n## B\n\n{prose(150)}\n", tokenizer)
    assert [chunk.text.split("\n")[:3] for chunk in chunks] == [["T", "A", prose(150)], ["T", "A", "B"]]
    assert "file-name" not in "".join(chunk.text for chunk in chunks)


def test_consecutive_chunks_of_an_entry_share_whole_sentences(tokenizer: Any) -> None:
    sentences = [f"{prose(9, at)[:-1]} number {at}." for at in range(80)]
    chunks = chunks_of("\n\n".join(" ".join(sentences[at : at + 8]) for at in range(0, 80, 8)), tokenizer)
    assert len(chunks) > 4
    for before, after in pairwise(chunks):
        shared = [sentence for sentence in sentences if sentence in before.text and sentence in after.text]
        assert shared and after.text.startswith(shared[0])
        assert 10 < tokenizer.count([" ".join(shared)])[0] <= 41
        assert after.span.line <= before.span.end_line
    for sentence in sentences:
        assert any(sentence in chunk.text for chunk in chunks)


def test_no_overlap_when_asked_for_none(tokenizer: Any) -> None:
    chunks = chunks_of("\n\n".join(prose(50, at) for at in range(12)), tokenizer, overlap_tokens=0)
    assert sum(chunk.text.count(".") for chunk in chunks) == 12 * 6


def test_a_fence_and_a_table_are_cut_at_line_ends_only(tokenizer: Any) -> None:
    code = [f"    value_{at} = compute(value_{at}, other.thing[{at}])  # Why. Because!" for at in range(60)]
    rows = [f"| cell {at} | Some words. More words! | {at * 3} |" for at in range(60)]
    text = "intro\n\n```py\n" + "\n".join(code) + "\n```\n\n| a | b | c |\n|--|--|--|\n" + "\n".join(rows) + "\n"
    allowed = {line.rstrip() for line in text_lines(markdown(text).entries[0].text)} | set(code) | set(rows)
    chunks = chunks_of(text, tokenizer)
    assert len(chunks) > 5
    for chunk in chunks:
        assert set(chunk.text.split("\n")) <= allowed


def test_blocks_are_kept_together_where_they_fit(tokenizer: Any) -> None:
    blocks = ["\n".join(f"{prose(12, at + line)}" for line in range(6)) for at in range(12)]
    for chunk in chunks_of("\n\n".join(blocks), tokenizer, overlap_tokens=0):
        assert sum(block in chunk.text for block in blocks) * 6 == len(chunk.text.split("\n"))


@pytest.mark.parametrize(
    "body",
    [
        "中文没有空格的长文本" * 4000,
        "日本語の文章です。" * 4000,
        "사람들은 무엇을 " * 4000,
        "🎉👩‍👩‍👧‍👦" * 5000,
        "a" * 100_000,
        "aGVsbG8gd29ybGQ" * 7000,
        "x.y_z-" * 17_000,
        "่ำ้" * 10_000,
        "." * 100_000,
        "word " * 20_000,
        "?! " * 30_000,
    ],
    ids=lambda body: body[:6],
)
def test_no_chunk_exceeds_the_limit_whatever_the_text(body: str, tokenizer: Any) -> None:
    chunks = chunks_of(f"# Titel\n\n{body}\n\nlast sentence\n", tokenizer)
    check(markdown(f"# Titel\n\n{body}\n\nlast sentence\n"), chunks, tokenizer)
    assert "last sentence" in chunks[-1].text
    assert sum(len(chunk.text) for chunk in chunks) < 2 * len(body) + 1000
    assert max(len(chunk.text) for chunk in chunks) < 5000


def test_a_long_title_outline_and_heading_leave_half_of_the_limit_to_the_text(tokenizer: Any) -> None:
    text = f"---\ntitle: {prose(300)}\n---\n# {prose(300, 1)}\n\n## {prose(300, 2)}\n\n### {prose(90, 3)}\n\n{prose(400, 4)}\n"
    chunks = chunks_of(text, tokenizer)
    check(markdown(text), chunks, tokenizer)
    bodies = [chunk for chunk in chunks if chunk.entry == 3]
    assert len(bodies) <= 10
    for heading in (prose(300, 1), prose(300, 2), prose(90, 3)):  # a heading too long for a prefix is text
        assert all(any(sentence in chunk.text for chunk in chunks) for sentence in heading.split(". ")[:-1])


def test_private_text_is_never_in_one_chunk_with_other_text(tokenizer: Any) -> None:
    chunks = chunks_of("# Note\n\nopen words\n\n## Diary #private\n\nsecret words\n\n### More\n\n## Open\n\nplain\n", tokenizer)
    assert [(chunk.private, "secret" in chunk.text or "More" in chunk.text) for chunk in chunks] == [
        (False, False),
        (True, True),
        (False, False),
    ]
    (whole,) = chunks_of("---\nprivate: true\n---\n# Note\n\n## A\n\nx\n", tokenizer)
    assert whole.private


def texts(text: str, tokenizer: Any) -> list[str]:
    return [chunk.text for chunk in chunks_of(text, tokenizer)]


def test_an_edit_in_one_section_changes_no_chunk_of_another(tokenizer: Any) -> None:
    sections = [f"## Section {at}\n\n{prose(40 + 37 * (at % 9), at)}\n\n{prose(120, at + 1)}" for at in range(30)]
    before = texts("# Note\n\n" + "\n\n".join(sections), tokenizer)
    sections[3] += f"\n\nA new paragraph. {prose(100, 5)}"
    after = texts("# Note\n\n" + "\n\n".join(sections), tokenizer)
    assert {
        text for text in before if "Section 3\n" not in text and text.split(" > ")[-1].split("\n")[0] != "Section 3"
    } <= set(after)


@pytest.mark.parametrize("separator", ["\n\n", "\n", " "])
def test_an_edit_at_the_top_of_a_long_section_moves_only_the_nearest_cuts(separator: str) -> None:
    tokenizer = WordTokenizer(256)
    # All of one size: a packer that fills every chunk to the brim would never fall into step again.
    paragraphs = [f"One two three four five six seven eight {at}." for at in range(900)]
    before = texts(separator.join(paragraphs), tokenizer)
    after = texts(separator.join(["Something new at the very top, of some length.", *paragraphs]), tokenizer)
    assert len(before) > 50
    assert len(set(after) - set(before)) <= 12


def test_ids_change_with_the_tokenizer_and_its_limit(tokenizer: Any) -> None:
    assert chunker_id(tokenizer) == f"{CHUNKER_VERSION}-all-minilm-l6-v2-256"


class WordTokenizer:
    """One token for a word or a sign, three for an emoji, and one more for each line break: counts do not add up."""

    id = "words"
    special_tokens = 1

    def __init__(self, max_tokens: int) -> None:
        self.max_tokens = max_tokens

    def offsets(self, text: str) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        start = None
        for at, character in enumerate(text):
            if character.isalnum() and character.isascii():
                start = at if start is None else start
                continue
            if start is not None:
                found.append((start, at))
                start = None
            if character == "\n" or not character.isspace():
                found += [(at, at + 1)] * (3 if ord(character) > 0xFFFF else 1)
        return [*found, (start, len(text))] if start is not None else found

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(self.offsets(text)) for text in texts]


def check(parsed: ParsedFile, chunks: Sequence[Chunk], tokenizer: Any) -> None:
    """What holds for the chunks of any file."""
    counts = tokenizer.count([chunk.text for chunk in chunks])
    assert [chunk.tokens for chunk in chunks] == [count + tokenizer.special_tokens for count in counts]
    assert all(chunk.tokens <= tokenizer.max_tokens and chunk.text.strip() for chunk in chunks)
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    assert [chunk.entry for chunk in chunks] == sorted(chunk.entry for chunk in chunks)
    shown: list[list[str]] = [[] for _ in parsed.entries]
    for chunk in chunks:
        first, last = parsed.entries[chunk.entry], parsed.entries[chunk.last_entry]
        assert first.span.start <= chunk.span.start <= chunk.span.end <= last.span.end
        assert first.span.line <= chunk.span.line <= chunk.span.end_line <= last.span.end_line
        source = "".join(entry.raw for entry in parsed.entries).encode()
        base = parsed.entries[0].span
        lines = text_lines(source.decode())[chunk.span.line - base.line : chunk.span.end_line - base.line + 1]
        assert source[chunk.span.start - base.start : chunk.span.end - base.start].decode() == "".join(lines)
        assert chunk.private == any(entry.private for entry in parsed.entries[chunk.entry : chunk.last_entry + 1])
        for at in range(chunk.entry, chunk.last_entry + 1):
            shown[at].append(chunk.text)
    for entry, found in zip(parsed.entries, shown, strict=True):
        at = 0
        for line in text_lines(entry.text):
            at = check_line(line.strip(), found, at)


def check_line(line: str, texts: Sequence[str], at: int) -> int:
    """`line` must be found in `texts`, whole or piece by piece in their order, from index `at` on; returns where it ends."""
    while line:
        assert at < len(texts), f"not in any chunk: {line[:80]!r}"
        low, high = 0, len(line)
        while low < high:  # the longest beginning of what is left
            middle = (low + high + 1) // 2
            low, high = (middle, high) if line[:middle].rstrip() in texts[at] else (low, middle - 1)
        line = line[low:].lstrip()
        at += bool(line)
    return at


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["# A\n", "## B #private\n", "### C\n", "\n\n", "- item one\n", "word " * 30, "Sentence here. ", "中文句子。", "🎉",
             "x" * 300, "```\n", "|a|b|\n|-|-|\n", "> q\n", "key:: v\n", "\n", "a b c\n" * 20,
             "# " + "long heading " * 40 + "\n"]
        ),
        max_size=40,
    ),
    st.sampled_from([16, 32, 64, 128, 256]),
    st.sampled_from([None, "A", "Title " * 30]),
)  # fmt: skip
def test_any_file(pieces: list[str], max_tokens: int, title: str | None) -> None:
    parsed = markdown("".join(pieces))
    tokenizer = WordTokenizer(max_tokens)
    check(parsed, chunk_file(title, parsed.entries, tokenizer), tokenizer)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=3000), st.integers(20, 300))
def test_any_text(text: str, repeat: int) -> None:
    parsed = PlainTextProcessor().parse((text * (repeat // 20)).encode("utf-8", "replace"), "a.txt")
    tokenizer = WordTokenizer(64)
    check(parsed, chunk_file(None, parsed.entries, tokenizer), tokenizer)


def test_deep_outlines_and_many_entries_take_linear_time(tokenizer: Any) -> None:
    entries: list[Entry] = []
    (one,) = markdown("# H\n\n" + prose(10) + "\n").entries
    for at in range(1500):  # as deep as Org allows
        span = replace(one.span, start=one.span.end * at, end=one.span.end * (at + 1), line=3 * at + 1, end_line=3 * at + 3)
        outline = (*entries[-1].outline, f"Heading {at - 1}") if at else ()
        entries.append(
            replace(one, span=span, level=at + 1, heading=f"Heading {at}", outline=outline, parent=at - 1 if at else None)
        )
    chunks = chunk_file("Deep", entries, tokenizer)
    assert len(chunks) > 1000
    assert all(chunk.tokens <= 256 for chunk in chunks)
    flat = markdown("# H\n\nwords here\n" * 10_000)
    assert len(chunk_file(None, flat.entries, tokenizer)) == 10_000
