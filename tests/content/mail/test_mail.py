"""E-mails and what is read of them."""

from __future__ import annotations

import base64

import pytest
from told_entries import links_of, read, told

LETTER = """From: =?utf-8?q?Ada_B=C3=A4cker?= <ada@example.org>
To: bob@example.org,
 "Carl" <carl@example.org>
Subject: =?utf-8?b?QnJlYWQgw6AgbGEgY2FydGU=?=
Received: by example.org
Date: Fri, 01 Mar 2024 10:15:00 +0100
Keywords: bread, rye
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="XX"

preamble
--XX
Content-Type: multipart/alternative; boundary=YY

--YY
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Caf=C3=A9 at nine, and a long line that goes on so=
 far https://example.org/x
> quoted
--YY
Content-Type: text/html

<p>Html</p>
--YY--
--XX
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

TGluZSBvbmUgaXMgaGVyZQpMaW5lIHR3byBpcyBsb25nZXIgYW5kIGdvZXMgb24gYW5kIG9uIGFu
ZCBvbgpMaW5lIHRocmVlCg==
--XX
Content-Type: application/pdf; name="report.pdf"
Content-Disposition: attachment; filename="report.pdf"
Content-Transfer-Encoding: base64

JVBERi0=
--XX
Content-Type: message/rfc822

From: eve@example.org
Subject: Inner

<inner> text
--XX--
"""


def test_a_letter_is_read_as_its_reader_does():
    parsed = read(LETTER, "a.eml")
    assert told(parsed) == [
        '1-41 : From: Ada Bäcker <ada@example.org> / To: bob@example.org, "Carl" <carl@example.org>'
        " / Subject: Bread à la carte / Date: Fri, 01 Mar 2024 10:15:00 +0100"
        " / Café at nine, and a long line that goes on so far https://example.org/x / > quoted"
        " / Line one is here · Line two is longer and goes on and on and on / Line three / Attachment: report.pdf",
        "42-46 # Inner : From: eve@example.org / Subject: Inner / <inner> text",
    ]
    assert (parsed.title, parsed.tags) == ("Bread à la carte", ("bread", "rye"))
    assert parsed.properties == (
        ("from", "Ada Bäcker <ada@example.org>"),
        ("to", 'bob@example.org, "Carl" <carl@example.org>'),
        ("attachment", "report.pdf"),
    )
    assert [(date.kind, date.start) for date in parsed.dates] == [("created", "2024-03-01T10:15")]


@pytest.mark.parametrize("said", ["Café at nine", "> quoted", "Line one", "Line three"])
def test_a_decoded_line_stands_where_its_first_byte_does(said):
    lines = LETTER.splitlines()
    written = {"Café at nine": "Caf=C3", "> quoted": "> quoted", "Line one": "TGluZSBvbmU", "Line three": "ZCBvbgpM"}[said]
    shown = read(LETTER, "a.eml").entries[0].text.split("\n")
    assert [said in line for line in shown].index(True) == [line.startswith(written) for line in lines].index(True)


QUOTED = "Content-Transfer-Encoding: quoted-printable"


def letter(headers: str, body: bytes) -> bytes:
    return f"Subject: S\n{headers}\n\n".encode() + body


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (letter("Content-Type: text/html", b"<p>Hello<br>you <a href=b>x</a></p>\n<style>p{}</style>"), "Hello you x"),
        (letter(f"{QUOTED}\nContent-Type: text/html", b"<p class=3D'a'>He=\nllo</p>"), "Hello"),
        (letter("Content-Type: text/plain; charset=iso-8859-1", "née".encode("latin-1")), "née"),
        (letter("Content-Type: text/plain; charset=nonsense", "née".encode()), "née"),
        (letter("Content-Transfer-Encoding: base64", base64.b64encode("naïve".encode())), "naïve"),
        (letter("Content-Transfer-Encoding: base64", b"!!!=x"), ""),
        (letter("Content-Type: multipart/mixed; boundary=", b"text"), "text"),
        (letter("Content-Type: multipart/mixed; boundary=b", b"--b\n\nin\n"), "in"),
        (letter("Content-Type: text/plain; name*=utf-8''%ff%", b"text"), "text"),
        (letter("Content-Type: image/png; name=a.png", b"x"), "· Attachment: a.png"),
        (b"no headers at all\n", "no headers at all"),
        (b"", ""),
    ],
)  # fmt: skip
def test_bodies_of_all_kinds(data, text):
    shown = [line.rpartition(" : ")[2].removeprefix("Subject: S").removeprefix(" / ") for line in told(read(data, "a.eml"))]
    assert " ".join(shown).removeprefix("1-1 :").strip() == text


def test_links_of_a_body_in_html():
    data = letter("Content-Type: text/html", b'<p>\n<a href="https://example.org">x</a> <a href="b.html">y</a>')
    assert links_of(read(data, "a.eml")) == [("url", "https://example.org", "x", 5)]


def test_sensitive_messages_are_private():
    parsed = read(letter("Sensitivity: Private", b"x"), "a.eml")
    assert (parsed.private, parsed.entries[0].private) == (True, True)


def test_encrypted_messages_are_said():
    parsed = read(letter("Content-Type: multipart/encrypted; boundary=b", b"--b\n\nVersion: 1\n--b--\n"), "a.eml")
    assert [(problem.severity, problem.code) for problem in parsed.problems] == [("warning", "encrypted")]


def test_parts_in_parts_end_somewhere():
    deep = "".join(f"Content-Type: multipart/mixed; boundary=b{at}\n\n--b{at}\n" for at in range(300))
    many = letter("Content-Type: multipart/mixed; boundary=b", b"--b\n\nx\n" * 20_000)
    assert read(deep, "a.eml").problems == read(many, "a.eml").problems == ()
