"""An open notebook as the file it would be."""

from __future__ import annotations

import json

import pytest

from khoj_ls.content.notebook_buffer import LiveCell, notebook_text

OLD = {
    "cells": [
        {"cell_type": "markdown", "id": "a", "metadata": {"tags": ["t"]}, "source": ["# T\n", "x"]},
        {"cell_type": "code", "execution_count": 3, "id": "b", "metadata": {}, "outputs": [{"text": ["o"]}], "source": "y = 1"},
    ],
    "metadata": {"title": "N"}, "nbformat": 4, "nbformat_minor": 5,
}  # fmt: skip
OUTPUT = [{"text": ["o"]}]


@pytest.mark.parametrize(
    ("saved", "cells", "made"),
    [
        (
            json.dumps(OLD),
            [LiveCell("code", "y = 1"), LiveCell("markdown", "new\nline"), LiveCell("code", "z", "b")],
            [("code", ["y = 1"], OUTPUT), ("markdown", ["new\n", "line"], None), ("code", ["z"], OUTPUT)],
        ),
        (json.dumps(OLD), [LiveCell("markdown", "# T\nx")], [("markdown", ["# T\n", "x"], None)]),
        ("", [LiveCell("raw", "---")], [("raw", ["---"], None)]),
        ("[" * 100_000, [LiveCell("code", "")], [("code", [], [])]),
        ('{"cells": [3, {"source": 4}]}', [LiveCell("code", "a")], [("code", ["a"], [])]),
        ("[]", [], []),
    ],
)
def test_cells_keep_what_the_file_knows_of_them(saved, cells, made):
    notebook = json.loads(notebook_text(saved, cells))
    assert [(cell["cell_type"], cell["source"], cell.get("outputs")) for cell in notebook["cells"]] == made


def test_an_unchanged_notebook_is_written_as_it_stands():
    saved = json.dumps({**OLD, "cells": OLD["cells"][:1]}, indent=1) + "\n"
    assert notebook_text(saved, [LiveCell("markdown", "# T\nx")]) == saved
