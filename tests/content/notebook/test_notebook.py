"""Jupyter notebooks and what is read of them."""

from __future__ import annotations

import json

import pytest
from told_entries import links_of, read, told

from khoj_ls.content.notebook import MOST_OUTPUT_LINES


def cell(kind: str, *lines: str, outputs: list | None = None, **metadata) -> dict:
    made = {"cell_type": kind, "metadata": metadata, "source": [f"{line}\n" for line in lines[:-1]] + [*lines[-1:]]}
    return made if kind != "code" else {**made, "execution_count": 1, "outputs": outputs or []}


def stream(*lines: str) -> dict:
    return {"output_type": "stream", "name": "stdout", "text": [f"{line}\n" for line in lines]}


def notebook(*cells: dict, indent: int | None = 1, **metadata) -> str:
    return json.dumps({"cells": [*cells], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=indent)


PICTURE = {"output_type": "display_data", "data": {"image/png": "QUJD" * 1000, "text/plain": ["<Figure>"]}, "metadata": {}}
BREAD = notebook(
    cell("markdown", "# Bread *study*", "", "Flour \"and\" [water](notes/water.md).", "## Times", "See https://example.org/a"),
    cell("code", "import bake", "bake.all()", outputs=[stream("risen \x1b[31mtwice\x1b[0m"), PICTURE], tags=["oven"]),
    cell("raw", "as it is"),
    cell("markdown", "Only text, **bold**"),
    language_info={"name": "python"},
    authors=[{"name": "Ada"}],
)  # fmt: skip


def line_of(text: str, source: str = BREAD) -> int:
    return [text in line for line in source.splitlines()].index(True) + 1


def test_cells_are_entries_in_lines_of_the_file():
    parsed = read(BREAD, "a.ipynb")
    assert [line.partition(" ")[2] for line in told(parsed)] == [
        '# Bread study [cell 1] : Flour "and" water.',
        "## Times [cell 1] : See https://example.org/a",
        "[cell 2] : import bake / bake.all() / risen twice / <Figure>",
        "[cell 3] : as it is",
        "[cell 4] : Only text, bold",
    ]
    assert [(entry.span.line, entry.level, entry.tags) for entry in parsed.entries[:3]] == [
        (3, 1, ()),
        (line_of("## Times"), 2, ()),
        (line_of('"code"') - 1, 0, ("oven",)),
    ]
    assert (parsed.title, parsed.properties) == ("Bread study", (("language", "python"), ("author", "Ada")))
    shown = parsed.entries[2].text.split("\n")
    assert shown.index("bake.all()") + parsed.entries[2].span.line == line_of("bake.all()")


def test_links_lie_in_the_strings_of_the_file():
    parsed = read(BREAD, "a.ipynb")
    assert links_of(parsed) == [
        ("markdown", "notes/water.md", "water", line_of("water.md")),
        ("url", "https://example.org/a", None, line_of("example.org")),
    ]
    (link, *_) = [link for entry in parsed.entries for link in entry.links]
    assert BREAD.encode()[link.span.start : link.span.end] == b"[water](notes/water.md)"


def test_a_notebook_in_one_line_is_one_entry():
    source = notebook(cell("markdown", "# One"), cell("markdown", "# Two", "text"), indent=None)
    assert told(read(source, "a.ipynb")) == ["1-1 # One [cells 1 to 2] : Two text"]


def test_outputs_are_trimmed():
    source = notebook(cell("code", "x", outputs=[stream(*(f"line {at}" for at in range(100))), stream("y" * 10_000)]))
    (entry,) = read(source, "a.ipynb").entries
    assert entry.text.count("line ") == MOST_OUTPUT_LINES and "yyy" not in entry.text


def test_front_matter_of_the_first_cell_is_the_notebooks():
    parsed = read(notebook(cell("raw", "---", "title: Q", "tags: [a, private]", "---")), "a.ipynb")
    assert (parsed.title, parsed.tags, parsed.private) == ("Q", ("a", "private"), True)


def test_the_older_format_is_read():
    source = json.dumps(
        {
            "nbformat": 3,
            "worksheets": [
                {"cells": [
                    {"cell_type": "heading", "level": 2, "source": ["Old"]},
                    {"cell_type": "code", "input": "a = 1\nb = 2", "outputs": [{"text": ["3"]}]},
                ]}
            ],
        },
        indent=1,
    )  # fmt: skip
    assert [line.partition(" ")[2] for line in told(read(source, "a.ipynb"))] == [
        "## Old [cell 1] :",
        "[cell 2] : a = 1 b = 2 / 3",
    ]


@pytest.mark.parametrize(
    ("source", "entries", "code"),
    [
        (BREAD[: BREAD.index("bake.all")], 3, "damaged-parts"),
        (notebook(cell("code", "x"))[:20], 1, "damaged-parts"),
        ("not json", 0, "damaged"),
        ("[" * 100_000, 0, "damaged"),
        ('{"cells": [' * 50_000, 1, "damaged-parts"),
        ('{"metadata": ' + "[" * 100_000, 0, "damaged"),
        ('{"cells": 3}', 0, None),
        ('{"cells": [3, "x", null, {"source": 3, "outputs": {"a": 1}, "cell_type": []}]}', 1, None),
        ("", 0, None),
        ("{}", 0, None),
    ],
)
def test_damaged_notebooks_are_read_as_far_as_they_go(source, entries, code):
    parsed = read(source, "a.ipynb")
    assert ([problem.code for problem in parsed.problems], len(parsed.entries)) == ([code] if code else [], entries)


def test_outputs_of_fifty_megabytes_are_passed_over():
    picture = {"output_type": "display_data", "data": {"image/png": "QUJD" * 12_500_000}}
    parsed = read(notebook(cell("code", "x = 1", outputs=[picture]), cell("markdown", "after")), "a.ipynb")
    assert [line.partition(" ")[2] for line in told(parsed)] == ["[cell 1] : x = 1", "[cell 2] : after"]
