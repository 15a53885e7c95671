"""What an answer proposes goes where the model read it, or nowhere."""

from __future__ import annotations

import pytest

from khoj_ls.chat.file.apply import GivenChanged, plan_apply
from khoj_ls.chat.file.context import given_lines
from khoj_ls.chat.file.proposal import blocks, proposed
from khoj_ls.content.registry import default_registry
from khoj_ls.core.errors import UsageError
from khoj_ls.graph.open_note import NoteReader

NOTE = "# Router\n\nIt dropped clients.\nEvery night.\n\n## Fix\n\nChannel 36.\n\n### Why\n\nNoise.\n\n## Cost\n\nNone."
ORG = "#+title: Router\n\nIntro.\n* Fix\n:PROPERTIES:\n:ID: x\n:END:\nChannel 36.\n** Why\nNoise.\n* Cost\nNone.\n"


def note(text, path="router.md"):
    return NoteReader(default_registry()).read(path, text)


def after(text, proposal, given, path="router.md", **more):
    plan = plan_apply(note(text, path), proposal, given, **more)
    return plan.what, plan.edit.edits[path].after


@pytest.mark.parametrize(
    ("answer", "type", "proposal"),
    [
        ("Here:\n```markdown\nIt works.\n```\nDone [1].", "markdown", "It works.\n"),
        ("```python\nx = 1\n```\n```md\nA\n```\n```\nB\n```", "markdown", "A\n"),
        ("```python\nx = 1\n```\nJust so [1].", "markdown", "```python\nx = 1\n```\nJust so.\n"),
        ("````md\n```\ninner\n```\n````", "markdown", "```\ninner\n```\n"),
        ("~~~org\n* A\n", "org", "* A\n"),
        ("#+begin_src org\n,* A\n,#+x\n#+end_src", "org", "* A\n#+x\n"),
        ("#+BEGIN_EXAMPLE\nA\n#+END_EXAMPLE", "org", "A\n"),
        ("**Plain** words [1, 2].", "org", "*Plain* words.\n"),
        ("See [1](file:///n/a.md#L3).", "markdown", "See.\n"),
        (
            "```python\nx = a[1]\n```\nUse `a[1]` of [2024] [^1], [1-3].",
            "markdown",
            "```python\nx = a[1]\n```\nUse `a[1]` of [2024],.\n",
        ),
        ("Both [1, 2](file:///n/a.md#L3) do.", "markdown", "Both do.\n"),
        ("  \n", "markdown", ""),
    ],
)
def test_what_is_proposed(answer, type, proposal):
    assert proposed(answer, type) == proposal


def test_citations_of_an_org_chat_file_stay_out():
    shown = "Both [[file:/n/\\[x\\]/a.org::3][1, 2]] say =a[1]= and ~b[2]~ [3].\n#+begin_src python\nx = a[1]\n#+end_src"
    assert proposed(shown, "org", written="org", shown=True) == (
        "Both say =a[1]= and ~b[2]~.\n#+begin_src python\nx = a[1]\n#+end_src\n"
    )


@pytest.mark.parametrize(("format", "shown"), [("markdown", "### A\n\nx\n\n#### B"), ("org", "** A\n\nx\n\n*** B")])
def test_headings_of_a_chat_file_are_those_of_the_answer(format, shown):
    sign = "#" if format == "markdown" else "*"
    assert proposed(shown, format, written=format, shown=True) == f"{sign} A\n\nx\n\n{sign * 2} B\n"
    assert proposed(shown, format, written=format) == shown + "\n"


def test_the_block_at_the_caret_is_meant():
    answer = "```md\nA\n```\n\n```python\nB\n```\n"
    assert [proposed(answer, "markdown", answer.index(letter)) for letter in "AB"] == ["A\n", "B\n"]
    assert [(block.language, block.text) for block in blocks(answer)] == [("md", "A\n"), ("python", "B\n")]


@pytest.mark.parametrize(
    ("lines", "proposal", "what", "new"),
    [
        (
            (3, 4),
            "It works.\n",
            "Replace lines 3-4 of router.md",
            NOTE.replace("It dropped clients.\nEvery night.", "It works."),
        ),
        (
            (3, 5),
            "It works.\n",
            "Replace lines 3-5 of router.md",
            NOTE.replace("It dropped clients.\nEvery night.", "It works."),
        ),
        ((16, 16), "A lot.\n", "Replace line 16 of router.md", NOTE.replace("None.", "A lot.")),
        (
            None,
            "## Fix\n\nChannel 11.\n",
            'Replace "Fix" in router.md',
            NOTE.replace("Channel 36.\n\n### Why\n\nNoise.", "Channel 11."),
        ),
        (None, "# Router\n\nGone.\n", "Replace all of router.md", "# Router\n\nGone."),
        (None, "## New\n\nWell.\n", "Add to the end of router.md", NOTE + "\n\n## New\n\nWell.\n"),
    ],
)
def test_where_it_goes(lines, proposal, what, new):
    assert after(NOTE, proposal, given_lines("router.md", NOTE, *(lines or ()))) == (what, new)
    crlf = NOTE.replace("\n", "\r\n")
    assert after(crlf, proposal, given_lines("router.md", NOTE, *(lines or ()))) == (what, new.replace("\n", "\r\n"))


def test_org_sections_are_replaced_with_all_below_them():
    given = given_lines("r.org", ORG)
    what, new = after(ORG, "* Fix\nChannel 11.\n", given, "r.org")
    assert (what, new) == ('Replace "Fix" in r.org', ORG[: ORG.index("* Fix")] + "* Fix\nChannel 11.\n* Cost\nNone.\n")


def test_what_has_moved_is_found_and_what_has_changed_is_refused():
    given = given_lines("router.md", NOTE, 3, 4)
    moved = "Above.\n\n" + NOTE
    assert after(moved, "It works.\n", given) == (
        "Replace lines 5-6 of router.md",
        moved.replace("It dropped clients.\nEvery night.", "It works."),
    )
    changed = NOTE.replace("Every night", "Every day")
    with pytest.raises(GivenChanged, match="what stood in lines 3-4 of it is not what the model was given"):
        after(changed, "It works.\n", given)
    with pytest.raises(GivenChanged):
        after(changed, "# Router\n", given_lines("router.md", NOTE))
    assert after(changed, "It works.\n", given, how="below")[1] == changed + "\n\nIt works.\n"
    assert after(NOTE, "So.\n", given, how="below") == (
        "Insert below line 4 of router.md",
        NOTE.replace("night.\n\n", "night.\n\nSo.\n\n"),
    )


def test_what_is_put_below_lines_is_a_paragraph_of_its_own():
    text = "One.\r\nTwo.\r\n"
    new = after(text, "So.\nWell.\n", given_lines("router.md", text, 1, 1), how="below")[1]
    assert new == "One.\r\n\r\nSo.\r\nWell.\r\n\r\nTwo.\r\n"


def test_chosen_lines_must_have_been_given():
    given = given_lines("router.md", NOTE, 3, 4)
    assert after(NOTE, "X\n", given, lines=(4, 4))[1] == NOTE.replace("Every night.", "X")
    with pytest.raises(UsageError, match=r"lines 8-8 of router\.md were not given"):
        after(NOTE, "X\n", given, lines=(8, 8))
    with pytest.raises(UsageError, match="proposes nothing"):
        after(NOTE, " \n", given)


def test_an_empty_note_is_filled():
    assert after("", "# A\n", given_lines("router.md", ""))[1] == "# A\n"
