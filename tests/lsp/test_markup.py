"""Lines of notes as hovers show them: blocks of code between fences, all else escaped, and nothing that does anything."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from khoj_ls.lsp.markup import Writer

RENDERER = MarkdownIt("gfm-like", {"linkify": False, "html": True})


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["a *b*", "", "c"], ["a \\*b\\*  ", "  ", "c"]),
        (["a", "```python title='x'", "def f(*a):", "  return '<b>'", "```", "c_ <b>"],
         ["a", "```python", "def f(*a):", "  return '<b>'", "```", "c\\_ \\<b>"]),
        (["~~~", "`` ` ``", "~~~"], ["```", "`` ` ``", "```"]),
        (["~~~~", "```", "~~~", "~~~~~"], ["````", "```", "~~~", "````"]),
        (["`````md", "````", "`````"], ["`````md", "````", "`````"]),
        (["- item", "  ```", "    two", " one", "  ```"], ["\\- item", "```", "  two", "one", "```"]),
        (["```js", "cut short", "…"], ["```js", "cut short", "```", "…"]),
        (["```js", "to the end"], ["```js", "to the end", "```"]),
        (["```", "```", "```"], ["```", "```", "```", "```"]),
        (["``` a`b", "c"], ["\\`\\`\\` a\\`b  ", "c"]),
        (["``` [x](command:y)", "a", "```"], ["```", "a", "```"]),
        (["```{r, eval=TRUE}", "a", "```"], ["```", "a", "```"]),
        (["#+begin_src emacs-lisp :tangle no", "(a `b)", "#+END_SRC", "z"], ["```emacs-lisp", "(a `b)", "```", "z"]),
        (["#+begin_example", "#+end_src", "#+end_example"], ["```", "#+end_src", "```"]),
        (["#+begin_quote", "a", "#+end_quote"], ["\\#+begin_quote  ", "a  ", "\\#+end_quote"]),
        (["```", "a\r\u2028b\x00", "```"], ["```", "a  b ", "```"]),
        ([], [""]),
    ],
)  # fmt: skip
def test_lines(lines, expected):
    assert Writer(True).lines(lines) == "\n".join(expected)


def test_clients_without_markdown_see_the_fences():
    assert Writer(False).lines(["```js", "a *b*", "```"]) == "```js\na *b*\n```"


HOSTILE = st.sampled_from(
    ["```", "````", "``````````", "~~~", "~~~~", "`", "``` js", "```html", "<img src=x onerror=y>", "</code></pre>", "<!--",
     "-->", "[x](command:workbench.action.quit)", "![x](https://example.org/x.png)", "<https://example.org>", "[r]: command:x",
     "[r]", "---", "===", "> ", "    ", "\t", "- ", "1. ", "#+begin_src", "#+begin_src html", "#+end_src", "#+end_example",
     "\\", "…", "| a | b |", "|---|---|", "<script>", "<pre>", "&lt;", "$(x)", "\r", "\x0b", "\u2028", "a"]
)  # fmt: skip
LINE = st.lists(HOSTILE, max_size=4).map("".join)


@given(st.lists(LINE | LINE.map("ω".__add__), max_size=10))
def test_no_text_does_anything(lines):
    """Rendered, there are paragraphs and code, nothing else: no HTML, no link, no picture, no list; and no line is lost."""
    blocks = RENDERER.parse(Writer(True).lines(lines))
    assert {token.type for token in blocks} <= {"paragraph_open", "inline", "paragraph_close", "fence"}
    assert all(re.fullmatch(r"[\w+#.-]*", token.info) for token in blocks if token.type == "fence")
    pieces = [child for token in blocks for child in token.children or [token]]
    assert {piece.type for piece in pieces} <= {
        "paragraph_open", "paragraph_close", "fence", "text", "text_special", "hardbreak", "softbreak",
    }  # fmt: skip
    assert sum(piece.content.count("ω") for piece in pieces if piece.type != "inline") == sum("ω" in line for line in lines)
