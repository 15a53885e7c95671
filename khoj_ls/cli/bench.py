"""`khoj-ls bench`: how fast it is on this machine, with these notes."""

from __future__ import annotations

from pathlib import Path

import click

from khoj_ls.cli.errors import FOUND
from khoj_ls.cli.output import echo_json, note, printable
from khoj_ls.cli.run import Run, chosen_vault, json_option, vault_option

_PARTS = ("start", "search", "embedding")
_HELP = """Measure how fast khoj-ls is on this machine and with your notes, beside the goals it was made for.

Takes one to three minutes. A ratio is to the plain way of doing the same, measured in turns with it: on a machine that is
busy or slow it tells more than milliseconds do. Start-up is measured in a home of its own, searching in your daemon with
words out of your notes; what is asked and found is not kept and not shown. A figure without a goal is for orientation.

\b
Examples:
  khoj-ls bench
  khoj-ls bench --vault ~/notes --only search --json
"""


@click.command("bench", help=_HELP)
@vault_option
@json_option
@click.option("--only", type=click.Choice(_PARTS), multiple=True, help="Measure only this; may be given more than once.")
@click.option("--queries", type=click.IntRange(10, 10_000), default=100, show_default=True, help="How many searches.")
@click.pass_obj
def command(run: Run, vault: Path | None, only: tuple[str, ...], queries: int) -> int:
    """Measure and show."""
    # Here: what is measured imports numpy and the daemon's client.
    from khoj_ls.evaluation.speed.own_notes import PARTS, machine
    from khoj_ls.evaluation.speed.rows import lines

    root = chosen_vault(vault)
    rows = []
    for name in only or _PARTS:
        if not run.json:
            note(f"measuring: {name}")
        rows += list(PARTS[name](root, queries))
    about = machine()
    if run.json:
        echo_json({"machine": about, "rows": [each.json() for each in rows]})
    else:
        click.echo(", ".join(f"{name} {value}" for name, value in about.items()))
        for line in lines(rows):
            click.echo(printable(line))
    return FOUND
