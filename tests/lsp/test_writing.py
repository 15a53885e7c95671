"""What is being written is not judged yet; what was wrong before is, and what else is wrong."""

from __future__ import annotations

import pytest
from lsprotocol import types
from pygls.workspace import PositionCodec

from khoj_ls.graph.diagnose import Finding
from khoj_ls.lsp.positions import Positions
from khoj_ls.lsp.writing import Writing

TEXT = "[[old]] [[new]]\n[[far]]\n"
OLD, NEW, FAR = (Finding("broken-link", at, at + 7, f"no {name}") for name, at in (("old", 0), ("new", 8), ("far", 16)))


def changed(writing: Writing, start: int | None, text: str) -> None:
    place = types.Position(line=0, character=start or 0)
    change = (
        types.TextDocumentContentChangeWholeDocument(text=text)
        if start is None
        else types.TextDocumentContentChangePartial(range=types.Range(start=place, end=place), text=text)
    )
    document = types.VersionedTextDocumentIdentifier(uri="file:///a.md", version=2)
    params = types.DidChangeTextDocumentParams(text_document=document, content_changes=[change])
    writing.took("file:///a.md", params, Positions(TEXT, PositionCodec()))


@pytest.mark.parametrize(
    ("start", "text", "told"),
    [(10, "new", [OLD, FAR]), (0, "[[old]]", [NEW, FAR]), (7, " ", [FAR]), (None, TEXT, []), (8, "[[new]]\n[[far]]", [OLD])],
)
def test_new_findings_where_one_writes_wait(start, text, told):
    writing = Writing()
    assert writing.settled("file:///a.md", [], 60) == ([], False)
    changed(writing, start, text)
    assert writing.settled("file:///a.md", [OLD, NEW, FAR], 60) == (told, True)
    assert writing.rests_in("file:///a.md", 60) > 50
    assert writing.settled("file:///a.md", [OLD, NEW, FAR], 0) == ([OLD, NEW, FAR], False)


def test_what_was_told_stays():
    writing = Writing()
    writing.settled("file:///a.md", [OLD, FAR], 60)
    changed(writing, None, TEXT)
    assert writing.settled("file:///a.md", [OLD, NEW, FAR], 60) == ([OLD, FAR], True)
    writing.forget("file:///a.md")
    assert writing.rests_in("file:///a.md", 60) == 0.0
