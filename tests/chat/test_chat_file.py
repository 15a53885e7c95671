"""A chat file says after any edit what it said before; answers and questions may hold anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.chat.file.changes import applied, ask, ask_again, finish, grow, grown, insert_rest
from khoj_ls.chat.file.context import Context, context_of, digest_of, find_given, given_lines, preamble_for, read_given
from khoj_ls.chat.file.layout import Head, Part, begin_part, format_file, format_of, mark_line, new_mark, parse_file

MARK = "3f9a1c20"
ROOT = Path("/home/me/my notes (new)")
HEAD = Head(MARK, str(ROOT), persona="default")
FORMATS = pytest.mark.parametrize("format", ["markdown", "org"])

# What the file itself is made of, what other chats look like, and anything else.
PIECES = st.sampled_from(
    ["## You", "* You", "# khoj:00aa11bb:you", "<!-- khoj:00aa11bb:answer turn=x -->", "---", "```", "#+begin_src", "", "é 🦉"]
)
TEXTS = st.lists(PIECES | st.text(st.characters(exclude_categories=("Cs", "Cc"))), max_size=6).map("\n".join)
VALUES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=20).map(str.strip)


def shown(text: str) -> str:
    """`text` as a part keeps it."""
    lines = text.split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    return "\n".join(lines).rstrip()


def part(kind, text="", **attributes):
    return Part(kind, text, attributes)


def said(file):
    return [(each.kind, each.text, dict(each.attributes)) for each in file.parts]


MARKDOWN = f"""\
---
khoj-chat: {MARK}
vault: {ROOT}
persona: default
model:
profile:
stream: yes
---

# Router

