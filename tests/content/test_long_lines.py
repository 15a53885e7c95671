"""Files of one long line: a page without line breaks, data, a text. What is found in one is found at its column."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marked_text import WIDTHS
from told_entries import links_of, read

from khoj_ls.content.long_lines import LEAST_PIECE, LONG_LINE, MOST_PIECE, pieces
from khoj_ls.core.places import spanning, spoken
from khoj_ls.core.types import Entry, ParsedFile

WANTED = "The zephyr carries Γειά 😀 over the quay."
FILLER = [f"Sentence number {number} tells of tide № {number * 7} 🌊 and rope." for number in range(2_000)]


def around(wanted: str, between: str) -> str:
    return between.join([*FILLER[:1000], wanted, *FILLER[1000:]])


def page(between: str) -> str:
    """Chapters of paragraphs; the wanted one is in chapter 20."""
    body = "".join(
        f"<h2 id=c{at}>Chapter {at}</h2><p>" + "</p><p>".join(FILLER[50 * at : 50 * at + 50] + [WANTED] * (at == 20)) + "</p>"
        for at in range(40)
    )
    head = f"<html><head><title>Tides</title><style>{'p{margin:0} ' * 500}</style></head><body><nav>Menu</nav>"
    return f"{head}{between}<h1>Tides</h1>{between}{body}<script>{'f();' * 500}</script></body></html>"


ONE_LINE = {
    "page.html": page(""),
    "lines.html": page("\n"),
    "paragraph.html": f"<h1>Tides</h1><p>{around(WANTED, ' ')}</p>",
    "text.txt": around(WANTED, " "),
    "paragraphs.txt": f"Before.\n\n{around(WANTED, ' ')}\n\nAfter.\n",
    "object.json": json.dumps(
        {"title": "Tides", "log": FILLER[:1000], "wanted": WANTED, "rest": FILLER[1000:]}, ensure_ascii=False
    ),
    "list.json": json.dumps([{"says": each} for each in [*FILLER[:1000], WANTED, *FILLER[1000:]]], ensure_ascii=False),
    "string.json": json.dumps({"text": around(WANTED, " ")}, ensure_ascii=False),
    "lines.jsonl": '{"a": 1}\n' + json.dumps({"text": around(WANTED, " ")}, ensure_ascii=False) + '\n{"b": 2}\n',
}


def holding(parsed: ParsedFile, wanted: str = WANTED) -> Entry:
    """The one entry that says it."""
    (found,) = (entry for entry in parsed.entries if wanted in " ".join(entry.text.split()))
    return found


@pytest.mark.parametrize("name", ONE_LINE)
@pytest.mark.parametrize("encoding", WIDTHS)
def test_a_sentence_in_a_long_line_is_found_at_its_column(name, encoding):
    source, found = ONE_LINE[name], holding(read(ONE_LINE[name], name))
    line = source.splitlines()[found.span.line - 1]
    start, end = (getattr(column, encoding.replace("-", "")) for column in found.place.columns)
    units, width = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}[encoding]
    assert WANTED in line.encode(units)[start * width : end * width].decode(units)
    assert end - start < 3 * MOST_PIECE
    assert spoken(found.place) == f"column {found.place.columns[0].utf32 + 1}"


@pytest.mark.parametrize("name", ONE_LINE)
def test_the_pieces_of_a_file_are_its_source(name):
    parsed, data = read(ONE_LINE[name], name), ONE_LINE[name].encode()
    assert not parsed.problems
    assert [entry.raw for entry in parsed.entries] == [
        data[each.span.start : each.span.end].decode() for each in parsed.entries
    ]
    said = " ".join(" ".join([entry.heading, *entry.text.split()]) for entry in parsed.entries)
    assert all(said.count(sentence) == 1 for sentence in FILLER[::97])


def test_a_page_without_line_breaks_has_its_headings_links_and_anchors():
    parsed = read(page("").replace(WANTED, f'{WANTED} <a href="b.html">on</a>'), "a.html")
    assert (parsed.title, sum(bool(entry.heading) for entry in parsed.entries)) == ("Tides", 41)
    found = holding(parsed)
    assert found.outline == ("Tides", "Chapter 20")
    assert [(link.target, link.label) for link in found.links] == [("b.html", "on")]
    chapter = next(entry for entry in parsed.entries if entry.heading == "Chapter 20")
    assert chapter.raw.startswith("<h2 id=c20>Chapter 20</h2>")
    assert [anchor.name for anchor in chapter.anchors] == ["Chapter 20", "c20"]
    assert all(anchor.span.start == chapter.span.start for anchor in chapter.anchors)
    assert links_of(parsed) == [("file", "b.html", "on", 1)]


def test_neighbouring_pieces_are_one_place():
    entries = read(ONE_LINE["text.txt"], "a.txt").entries[3:6]
    place = spanning([entry.place for entry in entries])
    assert place.columns == (entries[0].place.columns[0], entries[2].place.columns[1])


def test_the_keys_of_one_line_of_json_are_headings():
    parsed = read(ONE_LINE["object.json"], "a.json")
    assert parsed.title == "Tides"
    assert [entry.heading for entry in parsed.entries if entry.heading] == ["title … log", "wanted … rest"]


@pytest.mark.parametrize("name", ["a.txt", "a.html", "a.json"])
def test_shorter_lines_are_not_cut(name):
    line = {
        "a.txt": "word " * (LONG_LINE // 5 - 1),
        "a.html": "<p>" + "word " * (LONG_LINE // 5 - 4),
        "a.json": f'"{"word " * 390}"',
    }[name]
    parsed = read(f"{line}\n", name)
    assert [(entry.span.start, entry.span.end, entry.place) for entry in parsed.entries] == [(0, len(line) + 1, None)]


@given(st.text(st.sampled_from("ab .!?\u3002😀\t"), max_size=9_000))
def test_pieces_follow_each_other(text):
    found = list(pieces(text))
    assert "".join(text[start:end] for start, end in found) == text
    assert all(start < end <= start + MOST_PIECE for start, end in found)
    assert all(end - start >= LEAST_PIECE for start, end in found[:-1])


def test_an_edit_leaves_most_pieces_as_they_were():
    text = around(WANTED, " ")
    before = {text[start:end] for start, end in pieces(text)}
    text = text.replace("Sentence number 40 tells", "One more word, and sentence number 40 tells", 1)
    after = [text[start:end] for start, end in pieces(text)]
    assert len(after) > 80
    assert sum(piece not in before for piece in after) <= 4


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("a.txt", "word. " * 400_000),
        ("a.txt", "x" * 2_000_000),
        ("a.html", "<p>word</p>" * 30_000),
        ("a.html", "<h1>word</h1>" * 20_000),
        ("a.html", "é" * 1_000_000),
        ("a.json", "[" + '{"a":"b"},' * 100_000),
        ("a.json", '"' + "word " * 300_000),
    ],
    ids=lambda value: value[:16],
)
def test_long_lines_take_linear_work(name, source):
    """Quadratic work would take minutes."""
    parsed = read(source, name)
    assert len(parsed.entries) > 100
    assert not [problem for problem in parsed.problems if problem.severity == "error"]
