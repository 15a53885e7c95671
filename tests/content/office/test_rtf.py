"""What a reader of an RTF file sees, and what not."""

from __future__ import annotations

import pytest

from khoj_ls.content.refusal import Refused
from khoj_ls.content.rtf import MOST_DEPTH, RtfProcessor

FONTS = rb"{\fonttbl{\f0\fcharset0 Times;}{\f1\fcharset204 Arial;}{\f2\fcharset128 Mincho;}}"


def parsed(body: bytes):
    return RtfProcessor().parse(rb"{\rtf1\ansi\deff0" + FONTS + body + b"}", "a.rtf")


def text(body: bytes) -> str:
    return "\n".join(entry.text.strip("\n") for entry in parsed(body).entries)


SEEN = {
    "paragraphs": (rb"one\par two" + b"\r\n" + rb"more\par", "one\n\ntwomore"),
    "code pages": (rb"caf\'e9 {\f1 \'cc\'e8\'f0} {\f2 \'93\'8c}", "café Мир 東"),
    "unicode": (rb"\u9731? \uc2\u233\'65\'65x \u-10179?\u-8704? \uc0\u65 B", "☃ éx 😀AB"),
    "half a pair": (rb"a\u-8704?b", "a\ufffdb"),
    "signs": (rb"\{a\}\\ \ldblquote b\rdblquote\emdash c\~d\_e\-f\line g", "{a}\\ “b”—c d-ef\ng"),
    "what is not seen": (
        rb"{\header h}{\*\new x}{\pict 00}{\field{\*\fldinst I}{\fldrslt r}}{\deleted gone}s\bin3 {{}end",
        "rsend",
    ),
    "tables": (rb"\trowd\intbl a\cell b\line c\cell\row\pard after\par", "a | b c\n\nafter"),
    "an open group": (rb"{{{a", "a"),
    "closed too often": (rb"a}}}} b", "a b"),
}


@pytest.mark.parametrize(("body", "seen"), SEEN.values(), ids=SEEN.keys())
def test_what_is_seen(body, seen):
    assert text(body) == seen


def test_headings_by_style_and_outline_level():
    body = (
        rb"{\stylesheet{\s1 heading 1;}{\s5\outlinelevel1 Mine;}}"
        rb"\pard\s1 One\par\pard x\par\pard\s5 Two\par\pard\outlinelevel2 Three\par"
        rb"\pard\s1\outlinelevel9 body\par"
    )
    assert [(entry.level, entry.heading, entry.outline) for entry in parsed(body).entries] == [
        (1, "One", ()),
        (2, "Two", ("One",)),
        (3, "Three", ("One", "Two")),
    ]


def test_notes_and_comments():
    body = rb"a{\footnote \pard by whom}b{\*\atnauthor Ada}{\*\annotation{\*\atnref 1}why?}\par c\par"
    assert text(body) == "ab\n\nc\n\nFootnote: by whom\nComment by Ada: why?"


def test_what_the_document_says_of_itself():
    found = parsed(
        rb"{\info{\title The \u233?tude}{\author Ada}{\keywords a, b}{\creatim\yr2024\mo5\dy1\hr9\min5}{\revtim\yr0}}x"
    )
    assert (found.title, found.tags, found.properties) == ("The étude", ("a", "b"), (("author", "Ada"),))
    assert [(date.kind, date.start) for date in found.dates] == [("created", "2024-05-01T09:05")]


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"no", "damaged"), (b"{\\rtf1}", "no-text"), (b"{\\rtf1" + b"{" * (MOST_DEPTH + 1), "too-large")],
)
def test_what_cannot_be_read_is_refused(data, code):
    with pytest.raises(Refused) as caught:
        RtfProcessor().parse(data, "a.rtf")
    assert caught.value.code == code
