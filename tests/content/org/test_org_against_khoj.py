"""What Khoj is known to lose or mangle in Org files, each beside what is kept here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from khoj_ls.content.org import OrgProcessor
from khoj_ls.core.types import ParsedFile

CASES: tuple[tuple[str, str, Callable[[ParsedFile], Any], Any], ...] = (
    (
        "TODO words of #+TODO are states, and the priority behind them is read",
        "#+TODO: NEXT HOLD\n* NEXT [#A] Buy a router\n",
        lambda file: [(entry.heading, entry.todo, entry.priority) for entry in file.entries[1:]],
        [("Buy a router", "NEXT", "A")],
    ),
    (
        "FILETAGS and inherited tags count",
        "#+FILETAGS: :net:\n* Parent :home:\n** Child :x:\n",
        lambda file: (file.tags, file.entries[-1].tags),
        (("net",), ("net", "home", "x")),
    ),
    (
        "a time and a repeater do not cost the date",
        "* A\nSCHEDULED: <2024-05-01 Wed 09:30 +1w>\n",
        lambda file: [(date.kind, date.start) for date in file.entries[0].dates],
        [("scheduled", "2024-05-01T09:30")],
    ),
    (
        "a deadline is a date of the entry",
        "* A\nDEADLINE: <2024-05-03 Fri>\n",
        lambda file: [(date.kind, date.start) for date in file.entries[0].dates],
        [("deadline", "2024-05-03")],
    ),
    (
        "property names with _ and - are kept",
        "* A\n:PROPERTIES:\n:CREATED_AT: 1\n:foo-bar: 2\n:END:\n",
        lambda file: file.entries[0].properties,
        (("CREATED_AT", "1"), ("foo-bar", "2")),
    ),
    (
        "state changes stay out of the text",
        '* A\n:LOGBOOK:\n- State "DONE"       from "TODO"       [2024-05-01 Wed]\n:END:\nBody\n',
        lambda file: file.entries[0].text.split(),
        ["Body"],
    ),
    ("#+title in lower case", "#+title: Router notes\n", lambda file: file.title, "Router notes"),
    (
        "fences and # comments inside code are kept",
        "* A\n#+BEGIN_SRC sh\n# restart it\nreboot\n#+END_SRC\n",
        lambda file: file.entries[0].text,
        "\n#+BEGIN_SRC sh\n# restart it\nreboot\n#+END_SRC\n",
    ),
    (
        "headings without text are entries, and ancestors of others",
        "* Parent only heading\n** Heading only child\n** Other\nbody\n",
        lambda file: [(entry.heading, entry.outline) for entry in file.entries],
        [
            ("Parent only heading", ()),
            ("Heading only child", ("Parent only heading",)),
            ("Other", ("Parent only heading",)),
        ],
    ),
    (
        "lines of the introduction are not glued together",
        "Intro line one\nintro line two\n* A\n",
        lambda file: file.entries[0].text,
        "Intro line one\nintro line two\n",
    ),
    (
        "each entry knows its own lines in a small file",
        "* One\na\n* Two\nb\nc\n* Three\n",
        lambda file: [(entry.span.line, entry.span.end_line) for entry in file.entries],
        [(1, 2), (3, 5), (6, 6)],
    ),
    (
        "links are known, and only their labels are in the text",
        "* A\nSee [[id:1][the plan]].\n",
        lambda file: ([link.target for link in file.entries[0].links], file.entries[0].text),
        (["id:1"], "\nSee the plan.\n"),
    ),
)


@pytest.mark.parametrize(("text", "look", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_kept(text: str, look: Callable[[ParsedFile], Any], expected: Any) -> None:
    assert look(OrgProcessor().parse(text.encode(), "note.org")) == expected


def test_neither_title_nor_path_decide_what_is_embedded() -> None:
    first, second = (OrgProcessor().parse(b"#+title: T\n* Same\nbody\n", path) for path in ("a.org", "b/c.org"))
    assert first == second
