"""VS Code as code-server in Chromium, with the extension that `make vsix` checks and packs: one window for browser tests."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from chat_server import ChatServer
from editor_desk import TOP, Desk

EXTENSION = TOP / "editors" / "vscode"
TESTS = Path(__file__).parent / "vscode"
SCRIPTS = tuple(f"{name}.test.mjs" for name in ("trust", "screens", "search", "notes", "views", "chat", "server"))
NAMES = [
    name for script in SCRIPTS for name in re.findall(r"^test\('((?:[^'\\]|\\.)+)'", (TESTS / script).read_text(), re.MULTILINE)
]
DESK = {
    "links.md": "# Links\n\n😀 日本語 before the caret\n",
    "links.org": "#+title: Links\n\n😀 日本語 before the caret\n",
    "mention.md": "# What we bake\n\nZwiebelkuchen is for October, with new wine.\n\n",
    "toc.md": "# Contents\n\nText.\n\n## First\n\nOne.\n\n## Second\n\nTwo.\n",
    "rename.md": "# Names\n\n## Old name\n\nText.\n",
    "capture.md": "# Bread\n\nRye rises slowly, and best at dawn.\n",
    "refile-from.md": "# Animals\n\n## Feeding the quokka\n\nFeed the quokka at noon.\n\n## Other\n\nStays.\n",
    "refile-to.md": "# Quokkas\n\nWhat a quokka eats, and when it is fed.\n",
    "refile-from.org": "#+title: Animals\n\n* Rent\nPaid on the first.\n* Other\nStays.\n",
    "ledger.org": "#+title: Ledger\n\nWater, power, telephone.\n",
    "bees.md": "# Bees\n\nThe colony went into winter with fifteen kilograms of honey.\n",
    "log-of-one.md": "# Log of one\n\n",
    "log-of-the-other.md": "# Log of the other\n\n\n",
    "answer.md": "# Answer\n\nBelow:\n\nThe end.\n",
    "referrer.md": "# Referrer\n\n😀 日本語 [[rename#Old name]] too\n",
}
"""Notes that the tests write in."""
HOSTILE = (
    "![a](https://evil.example/a.png) <img src=https://evil.example/b.png onerror=\"document.title='c'\"> "
    "<script>document.title='d'</script>\n\n[e](javascript:document.title='f') [g](command:workbench.action.quit) "
    "[h](https://evil.example/h) <svg onload=alert(1)>\n\n"
    "```html\n<iframe src=https://evil.example/i></iframe>\n```\n\nharmless end"
)
SERVICES = """
[chat.providers.hostile]
base_url = "{hostile}"
[chat.models.hostile]
provider = "hostile"
model = "m"
window = 8000
"""
"""A service on this machine that answers with what would do harm."""
USER_SETTINGS = {
    "security.workspace.trust.startupPrompt": "never",
    "security.workspace.trust.banner": "never",
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "workbench.startupEditor": "none",
    "workbench.enableExperiments": False,
    "workbench.tips.enabled": False,
    "extensions.autoUpdate": False,
    "extensions.autoCheckUpdates": False,
    "chat.commandCenter.enabled": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "window.commandCenter": False,
    "editor.hover.delay": 100,
    "editor.minimap.enabled": False,
    "workbench.reduceMotion": "on",
    "files.autoSave": "afterDelay",
    "files.autoSaveDelay": 100,
    "khoj-ls.search.limit": 7,
}
"""A window that stands still, asks nothing and looks nothing up."""


def test_settings_and_requests_are_those_of_the_server():
    done = subprocess.run(
        [sys.executable, EXTENSION / "scripts" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_readme_names_every_command_and_no_other():
    manifest = json.loads((EXTENSION / "package.json").read_text())["contributes"]
    rows = {"khoj-ls.openRowToSide", "khoj-ls.insertRowLink"}
    commands = {each["command"] for each in manifest["commands"]} - rows
    readme = (EXTENSION / "README.md").read_text()
    named = set(re.findall(r"`(khoj-ls\.[\w.]+)`", readme)) - {"khoj-ls.server.path", "khoj-ls.trace.server"}
    assert named == commands


def test_readme_names_the_keys():
    manifest = json.loads((EXTENSION / "package.json").read_text())["contributes"]
    rows = re.findall(r"^\|.*\| (.*) \| `([^|]*)`[^|]*\|$", (EXTENSION / "README.md").read_text(), re.MULTILINE)
    told = {commands.split("`")[1]: key.lower() for commands, key in rows}
    assert told.pop("khoj-ls.chat.stop") == "esc"  # in the chat's page
    assert told == {each["command"]: each["key"].replace("shift+/", "?") for each in manifest["keybindings"]}


KEYS = [
    {
        "key": "ctrl+alt+q",
        "command": "runCommands",
        "args": {"commands": ["notifications.clearAll", "workbench.action.closeAllEditors"]},
    }
]
"""What tidies the window up between tests."""


@pytest.fixture(scope="module")
def hostile() -> Iterator[ChatServer]:
    """A chat service whose answers mean harm."""
    with ChatServer([HOSTILE]) as service:
        yield service


@pytest.fixture(scope="module")
def setup(
    desk: Desk,
    hostile: ChatServer,
    code_server: list[Path],
    vsix: Path,
    chromium: Path,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Path]:
    """code-server on the desk's notes with the extension installed: the file that tells the browser where."""
    base = tmp_path_factory.mktemp("vscode")
    # Where pipx puts it: VS Code has the search path of a login shell, not ours.
    (desk.person / ".local" / "bin").mkdir(parents=True)
    (desk.person / ".local" / "bin" / "khoj-ls").symlink_to(Path(sys.executable).parent / "khoj-ls")
    user = base / "user"
    (user / "User").mkdir(parents=True)
    (user / "User" / "settings.json").write_text(json.dumps(USER_SETTINGS))
    (user / "User" / "keybindings.json").write_text(json.dumps(KEYS))
    (base / "code-server.yaml").write_text("auth: none\n")
    (desk.notes / "desk").mkdir()
    for name, text in DESK.items():
        (desk.notes / "desk" / name).write_text(text)
    with (desk.home / "config" / "config.toml").open("a") as config:
        config.write(SERVICES.format(hostile=hostile.url))
    desk.khoj("daemon", "stop")
    desk.khoj("index", desk.notes)
    command = [
        *code_server,
        "--user-data-dir",
        user,
        "--extensions-dir",
        base / "extensions",
        "--config",
        base / "code-server.yaml",
    ]
    desk.run([*command, "--install-extension", vsix])
    screens = TOP / "docs" / "screens" if os.environ.get("KHOJ_LS_SCREENS") == "write" else base
    screens.mkdir(exist_ok=True)
    with serving(desk, [*command, "--auth", "none", "--bind-addr", "127.0.0.1:0"], base / "code-server.log") as url:
        told = {
            "url": url,
            "notes": str(desk.notes),
            "desk": DESK,
            "chromium": str(chromium),
            "scripts": SCRIPTS,
            "screens": str(screens),
            "failures": os.environ.get("KHOJ_LS_FAILURES", str(base)),
            "nvim": beside(request),
            "program": str(desk.person / ".local" / "bin" / "khoj-ls"),
        }
        (base / "setup.json").write_text(json.dumps(told))
        yield base / "setup.json"


