"""What clients hear of the index: notes are told as changed with their words, and again with their meaning."""

from __future__ import annotations

import pytest
from session_driver import Session

from khoj_ls.indexing.types import IndexEvent
from khoj_ls.lsp.background import on_index_event


@pytest.fixture
def session(tmp_path, home, monkeypatch):
    root = tmp_path / "notes"
    root.mkdir()
    session = Session(root)
    session.told = []
    session.server.on_index.clear()  # lenses and diagnostics follow the index in their own way
    monkeypatch.setattr(session.server.protocol, "notify", lambda method, params: session.told.append((method, params)))
    monkeypatch.setattr(session.server, "soon", lambda call, *arguments: call(*arguments))
    yield session
    session.close()


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([IndexEvent("changed", ("a.md",))], [["a.md"]]),
        ([IndexEvent("changed", ("a.md",)), IndexEvent("idle"), IndexEvent("idle")], [["a.md"], ["a.md"]]),
        (
            [IndexEvent("changed", ("a.md",)), IndexEvent("changed", ("b.md", "a.md")), IndexEvent("idle")],
            [["a.md"], ["b.md", "a.md"], ["a.md", "b.md"]],
        ),
        ([IndexEvent("changed", tuple(f"{n}.md" for n in range(201))), IndexEvent("idle")], [[], []]),
        ([IndexEvent("idle")], []),
    ],
    ids=["words", "meaning, once", "several", "too many to list", "nothing new"],
)
def test_changed_notes_are_told_with_their_words_and_again_with_their_meaning(session, events, told):
    for event in events:
        on_index_event(session.server, session.vault, event)
    assert {method for method, _ in session.told} <= {"khoj/indexChanged"}
    assert [[uri.rsplit("/", 1)[1] for uri in params["files"]] for _, params in session.told] == told
