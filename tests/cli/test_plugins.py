"""`khoj-ls plugins`, and verbs that plugins bring."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HEAD = "from khoj_ls.plugins.hookspecs import hookimpl\nfrom khoj_ls.plugins.kinds import CliVerb\n"
HELLO = f"""{HEAD}
class Toy:
    name, extensions, priority = "toy", (".toy", ".md"), 5
    def parse(self, data, path): raise ValueError

@hookimpl
def khoj_content_processors(): return [Toy()]

@hookimpl
def khoj_post_search(event): return None

@hookimpl
def khoj_cli_verbs(): return [CliVerb("hello", "Greets.", run), CliVerb("search", "Is taken.", run)]

def run(arguments):
    print("hello", *arguments)
    return 7 if "fail" in arguments else None
"""


def put(home: Path, **plugins: str) -> Path:
    folder = home / "config" / "plugins"
    folder.mkdir(parents=True)
    for name, text in plugins.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def test_all_that_became_of_plugins_is_told(verb: Any, private_home: Path) -> None:
    folder = put(private_home, hello=HELLO, broken="1 / 0")
    told = json.loads(verb("--in-process", "plugins", "--json").stdout)
    assert told["folder"] == str(folder)
    assert told["plugins"] == [
        {
            "name": "hello",
            "kind": "file",
            "origin": str(folder / "hello.py"),
            "priority": 0,
            "brings": ["content type toy (.md)", "content type toy (.toy)", "verb hello"],
            "hooks": [{"hook": "khoj_post_search", "state": "ok", "calls": 0, "failures": 0, "error": ""}],
        }
    ]
    served = {each["extension"]: each for each in told["processors"]}
    assert served[".md"] == {
        "extension": ".md",
        "type": "toy",
        "plugin": "hello",
        "priority": 5,
        "lost": ["markdown (built in, priority 0)"],
    }
    assert (served[".org"]["plugin"], served[".org"]["lost"]) == ("", [])
    assert told["refused"] == [
        {"plugin": "broken", "origin": str(folder / "broken.py"), "error": "ZeroDivisionError: division by zero"},
        {"plugin": "hello", "origin": "", "error": "khoj_cli_verbs: there is a search already; that one is kept"},
    ]
    shown = verb("--in-process", "plugins").stdout
    assert all(
        part in shown
        for part in ("hello.py", "verb hello", "left out", "division by zero", "before markdown", "1 plugin loaded")
    )


def test_where_there_is_none_it_says_how_to_add_one(verb: Any) -> None:
    told = verb("--in-process", "plugins")
    assert (told.exit_code, "there are no plugins" in told.stderr) == (0, True)


def test_a_verb_of_a_plugin_gets_all_that_stands_behind_it(verb: Any, private_home: Path) -> None:
    assert "hello" not in verb("--help").stdout  # and what one run found is not what the next one finds
    put(private_home, hello=HELLO)
    ran = verb("hello", "you", "--help", "-x")
    assert (ran.stdout, ran.exit_code) == ("hello you --help -x\n", 0)
    assert verb("hello", "fail").exit_code == 7
    assert "Greets. (plugin hello)" in verb("--help").stdout
    assert "there is no verb 'helo'; did you mean hello?" in verb("helo").stderr
    assert "Is taken" not in verb("search", "--help").stdout
