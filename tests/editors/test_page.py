"""docs/editors.md against the server: every method that is served stands in its table, and no other."""

from __future__ import annotations

import re

from editor_desk import TOP

from khoj_ls.config.paths import folders
from khoj_ls.config.settings import Settings
from khoj_ls.lsp.build import create_server
from khoj_ls.vaults import OpenVaults

PAGE = (TOP / "docs" / "editors.md").read_text()
UNSEEN = re.compile(
    r"initialized?|shutdown|exit|khoj/.*|.*/resolve|textDocument/did.*|workspace/did.*|window/.*|notebookDocument/.*|textDocument/prepareRename|[$]/.*"
)
"""What no user does: beginning and end, telling what changed, and halves of the other methods."""


def rows(heading: str) -> list[list[str]]:
    """Cells of the table below a heading, without its head."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in section.splitlines() if line.startswith("|")][
        2:
    ]


def test_the_methods_are_those_served(home):
    protocol = create_server(OpenVaults(Settings(), folders())).protocol
    served = {method for method in (*protocol.fm.features, *protocol.fm.builtin_features) if not UNSEEN.fullmatch(method)}
    assert {row[1].strip("`") for row in rows("What works everywhere")} == served


def test_each_row_tells_of_every_editor():
    assert {len(row) for row in rows("What works everywhere")} == {9}


def test_links_lead_somewhere():
    targets = re.findall(r"\]\(([^)#]+)", PAGE)
    assert [target for target in targets if not (TOP / "docs" / target).exists()] == []
