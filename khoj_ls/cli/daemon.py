"""`khoj-ls daemon`: the background process that all editors and shells share."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path

import click

from khoj_ls.cli.errors import FOUND, NOTHING
from khoj_ls.cli.output import columns, duration, echo_json, note, printable
from khoj_ls.cli.run import Run, json_option
from khoj_ls.core.errors import DaemonError

_FOLLOW_SECONDS = 0.2


@click.group("daemon", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Start, stop and look at the background process.

    It is started by whatever needs it and ends by itself when nobody has used it for a while (daemon.idle_exit_seconds).
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
def logs(lines: int, follow: bool) -> int:
    """Print the end of the daemon's log."""
    from khoj_ls.daemon.launch import log_path

    path = log_path()
    if not path.exists() and not follow:
        note(f"{path} is not there: no daemon has run yet")
        return NOTHING
    end = _last_lines(path, lines)
    while follow:
        time.sleep(_FOLLOW_SECONDS)  # as tail -f does: no watcher is worth its start here
        end = _new_lines(path, end)
    return FOUND


def _last_lines(path: Path, count: int) -> int:
    """Print the last `count` lines; returns the offset behind them."""
    try:
        with path.open("rb") as log:
            for line in deque(log, maxlen=count):
                _echo(line)
            return log.tell()
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise DaemonError(f"{path} cannot be read: {error.strerror}") from error


def _new_lines(path: Path, start: int) -> int:
    """Print what was written behind `start`; a log that was begun anew is read from its beginning."""
    try:
        if path.stat().st_size < start:
            start = 0
        with path.open("rb") as log:
            log.seek(start)
            for line in log:
                if not line.endswith(b"\n"):  # still being written
                    break
                _echo(line)
                start += len(line)
            return start
    except FileNotFoundError:
        return 0


def _echo(line: bytes) -> None:
    click.echo(printable(line.decode(errors="replace").rstrip("\n")))
