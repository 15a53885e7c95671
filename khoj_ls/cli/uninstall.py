"""`khoj-ls uninstall`: what khoj-ls made on this machine is listed, and then removed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from khoj_ls.cli.errors import FOUND
from khoj_ls.cli.made import Made, left, made, remove
from khoj_ls.cli.output import columns, echo_json, note, plural, printable, size
from khoj_ls.cli.run import Run, json_option
from khoj_ls.config.paths import folders
from khoj_ls.core.errors import DaemonError, KhojError, UsageError

_HELP = """Remove what khoj-ls made: indexes, prepared models, conversations, logs, the socket, the service.

It is listed first, and you are asked. Your notes are never touched; neither are files that you put into its folders, such as
chat models. Your settings, keys, personas and plugins stay too, unless you say --config. The program itself is removed as it
was installed, with pip or pipx.

\b
Examples:
  khoj-ls uninstall --dry-run
  khoj-ls uninstall --keep-conversations
  khoj-ls uninstall --config --yes
"""


@click.command("uninstall", help=_HELP)
@click.option("--dry-run", is_flag=True, help="Only list it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--keep-conversations", is_flag=True, help="Keep what was asked and answered, and chat files.")
@click.option("--config", is_flag=True, help="Also settings, keys, personas and plugins.")
@json_option
@click.pass_obj
def command(run: Run, dry_run: bool, yes: bool, keep_conversations: bool, config: bool) -> int:
    """List, ask, remove."""
    here = folders()
    found = made(here, conversations=not keep_conversations, config=config)
    unit = _service()
    listed = [*([Made("service", unit)] if unit else []), *found]
    if not run.json:
        _show(listed)
    if not dry_run:
        _agree(listed, yes=yes)
        _end(unit)
        # Its last words are in the log, and the log is in the list.
        remove(made(here, conversations=not keep_conversations, config=config), here)
    kept = left(here) if not dry_run else []
    if run.json:
        told = [{"what": each.what, "path": str(each.path)} for each in listed]
        echo_json({"removed": not dry_run, "made": told, "kept": [str(path) for path in kept]})
        return FOUND
    if not dry_run:
        note(f"removed {plural(len(listed), 'item')}")
        for path in kept:
            note(f"kept: {path}")
        note("to remove the program: pip uninstall khoj-ls; keys in the system's keyring: keyring del khoj-ls NAME")
    return FOUND


def _show(listed: list[Made]) -> None:
    sizes = {each.path: each.bytes for each in listed}
    columns([(size(sizes[each.path]), f"{each.path} ({each.what})") for each in listed])
    total = size(sum(sizes.values()))
    click.echo(f"{plural(len(listed), 'item')}, {total}" if listed else "there is nothing that khoj-ls made")


def _agree(listed: list[Made], *, yes: bool) -> None:
    if yes or not listed:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("nothing was removed, since nobody can be asked: say --yes, or --dry-run to see the list")
    click.confirm(f"Remove {plural(len(listed), 'item')} for good?", err=True, abort=True)


def _service() -> Path | None:
    """The file of the installed service."""
    from khoj_ls.daemon import service

    try:
        wanted = service.service(service.usual_kind(), os.environ, Path.home())
    except (DaemonError, RuntimeError):  # there are none on this system, or no home to look in
        return None
    return wanted.path if wanted.installed else None


def _end(unit: Path | None) -> None:
    """End the service and the daemon. Raises KhojError."""
    from khoj_ls.daemon import launch, service

    if unit:
        service.uninstall(service.service(service.usual_kind(), os.environ, Path.home()))
    try:
        launch.stop()
    except KhojError as error:
        raise DaemonError(f"nothing was removed: {printable(str(error))}") from error
