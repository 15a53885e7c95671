"""Walking links, in one session: what stands at the caret `‸` and where it leads, beside each other.

`⟦…⟧` marks each range that must come back; the notes are shown without marks. Every case is asked in three position encodings.
"""

from __future__ import annotations

import pytest
from lsprotocol import types
from marked_text import WIDTHS, caret
from session_driver import Session

NOTES = {
    "alpha.md": "---\ntitle: Alpha 🦉\naliases: [First]\ntags: [birds]\n---\nIntro of alpha.\n\n## Nest\n\nTwigs, mostly.\n",
    "beta.org": (
        "#+title: Beta\n* 中文 heading :birds:\n:PROPERTIES:\n:ID: 11-22\n:END:\n🦉 [[file:alpha.md][alpha]] and [[*Egg]].\n"
        "* Egg\n🦉🦉 see [[file:alpha.md::Nest][the nest]]\n"
    ),
    "gamma.md": "# Gamma\n\n中 [[alpha]] and [[First|one]] and [it](beta.org) #birds/owls\n\nA block. ^b1\n",
    "delta.org": "[[id:11-22][中]]\n",
    "one/same.md": "# Same\n",
    "two/same.md": "# Same\n",
}


@pytest.fixture(scope="module")
def session(tmp_path_factory, home):
    root = tmp_path_factory.mktemp("navigation") / "notes"
    for name, text in NOTES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    session = Session(root)
    session.index(meaning=True)
    yield session
    session.close()


def place(text: str, at: int, encoding: str) -> types.Position:
    before = text[:at]
    line = before[before.rfind("\n") + 1 :]
    return types.Position(line=before.count("\n"), character=WIDTHS[encoding](line))


def shown(session: Session, uri: str, where: types.Range, encoding: str) -> str:
    """`path:line: the text of the range`, read from what the session shows or the disk."""
    path = uri.removeprefix(session.root.as_uri() + "/")
    text = session.server.workspace.get_text_document(uri).source
    places = {(each.line, each.character): at for at in range(len(text) + 1) for each in [place(text, at, encoding)]}
    start, end = (places[each.line, each.character] for each in (where.start, where.end))
    return f"{path}:{where.start.line + 1}: {text[start:end]}"


def ask(session: Session, method: str, kind: type, path: str, marked: str, encoding: str, **more):
    session.encode(encoding)
    text, at = caret(marked)
    session.open(path, text)
    document = types.TextDocumentIdentifier(uri=(session.root / path).as_uri())
    return session.ask(method, kind(text_document=document, position=place(text, at, encoding), **more))


DEFINITIONS = [
    ("new.md", "🦉中 [[al‸pha]]", ["alpha.md:1: "]),
    ("new.md", "e\u0301 [[First#Ne‸st|x]]", ["alpha.md:8: ## Nest"]),
    ("new.md", "🦉 [x](beta.org‸#egg)", ["beta.org:7: * Egg"]),
    ("new.org", "中 [[id:11-‸22]]", ["beta.org:2: * 中文 heading :birds:"]),
    ("new.md", "[[gamma#^‸b1]]", ["gamma.md:5: A block. ^b1"]),
    ("new.md", "# Top 🦉\n[[#Top 🦉‸]]", ["new.md:1: # Top 🦉"]),
    ("new.md", "[[sa‸me]]", ["one/same.md:1: ", "two/same.md:1: "]),
    ("new.md", "[[nobody‸]]", []),
    ("new.md", "one\njust ‸text", []),
    ("beta.org", "#+title: Beta\n* E‸gg\n[[*Egg]]\n", ["beta.org:3: [[*Egg]]"]),
    ("beta.org", NOTES["beta.org"].replace(":ID: 11", ":ID: ‸11"), ["delta.org:1: [[id:11-22][中]]"]),
    ("gamma.md", NOTES["gamma.md"].replace("# Gamma", "# Gam‸ma"), []),
]


@pytest.mark.parametrize("encoding", WIDTHS)
@pytest.mark.parametrize(("path", "marked", "expected"), DEFINITIONS)
def test_definitions(session, encoding, path, marked, expected):
    links = ask(session, types.TEXT_DOCUMENT_DEFINITION, types.DefinitionParams, path, marked, encoding) or []
    assert [shown(session, each.target_uri, each.target_selection_range, encoding) for each in links] == expected


