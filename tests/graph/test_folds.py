"""What can be folded, shown beside the text: each fold as `first-last kind`."""

from __future__ import annotations

import pytest

from khoj_ls.content.registry import default_registry
from khoj_ls.graph.folds import folds
from khoj_ls.graph.open_note import NoteReader

CASES = [
    ("a.md", "# One\ntext\n\n## Two\nmore\n\n# Three\nend\n\n\n", ["1-5 section", "4-5 section", "7-8 section"]),
    ("a.md", "---\ntitle: x\n---\n\ntext\n", ["1-3 block"]),
    ("a.md", "```py\n# no heading\n- no list\n```\nafter\n", ["1-4 block"]),
    ("a.md", "````\n```\n````\n~~~\nopen\n", ["1-3 block", "4-5 block"]),
    ("a.md", "> ```\n> code\n> ```\n", ["1-3 block"]),
    ("a.md", "- a\n  - b\n    c\n  - d\n- e\n\n  f\ntext\n", ["1-4 block", "2-3 block", "5-7 block"]),
    ("a.md", "1. a\n   ```\n   - x\n   ```\n2. b\n", ["1-4 block", "2-4 block"]),
    ("a.md", "<!-- a\nb -->\n<!-- c -->\n", ["1-2 comment"]),
    ("a.md", "# Lone\n", []),
    ("a.md", "", []),
    ("a.md", "# 🦉\r\na\u2028b\r\n\fc\r\n", ["1-3 section"]),
    ("a.org", "* One\n:PROPERTIES:\n:ID: 1\n:END:\ntext\n** Two\nmore\n", ["1-7 section", "2-4 block", "6-7 section"]),
    ("a.org", "#+begin_src x\n* no heading?\n", ["2-2"][:0]),
    ("a.org", "#+BEGIN_QUOTE\n- a\n  b\n#+end_quote\n", ["1-4 block"]),
    ("a.org", ":LOGBOOK:\nnever closed\n* Head\n:END:\n", ["3-4 section"]),
    ("a.org", "# one\n# two\n\n- a\n  b\n+ c\n", ["1-2 comment", "4-5 block"]),
    ("a.txt", "- a\n  b\n", ["1-2 block"]),
]


@pytest.mark.parametrize(("path", "text", "expected"), CASES)
def test_folds(path, text, expected):
    note = NoteReader(default_registry()).read(path, text)
    assert [f"{fold.line}-{fold.end_line} {fold.kind}" for fold in folds(note)] == expected
