"""`khoj-ls plugins`: which are loaded, what each brings, which processor reads which files, and what was refused and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from khoj_ls.cli.connection import connect
from khoj_ls.cli.errors import FOUND
from khoj_ls.cli.output import columns, echo_json, note, plural, printable
from khoj_ls.cli.run import Run, json_option, run_options

_HELP = """Show the plugins: which are loaded and from where, what each brings, how its hooks do, which content processor reads
files of which extension, and what was refused and why.

A plugin is a file plugins/NAME.py in your config folder (`khoj-ls config path`), or comes with an installed package; a vault
never brings one. A running daemon works with the plugins it has found at its start: `khoj-ls daemon stop` lets it look again.

\b
Examples:
  khoj-ls plugins
  khoj-ls plugins --json
  khoj-ls plugins --in-process
"""

_COLOURS = (("ok", "green"), ("fails", "yellow"), ("hangs", "yellow"), ("disabled", "red"))


@click.command("plugins", help=_HELP)
@json_option
@run_options
@click.pass_obj
def command(run: Run) -> int:
    """Ask and show."""
    with connect(run) as connection:
        told = _without_taken_verbs(connection.call("khoj/plugins", {}))
    if run.json:
        echo_json(told)
        return FOUND
    for plugin in told["plugins"]:
        _show_plugin(plugin)
    if told["refused"]:
        click.secho("left out", bold=True)
        columns([(each["plugin"], _refused(each)) for each in told["refused"]])
    if told["processors"]:
        click.secho("who reads what", bold=True)
        columns([(each["extension"], _served(each)) for each in told["processors"]])
    if not (told["plugins"] or told["refused"]):
        note(f"there are no plugins: a package that is installed beside khoj-ls, or a file in {told['folder']}, adds one")
    else:
        click.echo(f"{plural(len(told['plugins']), 'plugin')} loaded, {len(told['refused'])} left out or in part")
    return FOUND


def _without_taken_verbs(told: Mapping[str, Any]) -> dict[str, Any]:
    """The answer with verbs refused whose names are taken: the daemon does not know those of the command line."""
    from khoj_ls.cli.app import VERBS

    taken = {f"verb {name}": name for name in VERBS}
    plugins = [{**each, "brings": [what for what in each["brings"] if what not in taken]} for each in told["plugins"]]
    refused = [
        {
            "plugin": each["name"],
            "origin": "",
            "error": f"khoj_cli_verbs: there is a {taken[what]} already; that one is kept",
        }
        for each in told["plugins"]
        for what in each["brings"]
        if what in taken
    ]
    return {**told, "plugins": plugins, "refused": [*told["refused"], *refused]}


def _show_plugin(plugin: Mapping[str, Any]) -> None:
    click.echo(f"{click.style(printable(plugin['name']), bold=True)}  {printable(plugin['origin'])}")
    rows = [("brings", what) for what in plugin["brings"]]
    columns([*rows, *([("priority", str(plugin["priority"]))] if plugin["priority"] else [])])
    for hook in plugin["hooks"]:
        state = click.style(hook["state"], fg=dict(_COLOURS).get(hook["state"]))
        calls = f", {plural(hook['calls'], 'call')}" if hook["calls"] else ""
        error = f": {printable(hook['error'])}" if hook["error"] else ""
        click.echo(f"  {click.style('hook', dim=True)}  {hook['hook']} {state}{calls}{error}")


def _refused(each: Mapping[str, Any]) -> str:
    return f"{each['error']} [{each['origin']}]" if each["origin"] else str(each["error"])


def _served(each: Mapping[str, Any]) -> str:
    owner = f" of {each['plugin']} (priority {each['priority']})" if each["plugin"] else ""
    lost = f"; before {', '.join(each['lost'])}" if each["lost"] else ""
    return f"{each['type']}{owner}{lost}"
