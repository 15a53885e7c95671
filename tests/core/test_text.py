"""What a note's bytes are read as: Western text in its old encoding, UTF-16, and what cannot be told."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.core.encoding import source_encoding
from khoj_ls.core.text import LineIndex, apart, compounds, decode_source, text_lines

WESTERN = (
    "L'été dernier, « où es-tu ? » — dit-elle. Ça va, cœur d’or. 5 € et 20 °C. Élève créée.",
    "Größe, Übung, Straße, ÄRGER, äußern „Zitat“ 3½ Fuß",
    "El niño comió jalapeños. ¿Qué? ¡Olé! 1º año",
    "São Paulo, coração, avó",
    "Þetta er íslenska: ég á það, æði, Ísland, þú sérð fjöllin",
    "Hyvää yötä, pääasia, työläinen ääni. Räksmörgås på väg över ån.",
    "ÉTÉ À LA PLAGE ÊTRE CRÉÉ",
    "don’t say—“hello”—to the naïve…",
    "# Caf\u00e9\r\n\r\nEin Stück.\rNoch eins.\n",
)
OTHERS = (
    ("Привет, как дела? Сегодня хорошая погода", ("cp1251", "koi8-r", "cp866", "iso8859-5")),
    ("Hello мир test", ("cp1251", "koi8-r")),
    ("これは日本語の文章です。", ("shift_jis", "euc-jp")),
    ("안녕하세요 여러분", ("euc-kr",)),
    ("中文笔记，饺子", ("gbk", "big5")),
    ("Ελληνικά γλώσσα", ("cp1253",)),
    ("שלום עולם", ("cp1255",)),
    ("Łódź książka żółty", ("cp1250", "iso8859-2")),
    ("Größe café schön façade über", ("cp437", "cp850", "mac_roman")),
)


@pytest.mark.parametrize("text", WESTERN)
def test_western_text_is_read_with_its_letters_and_named(text):
    data = text.encode("cp1252")
    read, problems = decode_source(data)
    assert (read, [(problem.severity, problem.code) for problem in problems]) == (text, [("warning", "encoding")])
    assert "Windows-1252" in problems[0].message
    assert [line.encode("cp1252") for line in text_lines(read)] == data.splitlines(keepends=True), "the lines of the file"


@pytest.mark.parametrize(("text", "encoding"), [(text, encoding) for text, encodings in OTHERS for encoding in encodings])
def test_what_cannot_be_told_is_named_and_keeps_its_plain_part(text, encoding):
    read, problems = decode_source(text.encode(encoding, "ignore") + b"\nplain\n")
    assert [problem.code for problem in problems] == ["invalid-utf8"]
    assert "\ufffd" in read
    assert read.endswith("\nplain\n")


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("déjà".encode(), "utf-8"),
        (b"plain", "utf-8"),
        (b"", "utf-8"),
        (b"\xef\xbb\xbfmarked", "utf-8-sig"),
        ("é".encode("utf-16"), "utf-16"),
        (b"\xfe\xff\x00a", "utf-16"),
        ("Noël, déjà vu".encode() + b" caf\xe9", "utf-8"),
        (b"The heron \xff\xfe stands still in the shallows.", "utf-8"),
        (b"one \x81 undefined byte", "utf-8"),
    ],
    ids=["utf-8", "ascii", "empty", "marked", "utf-16-le", "utf-16-be", "UTF-8 with a broken place", "noise", "undefined"],
)
def test_the_encoding(data, encoding):
    assert source_encoding(data) == encoding


def test_utf_16_is_named_too():
    text, problems = decode_source("# Tür\r\nzwei\n".encode("utf-16"))
    assert (text, [problem.message for problem in problems]) == (
        "# Tür\r\nzwei\n",
        ["the file is UTF-16, and read so: save it as UTF-8"],
    )
    assert LineIndex(text).span_of_lines(2, 2).line == 2


@pytest.mark.parametrize("text", ["", "é", "é1\nzwei", "aé€𝄞\r\n" * 3, ("aé€𝄞" * 700 + "\n") * 2, "x" * 2000], ids=len)
def test_where_characters_stand_in_bytes(text):
    index = LineIndex(text)
    assert [index.byte_of_char(at) for at in range(len(text) + 1)] == [len(text[:at].encode()) for at in range(len(text) + 1)]


class Counted(str):
    """A text that counts the characters of its parts that are encoded."""

    encoded = 0

    def __getitem__(self, part):
        found = super().__getitem__(part)
        Counted.encoded += len(found)
        return found


def test_a_long_line_is_not_encoded_anew_for_each_place_in_it():
    index = LineIndex("é" * 100_000)
    index.lines[0] = Counted(index.lines[0])
    for at in range(0, 100_000, 100):
        index.byte_of_char(at)
    assert Counted.encoded < 5 * 100_000


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a MergeScheduler", ["Merge Scheduler"]),
        ("myHTTPServer and getURLFor2024", ["my HTTP Server", "get URL For2024"]),
        ("GitHub, LaTeX; UTF8Decoder", ["Git Hub", "UTF8 Decoder"]),  # La, Te, X are too short to be words
        ("snake_CaseWord or kebab-CaseWord", ["Case Word", "Case Word"]),
        ("手机AppStore", ["App Store"]),
        ("plain words, ALL CAPITALS, Capital", []),
        ("aGVsbG8gd29ybGQhISEhIQ==", []),
        ("Word" * 21, []),  # no word is so long
        ("", []),
    ],
)
def test_compound_words_come_apart(text, parts):
    assert [" ".join(each) for each in compounds(text)] == parts


@given(st.text("aAbB1Z9 é语\udc80"))
def test_a_blank_stands_at_each_hump(text):
    assert apart(text) == re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
