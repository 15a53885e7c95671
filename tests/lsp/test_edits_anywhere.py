"""Renames, refactorings and note commands at places chosen by a seed: refused with a reason, or an edit that fits the text."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from edit_applier import path_of
from lsprotocol import types
from marked_text import WIDTHS
from nasty_notes import write_nasty
from pygls.exceptions import JsonRpcException
from session_driver import Session

from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.text import text_lines
from khoj_ls.lsp.asked import asking
from khoj_ls.lsp.edits import shown_versions, workspace_edit
from khoj_ls.lsp.features.note_commands import SessionDesk
from khoj_ls.wire import note_messages as wire
from khoj_ls.wire.messages import Position, TextDocument
from khoj_ls.wire.note_edits import extract, inline, toc

EXAMPLES = Path(__file__).parents[2] / "examples" / "vault"


@pytest.fixture(scope="module")
def session(tmp_path_factory, home):
    root = tmp_path_factory.mktemp("edits") / "notes"
    shutil.copytree(EXAMPLES, root)
    write_nasty(root)
    session = Session(root)
    session.index()
    yield session
    session.close()


@pytest.mark.parametrize("encoding", WIDTHS)
def test_renames_and_commands_anywhere(session, encoding):
    session.encode(encoding)
    choice = random.Random(encoding)
    made = 0
    for path in sorted(each for each in session.root.rglob("*") if each.suffix in (".md", ".org")):
        name = path.relative_to(session.root).as_posix()
        uri = session.open(name, path.read_bytes().decode())
        lines = text_lines(path.read_bytes().decode()) or [""]
        for _ in range(12):
            line = choice.randrange(len(lines) + 1)
            width = WIDTHS[encoding](lines[line].rstrip("\r\n")) if line < len(lines) else 0
            at = types.Position(line, choice.randint(0, width + 1))
            for edit in edits_at(session, uri, at):
                made += 1
                check(session, edit, encoding)
    assert made > 100


def edits_at(session, uri, at):
    document = types.TextDocumentIdentifier(uri=uri)
    attempts = [
        lambda: session.ask(types.TEXT_DOCUMENT_RENAME, types.RenameParams(document, at, "Zq9 fresh")),
        lambda: session.ask(types.TEXT_DOCUMENT_RENAME, types.RenameParams(document, at, "zq9")),
        *(lambda plan=plan: planned(session, uri, at, plan) for plan in (extract, inline, toc)),
    ]
    try:
        found = session.ask(types.TEXT_DOCUMENT_PREPARE_RENAME, types.PrepareRenameParams(document, at))
        text = session.server.workspace.get_text_document(uri).source
        check_range(found.range, text, session.server.workspace.position_encoding)
    except JsonRpcException as error:
        refused(error)
    for attempt in attempts:
        try:
            yield attempt()
        except JsonRpcException as error:
            refused(error)


def planned(session, uri, at, plan):
    about = asking(session.server, session.vault)
    versions = shown_versions(session.server)
    place = Position(at.line, at.character)
    params = wire.TocParams(TextDocument(uri), place) if plan is toc else wire.PlaceParams(TextDocument(uri), place)

    def question(job):
        found = plan(SessionDesk(about), params, CancelToken())
        return workspace_edit(session.server, about, versions, found.edit)

    return session.loop.run_until_complete(session.server.answer(question))


def refused(error):
    """A refusal is for people: it never is a fault of the program."""
    assert "internal error" not in str(error)


def check(session, edit, encoding):
    for change in edit.document_changes or []:
        if isinstance(change, types.TextDocumentEdit):
            path = path_of(change.text_document.uri)
            text = path.read_bytes().decode() if path.exists() else ""
            ends = (0, 0)
            for each in sorted(change.edits, key=lambda each: (each.range.start.line, each.range.start.character)):
                check_range(each.range, text, encoding)
                assert ends <= (each.range.start.line, each.range.start.character)
                ends = (each.range.end.line, each.range.end.character)


def check_range(where, text, encoding):
    encoding = str(getattr(encoding, "value", encoding))
    lines = text_lines(text) or [""]
    for position in (where.start, where.end):
        line = lines[position.line].rstrip("\r\n") if position.line < len(lines) else ""
        assert position.line <= len(lines)
        widths = {WIDTHS[encoding](line[:count]) for count in range(len(line) + 1)}
        assert position.character in widths, (position, line)
    assert (where.start.line, where.start.character) <= (where.end.line, where.end.character)
