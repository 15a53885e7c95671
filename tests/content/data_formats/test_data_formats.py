"""JSON, YAML and TOML: what each line says, and where entries begin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.content.data_text import MOST_CHARS, data_processors
from khoj_ls.content.registry import places_fault

PROCESSORS = {processor.name: processor for processor in data_processors()}


def parsed(kind: str, text: str):
    return PROCESSORS[kind].parse(text.encode(), f"a.{kind}")


JSON = {
    "object": (
        '{\n  "name": "Ada",\n  "born": 1815,\n  "notes": [\n    "a",\n    "b"\n  ]\n}\n',
        "\nname: Ada\nborn: 1815\nnotes\na\nb\n\n",
    ),
    "one line": ('{"a": 1, "b": [true, null], "c": {"d": "e"}}', "a: 1, b: true, null, c: d: e"),
    "escapes": (r'{"a": "caf\u00e9 \"x\"\nnext \ud83d\ude00 \ud83d"}', 'a: café "x" next 😀 ?'),
    "bad escape": (r'{"a": "\q"}', r"a: \q"),
    "open string": ('{"a": "b\n, "c": 1}', "a: b\nc: 1"),
    "comments": ('// why\n{"a": 1} // how\n', "// why\na: 1 // how"),
    "lines": ('{"a": 1}\n{"a": 2}\n', "a: 1\na: 2"),
    "number": ("12.5", "12.5"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), JSON.values(), ids=JSON.keys())
def test_what_each_line_of_json_says(text, said):
    assert "\n".join(entry.text for entry in parsed("json", text).entries).rstrip("\n") == said.rstrip("\n")


LONG = {
    "json": (
        '{\n  "title": "Plan",\n  "one": {\n'
        + '    "k": "v",\n' * 40
        + '    "k": 0\n  },\n  "two": 2, "three": 3,\n  "four": 4\n}\n',
        "Plan",
        [("title", 1), ("one", 3), ("two … four", 46)],
    ),
    "yaml": (
        "# about\ntitle: 'The plan'\none:\n" + "  - v: x\n" * 40 + 'two: 2\n"three four": |\n  text: x\n---\nfive: 5\n',
        "The plan",
        [("", 1), ("title", 2), ("one", 3), ("two … five", 44)],
    ),
    "toml": (
        'title = "Plan"\nx = 1\n[one.a]\ny = """\n[no]\n"""\n[[two]]\nz = [\n  [1]\n]\n[ three ] # why\n',
        "Plan",
        [("", 1), ("one.a", 3), ("two", 7), ("three", 11)],
    ),
}


@pytest.mark.parametrize(("kind", "case"), LONG.items())
def test_where_entries_begin(kind, case):
    text, title, begins = case
    found = parsed(kind, text)
    assert (found.title, [(entry.heading, entry.span.line) for entry in found.entries]) == (title, begins)
    assert all(entry.outline == () for entry in found.entries)


def test_lists_and_records_are_cut_between_their_elements():
    text = "[\n" + '  {\n    "a": 1\n  },\n' * 20 + "  {}\n]\n"
    assert [entry.span.line for entry in parsed("json", text).entries] == [1, 29, 59]
    text = '{"title": "t", "a": 1}\n' * 60
    found = parsed("json", text)
    assert ([entry.span.line for entry in found.entries], found.title) == ([1, 31], None)
    text = "- a: 1\n  b: 2\n" * 20
    assert [entry.span.line for entry in parsed("yaml", text).entries] == [1, 31]


def test_marks_of_documents_are_not_shown():
    assert [entry.text for entry in parsed("yaml", "%YAML 1.2\n---\na: 1\n--- b\n...\n").entries] == ["a: 1\nb\n"]


@pytest.mark.parametrize("kind", PROCESSORS)
def test_what_is_too_long_is_cut_and_told(kind):
    text = "key: [1, 2]\n" * (MOST_CHARS // 10)
    found = parsed(kind, text)
    assert [problem.code for problem in found.problems] == ["too-large"]
    assert found.entries[-1].span.end_line == found.problems[0].line - 1


HOSTILE = {
    "deep": '{"a":[' * 300_000,
    "quotes": r'"\"' * 300_000,
    "blanks": "a" + " " * 900_000,
    "blanks in brackets": "[a" + " " * 900_000,
    "commas": "," * 900_000,
    "anchors": "a: &a [x,x]\n" + "".join(f"b{at}: &b{at} [*a,*a]\n" for at in range(1000)),
}


@pytest.mark.parametrize("kind", PROCESSORS)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_are_read_in_time_by_their_length(kind, text):
    # What grows with the square of the length would take hours.
    assert places_fault(parsed(kind, text).entries) is None


@pytest.mark.parametrize("kind", PROCESSORS)
@given(
    text=st.lists(st.sampled_from([*"{}[]\",:\n\r\\/-= #ab|'\x00", '"a": ', "---", "title", '"""']), max_size=60).map("".join)
)
def test_any_text_can_be_read(kind, text):
    found = parsed(kind, text)
    assert places_fault(found.entries) is None
    assert all(entry.text.count("\n") <= entry.span.end_line - entry.span.line for entry in found.entries)
