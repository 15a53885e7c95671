"""`khoj-ls daemon`: the background process that all editors and shells share."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from khoj_ls.cli.errors import FOUND, NOTHING
from khoj_ls.cli.log_lines import LEVELS, LogFile, records
from khoj_ls.cli.output import columns, duration, echo_json, json_bytes, note
from khoj_ls.cli.run import Run, json_option
from khoj_ls.core.errors import DaemonError, UsageError

if TYPE_CHECKING:
    from khoj_ls.daemon.service import Kind

_FOLLOW_SECONDS = 0.2


@click.group("daemon", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Start, stop and look at the background process.

    It is started by whatever needs it and ends by itself when nobody has used it for a while (daemon.idle_exit_seconds). As a
    service of your session (install) it is there before the first editor, and stays.
    """


@command.command("start")
@json_option
@click.pass_obj
def start(run: Run) -> int:
    """Start the daemon, unless it is running."""
    from khoj_ls.daemon.client import DaemonClient

    with DaemonClient.connect(start=True) as daemon:
        if run.json:
            echo_json({"daemon": {"pid": daemon.pid, "version": daemon.version}})
        else:
            click.echo(f"khoj-ls {daemon.version} is running (process {daemon.pid})")
    return FOUND


@command.command("stop")
@json_option
@click.pass_obj
def stop(run: Run) -> int:
    """End the daemon. Editors start it again when they need it."""
    from khoj_ls.daemon import launch

    stopped = launch.stop()
    if run.json:
        echo_json({"stopped": stopped})
    else:
        click.echo("stopped" if stopped else "no daemon was running")
    return FOUND


@command.command("status")
@json_option
@click.pass_obj
def status(run: Run) -> int:
    """Say whether the daemon runs: exit status 0 when it does, 1 when it does not."""
    from khoj_ls.daemon import launch

    found = launch.status()
    if run.json:
        echo_json({"daemon": found})
    elif found is None:
        note("no daemon is running")
    else:
        columns(
            [
                ("version", str(found["version"])),
                ("process", f"{found['pid']}, up {duration(found['uptime_seconds'])}"),
                ("sessions", str(found["sessions"])),
                ("log", found["log"]),
            ]
        )
    return NOTHING if found is None else FOUND


@command.command("logs")
@click.option("-n", "--lines", type=click.IntRange(0), default=50, show_default=True, help="How many of the last lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
@click.option("--level", type=click.Choice(LEVELS), default="debug", help="Only what is at least as grave.")
@json_option
@click.pass_obj
def logs(run: Run, lines: int, follow: bool, level: str) -> int:
    """Print the end of the daemon's log; with --json one object a line, whichever way the log is written."""
    from khoj_ls.daemon.launch import log_path

    path = log_path()
    if not path.exists() and not follow:
        note(f"{path} is not there: no daemon has run yet")
        return NOTHING
    log = LogFile(path)
    try:
        _show_records(log.last(lines), level, as_json=run.json)
        while follow:
            sys.stdout.flush()
            time.sleep(_FOLLOW_SECONDS)  # as tail -f does: no watcher is worth its start here
            _show_records(log.new(), level, as_json=run.json)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise DaemonError(f"{path} cannot be read: {error.strerror}") from error
    return FOUND


def _show_records(lines: Sequence[str], level: str, *, as_json: bool) -> None:
    for record in records(lines):
        if record.reaches(level):
            click.echo(json_bytes(record.json()) if as_json else "\n".join(record.lines()))


@command.command("install")
@click.option("--print", "only_print", is_flag=True, help="Print the file and the commands; write and start nothing.")
@click.option("--kind", type=click.Choice(("systemd", "launchd")), help="Of another system, with --print.")
@json_option
@click.pass_obj
def install_service(run: Run, only_print: bool, kind: Kind | None) -> int:
    """Make the daemon a service of your session: a systemd user unit, or a launch agent on macOS."""
    from khoj_ls.daemon import service

    if kind and not only_print:
        raise UsageError("--kind is for --print: what is installed is for this system")
    wanted = service.service(kind or service.usual_kind(), os.environ, Path.home())
    if not only_print:
        service.install(wanted)
    if run.json:
        told = {"kind": wanted.kind, "path": str(wanted.path), "installed": not only_print, "content": wanted.content.decode()}
        echo_json({**told, "commands": [list(command) for command in wanted.enabling]})
    elif only_print:
        note(f"would be written to {wanted.path}, and then: {'; '.join(map(shlex.join, wanted.enabling))}")
        click.echo(wanted.content, nl=False)
    else:
        note(f"written to {wanted.path}; the daemon runs as a service now")
        if wanted.kind == "systemd":
            note("to have it without a login as well: loginctl enable-linger")
    return FOUND


@command.command("uninstall")
@json_option
@click.pass_obj
def uninstall_service(run: Run) -> int:
    """Stop the service and remove its file. Editors start the daemon themselves then. Exit status 1 when there was none."""
    from khoj_ls.daemon import service

    wanted = service.service(service.usual_kind(), os.environ, Path.home())
    removed = service.uninstall(wanted)
    if run.json:
        echo_json({"path": str(wanted.path), "removed": removed})
    else:
        note(f"removed {wanted.path}" if removed else f"there is no service: {wanted.path} is not there, or not ours")
    return FOUND if removed else NOTHING
