"""`khoj-ls status`: the daemon, the vaults, and why a file is or is not indexed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from khoj_ls.cli.connection import connect
from khoj_ls.cli.errors import FOUND, NOTHING
from khoj_ls.cli.index import show_problems
from khoj_ls.cli.output import columns, duration, echo_json, note, plural, printable, size
from khoj_ls.cli.progress import PHASES
from khoj_ls.cli.run import Run, chosen_vault, json_option, present_vault_around, run_options, vault_option

_HELP = """Show the daemon and its vaults, or why a file is or is not indexed.

Without --vault the open vaults of a running daemon are shown, and no daemon is started to say that there is none. With
--vault that vault is opened. Exit status of --why: 0 when the file is indexed, 1 when it is not.

\b
Examples:
  khoj-ls status
  khoj-ls status --vault ~/notes --json
  khoj-ls status --why ~/notes/drafts/plan.md
"""


_SEARCHED = MappingProxyType({"exact": ", searched one by one", "hnsw": ", searched by an HNSW index"})
"""By what answers by meaning; nothing where no search has asked for it yet."""


@click.command("status", help=_HELP)
@vault_option
@click.option(
    "--why", type=click.Path(path_type=Path), metavar="FILE", help="Say whether FILE is indexed, and what decides it."
)
@json_option
@run_options
@click.pass_obj
def command(run: Run, vault: Path | None, why: Path | None) -> int:
    """Ask and show."""
    if why is not None:
        path = why.expanduser().absolute()
        return _why(run, path, chosen_vault(vault) if vault else _vault_of(path))
    status = _status(run, vault)
    if run.json:
        echo_json(status)
    else:
        _show_daemon(status["daemon"], in_process=run.in_process)
        for one in status["vaults"]:
            _show_vault(one)
    return FOUND


def _status(run: Run, vault: Path | None) -> dict[str, Any]:
    if vault is None and not run.in_process:
        from khoj_ls.core.errors import DaemonError
        from khoj_ls.daemon.client import DaemonClient

        try:
            daemon = DaemonClient.connect(start=False)
        except DaemonError:
            return {"daemon": None, "vaults": []}
        with daemon:
            return dict(daemon.call("khoj/status", {}))
    with connect(run) as connection:
        return dict(connection.call("khoj/status", {"vault": str(chosen_vault(vault))}))


def _vault_of(path: Path) -> Path | None:
    found = present_vault_around(path)
    return present_vault_around(path / "note") if found is None and path.is_dir() else found


def _why(run: Run, path: Path, root: Path | None) -> int:
    if root is None:
        reason = "it lies in no vault: index its folder with `khoj-ls index DIR`, or name a vault with --vault"
        answer: dict[str, Any] = {"path": str(path), "indexed": False, "reason": reason, "rule": None}
    else:
        with connect(run) as connection:
            connection.call("khoj/status", {"vault": str(root)})  # opens the vault, where no marker says that the file is in it
            answer = connection.call("khoj/why", {"path": str(path)})
    if run.json:
        echo_json(answer)
    else:
        rule = f" ({answer['rule']})" if answer["rule"] else ""
        word = click.style("indexed", fg="green") if answer["indexed"] else click.style("not indexed", fg="yellow")
        click.echo(f"{printable(answer['path'])}: {word}: {printable(answer['reason'] + rule)}")
    return FOUND if answer["indexed"] else NOTHING


def _show_daemon(daemon: Mapping[str, Any] | None, *, in_process: bool) -> None:
    if daemon is None:
        if not in_process:
            note("no daemon is running; an editor, a search or `khoj-ls daemon start` starts it")
        return
    worker = daemon["worker"]
    click.secho(f"daemon {daemon['version']}", bold=True)
    rows = [
        ("process", f"{daemon['pid']}, up {duration(daemon['uptime_seconds'])}, {size(daemon['rss_bytes'])}"),
        ("sessions", str(daemon.get("sessions", 0))),
    ]
    if worker:
        about = f"{worker['model']}, {worker['backend']}" if worker["backend"] else worker["model"]
        memory = f", {size(worker['rss_bytes'])}" if worker["rss_bytes"] else ""
        rows.append(("encoder", f"{worker['state']} ({about}{memory})" + (f": {worker['error']}" if worker["error"] else "")))
    columns(rows)


def _meaning(vault: Mapping[str, Any]) -> str:
    if not vault["chunks"]:
        return "no passages yet" if vault["files"] else "no passages"
    done = f"{vault['embedded']:,} of {vault['chunks']:,} passages"
    share = f" ({vault['coverage']:.0%})" if vault["coverage"] < 1 else ""
    return done + share + _SEARCHED.get(vault["vectors"], "")


def _show_vault(vault: Mapping[str, Any]) -> None:
    click.secho(printable(vault["root"]), bold=True)
    left = f", {duration(vault['eta_seconds'])} left" if vault.get("eta_seconds") else ""
    doing = (
        f"{PHASES.get(vault['phase'], vault['phase'])}, {vault['queue']:,} waiting{left}" if vault["queue"] else vault["phase"]
    )
    columns(
        [
            ("notes", f"{plural(vault['files'], 'file')}, {plural(vault['entries'], 'entry')}"),
            ("meaning", _meaning(vault)),
            ("model", vault["model"]),
            ("index", size(vault["database_bytes"])),
            ("now", doing + (f": {vault['message']}" if vault["message"] else "")),
        ]
    )
    show_problems(vault)
