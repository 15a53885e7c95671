"""The clients are one product: what is the same for a user of any of them is the same in the code of each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from editor_desk import TOP

EDITORS = TOP / "editors"
CLIENTS = {
    "emacs": "\n".join(file.read_text() for file in sorted((EDITORS / "emacs").glob("*.el"))),
    "nvim": "\n".join(file.read_text() for file in sorted((EDITORS / "nvim").rglob("*.lua"))),
    "vscode": "\n".join(file.read_text() for file in sorted((EDITORS / "vscode" / "src").rglob("*.ts"))),
}
"""All the code of each."""


def number(text: str, unit: float = 1.0) -> float:
    return round(float(text.replace("_", "")) * unit, 3)


def numbers(text: str, unit: float = 1.0) -> list[float]:
    return [number(each, unit) for each in re.findall(r"[\d._]+", text)]


def found(client: str, pattern: str) -> str:
    """The one place of a client's code that matches."""
    [match] = re.findall(pattern, CLIENTS[client])
    assert isinstance(match, str)
    return match


ONE_MS = 0.001
FIGURES: dict[str, tuple[object, dict[str, Callable[[], object]]]] = {
    "seconds before each start in a row of a server that ended": (
        [0.5, 1, 2, 5, 10, 30],
        {
            "emacs": lambda: numbers(found("emacs", r"defcustom khoj-ls-restart-delays '\((.*?)\)")),
            "nvim": lambda: numbers(found("nvim", r"restart = \{ delays = \{(.*?)\}"), ONE_MS),
            "vscode": lambda: numbers(found("vscode", r"DELAYS = \[(.*?)\]"), ONE_MS),
        },
    ),
    "seconds after which a server had started well": (
        60,
        {
            "emacs": lambda: number(found("emacs", r"khoj-ls-connection--stable-seconds (\d+)")),
            "nvim": lambda: number(found("nvim", r"settled = (\d+) \},\n"), ONE_MS),
            "vscode": lambda: number(found("vscode", r"STEADY = ([\d_]+)"), ONE_MS),
        },
    ),
    "related notes": (
        10,
        {
            "emacs": lambda: number(found("emacs", r"defcustom khoj-ls-related-limit (\d+)")),
            "nvim": lambda: number(found("nvim", r"related = \{ width = \d+, limit = (\d+)")),
            "vscode": lambda: number(found("vscode", r"const LIMIT = (\d+);\n/\*\* Notes that are less")),
        },
    ),
    "seconds of rest before they are asked for": (
        0.3,
        {
            "emacs": lambda: number(found("emacs", r"defcustom khoj-ls-related-delay ([\d.]+)")),
            "nvim": lambda: number(found("nvim", r"related = \{ width = \d+, limit = \d+, delay = (\d+)"), ONE_MS),
            "vscode": lambda: number(found("vscode", r"(?<!const )\bconst REST_MS = (\d+);\nconst PAGE"), ONE_MS),
        },
    ),
    "score below which a note is not shown as related": (
        0.1,
        {
            "emacs": lambda: number(found("emacs", r"defconst khoj-ls-least-related ([\d.]+)")),
            "nvim": lambda: number(found("nvim", r"LEAST_RELATED = ([\d.]+)")),
            "vscode": lambda: number(found("vscode", r"LEAST_RELATED = ([\d.]+)")),
        },
    ),
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("figure", FIGURES)
def test_figures(figure, client):
    expected, of = FIGURES[figure]
    assert of[client]() == expected


WORDS = ["Nothing found", "Nothing like this in your notes", "No note links here", "No conversations yet"]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("words", WORDS)
def test_words_for_what_is_not_there(words, client):
    assert len(re.findall(rf"""["']{words}["']""", CLIENTS[client])) == 1


PHASES = {
    "emacs": lambda: re.findall(r'\("([\w-]+)" \. "([^"]+)"\)', between("emacs", "khoj-ls-status--phases", "\n\n")),
    "nvim": lambda: re.findall(r"\W*([\w-]+)\W* = '([^']+)'", between("nvim", "local PHASES = {", "}")),
    "vscode": lambda: re.findall(r"\W*([\w-]+)\W*: '([^']+)'", between("vscode", "const PHASES", "};")),
}


def between(client: str, start: str, end: str) -> str:
    return CLIENTS[client].partition(start)[2].partition(end)[0]


@pytest.mark.parametrize("client", PHASES)
def test_words_for_what_a_vault_is_doing(client):
    named = re.search(r'phase: str\n    """(.*?)\."""', (TOP / "khoj_ls" / "wire" / "messages.py").read_text())
    assert named is not None
    assert list(dict(PHASES[client]())) == named[1].split(", ")
    assert dict(PHASES[client]()) == dict(PHASES["vscode"]())


STATUS = {"emacs": "emacs/khoj-ls-status.el", "nvim": "nvim/lua/khoj_ls/status.lua", "vscode": "vscode/src/views/status.ts"}
COUNTED = ["note", "section", "passage", "connection"]


@pytest.mark.parametrize("client", STATUS)
def test_words_of_the_status(client):
    code = (EDITORS / STATUS[client]).read_text()
    told = ["found by meaning", "on disk", "waiting", "left", "Not indexed", "Read with warnings"]
    assert [words for words in told if not re.search(rf"\b{words}\b", code)] == []
    assert [noun for noun in COUNTED if not re.search(rf"""["']{noun}["']\)""", code)] == []


SETTINGS = {"emacs": "khoj-ls-command", "nvim": "vim.lsp.config('khoj_ls', { cmd = ", "vscode": "khoj-ls.server.path"}


@pytest.mark.parametrize("client", CLIENTS)
def test_words_for_a_program_that_is_not_found(client):
    code = re.sub(r"""['"]\s*\.\. *['"]|\\`|[`']""", "`", CLIENTS[client])  # one quote for all languages
    [told] = re.findall(r"The program `(?:%s|\$\{\w+\})` was not found: (.*?) names\s+another place", code, re.DOTALL)
    assert "pipx install khoj-ls` installs it" in told
    assert SETTINGS[client].replace("'", "`") in told


LETTERS = {
    "s": "search",
    "r": "related",
    "b": "backlinks",
    "l": "link",
    "c": "chat",
    "a": "ask",
    "d": "daily",
    "n": "capture",
    "i": "status",
    "h": "conversations",
    "?": "menu",
}
OWN_NAMES = {"insert-link": "link", "insertlink": "link", "ask-region": "ask", "chat-continue": "conversations"}
"""What a client calls a command otherwise."""


def keys_of_vscode() -> list[tuple[str, str]]:
    contributed = json.loads((EDITORS / "vscode" / "package.json").read_text())["contributes"]
    keys = [(each["key"].replace("shift+/", "?").split(), each["command"]) for each in contributed["keybindings"]]
    return [(key[1], command) for key, command in keys if len(key) == 2]


BINDINGS: dict[str, Callable[[], list[tuple[str, str]]]] = {
    "emacs": lambda: re.findall(r"""\(define-key map \(kbd "(\S)"\) #'khoj-ls-(\S+?)\)""", MAP),
    "nvim": lambda: re.findall(r"\{ '(.)', '(\w+)', \{", CLIENTS["nvim"]),
    "vscode": keys_of_vscode,
}
MAP = CLIENTS["emacs"].partition("(defvar khoj-ls-command-map")[2].partition("(fset ")[0]


@pytest.mark.parametrize("client", BINDINGS)
def test_letters_behind_the_prefix(client):
    bound = {key: name.removeprefix("khoj-ls.").lower() for key, name in BINDINGS[client]()}
    shown = {key: OWN_NAMES.get(name, name) for key, name in bound.items()}
    assert {key: name for key, name in shown.items() if key in LETTERS} == LETTERS
