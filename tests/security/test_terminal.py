"""No verb prints what a terminal obeys, whatever notes, files, settings, plugins and models say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from khoj_ls.cli.app import VERBS, program

# The title of the window (OSC), clear screen (CSI), hidden text (SGR), the same in C1, a line that turns, one written over.
EVIL = "\x1b]0;owned\x07\x1b[2J\x1b[8m\x9b2J\x9d0;x\x9c\u202eevil\u2066\x7f\r\x08"
OWN_STYLES = re.compile(r"\x1b\[(?:0|1|2|22|3\d|9\d)(?:;(?:1|2|3\d|9\d))*m")
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
NAME = f"na{EVIL.replace('/', '')}me"
TOML = EVIL.encode("unicode_escape").decode().replace("\\x", "\\u00")

NOTES = {
    f"{NAME}.md": f"---\ntags: ['t{EVIL}']\ntitle: \"T{TOML}\"\n---\n# Boat {EVIL}\n\nThe boat {EVIL} is called albatross. "
    f"[[gone{EVIL}]] [x](gone{EVIL}.md) [[other]]\n\n## Head {EVIL}\n\nMore albatross.\n",
    "other.md": f"# Other\n\nSee [[{NAME}]] and albatross {EVIL}. A mention of the boat.\n",
    f"{NAME}.org": f"#+title: {EVIL}\n* TODO albatross {EVIL} :tag:\n:PROPERTIES:\n:ID: {EVIL}\n:END:\n",
    f"bad{NAME}.md": "\x00" * 2000,
    f".khoj/personas/{NAME}.toml": f'stile = "{TOML}"\n',
    ".khojignore": f"hidden{EVIL}.md\n",
    f"hidden{EVIL}.md": "x\n",
    ".khoj.toml": f'"key{TOML}" = 1\n[search.profiles."p{TOML}"]\nmax_per_file = 1\n[index]\nprivate = ["x{TOML}"]\n'
    f'[embedding]\nendpoint = "http://{TOML}"\n',
}
PLUGIN = f"""
from khoj_ls.plugins.hookspecs import hookimpl
from khoj_ls.plugins.kinds import CliVerb
EVIL = {EVIL!r}

class Toy:
    name, extensions, priority = "toy" + EVIL, (".toy",), 5
    def parse(self, data, path): raise RuntimeError(EVIL)

@hookimpl
def khoj_content_processors(): return [Toy()]

@hookimpl
def khoj_post_search(event): raise RuntimeError(EVIL)

@hookimpl
def khoj_cli_verbs(): return [CliVerb("toy", "Greets " + EVIL, print)]
"""

Asking = Callable[..., Result]

COMMANDS = {
    "search": ["search --explain albatross", "search --group albatross", "search nothing{evil}:({evil}"],
    "related": ["related {note}"],
    "links": ["links {note}", "links --orphans"],
    "chat": ["chat albatross{evil}", "chat --format markdown albatross", "chat --format rich albatross"],
    "conversations": ["conversations show {id}", "conversations list", "conversations search albatross"],
    "models": ["models"],
    "webhooks": ["webhooks list", "webhooks test", "webhooks deliveries"],
    "index": ["index"],
    "status": ["status --vault {vault}", "status --why {note}", "status --why {vault}/hidden{evil}.md"],
    "doctor": ["doctor"],
    "plugins": ["plugins"],
    "config": ["config show", "config profiles", "config get index.private", "config get nothing{evil}", "config path"],
    "daemon": ["daemon logs", "daemon status"],
    "lsp": ["lsp --help"],
    "demo": ["demo --vault {vault} --note gone{evil}"],
    "bench": ["bench --only {evil}"],
    "sbom": ["sbom"],
    "uninstall": ["uninstall --dry-run"],
    "eval": ["eval --vault {vault} --queries {questions} --mode lexical --misses"],
}  # fmt: skip


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a vault, and a home, that are as bad as can be; both serve all tests, so that the notes are read once."""
    folder = tmp_path_factory.mktemp("bad")
    vault, home = folder / "vault", folder / "home"
    for path, text in NOTES.items():
        (vault / path).parent.mkdir(parents=True, exist_ok=True)
        (vault / path).write_text(text, encoding="utf-8", newline="")
    (vault / "sound.toy").write_text("x")
    (folder / "questions.csv").write_text("query,path\n" + f"nothing {EVIL.replace(chr(13), '')},other.md\n" * 2)
    (home / "config" / "plugins").mkdir(parents=True)
    (home / "config" / "plugins" / "toy.py").write_text(PLUGIN)
    (home / "config" / "config.toml").write_text(
        '[embedding]\nmodel = "/none"\n'
        f'[[webhooks]]\nname = "w{TOML}"\nurl = "http://127.0.0.1:9/{TOML}"\nevents = ["index.completed", "e{TOML}"]\n'
        f'[[webhooks]]\nname = "good"\nurl = "http://127.0.0.1:9/"\nevents = ["index.completed"]\nsecret_variable = "NONE"\n'
    )
    (home / "state").mkdir()
    (home / "state" / "daemon.log").write_text(f"2026-11-21 13:05:09,250 INFO khoj_ls.daemon: {EVIL}\n", newline="")
    return folder


@pytest.fixture
def ask(bad: Path, monkeypatch: pytest.MonkeyPatch) -> Asking:
    """Runs a command line there."""
    vault = bad / "vault"
    monkeypatch.setenv("KHOJ_LS_HOME", str(bad / "home"))
    monkeypatch.chdir(vault)

    def run(command: str, *more: str, **values: str) -> Result:
        places = {"evil": EVIL, "note": f"{vault}/{NAME}.md", "vault": str(vault), "questions": str(bad / "questions.csv")}
        words = [word.format(**places, **values) for word in command.split()]
        # As on a terminal: click takes all sequences out elsewhere.
        return CliRunner().invoke(program, ["--in-process", *words, *more], color=True)

    return run


def obeyed(result: Result) -> list[str]:
    """What a terminal would obey in the output, beside the program's own colours."""
    text = OWN_STYLES.sub("", result.stdout_bytes.decode() + result.stderr_bytes.decode())
    return [f"{found[0]!r} in {text[max(0, found.start() - 40) : found.end() + 10]!r}" for found in OBEYED.finditer(text)]


def test_every_verb_is_asked() -> None:
    assert COMMANDS.keys() == {*VERBS}


@pytest.mark.parametrize("name", COMMANDS)
def test_what_verbs_print_steers_no_terminal(ask: Asking, name: str) -> None:
    found = ""
    if name == "conversations":
        ask("chat albatross{evil}")
        found = ask("conversations list").stdout.split()[0]
        found = re.sub(r"\x1b\[[\d;]*m", "", found)
    for command in COMMANDS[name]:
        forms = ((), ("--json",)) if command == COMMANDS[name][0] and name not in ("lsp", "demo") else ((),)
        for form in forms:
            shown = ask(command, *form, id=found)
            assert shown.output, command
            assert obeyed(shown) == [], command
            assert "internal error" not in shown.stderr, shown.stderr


def test_the_help_of_plugins_steers_no_terminal(ask: Asking) -> None:
    shown = ask("--help")
    assert "Greets" in shown.stdout
    assert obeyed(shown) == []