REFERENCES = [
    (
        "alpha.md",
        NOTES["alpha.md"].replace("title: Al", "title: ‸Al"),
        [
            "alpha.md:1: ",
            "beta.org:6: [[file:alpha.md][alpha]]",
            "beta.org:8: [[file:alpha.md::Nest][the nest]]",
            "gamma.md:3: [[alpha]]",
            "gamma.md:3: [[First|one]]",
        ],
    ),
    (
        "alpha.md",
        NOTES["alpha.md"].replace("Intro of", "# Al‸pha 🦉\n"),
        [
            "alpha.md:1: ",
            "beta.org:6: [[file:alpha.md][alpha]]",
            "beta.org:8: [[file:alpha.md::Nest][the nest]]",
            "gamma.md:3: [[alpha]]",
            "gamma.md:3: [[First|one]]",
        ],
    ),
    (
        "alpha.md",
        "Something typed above, 中文\n" + NOTES["alpha.md"].replace("Nest", "Nest‸"),
        ["alpha.md:9: ## Nest", "beta.org:8: [[file:alpha.md::Nest][the nest]]"],
    ),
    (
        "new.md",
        "🦉 [[First#Nest‸]]",
        ["alpha.md:8: ## Nest", "beta.org:8: [[file:alpha.md::Nest][the nest]]", "new.md:1: [[First#Nest]]"],
    ),
    (
        "new.md",
        "🦉 #bir‸ds",
        ["alpha.md:4: birds", "beta.org:2: birds", "gamma.md:3: #birds/owls", "new.md:1: #birds"],
    ),
    ("gamma.md", NOTES["gamma.md"].replace("#birds/", "中文 #birds/‸"), ["gamma.md:3: #birds/owls"]),
    ("beta.org", NOTES["beta.org"].replace("* Egg", "* ‸Egg"), ["beta.org:6: [[*Egg]]", "beta.org:7: * Egg"]),
    ("new.md", "[[nobo‸dy]] and [x](nobody.md)", ["new.md:1: [[nobody]]"]),
    (
        "new.md",
        "<https://x.org/‸a> [b](https://x.org/a) [[a]]",
        ["new.md:1: <https://x.org/a>", "new.md:1: [b](https://x.org/a)"],
    ),
    ("new.md", "one\nplain ‸words", []),
]


@pytest.mark.parametrize("encoding", WIDTHS)
@pytest.mark.parametrize(("path", "marked", "expected"), REFERENCES)
def test_references(session, encoding, path, marked, expected):
    context = types.ReferenceContext(include_declaration=True)
    found = ask(session, types.TEXT_DOCUMENT_REFERENCES, types.ReferenceParams, path, marked, encoding, context=context) or []
    assert sorted(shown(session, each.uri, each.range, encoding) for each in found) == sorted(expected)


def test_places_in_a_note_that_is_open_are_those_of_its_open_text(session):
    session.encode("utf-16")
    session.open("alpha.md", "🦉 new first line\n\nanother\n\n## Nest\n")
    [link] = ask_more(session, "new.md", "[[alpha#Nest‸]]")
    assert link.target_selection_range.start == types.Position(line=4, character=0)


def ask_more(session, path, marked):
    text, at = caret(marked)
    session.open(path, text)
    document = types.TextDocumentIdentifier(uri=(session.root / path).as_uri())
    return session.ask(
        types.TEXT_DOCUMENT_DEFINITION, types.DefinitionParams(text_document=document, position=place(text, at, "utf-16"))
    )


HIGHLIGHTS = [
    ("new.md", "[[al‸pha]] 🦉 [a](alpha.md) [[First]] [[beta]]", ["[[alpha]]", "[a](alpha.md)", "[[First]]"]),
    ("new.md", "中 #a‸b #ab/c #abc", ["#ab", "#ab/c"]),
    ("new.md", "# T‸wo\n## Part 🦉\n[[#Part 🦉]] [[#Two]]", ["# Two", "[[#Two]]"]),
    ("new.org", "* Part 🦉\n[[*Part‸ 🦉]]\n", ["* Part 🦉", "[[*Part 🦉]]"]),
    ("new.md", "[[gone‸]] [[gone]] [[else]]", ["[[gone]]", "[[gone]]"]),
    ("new.md", "\nnoth‸ing", []),
]


