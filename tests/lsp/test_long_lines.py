"""A hit in a line of 100 kB leads to its column, in every position encoding."""

from __future__ import annotations

import pytest
from lsprotocol import types
from marked_text import WIDTHS
from session_driver import Session

WANTED = "The zephyr carries Γειά 😀 over the quay."
TEXT = [f"Sentence number {number} tells of tide № {number * 7} 🌊 and rope." for number in range(2_000)]
PARAGRAPHS = [*TEXT[:1_000], WANTED, *TEXT[1_000:]]
FILES = {
    "page.html": f"<!doctype html><h1>🦉 Tides</h1><p>{'</p><p>'.join(PARAGRAPHS)}</p><h1>Ebb</h1><p>Last",
    "text.txt": " ".join(PARAGRAPHS),
    "transcript.md": f"# Transcript\n\n{' '.join(PARAGRAPHS)}\n\nThe end.\n",
    "transcript.org": f"* Transcript\n{' '.join(PARAGRAPHS)}\n",
}


@pytest.fixture
def session(tmp_path, home):
    folder = tmp_path / "vault"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    session = Session(folder)
    session.index()
    yield session
    session.close()


def cut(line: str, first: int, behind: int, encoding: str) -> str:
    """What stands between two columns of a line."""
    codec, width = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}[encoding]
    return line.encode(codec)[first * width : behind * width].decode(codec)


def test_a_search_leads_to_the_column(session):
    for encoding in WIDTHS:
        session.encode(encoding)
        result = session.ask("khoj/search", {"query": "zephyr quay", "mode": "lexical"})
        hits = {hit["uri"].rpartition("/")[2]: hit for hit in result["hits"]}
        assert hits.keys() == FILES.keys()
        for name, hit in hits.items():
            start, end = hit["range"]["start"], hit["range"]["end"]
            assert start["line"] == end["line"]
            found = cut(FILES[name].split("\n")[start["line"]], start["character"], end["character"], encoding)
            assert WANTED in found
            assert len(found) < 3_000


def test_the_outline_of_a_page_without_line_breaks_leads_to_its_headings(session):
    page = FILES["page.html"]
    for encoding in WIDTHS:
        session.encode(encoding)
        uri = session.open("page.html")
        tides, ebb = session.ask(
            types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, types.DocumentSymbolParams(types.TextDocumentIdentifier(uri))
        )
        assert [tides.name, ebb.name] == ["🦉 Tides", "Ebb"]
        first = [cut(page, each.range.start.character, each.range.end.character, encoding) for each in (tides, ebb)]
        assert first == [page[page.index("<h1>") : page.index("<h1>Ebb")], page[page.index("<h1>Ebb") :]]
        assert all(each.range.start == each.selection_range.start for each in (tides, ebb))
