"""Every request, at places chosen by a seed, in every note of examples/vault and in nasty ones, while they are edited.

Nothing may fail, and every range that comes back must lie within its document, begin before it ends, and cut no character.
"""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from lsprotocol import types
from marked_text import WIDTHS
from nasty_notes import write_nasty
from session_driver import Session

from khoj_ls.config.editor_settings import InlaySettings, LensSettings
from khoj_ls.config.settings import Settings
from khoj_ls.core.text import text_lines

EXAMPLES = Path(__file__).parents[2] / "examples" / "vault"
PIECES = ["[[", "]]", "#", "🦉", "中", "\n", "\r\n", "* ", ":a:", "`", "```\n", "---\n", "|", "(", "^x", "\u2028", "\f"]


@pytest.fixture(scope="module")
def session(tmp_path_factory, home):
    """The examples and the nasty notes, indexed, everything switched on."""
    root = tmp_path_factory.mktemp("anywhere") / "notes"
    shutil.copytree(EXAMPLES, root)
    write_nasty(root)
    settings = Settings(lens=LensSettings(headings=True), inlay=InlaySettings(note=True, headings=True))
    session = Session(root, settings=settings)
    session.index()
    yield session
    session.close()


@pytest.mark.parametrize("encoding", WIDTHS)
def test_every_request_anywhere(session, encoding):
    session.encode(encoding)
    numbers = random.Random(encoding)
    for file in sorted(session.root.rglob("*.*")):
        path = file.relative_to(session.root).as_posix()
        if file.suffix not in (".md", ".org", ".txt"):
            continue
        text = file.read_bytes().decode()
        for _ in range(2):
            session.open(path, text)
            ask_everything(session, path, *somewhere(numbers, text, encoding), encoding)
            text = edited(numbers, text)
        session.server.workspace.remove_text_document(file.as_uri())


def ask_everything(session, path, line, character, encoding):
    """All requests that this room answers, at one place."""
    here = {"text_document": types.TextDocumentIdentifier(uri=(session.root / path).as_uri())}
    position = types.Position(line=line, character=character)
    whole = types.Range(start=types.Position(line=0, character=0), end=types.Position(line=10**6, character=0))
    context = types.ReferenceContext(include_declaration=True)
    asked = [
        (types.TEXT_DOCUMENT_DEFINITION, types.DefinitionParams(**here, position=position)),
        (types.TEXT_DOCUMENT_REFERENCES, types.ReferenceParams(**here, position=position, context=context)),
        (types.TEXT_DOCUMENT_HOVER, types.HoverParams(**here, position=position)),
        (types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, types.DocumentHighlightParams(**here, position=position)),
        (types.TEXT_DOCUMENT_IMPLEMENTATION, types.ImplementationParams(**here, position=position)),
        (types.TEXT_DOCUMENT_DOCUMENT_LINK, types.DocumentLinkParams(**here)),
        (types.TEXT_DOCUMENT_FOLDING_RANGE, types.FoldingRangeParams(**here)),
        (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, types.DocumentSymbolParams(**here)),
        (types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensParams(**here)),
        (types.TEXT_DOCUMENT_INLAY_HINT, types.InlayHintParams(**here, range=whole)),
    ]
    prepared = session.ask(
        types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY, types.CallHierarchyPrepareParams(**here, position=position)
    )
    answers = [prepared, *(session.ask(method, params) for method, params in asked)]
    for item in prepared or ():
        incoming = session.ask(types.CALL_HIERARCHY_INCOMING_CALLS, types.CallHierarchyIncomingCallsParams(item=item)) or []
        outgoing = session.ask(types.CALL_HIERARCHY_OUTGOING_CALLS, types.CallHierarchyOutgoingCallsParams(item=item)) or []
        answers += [[call.from_ for call in incoming], [call.to for call in outgoing]]
        for call in incoming:
            check_all(session, call.from_.uri, call.from_ranges, encoding)
        for call in outgoing:
            check_all(session, item.uri, call.from_ranges, encoding)
    check_all(session, here["text_document"].uri, answers, encoding)


def check_all(session, uri, value, encoding):
    """Look at every range within an answer, in the document that it is about."""
    if isinstance(value, types.Range):
        check(session.server.workspace.get_text_document(uri).source, value, encoding)
    elif isinstance(value, types.LocationLink):
        check_all(session, uri, value.origin_selection_range, encoding)
        check_all(session, value.target_uri, [value.target_range, value.target_selection_range], encoding)
        assert key(value.target_range.start) <= key(value.target_selection_range.start)
        assert key(value.target_selection_range.end) <= key(value.target_range.end)
    elif isinstance(value, types.FoldingRange):
        assert 0 <= value.start_line < value.end_line <= len(lines_of(session.server.workspace.get_text_document(uri).source))
    elif isinstance(value, types.Position):
        check_all(session, uri, types.Range(start=value, end=value), encoding)
    elif isinstance(value, (list, tuple)):
        for item in value:
            check_all(session, uri, item, encoding)
    elif hasattr(value, "__attrs_attrs__"):
        uri = getattr(value, "uri", uri)
        for field in value.__attrs_attrs__:
            check_all(session, uri, getattr(value, field.name), encoding)


def check(text, place, encoding):
    lines = lines_of(text)
    assert key(place.start) <= key(place.end)
    for position in (place.start, place.end):
        assert 0 <= position.line < len(lines), (position, len(lines))
        line = lines[position.line]
        assert position.character in {WIDTHS[encoding](line[:at]) for at in range(len(line) + 1)}, (position, line)


def lines_of(text):
    """Lines as LSP counts them, without their breaks; behind the last break there is one more."""
    lines = text_lines(text)
    ended = not lines or lines[-1].endswith(("\n", "\r"))
    return [line.rstrip("\r\n") for line in lines] + ([""] if ended else [])


def key(position):
    return position.line, position.character


def somewhere(numbers, text, encoding):
    """A place in the text, now and then beyond a line or the end."""
    lines = lines_of(text)
    line = numbers.randrange(len(lines) + 1)
    here = lines[line] if line < len(lines) else ""
    return line, numbers.randint(0, WIDTHS[encoding](here) + 2)


def edited(numbers, text):
    """The text with something typed, deleted or moved."""
    first, last = sorted(numbers.choices(range(len(text) + 1), k=2))
    action = numbers.choice(("type", "delete", "move"))
    if action == "type":
        return text[:first] + numbers.choice(PIECES) + text[first:]
    if action == "delete":
        return text[:first] + text[min(last, first + 30) :]
    return text[last:] + text[:last]
