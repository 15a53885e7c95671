"""PDF files: what each page says, in order, under which heading, and what is said of what is left out."""

from __future__ import annotations

import pytest
from made_pdf import Page, Pdf, column, made_pdf
from told_entries import read, told

from khoj_ls.content import pdf as pdf_module
from khoj_ls.content.pdf import PdfProcessor
from khoj_ls.content.registry import ProcessorRegistry, parse_file
from khoj_ls.core.types import EntryDate


def parsed(*pages, **about):
    return parse_file(ProcessorRegistry([PdfProcessor()]), made_pdf(Pdf(pages, **about)), "a.pdf")


def said(*lines):
    """The paragraphs of a page that is drawn as `lines`."""
    [entry] = parsed(Page(lines)).entries
    return [" ".join(paragraph.split("\n")) for paragraph in entry.text.strip().split("\n\n")]


LEFT = column("Left one is as long as a line", "of a column is, and goes on", "to its third line.")
RIGHT = column("Right one is as long as a line", "of a column is, and goes on", "to its last line.", x=320)


@pytest.mark.parametrize(
    ("lines", "paragraphs"),
    [
        (column("One.", "Two."), ["One. Two."]),
        (column("One.") + column("Two.", top=680), ["One.", "Two."]),
        (column("Two.", top=600) + column("One.", top=720), ["One.", "Two."]),
        ([*LEFT, *RIGHT], [f"{side} one is as long as a line of a column is, and goes on to its {last} line." for side, last in
                           (("Left", "third"), ("Right", "last"))]),
        ([*RIGHT, *LEFT], [f"{side} one is as long as a line of a column is, and goes on to its {last} line." for side, last in
                           (("Left", "third"), ("Right", "last"))]),
        ([(72, 720, "A heading", 18), *column("Text.", top=700)], ["A heading", "Text."]),
        (
            [*column("First line of it", "and the second of it."), (84, 696, "The next is set in"), (72, 684, "and ends.")],
            ["First line of it and the second of it.", "The next is set in and ends."],
        ),
        (column("Prices: 5 \u20ac (caf\xe9) \\ done"), ["Prices: 5 \u20ac (caf\xe9) \\ done"]),
    ],
    ids=["lines", "gap", "drawn later", "columns", "right column first", "sizes", "indented", "signs"],
)  # fmt: skip
def test_a_page_is_read_in_order(lines, paragraphs):
    assert said(*lines) == paragraphs


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_a_page_that_is_turned_is_read_as_it_is_drawn(rotate):
    [entry] = parsed(Page(column("The first line of the page", "the second line of it"), rotate=rotate)).entries
    assert "The first line of the page" in entry.text


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (("a har-", "bour full of ships"), "a harbour full of ships"),
        (("a well-", "known harbour is well-known"), "a well-known harbour is well-known"),
        (("ships and a steam-", "ship; steamship"), "ships and a steamship; steamship"),
        (("boats for fast-", "going people; fast and going"), "boats for fast-going people; fast and going"),
        (("the year COVID-", "19 came"), "the year COVID-19 came"),
        (("a dash -", "and more"), "a dash - and more"),
    ],
)
def test_words_broken_at_the_end_of_a_line_are_mended(lines, text):
    assert said(*column(*lines)) == [text]


def test_a_word_broken_at_the_end_of_a_page_is_mended():
    entries = parsed(Page(column("it is a har-")), Page(column("bour."))).entries
    assert [entry.text.strip() for entry in entries] == ["it is a harbour."]


def framed(number, *body, head="The book", foot="{}"):
    return Page([(72, 760, head.format(number)), *column(*body), (300, 30, foot.format(number))])


@pytest.mark.parametrize(
    ("pages", "texts"),
    [
        ([framed(n, f"Body {n * n}.") for n in range(1, 5)], ["The book\n\nBody 1.", "Body 4.", "Body 9.", "Body 16."]),
        (
            [framed(n, f"Body {n * n}.", head=("Even", "Odd")[n % 2], foot="Page {} of 9") for n in range(11, 19)],
            ["Odd\n\nBody 121.", "Even\n\nBody 144.", *(f"Body {n * n}." for n in range(13, 19))],
        ),
        ([framed(n, "Body.", head="Bill 77{}") for n in (9, 4, 7)], [f"Bill 77{n}\n\nBody.\n\n{n}" for n in (9, 4, 7)]),
        ([framed(n, "Body.") for n in (1, 2)], ["The book\n\nBody.\n\n1", "The book\n\nBody.\n\n2"]),
    ],
    ids=["head and number", "even and odd", "numbers that are no page numbers", "two pages are not most"],
)
def test_running_heads_and_page_numbers_are_left_out(pages, texts):
    assert [entry.text.strip() for entry in parsed(*pages).entries] == texts


