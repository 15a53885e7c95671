"""Who may answer in a chat, and what is wrong with the files and plugins that say so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from khoj_ls.cli.checks import Check
from khoj_ls.config.paths import Folders

_ADVICE = "mend the file: docs/personas.md tells what may stand in one"


def checks(folders: Folders, root: Path) -> Iterator[Check]:
    """Personas of the user, of plugins, and of the vault at `root`; slash commands of plugins."""
    from khoj_ls.chat.personas.known import load_personas
    from khoj_ls.chat.question.commands import with_commands
    from khoj_ls.plugins.manager import plugin_manager

    plugins = plugin_manager([])
    more, failed = plugins.collect("khoj_personas")
    found = load_personas(folders.config, root, more)
    slash, also_failed = plugins.collect("khoj_slash_commands")
    commands, refused = with_commands(slash)
    kinds = Counter("built in" if persona.source == "built-in" else "others" for persona in found.by_name.values())
    counted = f"{kinds['built in']} built in, {kinds['others']} of files and plugins; {len(commands)} slash commands"
    yield Check("personas", "ok", counted)
    for problem in found.problems:
        yield Check("personas", "warn", str(problem), _ADVICE)
    for plugin, error in (*((each.plugin, each.error) for each in (*failed, *also_failed)), *refused):
        yield Check("plugin", "warn", f"{plugin}: {error}", "tell whoever made the plugin, or uninstall it")
