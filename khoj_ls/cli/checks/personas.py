"""Who may answer in a chat, and what is wrong with the files and plugins that say so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from khoj_ls.cli.checks import Check
from khoj_ls.config.paths import Folders

_ADVICE = "mend the file: docs/personas.md tells what may stand in one"


def checks(folders: Folders, root: Path) -> Iterator[Check]:
    """Personas of the user, of plugins, and of the vault at `root`; what is wrong with plugins."""
    from khoj_ls.chat.personas.known import load_personas
    from khoj_ls.chat.question.commands import with_commands
    from khoj_ls.config.load import load_user_settings
    from khoj_ls.plugins.manager import load_plugins
    from khoj_ls.vault.plugin_report import plugin_report

    settings, _ = load_user_settings(folders)
    plugins = load_plugins(folders, settings.plugins, settings.vaults)
    found = load_personas(folders.config, root, plugins.collect("khoj_personas")[0])
    commands, _ = with_commands(plugins.collect("khoj_slash_commands")[0])
    kinds = Counter("built in" if persona.source == "built-in" else "others" for persona in found.by_name.values())
    counted = f"{kinds['built in']} built in, {kinds['others']} of files and plugins; {len(commands)} slash commands"
    yield Check("personas", "ok", counted)
    for problem in found.problems:
        if not problem.source.startswith("plugin "):
            yield Check("personas", "warn", str(problem), _ADVICE)
    report = plugin_report(plugins, folders.config)
    if report.plugins:
        yield Check("plugins", "ok", ", ".join(plugin.name for plugin in report.plugins))
    for refused in report.problems:
        advice = f"mend or remove {refused.origin}" if refused.origin else "tell whoever made the plugin, or remove it"
        yield Check("plugins", "warn", f"{refused.plugin}: {refused.error}", advice)