def test_the_outline_gives_the_headings():
    pages = [
        Page(column("Preface text.")),
        Page([*column("Before."), (72, 600, "1.2 The quay", 16), *column("On the quay.", top=570)]),
        Page(column("Still the quay.")),
        Page([(72, 700, "Unnamed", 16), *column("By its height.", top=680)]),
        Page(column("By its page.")),
    ]
    outline = [(1, "Part one", 1, None), (2, "The quay", 1, 620), (3, "Cranes", 3, 690), (1, "Part two", 4, None)]
    assert told(parsed(*pages, outline=outline)) == [
        "1-1 [page 1] : Preface text.",
        "2-3 # Part one [page 2] : Before.",
        "4-5 ## The quay [page 2] : On the quay.",
        "6-6 [page 3] : Still the quay.",
        "7-7 [page 4] : Unnamed",
        "8-9 ### Cranes [page 4] : By its height.",
        "10-11 # Part two [page 5] : By its page.",
    ]


@pytest.mark.parametrize(
    ("info", "lines", "title"),
    [
        ({"Title": "Tides and\nwinds"}, column("x"), "Tides and winds"),
        ({"Title": "Microsoft Word - Tides"}, column("x"), "Tides"),
        ({"Title": "tides_v2.docx"}, column("x"), None),
        ({"Title": "(anonymous)"}, [(72, 720, "Tides and", 24), (72, 690, "winds", 24), *column("a", "b", "c", top=660)],
         "Tides and winds"),
        ({"Title": "scan_0012"}, [(72, 720, "Tides", 24), *column("a", "b", "c", top=660)], "Tides"),
        ({"Title": "scan_0012"}, column("a", "b"), "scan_0012"),
        ({}, column("a", "b"), None),
    ],
)  # fmt: skip
def test_titles(info, lines, title):
    assert parsed(Page(lines), info=info).title == title


def test_what_a_file_says_of_itself():
    info = {
        "Author": "M. Pilot",
        "Subject": "unspecified",
        "Keywords": "tides; winds, tides",
        "CreationDate": "D:20240501093000+02'00'",
        "ModDate": "D:202405",
    }
    file = parsed(Page(column("x")), info=info)
    assert file.properties == (("author", "M. Pilot"),)
    assert file.tags == ("tides", "winds")
    assert file.dates == (EntryDate("created", "2024-05-01T09:30"), EntryDate("updated", "2024-05-01"))


TEXT, PICTURE, EMPTY = Page(column("Text.")), Page(picture=True), Page()
GOOD = made_pdf(Pdf([TEXT] * 3))
LOCKED = made_pdf(Pdf([TEXT], trailer="/ID [<00> <00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 "
                      f"/O <{'11' * 32}> /U <{'22' * 32}> >>"))  # fmt: skip


@pytest.mark.parametrize(
    ("data", "severity", "code", "message"),
    [
        (made_pdf(Pdf([TEXT, PICTURE, PICTURE, EMPTY])), "warning", "no-text",
         "2 of 4 pages hold only pictures and are left out: pip install 'khoj-ls[ocr]' to read them"),
        (made_pdf(Pdf([PICTURE])), "error", "no-text",
         "1 of 1 pages holds only pictures, and no other has text: pip install 'khoj-ls[ocr]' to read them"),
        (made_pdf(Pdf([EMPTY])), "error", "no-text", "the file holds no text"),
        (LOCKED, "error", "encrypted", "the file is encrypted: save it without a password"),
        (b"", "error", "damaged", "the file is damaged, or no PDF file: it cannot be opened"),
        (b"%PDF-1.7\n" + b"\xff" * 500, "error", "damaged", "the file is damaged, or no PDF file: it cannot be opened"),
        (GOOD[:300], "error", "damaged", "the file is damaged, or no PDF file: it cannot be opened"),
    ],
    ids=["some scanned", "all scanned", "empty page", "encrypted", "empty", "no pdf", "cut off"],
)  # fmt: skip
def test_what_cannot_be_read_is_told(data, severity, code, message):
    problems = parse_file(ProcessorRegistry([PdfProcessor()]), data, "a.pdf").problems
    assert [(each.severity, each.code, each.message) for each in problems] == [(severity, code, message)]


def test_a_file_whose_index_is_wrong_is_read():
    file = read(GOOD.replace(b"startxref\n", b"startxref\n9"), "a.pdf")
    assert [entry.place.first for entry in file.entries] == [1, 2, 3]


@pytest.mark.parametrize(("limit", "most"), [("MOST_PAGES", 5), ("MOST_CHARACTERS", 20)])
def test_only_so_many_pages_are_read(monkeypatch, limit, most):
    monkeypatch.setattr(pdf_module, limit, most)
    file = parsed(*[Page(column("Text")) for _ in range(12)])
    assert [entry.place.first for entry in file.entries] == [1, 2, 3, 4, 5]
    assert [each.message for each in file.problems] == ["only the first 5 of 12 pages are read: split the file"]


def test_a_file_of_ten_thousand_pages():
    page = Page(column("The last of many pages."))
    entries = parsed(*[Page(column("One of many pages."))] * 9_999, page).entries
    assert (len(entries), entries[-1].place.page, entries[-1].text.strip()) == (10_000, 10_000, "The last of many pages.")


def test_an_outline_without_end_is_cut(monkeypatch):
    monkeypatch.setattr(pdf_module, "_MOST_OUTLINE", 5)
    file = parsed(Page(column("Text.")), outline=[(1, f"Item {at}", 0, None) for at in range(12)])
    assert [entry.heading for entry in file.entries] == [f"Item {at}" for at in range(5)]