def beside(request: pytest.FixtureRequest) -> dict[str, str] | None:
    """How the tests start a Neovim beside VS Code; None where there is none: the test that wants it is skipped."""
    try:
        program = request.getfixturevalue("nvim")
    except pytest.skip.Exception:
        return None
    editors = TOP / "editors"
    script, snippet = Path(__file__).parent / "several" / "editor.lua", editors / "others" / "nvim" / "init.lua"
    return {"program": str(program), "script": str(script), "SNIPPET": str(snippet), "PLUGIN": str(editors / "nvim")}


@contextmanager
def serving(desk: Desk, command: list[str | Path], log: Path) -> Iterator[str]:
    """A running code-server; its address."""
    quiet = ["--disable-telemetry", "--disable-update-check", "--disable-getting-started-override"]
    with log.open("w") as out:
        process = subprocess.Popen(
            [*map(str, command), *quiet],
            env=desk.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=out,
            text=True,
        )
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"listening on (http://127\.0\.0\.1:\d+)", line):
                break
        else:
            pytest.fail("code-server did not start:\n" + "".join(said) + log.read_text())
        yield found[1]
    finally:
        process.terminate()
        process.wait(10)


def test_parts_without_an_editor(code_server, vsix, tmp_path):
    files = sorted((TESTS / "unit").glob("*.test.ts"))
    bundle = [EXTENSION / "node_modules" / ".bin" / "esbuild", *files, "--bundle", "--platform=node", "--format=esm"]
    for command in (
        [*bundle, "--out-extension:.js=.mjs", f"--outdir={tmp_path}", "--log-level=warning"],
        [code_server[0], "--test", *(tmp_path / f"{file.stem}.mjs" for file in files)],
    ):
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def told(desk: Desk, code_server: list[Path], setup: Path) -> Mapping[str, str | None]:
    """What each browser test says: None, or what went wrong."""
    done = subprocess.run(
        [str(code_server[0]), "run.mjs", str(setup), os.environ.get("KHOJ_LS_ONLY", "")],
        cwd=TESTS,
        # Only what fails waits so long, and a machine that does much else is slow.
        env={"KHOJ_LS_WAIT": "45000", **desk.environment},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    print(done.stdout, done.stderr)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    for each in results:
        if each["first"] and not each["error"]:
            warnings.warn(f"only the second try of {each['name']!r} passed; the first: {each['first']}", stacklevel=1)
    return {each["name"]: each["error"] for each in results}


@pytest.mark.parametrize("name", NAMES)
def test_in_the_browser(told, name, request):
    if name.startswith("Neovim"):
        request.getfixturevalue("nvim")
    assert name in told, f"only these were run: {', '.join(told)}"
    assert told[name] is None, told[name]
