"""The daemon as a service of the user's session: a systemd user unit on Linux, a launch agent on macOS.

No one needs it: whoever wants the daemon starts it. As a service it is there before the first editor, and stays.
"""

from __future__ import annotations

import contextlib
import os
import plistlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from khoj_ls.core.errors import DaemonError

Kind = Literal["systemd", "launchd"]

UNIT = "khoj-ls.service"
LABEL = "khoj-ls.daemon"
_MARK = "# Written by `khoj-ls daemon install`; `systemctl --user edit khoj-ls` keeps changes of yours."
_SECONDS = 60.0
"""How long one command of the service manager may take."""

_FOLDERS = ("KHOJ_LS_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
"""Where the user's shells find the index, the service must find it too. Keys are no part of it: they come with sessions."""


@dataclass(frozen=True)
class Service:
    """What is written, and what the service manager is told."""

    kind: Kind
    path: Path
    content: bytes
    mark: bytes
    """What the file holds if it is ours."""
    enabling: tuple[tuple[str, ...], ...]
    """Commands, one after the other, once the file is there."""
    disabling: tuple[tuple[str, ...], ...]
    """Commands before the file goes; they may fail where the service is not running."""
    removed: tuple[tuple[str, ...], ...] = ()
    """Commands once the file is gone."""

    @property
    def installed(self) -> bool:
        """Whether the file is there and ours."""
        try:
            return self.mark in self.path.read_bytes()
        except OSError:
            return False


def usual_kind() -> Kind:
    """The service manager of this system. Raises DaemonError where there is none."""
    if sys.platform == "darwin":
        return "launchd"
    if sys.platform.startswith("linux"):
        return "systemd"
    raise DaemonError("there is no service to install on this system: the daemon starts with the first editor that needs it")


def service(kind: Kind, environment: Mapping[str, str], home: Path, python: str = sys.executable) -> Service:
    """The service for a user with this environment and home folder."""
    command = (python, "-m", "khoj_ls.daemon.run", "--foreground", "--stay")
    kept = {name: str(Path(value).expanduser().absolute()) for name in _FOLDERS if (value := environment.get(name))}
    # As a daemon that a shell starts has it: threads that wait for each other make a search slower.
    variables = {"OPENBLAS_NUM_THREADS": "1", **kept}
    return _launchd(command, variables, home) if kind == "launchd" else _systemd(command, variables, environment, home)


def install(wanted: Service) -> None:
    """Write the file and start the service, in place of a daemon that runs. Raises DaemonError; nothing is left then."""
    if wanted.path.exists() and not wanted.installed:
        raise DaemonError(f"{wanted.path} is there and was not written by khoj-ls: move it away first")
    from khoj_ls.daemon import launch

    try:
        wanted.path.parent.mkdir(parents=True, exist_ok=True)
        wanted.path.write_bytes(wanted.content)
    except OSError as error:
        raise DaemonError(f"{wanted.path} cannot be written: {error.strerror or error}") from error
    *made_known, start = wanted.enabling
    try:
        for command in made_known:
            _told(command)
        # The service would find the place taken, and end.
        launch.stop()
        _told(start)
    except DaemonError:
        uninstall(wanted)
        raise


def uninstall(wanted: Service) -> bool:
    """Stop the service and remove its file; False when it was not there. Raises DaemonError."""
    if not wanted.installed:
        return False
    for command in wanted.disabling:
        # It may not run, or there is no manager any more: the file goes all the same.
        with contextlib.suppress(DaemonError):
            _told(command)
    try:
        wanted.path.unlink(missing_ok=True)
    except OSError as error:
        raise DaemonError(f"{wanted.path} cannot be removed: {error.strerror or error}") from error
    for command in wanted.removed:
        with contextlib.suppress(DaemonError):
            _told(command)
    return True


def _systemd(command: Sequence[str], variables: Mapping[str, str], environment: Mapping[str, str], home: Path) -> Service:
    config = environment.get("XDG_CONFIG_HOME")
    folder = Path(config) if config else home / ".config"
    started = " ".join(_quoted(word, line=True) for word in command)
    lines = "".join(f"Environment={_quoted(f'{name}={value}')}\n" for name, value in variables.items())
    systemctl = ("systemctl", "--user")
    return Service(
        kind="systemd",
        path=folder / "systemd" / "user" / UNIT,
        content=_UNIT.format(mark=_MARK, command=started, environment=lines).encode(),
        mark=_MARK.encode(),
        enabling=((*systemctl, "daemon-reload"), (*systemctl, "enable", UNIT), (*systemctl, "restart", UNIT)),
        disabling=((*systemctl, "disable", "--now", UNIT),),
        removed=((*systemctl, "daemon-reload"),),
    )


_UNIT = """\
{mark}
[Unit]
Description=khoj-ls, search over notes
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=exec
ExecStart={command}
{environment}WorkingDirectory=/
Restart=on-failure
RestartSec=2
TimeoutStopSec=10
# A parser or an encoder that needs too much memory ends alone.
OOMPolicy=continue
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native

[Install]
WantedBy=default.target
"""


def _quoted(word: str, *, line: bool = False) -> str:
    """`word` as systemd reads it back (systemd.syntax, systemd.service): in quotes, with nothing left to be expanded."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped.replace("$", "$$") if line else escaped}"'


def _launchd(command: Sequence[str], variables: Mapping[str, str], home: Path) -> Service:
    told = {
        "Label": LABEL,
        "ProgramArguments": list(command),
        "EnvironmentVariables": dict(variables),
        "WorkingDirectory": "/",
        "RunAtLoad": True,
        # Started again when it fails, not when it was told to stop.
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "Umask": 0o077,
        # It has a log of its own.
        "StandardOutPath": os.devnull,
        "StandardErrorPath": os.devnull,
    }
    path = home / "Library" / "LaunchAgents" / f"{LABEL}.plist"
    domain = f"gui/{os.getuid() if hasattr(os, 'getuid') else 0}"
    return Service(
        kind="launchd",
        path=path,
        content=plistlib.dumps(told, sort_keys=False),
        mark=f"<string>{LABEL}</string>".encode(),
        enabling=(("launchctl", "bootstrap", domain, str(path)),),
        disabling=(("launchctl", "bootout", f"{domain}/{LABEL}"),),
    )


def _told(command: Sequence[str]) -> None:
    """Run one command of the service manager. Raises DaemonError with its last words."""
    shown = " ".join(command)
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DaemonError(f"`{shown}` cannot be run ({error}): the daemon starts without a service, too") from error
    if done.returncode:
        words = (done.stderr or done.stdout).strip() or f"exit status {done.returncode}"
        raise DaemonError(f"`{shown}` failed: {words}; the daemon starts without a service, too")
