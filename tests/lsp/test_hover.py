"""Hovers: what they show of a target, a heading, a tag; escaped for Markdown, plain for clients that have only that."""

from __future__ import annotations

import pytest
from lsprotocol import types
from session_driver import Session

from khoj_ls.config.editor_settings import HoverSettings
from khoj_ls.config.settings import Settings
from khoj_ls.lsp.markup import Writer, escaped_line

NOTES = {
    "target.md": (
        "---\ntitle: Target [x] *y*\ntags: [birds]\n---\n"
        "First `<b>` with [[a|brackets]].\n\n# Part\n\n* one\n* two\n\n" + "More text.\n" * 40
    ),
    "source.org": "* Source\nThis line links [[file:target.md::Part][there]] and *on*.\n* Other\n[[file:target.md]]\n",
    "many.md": "".join(f"line {n} [[target#Part]]\n\n" for n in range(30)),
}


@pytest.fixture(scope="module")
def session(tmp_path_factory, home):
    root = tmp_path_factory.mktemp("hover") / "notes"
    root.mkdir()
    for name, text in NOTES.items():
        (root / name).write_text(text)
    session = Session(root, settings=Settings(hover=HoverSettings()))
    session.index(meaning=True)
    yield session
    session.close()


def hover(session, path, text, line, character):
    session.open(path, text)
    found = session.at(types.TEXT_DOCUMENT_HOVER, types.HoverParams, path, line, character)
    return found and found.contents


def test_a_link_shows_its_target(session):
    shown = hover(session, "new.md", "🦉 [[target]]", 0, 6)
    assert shown.kind == types.MarkupKind.Markdown
    lines = shown.value.split("\n")
    assert lines[0] == rf"[Target \[x\] \*y\*]({session.root.as_uri()}/target.md) · #birds"
    assert r"First \<b> with brackets.  " in lines
    assert "35 links to it from other notes" not in shown.value
    assert "32 links to it from other notes" in shown.value
    assert len(lines) <= 30


def test_a_link_to_a_place_shows_that_place(session):
    shown = hover(session, "new.md", "[[target#Part]]", 0, 4).value
    assert shown.startswith(rf"[Target \[x\] \*y\*]({session.root.as_uri()}/target.md#L7) › Part")
    assert "First" not in shown
    assert "More text." in shown


def test_what_the_session_shows_of_the_target_counts(session):
    session.open("source.org", "* Source\n\nQuite other words\n")
    assert "Quite other words" in hover(session, "new.md", "[[source]]", 0, 4).value
    session.server.workspace.remove_text_document((session.root / "source.org").as_uri())
    assert "This line links" in hover(session, "new.md", "[[source]]", 0, 4).value


def test_a_heading_shows_the_lines_that_link_to_it_and_what_is_related(session):
    shown = hover(session, "target.md", NOTES["target.md"], 6, 3).value
    assert "**31 links here**" in shown
    assert f"- [source]({session.root.as_uri()}/source.org#L2): This line links" not in shown  # the first ten are many.md's
    assert f"- [many]({session.root.as_uri()}/many.md): line 0 target > Part" in shown
    assert "- 21 more" in shown
    assert "**Related**" in shown
    assert len(shown.split("\n")) <= 30


def test_prose_shows_nothing_unless_it_is_wanted(session):
    assert hover(session, "source.org", NOTES["source.org"], 1, 2) is None
    session.server.session.overrides = {"hover.prose": True}
    try:
        assert "**Related**" in hover(session, "source.org", NOTES["source.org"], 1, 2).value
    finally:
        session.server.session.overrides = {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[nobody]]", "**Broken link**"),
        ("[[target#Nowhere]]", "**Broken link**"),
        ("#birds", "**#birds**: 2 places in 2 notes"),
        ("<https://example.org>", None),
    ],
)
def test_other_things(session, text, expected):
    shown = hover(session, "new.md", "\n" + text, 1, 3)
    assert (shown and shown.value.partition("\n")[0].startswith(expected)) if expected else shown is None


def test_pictures_are_shown(session):
    (session.root / "cat (1).png").write_bytes(b"")
    uri = f"{session.root.as_uri()}/cat%20%281%29.png"
    assert hover(session, "new.md", "\n![[cat (1).png]]", 1, 5).value == f"[cat (1).png]({uri})\n\n![cat (1).png]({uri})"


def test_clients_without_markdown_get_plain_text(session):
    text_document = session.server.client_capabilities.text_document
    before, text_document.hover.content_format = text_document.hover.content_format, [types.MarkupKind.PlainText]
    try:
        shown = hover(session, "new.md", "[[target]]", 0, 4)
    finally:
        text_document.hover.content_format = before
    assert shown.kind == types.MarkupKind.PlainText
    assert shown.value.startswith("Target [x] *y* · #birds")
    assert "First <b> with brackets." in shown.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words, (really) 3.5 - 4!", "plain words, (really) 3.5 - 4!"),
        ("# no heading", r"\# no heading"),
        ("- no item", r"\- no item"),
        ("12. no item", "12\\. no item"),
        ("a_b _c_ snake_case", r"a_b \_c\_ snake_case"),
        ("**x** `y` ~~z~~", r"\*\*x\*\* \`y\` \~\~z\~\~"),
        ("![i](u) <img src=x> &amp; & b", r"!\[i\](u) \<img src=x> \&amp; & b"),
        ("a\nb\x00c", "a\nb c"),
    ],
)
def test_escaping(text, expected):
    assert escaped_line(text) == expected


def test_escaped_text_is_shown_as_it_stands():
    from markdown_it import MarkdownIt

    for text in ("[[a|b]] *c* _d_ `e` <f> &lt; \\g # h", "1) i", "=== j", "> k | l ~~m~~", "+ n"):
        [paragraph] = [
            token for token in MarkdownIt("gfm-like", {"linkify": False}).parse(escaped_line(text)) if token.type == "inline"
        ]
        assert "".join(child.content for child in paragraph.children) == text


def test_links_to_files_hold_together():
    assert Writer(True).link("a ] b", "file:///x/(y).md", 3) == r"[a \] b](file:///x/%28y%29.md#L3)"
