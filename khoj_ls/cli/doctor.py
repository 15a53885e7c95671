"""`khoj-ls doctor`: is everything there, and what to do where it is not."""

from __future__ import annotations

from pathlib import Path

import click

from khoj_ls.cli.checks import Check, all_checks
from khoj_ls.cli.errors import FAILURE, FOUND
from khoj_ls.cli.output import echo_json, plural, printable
from khoj_ls.cli.run import Run, chosen_vault, json_option, vault_option

_COLOURS = (("ok", "green"), ("warn", "yellow"), ("fail", "red"))
_HELP = """Check the installation, the settings, the daemon and the indexes.

Every line is ok, warn (works, but something is left out) or fail (something does not work), and says what to do. Nothing is
changed, and no daemon is started. Exit status: 0, or 3 when a check fails.

\b
Examples:
  khoj-ls doctor
  khoj-ls doctor --vault ~/notes --json
"""


@click.command("doctor", help=_HELP)
@vault_option
@json_option
@click.pass_obj
def command(run: Run, vault: Path | None) -> int:
    """Check and show."""
    checks: list[Check] = []
    for check in all_checks(chosen_vault(vault)):
        checks.append(check)
        if not run.json:
            _show(check)
    failed = sum(check.state == "fail" for check in checks)
    warned = sum(check.state == "warn" for check in checks)
    if run.json:
        echo_json({"ok": not failed, "checks": [vars(check) for check in checks]})
    else:
        click.echo(f"{plural(len(checks), 'check')}: {failed} failed, {plural(warned, 'warning')}")
    return FAILURE if failed else FOUND


def _show(check: Check) -> None:
    state = click.style(check.state.ljust(4), fg=dict(_COLOURS)[check.state], bold=check.state != "ok")
    click.echo(f"{state}  {check.name}: {printable(check.message)}")
    if check.advice:
        click.echo(f"      {printable(check.advice)}")
