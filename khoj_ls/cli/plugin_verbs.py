"""The verbs that plugins bring, as click commands: what stands behind the verb is theirs to read."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import click

from khoj_ls.cli.output import printable
from khoj_ls.plugins.kinds import CliVerb


def plugin_verbs(taken: Collection[str]) -> Mapping[str, click.Command]:
    """The verbs of plugins by name; none takes a name that is `taken`. Loads the plugins. Never raises."""
    # Imported here: verbs that are built in do without.
    from khoj_ls.config.load import load_user_settings
    from khoj_ls.config.paths import folders
    from khoj_ls.plugins.brought import brought
    from khoj_ls.plugins.manager import load_plugins

    here = folders()
    settings, _ = load_user_settings(here)
    found = brought(load_plugins(here, settings.plugins, settings.vaults), "khoj_cli_verbs", CliVerb, taken)
    return {name: _command(verb, found.plugin[name]) for name, verb in found.by_name.items()}


def _command(verb: CliVerb, plugin: str) -> click.Command:
    def run(arguments: tuple[str, ...]) -> int:
        status = verb.run(arguments)
        if status is not None and type(status) is not int:
            raise click.ClickException(f"the verb {verb.name} of the plugin {plugin} returned no exit status")
        return status or 0

    return click.Command(
        verb.name,
        callback=run,
        params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
        short_help=printable(f"{verb.about} (plugin {plugin})"),
        add_help_option=False,
        context_settings={"ignore_unknown_options": True},
    )
