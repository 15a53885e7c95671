"""The template of Logseq's journals: found wherever it stands, written as Logseq writes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest
from note_texts import TextVault

from khoj_ls.graph.daily import journal_of, new_daily, template_of
from khoj_ls.graph.logseq_template import filled, template_text
from khoj_ls.links.conventions import Conventions

NOW = datetime(2024, 5, 1, 9, 5, tzinfo=timezone.utc)
LOGSEQ = Conventions(
    "logseq",
    pages="pages",
    journals="journals",
    journal_name="yyyy_MM_dd",
    journal_title="MMM do, yyyy",
    journal_template="day",
)

NOTE = """type:: [[Feature]]

- Before
\t- Deeper
\t\t- # My day
\t\t  template:: Day
\t\t  id:: 634fb104-f332-4743-904a-4827ee754bfc
\t\t  mood:: good
\t\t\t- TODO plan
\t\t\t  id:: 734fb104-f332-4743-904a-4827ee754bfc
\t\t\t  more text
\t\t\t\t- [[deep]]
\t\t\t- #+BEGIN_QUOTE
\t\t\t  - no block
\t\t\t  #+END_QUOTE
\t\t\t-
\t\t- not this
- Not included
  template:: bare
  template-including-parent:: false
\t- ```
\t  - code
\t  ```
\t- second
- template:: first line
  rest
\t- child
- template:: alone
- template:: empty
  template-including-parent:: false
"""
ORG = """* Before
** My day
:PROPERTIES:
:template: day
:END:
*** TODO plan
:PROPERTIES:
:id: 1
:mood: good
:END:
text
**** deep
** not this
* bare
:PROPERTIES:
:template: bare
:template-including-parent: false
:END:
** one
"""


@pytest.mark.parametrize(
    ("source", "name", "expected"),
    [
        (
            NOTE,
            "day",
            "- # My day\n  mood:: good\n\t- TODO plan\n\t  more text\n\t\t- [[deep]]\n\t- #+BEGIN_QUOTE\n\t  - no block\n"
            "\t  #+END_QUOTE\n\t-\n",
        ),
        (NOTE, "bare", "- ```\n  - code\n  ```\n- second\n"),
        (NOTE, "first line", "- rest\n\t- child\n"),
        (NOTE, "alone", "-\n"),
        (NOTE, "empty", ""),
        (NOTE, "none", None),
        ("## Person\ntemplate:: x\ntemplate-including-parent:: false\n\t- name::\n- else\n", "x", "- name::\n"),
        ("- a\n  ```\n  - b\n    template:: x\n  ```\n", "y", None),
        (ORG, "day", "* My day\n** TODO plan\n:PROPERTIES:\n:mood: good\n:END:\ntext\n*** deep\n"),
        (ORG, "bare", "* one\n"),
        ("", "x", None),
    ],
)
def test_what_a_template_holds(source, name, expected):
    assert template_text(source, name, org=source is ORG) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<% today %> <%today%> <% Today %>", "[[May 1st, 2024]] " * 3),
        ("<% yesterday %>|<% tomorrow %>", "[[Apr 30th, 2024]]|[[May 2nd, 2024]]"),
        ("at <% time %>", "at 09:05"),
        ("<% current page %>", "[[May 3rd, 2024]]"),
        ("<% 2 days ago %> <% 2024-12-24 %>", "[[Apr 29th, 2024]] [[Dec 24th, 2024]]"),
        ("<% last month %> <% my words %> <%%> <% %>", "last month my words  "),
        ("50 <% 60 %", "50 <% 60 %"),
    ],
)
def test_variables(text, expected):
    assert filled(text, LOGSEQ, "May 3rd, 2024", NOW).strip() == expected.strip()


@pytest.mark.parametrize(
    ("form", "notes", "expected"),
    [
        ("markdown", {"pages/t.md": "- <% current page %>\n  template:: Day\n\t- at <% time %>\n"},
         "- [[May 3rd, 2024]]\n\t- at 09:05\n"),
        ("markdown", {"pages/t.md": "- x\n  template:: other\n", "pages/u.md": "# x\ntemplate:: day\n- y\n"}, "- # x\n"),
        ("markdown", {"pages/t.org": ORG}, "- \n"),  # not in the journal's format
        ("markdown", {"pages/t.md": "- x\n"}, "- \n"),
        ("org", {"pages/t.org": ORG}, "* My day\n** TODO plan\n:PROPERTIES:\n:mood: good\n:END:\ntext\n*** deep\n"),
    ],
)  # fmt: skip
def test_a_new_day_holds_the_template(graph, form, notes, expected):
    vault = TextVault(graph, notes)
    journal = journal_of(replace(LOGSEQ, format=form), [])
    template = graph.ask(lambda network: template_of(journal, vault, network.connection))
    assert new_daily(journal, NOW.replace(day=3), template, NOW) == expected


def test_the_template_is_what_the_editor_shows(graph):
    vault = TextVault(graph, {"pages/t.md": "- old\n  template:: day\n"})
    vault.texts["pages/t.md"] = "- new\n  template:: day\n"
    journal = journal_of(LOGSEQ, [])
    assert graph.ask(lambda network: template_of(journal, vault, network.connection)) == "- new\n"
