"""`khoj-ls doctor`: is everything there, and what to do where it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from khoj_ls.cli.checks import Check, all_checks
from khoj_ls.cli.errors import FAILURE, FOUND
from khoj_ls.cli.output import echo_json, plural, printable
from khoj_ls.cli.run import Run, chosen_vault, json_option, vault_option

_COLOURS = (("ok", "green"), ("warn", "yellow"), ("fail", "red"))
_HELP = """Check the installation, the settings, the daemon and the indexes.

Every line is ok, warn (works, but something is left out) or fail (something does not work), and says what to do. Nothing is
changed, and no daemon is started. Exit status: 0, or 3 when a check fails.

With --repair the daemon is ended first, and what is kept of your vaults is gone through: indexes are held against the notes and
made anew where they differ, damaged conversations are saved as far as they can be read. Damaged files are kept beside new ones.
Without --vault that is done for all vaults.

\b
Examples:
  khoj-ls doctor
  khoj-ls doctor --vault ~/notes --json
  khoj-ls doctor --repair
"""


@click.command("doctor", help=_HELP)
@vault_option
@click.option("--repair", is_flag=True, help="Repair what is damaged of indexes, conversations and queues, then check.")
@json_option
@click.pass_obj
def command(run: Run, vault: Path | None, repair: bool) -> int:
    """Check and show."""
    repaired = _repair(run, chosen_vault(vault).resolve() if vault else None) if repair else []
    checks: list[Check] = []
    for check in all_checks(chosen_vault(vault)):
        checks.append(check)
        if not run.json:
            _show(check)
    failed = sum(check.state == "fail" for check in checks) + sum(each["state"] == "failed" for each in repaired)
    warned = sum(check.state == "warn" for check in checks)
    if run.json:
        more = {"repairs": repaired} if repair else {}
        echo_json({"ok": not failed, "checks": [vars(check) for check in checks], **more})
    else:
        click.echo(f"{plural(len(checks), 'check')}: {failed} failed, {plural(warned, 'warning')}")
    return FAILURE if failed else FOUND


def _repair(run: Run, only: Path | None) -> list[dict[str, Any]]:
    """Repair and show; what was done."""
    from khoj_ls.cli.repairs import repairs
    from khoj_ls.config.paths import folders

    done = []
    for each in repairs(folders(), only):
        done.append(vars(each))
        if not run.json:
            colour = {"intact": "green", "repaired": "yellow", "failed": "red"}[each.state]
            click.echo(f"{click.style(each.state, fg=colour)}  {each.name}: {printable(each.message)}")
    return done


def _show(check: Check) -> None:
    state = click.style(check.state.ljust(4), fg=dict(_COLOURS)[check.state], bold=check.state != "ok")
    click.echo(f"{state}  {check.name}: {printable(check.message)}")
    if check.advice:
        click.echo(f"      {printable(check.advice)}")