About [router.md](file:///home/me/my%20notes%20%28new%29/router.md).

## You
<!-- khoj:{MARK}:you -->

When did it fail?
"""
ORG = f"""\
#+title: Router
#+khoj_chat: {MARK}
#+khoj_vault: {ROOT}
#+khoj_persona: default
#+khoj_model:
#+khoj_profile:
#+khoj_stream: yes

About [[file:{ROOT}/router.org][router.org]].

* You
# khoj:{MARK}:you

When did it fail?
"""


@pytest.mark.parametrize(("format", "text"), [("markdown", MARKDOWN), ("org", ORG)])
def test_layout(format, text):
    file = parse_file(text, format)
    assert file.head == HEAD
    assert (file.prompt.text, file.conversation) == ("When did it fail?", None)
    preamble = file.preamble.strip().removeprefix("# Router").strip()
    assert format_file(format, HEAD, "Router", preamble, file.parts) == text


@FORMATS
@given(
    turns=st.lists(st.tuples(TEXTS, TEXTS), max_size=3),
    head=st.builds(Head, st.just(MARK), VALUES, VALUES, VALUES, VALUES, st.booleans()),
    ids=st.text(min_size=1),
)
def test_round_trip(format, turns, head, ids):
    parts = [part("you")]
    for question, answer in turns:
        ids = ids.encode("utf-8", "ignore").decode()
        answered = [part("answer", shown(answer), turn=ids) if ids else part("answer", shown(answer))]
        parts[-1:] = [part("you", shown(question)), *answered, part("notes", "told"), part("you")]
    file = parse_file(format_file(format, head, "Title", "", parts), format)
    assert file.head == head
    assert said(file) == [(each.kind, each.text, dict(each.attributes)) for each in parts]


@FORMATS
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("When did it fail?\n", "When did it fail?  \r\n"),
        ("* You\n", ""),
        ("## You\n", ""),
        ("* You\n", "*** Me, myself\n"),
        ("## You\n", "# Me, myself\n"),
        ("## You\n", "## You\n\n"),
        ("persona: default", "persona: researcher"),
        ("stream: yes", "stream: no\nmine: too"),
        ("---\n\n# Router", "---\n# Router\n## Other\n---"),
    ],
)
def test_what_users_do_to_it(format, old, new):
    text = MARKDOWN if format == "markdown" else ORG
    file = parse_file(text.replace(old, new), format)
    assert file.prompt.text == "When did it fail?"
    assert file.head.vault == str(ROOT)
    assert file.head.stream is not (old in text and "stream: no" in new)


@pytest.mark.parametrize(
    "text", ["", "---\n", "---\nvault: /x\n---\n", "# Router\n", "---\nkhoj-chat: x y\n---\n", "\n" + MARKDOWN]
)
def test_other_files_are_no_chats(text):
    assert parse_file(text, "markdown") is None


def test_marks_differ_and_formats_follow_names():
    assert new_mark() != new_mark()
    assert [format_of(name) for name in ("a.org", "a.md", "A.ORG", "plan.txt")] == ["org", "markdown", "org", "markdown"]


def streamed(file_text, format, pieces, before_each=lambda text: text):
    """The file while an answer comes, and what is written of it."""
    written = ""
    for end in range(1, len(pieces) + 1):
        file_text = before_each(file_text)
        arrived = "".join(pieces[:end])
        changes = grow(parse_file(file_text, format), "t1", written, arrived)
        if changes is None:
            return file_text, written
        file_text, written = applied(file_text, changes), grown(arrived)
    return file_text, written


@FORMATS
@given(pieces=st.lists(PIECES | st.text(st.characters(exclude_categories=("Cs", "Cc"))) | st.sampled_from(["\n", "  \n\n"])))
def test_an_answer_grows_where_it_belongs_while_the_user_writes(format, pieces):
    start = MARKDOWN if format == "markdown" else ORG
    asked = applied(start, ask(parse_file(start, format), {"conversation": "c", "turn": "t1"}))
    end, written = streamed(asked, format, pieces, lambda text: text.replace("fail?", "fail? Go on") + "and")
    file = parse_file(end, format)
    assert file.conversation == "c"
    exchange = file.exchange("t1")
    assert exchange.answer.text == written == shown("".join(pieces).strip())
    assert exchange.question.text == "When did it fail?" + " Go on" * len(pieces)
    assert file.prompt.text == "and" * len(pieces)
    finished = applied(end, finish(file, "t1", written, "It **did**.", "Sources"))
    file = parse_file(finished, format)
    assert said(file)[1:3] == [
        ("answer", "It **did**.", {"conversation": "c", "turn": "t1"}),
        ("notes", "Sources", {}),
    ]
    assert file.prompt.text == "and" * len(pieces)
    assert finish(file, "t1", written, "", "") is None


@FORMATS
@pytest.mark.parametrize(
    ("edit", "rest"),
    [
        (lambda text: text.replace("It fa", "It did not fa"), "It did not failed\n\nat noon [1]."),
        (lambda text: text.replace("It failed", "It"), "It failed at noon [one]."),
        (lambda text: text.replace(":answer", ":gone"), None),
    ],
)
def test_an_edited_answer_is_left_alone_and_can_be_completed(format, edit, rest):
    start = MARKDOWN if format == "markdown" else ORG
    asked = applied(start, ask(parse_file(start, format), {"turn": "t1"}))
    now, written = streamed(asked, format, ["It ", "failed "])
    now = edit(now)
    assert streamed(now, format, ["It ", "failed ", "at noon [1]."])[1] == ""
    file = parse_file(now, format)
    assert grow(file, "t1", written, written + " at") is None
    assert finish(file, "t1", written, written, "") is None
    changes = insert_rest(file, "t1", "It failed at noon [1].", "It failed at noon [one].", "at noon [1].", "Sources")
    if rest is None:
        assert changes is None
    else:
        assert parse_file(applied(now, changes), format).exchange("t1").answer.text == rest


@FORMATS
def test_asking_again_keeps_what_waits_to_be_asked(format):
    parts = [part("you", "One?"), part("answer", "Yes.", turn="t1"), part("notes", "N"), part("you", "Two?")]
    parts += [part("answer", "No.", turn="t2"), part("you", "Three")]
    text = format_file(format, HEAD, "T", "", parts)
    file = parse_file(text, format)
    again = parse_file(applied(text, ask_again(file, file.exchange("t1"), {"turn": "t3"})), format)
    assert said(again) == [("you", "One?", {}), ("answer", "", {"turn": "t3"}), ("you", "Three", {})]
    assert file.exchange_at(text.index("No.")) == file.exchange("t2")
    assert ask(parse_file(format_file(format, HEAD, "T", "", parts[:-1]), format), {}) is None


NOTE = "# Router\n\nIt dropped clients.\nEvery night.\n\n## Fix\n\nChannel 36.\n"


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (NOTE, (3, 4)),
        (NOTE.replace("night.", "night.  ").replace("\n", "\r\n"), (3, 4)),
        ("New\n\n" + NOTE, (5, 6)),
        (NOTE + NOTE, (3, 4)),
        ("x\n" + NOTE + NOTE, None),
        (NOTE.replace("clients", "everybody"), None),
        (NOTE[:30], None),
        ("", None),
    ],
)
def test_given_lines_are_found_again(now, found):
    given = given_lines("a b/router.md", NOTE, 3, 4)
    assert read_given(str(given)) == given
    assert find_given(now, given) == found
    whole = given_lines("~/router.md", NOTE)
    assert read_given(str(whole)) == whole
    assert (find_given(now, whole) is not None) == (digest_of(now) == digest_of(NOTE))


@FORMATS
@pytest.mark.parametrize("lines", [None, (3, 4)])
def test_context_is_what_the_links_say(format, lines, tmp_path):
    root = tmp_path / "my (notes) [x]"
    (root / "sub").mkdir(parents=True)
    given = given_lines("sub/router.md", NOTE, *(lines or ()))
    preamble = preamble_for(format, MARK, root, given)
    more = "[p](file:///etc/passwd) [[file:/etc/passwd]] [w](https://example.org)"
    text = format_file(format, HEAD, "T", preamble + "\n" + more, [part("you", "?")])
    moved = "New\n" + NOTE
    context = context_of(parse_file(text, format), root, {"sub/router.md": moved}.get)
    (item,) = context.items
    if lines is None:
        assert (item.kind, item.name, item.text) == ("note", "sub/router.md", moved)
    else:
        assert (item.kind, item.line, item.end_line) == ("selection", 4, 5)
        assert item.text == "It dropped clients.\nEvery night.\n"
    assert find_given(moved, context.given)
    link = f"[sub]({(root / 'sub').as_uri().replace('(', '%28').replace(')', '%29')})"
    if format == "markdown":
        file = parse_file(text.replace("About", link + " About"), format)
        assert context_of(file, root, {}.get).items[0].kind == "folder"


@pytest.mark.parametrize(
    ("format", "link"),
    [
        ("org", "[[file:~nobody-of-that-name/a.md][a]]"),
        ("markdown", "[a](file:~nobody-of-that-name/a.md)"),
        ("markdown", "[a](file://[b)"),
        ("markdown", "[a](file:///%00)"),
        ("markdown", "[a](file:a.md)"),
        ("markdown", "[a](file://ROOT/" + "x" * 300 + ")"),
        ("markdown", "[a](file://ROOT/../a.md)"),
        ("markdown", "[a](file://ROOT/out.md)"),
        ("org", "[[file:ROOT/out.md]]"),
    ],
)
def test_links_that_lead_nowhere_or_out_of_the_vault_are_passed_over(format, link, tmp_path):
    root = tmp_path / "vault"
    root.mkdir()
    (tmp_path / "a.md").write_text("a")
    (root / "out.md").symlink_to(tmp_path / "a.md")
    text = format_file(format, HEAD, "T", link.replace("ROOT", str(root)), [part("you", "?")])
    context = context_of(parse_file(text, format), root, lambda path: "a" if len(path) < 255 else None)
    assert context == Context((), None)


def test_parts_have_one_line_marks():
    assert mark_line("org", MARK, "answer", {"turn": "a b"}) == f"# khoj:{MARK}:answer turn=a%20b"
    assert begin_part("markdown", MARK, "answer") == f"## khoj_ls\n<!-- khoj:{MARK}:answer -->\n"
