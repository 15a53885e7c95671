"""VS Code as code-server in Chromium, with the extension as `make vsix` packs it: one window for all browser tests."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from editor_desk import TOP, Desk

EXTENSION = TOP / "editors" / "vscode"
TESTS = Path(__file__).parent / "vscode"
SCRIPTS = ("search.test.mjs",)
NAMES = [
    name for script in SCRIPTS for name in re.findall(r"^test\('((?:[^'\\]|\\.)+)'", (TESTS / script).read_text(), re.MULTILINE)
]
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
    assert told == {each["command"]: each["key"] for each in manifest["keybindings"]}


@pytest.fixture(scope="module")
def setup(
    desk: Desk, code_server: list[Path], vsix: Path, chromium: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """code-server on the desk's notes with the extension installed: the file that tells the browser where."""
    base = tmp_path_factory.mktemp("vscode")
    # Where pipx puts it: VS Code has the search path of a login shell, not ours.
    (desk.person / ".local" / "bin").mkdir(parents=True)
    (desk.person / ".local" / "bin" / "khoj-ls").symlink_to(Path(sys.executable).parent / "khoj-ls")
    user = base / "user"
    (user / "User").mkdir(parents=True)
    (user / "Machine").mkdir()
    (user / "User" / "settings.json").write_text(json.dumps(USER_SETTINGS))
    (base / "code-server.yaml").write_text("auth: none\n")
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
            "chromium": str(chromium),
            "scripts": SCRIPTS,
            "screens": str(screens),
            "failures": os.environ.get("KHOJ_LS_FAILURES", str(base)),
            "userSettings": str(user / "User" / "settings.json"),
            "machineSettings": str(user / "Machine" / "settings.json"),
        }
        (base / "setup.json").write_text(json.dumps(told))
        yield base / "setup.json"


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


@pytest.fixture(scope="module")
def told(desk: Desk, code_server: list[Path], setup: Path) -> Mapping[str, str | None]:
    """What each browser test says: None, or what went wrong."""
    done = subprocess.run(
        [str(code_server[0]), "run.mjs", str(setup), os.environ.get("KHOJ_LS_ONLY", "")],
        cwd=TESTS,
        env=desk.environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    print(done.stdout, done.stderr)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return {each["name"]: each["error"] for each in results}


@pytest.mark.parametrize("name", NAMES)
def test_in_the_browser(told, name):
    assert name in told, f"only these were run: {', '.join(told)}"
    assert told[name] is None, told[name]
