"""The daemon as a service: what is written for systemd and launchd, and what the service manager is told."""

from __future__ import annotations

import json
import os
import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from khoj_ls.cli.app import program
from khoj_ls.cli.checks.process import _service
from khoj_ls.core.errors import DaemonError
from khoj_ls.daemon import launch
from khoj_ls.daemon.service import LABEL, install, service, uninstall

# Every character that the syntax of systemd gives a meaning to.
PYTHON = '/opt/my "py"\\t $HOME %h/python3'
ENVIRONMENT = {
    "KHOJ_LS_HOME": "/srv/n %i",
    "XDG_DATA_HOME": "/data",
    "OPENAI_API_KEY": "sk-secret",
    "PATH": "/bin",
    "HOME": "/h",
}
RUN = ["-m", "khoj_ls.daemon.run", "--foreground", "--stay"]


def test_the_unit():
    made = service("systemd", ENVIRONMENT, Path("/h"), PYTHON)
    lines = made.content.decode().splitlines()
    assert made.path == Path("/h/.config/systemd/user/khoj-ls.service")
    assert 'ExecStart="/opt/my \\"py\\"\\\\t $$HOME %%h/python3" "-m" "khoj_ls.daemon.run" "--foreground" "--stay"' in lines
    assert [line for line in lines if line.startswith("Environment=")] == [
        'Environment="OPENBLAS_NUM_THREADS=1"', 'Environment="KHOJ_LS_HOME=/srv/n %%i"', 'Environment="XDG_DATA_HOME=/data"',
    ]  # fmt: skip
    assert {"Type=exec", "Restart=on-failure", "UMask=0077", "NoNewPrivileges=yes", "WantedBy=default.target"} <= {*lines}


def test_the_launch_agent():
    made = service("launchd", ENVIRONMENT, Path("/h"), PYTHON)
    told = plistlib.loads(made.content)
    assert made.path == Path(f"/h/Library/LaunchAgents/{LABEL}.plist")
    assert told["ProgramArguments"] == [PYTHON, *RUN]
    assert told["EnvironmentVariables"] == {"OPENBLAS_NUM_THREADS": "1", "KHOJ_LS_HOME": "/srv/n %i", "XDG_DATA_HOME": "/data"}
    assert (told["RunAtLoad"], told["KeepAlive"], told["Umask"]) == (True, {"SuccessfulExit": False}, 0o077)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
@pytest.mark.parametrize("home", ["/srv/notes", '/srv/my "notes" \\t $HOME %h'])
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path, home):
    made = service("systemd", {"KHOJ_LS_HOME": home}, tmp_path)
    unit = tmp_path / "khoj-ls.service"
    unit.write_bytes(made.content)
    (tmp_path / "run").mkdir(mode=0o700)
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", str(unit)], env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def manager(home, tmp_path, monkeypatch):
    """A service manager that keeps what it is told, and refuses the commands that are named in the file `refused`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "systemctl"
    program.write_text(
        f'#!/bin/sh\necho "$*" >> {tmp_path}/told\n'
        f'if grep -qx "$2" {tmp_path}/refused 2>/dev/null; then echo no bus >&2; exit 1; fi\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return tmp_path


def told(manager):
    path = manager / "told"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


def test_it_is_installed_and_removed(manager):
    made = service("systemd", {}, manager)
    assert not made.installed and not uninstall(made)
    install(made)
    assert made.installed and made.path.read_bytes() == made.content
    assert told(manager) == ["--user daemon-reload", "--user enable khoj-ls.service", "--user restart khoj-ls.service"]
    install(made)
    assert uninstall(made) and not made.path.exists()
    assert told(manager)[-2:] == ["--user disable --now khoj-ls.service", "--user daemon-reload"]


def test_a_daemon_that_runs_makes_room(manager, toys):
    toys.start()
    install(service("systemd", {}, manager))
    assert toys.pid is None


def test_where_the_manager_refuses_nothing_is_left(manager):
    (manager / "refused").write_text("restart\n")
    made = service("systemd", {}, manager)
    with pytest.raises(DaemonError, match=r"`systemctl --user restart khoj-ls.service` failed: no bus"):
        install(made)
    assert not made.path.exists()
    assert "--user disable --now khoj-ls.service" in told(manager)


def test_a_file_of_the_users_own_is_left_alone(manager):
    made = service("systemd", {}, manager)
    made.path.parent.mkdir(parents=True)
    made.path.write_text("[Service]\nExecStart=/bin/mine\n")
    with pytest.raises(DaemonError, match="was not written by khoj-ls"):
        install(made)
    assert not uninstall(made)
    assert (made.path.read_text().splitlines()[0], told(manager)) == ("[Service]", [])


def test_a_service_does_not_end_when_nobody_comes(toys, home):
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text("daemon.idle_exit_seconds = 0.05\n")
    command = plistlib.loads(service("launchd", {}, home).content)["ProgramArguments"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
    process.stderr = process.stdout
    toys.processes.append(process)
    assert process.stdout.readline() == b"ready\n"
    # It would be gone by then: asking is no session.
    toys.wait_until(lambda: launch.status()["uptime_seconds"] > 0.5, "a daemon ten times older than it may be")


def test_what_would_be_installed_is_shown_and_nothing_written(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    shown = CliRunner().invoke(program, ["daemon", "install", "--print", "--kind", "systemd"])
    assert (shown.exit_code, shown.stdout) == (0, service("systemd", os.environ, tmp_path).content.decode())
    told = json.loads(CliRunner().invoke(program, ["daemon", "install", "--print", "--kind", "launchd", "--json"]).stdout)
    documented = (
        (Path(__file__).parents[2] / "docs" / "cli.md").read_text().partition("```json service\n")[2].partition("```")[0]
    )
    assert list(told) == list(json.loads(documented))
    assert (told["kind"], told["installed"]) == ("launchd", False)
    assert list(tmp_path.iterdir()) == []


def test_doctor_tells_a_service_of_another_installation(manager, monkeypatch):
    monkeypatch.setenv("HOME", str(manager))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr("khoj_ls.daemon.service.usual_kind", lambda: "systemd")
    assert list(_service()) == []
    made = service("systemd", os.environ, manager)
    install(made)
    assert [check.state for check in _service()] == ["ok"]
    made.path.write_bytes(made.content.replace(b"khoj_ls.daemon.run", b"khoj_ls.older"))
    (found,) = _service()
    assert (found.state, found.advice) == ("warn", "run: khoj-ls daemon install")
