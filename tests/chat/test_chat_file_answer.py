"""Answers as chat files show them: citations are links, Markdown is Org where the file is, and what is told below is short."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from khoj_ls.chat.file.answer import answer_text, file_link, notes_below, org_of
from khoj_ls.chat.types import Citation, Done, Failed, Source, Statement
from khoj_ls.content.registry import default_registry
from khoj_ls.core.chat import Usage
from khoj_ls.graph.open_note import NoteReader
from khoj_ls.links.target import read_target

ROOT = Path("/n (1)/[x]")


def cited(text, *numbers):
    found, at = [], 0
    for number in numbers:
        at = text.index(f"[{number}]", at)
        found.append(Citation(number, f"n{number}.md", (), number * 10, number * 10, "q", at, at + len(f"[{number}]")))
    return tuple(found)


def source(number, title="Router", outline=("Fix",)):
    return Source(number, f"n{number}.md", title, outline, 5, 6, "text")


@pytest.mark.parametrize(
    ("markdown", "org"),
    [
        ("It **fell** *down* at `x * y`.", "It *fell* /down/ at ~x * y~."),
        ("2 * 3 * 4 and snake_case_name __all__", "2 * 3 * 4 and snake_case_name *all*"),
        ("* one\n* two\n  * deeper\n+ three", "- one\n- two\n  * deeper\n- three"),
        ("# A\n## B `c`", "** A\n*** B ~c~"),
        ("```python\n# no heading\n* no item\n```\n# A", "#+begin_src python\n# no heading\n,* no item\n#+end_src\n** A"),
        ("~~~\nx", "#+begin_example\nx\n#+end_example"),
        ("> said\n> so\n\nwell", "#+begin_quote\nsaid\nso\n#+end_quote\n\nwell"),
        ("[a](https://b.c/d_e_f) ![](x.png)", "[[https://b.c/d_e_f][a]] [[x.png]]"),
        ("~~no~~ ***yes***", "+no+ */yes/*"),
        ("**bold** starts", "*bold* starts"),
        ("** stars\n> *** stars", "\u200b** stars\n#+begin_quote\n\u200b*** stars\n#+end_quote"),
    ],
)
def test_markdown_as_org(markdown, org):
    assert org_of(markdown, level=1) == org


@given(st.text(st.sampled_from("*_`[]()!#>~+- ab\n"), max_size=80))
def test_no_line_of_an_answer_becomes_a_top_heading_of_an_org_file(text):
    outside, fenced = [], False
    for line in answer_text("org", ROOT, text, ()).split("\n"):
        fenced = line.startswith("#+begin_") or (fenced and not line.startswith("#+end_"))
        outside += [] if fenced else [line]
    assert not [line for line in outside if line.startswith("* ")]


@pytest.mark.parametrize(("sign", "most"), [("***", 500), ("**", 500), ("__", 500), ("~~", 500), ("`", 1000)])
def test_the_end_of_a_span_is_not_looked_for_to_the_end_of_a_long_line(sign, most):
    for length, written in ((most, False), (most + 1, True)):
        text = f"x {sign}{'a' * length}{sign}"
        assert (org_of(text) == text) is written


def test_citations_become_links():
    text = "# It\n\nfailed [1], later [2][2]. See `[3]`."
    markdown = answer_text("markdown", ROOT, text, cited(text, 1, 2))
    place = "file:///n%20%281%29/%5Bx%5D/n{}.md#L{}0"
    assert markdown == (f"### It\n\nfailed [1]({place.format(1, 1)}), later [2]({place.format(2, 2)})[2]. See `[3]`.")
    org = answer_text("org", ROOT, text, cited(text, 1, 2))
    assert org.startswith("** It\n\nfailed [[file:/n (1)/\\[x\\]/n1.md::10][1]], later ")


@pytest.mark.parametrize("name", ["plain.md", "a b (c).md", "ü#1 [x].md", "50%.org"])
@pytest.mark.parametrize("format", ["markdown", "org"])
def test_links_mean_their_file_to_our_own_reader(format, name):
    text = f"See {file_link(format, ROOT / name, 12, 'one [two]')}.\n"
    note = NoteReader(default_registry()).read(f"chat.{'org' if format == 'org' else 'md'}", text)
    (link,) = note.links
    assert link.span.end - link.span.start == len(text[4:-2].encode())
    read = read_target(link.kind, link.target, format)
    assert (read.scheme, read.note, read.fragment.kind, read.fragment.text) == ("absolute", str(ROOT / name), "line", "12")


def test_the_words_of_a_link_are_words():
    link = file_link("markdown", Path("/n/a.md"), 3, "a <img src=//b/c> `d` [e]")
    reader = MarkdownIt("commonmark")
    reader.validateLink = lambda url: True  # it takes no file: links by itself
    (inline,) = [token for token in reader.parse(f"{link} and `f`") if token.type == "inline"]
    assert [child.type for child in inline.children] == ["link_open", "text", "link_close", "text", "code_inline"]
    assert inline.children[1].content == "a <img src=//b/c> `d` [e]"


def test_what_is_told_below():
    text = "It failed [1]. It rained."
    done = Done(
        text,
        cited(text, 1),
        removed=("[7]",),
        unsupported=(Statement("It rained.", 15, 25),),
        usage=Usage(120, 9),
        cost=0.00123,
        model="openai/x",
        reason="length",
        notices=("Older messages were left out.",),
    )
    assert notes_below("markdown", Path("/n"), done, [source(1), source(2)]).split("\n\n") == [
        "**Sources**",
        "- 1: [Router › Fix](file:///n/n1.md#L5)",
        "**Without a source**",
        "- It rained.",
        "Taken out, as no source has that number: [7]",
        "The answer ends here because it is as long as was allowed.",
        "Older messages were left out.",
        "*openai/x, 120 tokens read, 9 written, $0.0012*",
    ]
    assert notes_below("org", Path("/n"), Done("So."), [source(1)]) == (
        "*Passages given*\n\n- 1: [[file:/n/n1.md::5][Router › Fix]]"
    )
    assert notes_below("markdown", Path("/n"), Done("Add a model.", notices=("Add a model.",)), []) == ""
    failed = Failed("The service\ndoes not answer", "khoj.model.unreachable")
    assert "Not answered: The service does not answer" in notes_below("markdown", ROOT, failed, [])
    assert "Stopped." in notes_below("markdown", ROOT, Failed("", "khoj.cancelled"), [])
