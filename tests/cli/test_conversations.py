"""`khoj-ls conversations`, in one process: what it prints, its JSON, its exit statuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from khoj_ls.chat.kept.conversations import KeptConversations
from khoj_ls.chat.types import Citation, Done, Failed, Source, Statement
from khoj_ls.config.paths import folders
from khoj_ls.core.chat import Usage

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"
DONE = Done(
    "By restarting it [1].\nReally \x1b[2Jso.",
    (Citation(1, "net.md", ("Network",), 2, 2, "Restart it.", 17, 20),),
    ("[9]",),
    (Statement("Really so.", 22, 32),),
    Usage(10, 5),
    0.001,
    "openai/small",
)


@pytest.fixture
def kept(private_home: Path, prepared_models: Path, tmp_path: Path) -> tuple[str, str]:
    """Ids of two conversations about a small vault."""
    (private_home / "data").mkdir()
    (private_home / "data" / "models").symlink_to(prepared_models)
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / ".khoj.toml").touch()
    (notes / "net.md").write_text("# Network\nRestart it.\n")
    store = KeptConversations(folders().vault(notes.resolve()))
    first, turn = store.begin(None, "how did I fix the router", persona="default", model="m", replaces=None)
    store.given(turn, [Source(1, "net.md", "Network", ("Network",), 1, 2, "Restart it.", 0.7)])
    store.finish(turn, DONE)
    second, turn = store.begin(None, "bread?", persona="", model="m", replaces=None)
    store.finish(turn, Failed("no network: wait", "khoj.model.unreachable", "half"))
    store.begin(second, "", persona="", model="m", replaces=turn)
    store.close()
    return first, second


@pytest.fixture
def ask(verb: Any, kept: tuple[str, str], tmp_path: Path) -> Any:
    """Ask about them."""
    return lambda *arguments, **more: verb(
        "conversations", *arguments, "--in-process", "--vault", str(tmp_path / "notes"), **more
    )


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value and isinstance(value[0], dict) else None


def documented(name: str) -> Any:
    found = re.search(rf"^```json {name}\n(.*?)^```", DOCS.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert found
    return json.loads(found[1])


@pytest.mark.parametrize("words", [[], ["list"]])
def test_list(ask: Any, kept: tuple[str, str], words: list[str]) -> None:
    shown = ask(*words)
    assert shown.exit_code == 0
    moment = r"\(\d{4}-\d\d-\d\d \d\d:\d\d, 1 question\)"
    first, second = kept
    assert re.fullmatch(f"{second[:8]} bread\\? {moment}\n{first[:8]} how did I fix the router {moment}\n", shown.stdout), (
        shown.stdout
    )
    assert shape(json.loads(ask(*words, "--json").stdout)) == shape(documented("conversations"))


def test_pages(ask: Any, kept: tuple[str, str]) -> None:
    shown = ask("list", "--limit", "1")
    assert shown.stderr.splitlines() == ["khoj-ls: 1 of 2: --offset 1 shows the next"]
    assert ask("list", "--offset", "1").stdout.startswith(kept[0][:8])
    shown = ask("list", "--offset", "2")
    assert (shown.exit_code, shown.stderr) == (1, "khoj-ls: there are no more\n")


def test_show(ask: Any, kept: tuple[str, str]) -> None:
    shown = ask("show", kept[0][:6])
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert [lines[0], *lines[2:3], *lines[4:]] == [
        "how did I fix the router",
        "> how did I fix the router",
        "By restarting it [1].",
        "Really \ufffd[2Jso.",
        "  [1] net.md:1: Network",
    ]
    assert lines[3].endswith(" openai/small")
    assert shape(json.loads(ask("show", kept[0], "--json").stdout)) == shape(documented("conversation"))


def test_show_what_went_wrong(ask: Any, kept: tuple[str, str]) -> None:
    shown = ask("show", kept[1])
    assert shown.stdout.splitlines()[-1] == "failed: the program ended before the answer did: ask again"
    assert shown.stderr == "khoj-ls: 1 question asked anew since: --json shows them too\n"


def test_search(ask: Any, kept: tuple[str, str]) -> None:
    shown = ask("search", "restarted", "router")
    assert shown.exit_code == 0
    assert re.match(rf"{kept[0][:8]} how did I fix the router \(.*, [01]\.\d\d\)\n    By restarting it", shown.stdout)
    assert shape(json.loads(ask("search", "router", "--json").stdout)) == shape(documented("conversations-search"))
    shown = ask("search", "xylophone")
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert "khoj-ls: nothing found\n" in shown.stderr


def test_rename_and_delete(ask: Any, kept: tuple[str, str]) -> None:
    first, second = kept
    assert ask("rename", first, "My", "router").stdout == f"{first[:8]} is called My router\n"
    shown = ask("delete", first, input="n\n")
    assert shown.exit_code == 130
    assert f"Delete {first[:8]} My router (1 question) for good?" in shown.stderr
    assert ask("delete", first, input="y\n").stdout == f"{first[:8]} is deleted: My router\n"
    assert json.loads(ask("delete", second, "--yes", "--json").stdout)["id"] == second
    shown = ask()
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert shown.stderr == "khoj-ls: there are no conversations yet: `khoj-ls chat` begins one\n"


def test_export(ask: Any, kept: tuple[str, str], tmp_path: Path) -> None:
    shown = ask("export", kept[0])
    assert shown.stdout.startswith("# how did I fix the router\n")
    assert f"[1]({(tmp_path / 'notes' / 'net.md').as_uri()}#L2)" in shown.stdout
    made = tmp_path / "router.org"
    shown = ask("export", kept[0], "-o", str(made))
    assert (shown.exit_code, shown.stdout, shown.stderr) == (0, "", f"khoj-ls: written to {made}\n")
    assert made.read_text(encoding="utf-8").startswith("#+title: how did I fix the router\n")
    assert json.loads(ask("export", kept[0], "--format", "json").stdout)["id"] == kept[0]
    told = json.loads(ask("export", kept[0], "--format", "org", "--json").stdout)
    assert (told["id"], told["format"], told["text"]) == (kept[0], "org", made.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["show", "zz"], "khoj-ls: there is no conversation zz: `khoj-ls conversations list` tells those there are"),
        (
            ["delete", "ab", "--json"],
            '{"error": {"code": "khoj.usage", "message": "say --yes as well: with --json nobody is asked"}}',
        ),
        (["export", "ab", "-o", "x.pdf"], "khoj-ls: x.pdf: say with --format what it is to be"),
        (["export", "ab", "-o", "notes/net.md"], "khoj-ls: notes/net.md is there already"),
        (["search", " "], "khoj-ls: say what to search for"),
        (["show"], "khoj-ls: Missing argument 'ID'"),
        (["burn"], "khoj-ls: No such command 'burn'"),
    ],
)
def test_wrong_usage(ask: Any, arguments: list[str], line: str) -> None:
    shown = ask(*arguments)
    assert shown.exit_code == 2
    assert (shown.stdout + shown.stderr).startswith(line)
