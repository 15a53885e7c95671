"""docs/editors.md against the server: every method that is served stands in its table, and no other."""

from __future__ import annotations

import json
import re

import pytest
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


def test_the_requests_are_those_served(home):
    methods = create_server(OpenVaults(Settings(), folders())).protocol.fm.features
    told = {request for row in rows("What the clients add") for request in re.findall(r"`(khoj/[^`]+)`", row[1])}
    assert told == {method for method in methods if method.startswith("khoj/")}


CLIENTS = {
    "emacs": (
        2,
        r"`(khoj-ls-[a-z-]+)`",
        lambda: re.findall(r"^\((?:defun|transient-define-prefix) (\S+)", text_of("emacs", "el"), re.MULTILINE),
    ),
    "nvim": (3, r"`:(\w+)`", lambda: re.findall(r"define\('(\w+)'", text_of("nvim", "lua"))),
    "vscode": (4, r"`(khoj-ls\.[\w.]+)`", lambda: [each["command"] for each in package()["contributes"]["commands"]]),
}
"""Of each client: its column, what a command looks like there, and the commands that its code has."""


def text_of(client: str, *kinds: str) -> str:
    """All the code of a client."""
    found = sorted(path for kind in kinds for path in (TOP / "editors" / client).rglob(f"*.{kind}"))
    return "\n".join(path.read_text() for path in found if "node_modules" not in path.parts)


def package() -> dict:
    return json.loads((TOP / "editors" / "vscode" / "package.json").read_text())


@pytest.mark.parametrize("client", CLIENTS)
def test_the_commands_are_those_of_the_client(client):
    column, command, known = CLIENTS[client]
    told = [name for row in rows("What the clients add") for name in re.findall(command, row[column])]
    assert len(told) >= 10
    assert [name for name in told if name not in known()] == []


KEYS = {
    "emacs": (
        2,
        lambda: {
            key: name for key, name in re.findall(r"""\(define-key map \(kbd "(.)"\) #'(\S+)\)""", text_of("emacs", "el"))
        },
    ),
    "nvim": (3, lambda: {key: name for key, name in re.findall(r"\{ '(.)', '(\w+)', \{", text_of("nvim", "lua"))}),
    "vscode": (
        4,
        lambda: {
            each["key"].removeprefix("ctrl+alt+k ").replace("shift+/", "?").upper(): each["command"]
            for each in package()["contributes"]["keybindings"]
            if each["key"].startswith("ctrl+alt+k ")
        },
    ),
}


@pytest.mark.parametrize("client", KEYS)
def test_the_keys_are_those_of_the_client(client):
    column, keys = KEYS[client]
    told = [re.fullmatch(r"`:?([\w.-]+)` `(.)`", row[column]) for row in rows("What the clients add")]
    shown = {found[2]: found[1] for found in told if found}
    assert len(shown) >= 9
    wrong = {key: name for key, name in shown.items() if same(keys().get(key, "")) != same(name)}
    assert wrong == {}


def same(name: str) -> str:
    """A command's name or that of its mapping, without what differs between them."""
    return re.sub(r"^khoj(-ls[.-])?", "", name.lower())


def test_links_lead_somewhere():
    targets = re.findall(r"\]\(([^)#]+)", PAGE)
    assert [target for target in targets if not (TOP / "docs" / target).exists()] == []