@pytest.mark.parametrize("encoding", WIDTHS)
@pytest.mark.parametrize(("path", "marked", "expected"), HIGHLIGHTS)
def test_highlights(session, encoding, path, marked, expected):
    method = types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT
    found = ask(session, method, types.DocumentHighlightParams, path, marked, encoding) or []
    uri = (session.root / path).as_uri()
    assert [shown(session, uri, each.range, encoding).partition(": ")[2] for each in found] == expected


def test_document_links_lead_where_a_click_should(session):
    session.encode("utf-16")
    uri = session.open("new.md", "🦉 [[alpha#Nest]] <https://example.org/a> [[nobody]] [[same]] #tag ![[x.png]]\n")
    found = session.ask(
        types.TEXT_DOCUMENT_DOCUMENT_LINK, types.DocumentLinkParams(text_document=types.TextDocumentIdentifier(uri=uri))
    )
    base = session.root.as_uri()
    assert [(each.target, shown(session, uri, each.range, "utf-16").partition(": ")[2]) for each in found] == [
        (f"{base}/alpha.md#L8", "[[alpha#Nest]]"),
        ("https://example.org/a", "<https://example.org/a>"),
    ]


def test_call_hierarchy_tells_which_sections_link_and_what_is_linked(session):
    session.encode("utf-16")
    session.server.workspace.remove_text_document((session.root / "alpha.md").as_uri())
    text, at = caret("🦉 [[alpha‸]]")
    session.open("new.md", text)
    document = types.TextDocumentIdentifier(uri=(session.root / "new.md").as_uri())
    params = types.CallHierarchyPrepareParams(text_document=document, position=place(text, at, "utf-16"))
    [item] = session.ask(types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY, params)
    assert (item.name, item.detail) == ("Alpha 🦉", "alpha.md")
    incoming = session.ask(types.CALL_HIERARCHY_INCOMING_CALLS, types.CallHierarchyIncomingCallsParams(item=item))
    assert [(call.from_.name, call.from_.detail, len(call.from_ranges)) for call in incoming] == [
        ("中文 heading", "Beta", 1),
        ("Egg", "Beta", 1),
        ("Gamma", "Gamma", 2),
    ]
    gamma = incoming[2].from_
    outgoing = session.ask(types.CALL_HIERARCHY_OUTGOING_CALLS, types.CallHierarchyOutgoingCallsParams(item=gamma))
    assert [(call.to.name, len(call.from_ranges)) for call in outgoing] == [("Alpha 🦉", 2), ("Beta", 1)]


def test_implementation_is_what_is_near_in_meaning_and_never_the_note_itself(session):
    found = ask(
        session, types.TEXT_DOCUMENT_IMPLEMENTATION, types.ImplementationParams, "alpha.md", "‸" + NOTES["alpha.md"], "utf-16"
    )
    assert found
    assert (session.root / "alpha.md").as_uri() not in {each.uri for each in found}


SYMBOLS = [
    ("alp", "Alpha 🦉", "alpha.md"),
    ("first", "First", "alias of Alpha 🦉"),
    ("nest", "Nest", "Alpha 🦉"),
    ("head", "中文 heading", "Beta"),
    ("中", "中文 heading", "Beta"),
    ("#bir", "#birds", None),
    ("#birds/", "#birds/owls", None),
]


@pytest.mark.parametrize(("query", "name", "container"), SYMBOLS)
def test_symbols_by_name_come_first(session, query, name, container):
    found = session.ask(types.WORKSPACE_SYMBOL, types.WorkspaceSymbolParams(query=query))
    assert found[0].name == name
    assert container is None or found[0].container_name == container


@pytest.mark.parametrize(
    ("path", "uri"), [("untitled", "untitled:Untitled-1"), ("outside", "file:///nowhere/a.md"), ("web", "https://x.org/a.md")]
)
def test_documents_outside_of_every_vault_have_no_answers(session, path, uri):
    item = types.TextDocumentItem(uri=uri, language_id="markdown", version=1, text="[[alpha]]")
    session.server.workspace.put_text_document(item)
    document = types.TextDocumentIdentifier(uri=uri)
    params = types.DefinitionParams(text_document=document, position=types.Position(line=0, character=3))
    assert not session.ask(types.TEXT_DOCUMENT_DEFINITION, params)
    assert not session.ask(types.TEXT_DOCUMENT_FOLDING_RANGE, types.FoldingRangeParams(text_document=document))
