"""What became of the plugins: which are loaded, what each brings and does, who reads which files, and what was refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from khoj_ls.chat.personas.known import load_personas
from khoj_ls.chat.question.commands import with_commands
from khoj_ls.config.chat_models import BUILT_IN as PROVIDERS
from khoj_ls.content.registry import ProcessorRegistry, default_registry
from khoj_ls.embed.presets import plugged_models
from khoj_ls.plugins.brought import brought
from khoj_ls.plugins.found import FOLDER
from khoj_ls.plugins.hooks import HookHealth
from khoj_ls.plugins.kinds import ChatProvider, CliVerb, QueryFilter
from khoj_ls.plugins.manager import PluginManager, PluginProblem
from khoj_ls.query.types import FILTERS
from khoj_ls.rerank.plugged import plugged_rerankers

_PERSONA_SOURCE = "plugin "


@dataclass(frozen=True)
class LoadedPlugin:
    """A plugin that was let in."""

    name: str
    kind: str
    """`installed`: a package names it; `file`: it is the user's own."""
    origin: str
    priority: int
    brings: tuple[str, ...]
    """What it adds, for people: `slash command /welsh`, `content type recipe (.recipe)`."""
    hooks: tuple[HookHealth, ...]
    """Where it has its say, and how that goes."""


@dataclass(frozen=True)
class Served:
    """Who reads the files of one extension."""

    extension: str
    type: str
    """Content type of the one that does."""
    plugin: str
    """Empty: it is built in."""
    priority: int
    lost: tuple[str, ...]
    """Those that would, in their order: `markdown (built in, priority 0)`."""


@dataclass(frozen=True)
class PluginReport:
    """All of it."""

    folder: str
    """Where the user's own plugins are looked for."""
    plugins: tuple[LoadedPlugin, ...]
    served: tuple[Served, ...]
    problems: tuple[PluginProblem, ...]


def plugin_report(plugins: PluginManager, config: Path) -> PluginReport:
    """What became of `plugins`; asks each what it brings. `config` is the user's folder of settings. Never raises."""
    registry = default_registry(plugins)
    brings: dict[str, list[str]] = {each.found.name: [] for each in plugins.loaded}
    problems = [*registry.problems]
    for extension in registry.extensions():
        winner = registry.contenders(extension)[0]
        if registry.origin(winner):
            brings[registry.origin(winner)].append(f"content type {winner.name} ({extension})")
    problems += _chat(plugins, config, brings)
    problems += _named(plugins, brings)
    health = plugins.hooks.health()
    loaded = tuple(
        LoadedPlugin(
            each.found.name,
            each.found.kind,
            each.found.origin,
            each.priority,
            tuple(sorted(brings[each.found.name])),
            tuple(one for one in health if one.plugin == each.found.name),
        )
        for each in plugins.loaded
    )
    served = tuple(_served(registry, extension) for extension in sorted(registry.extensions()))
    return PluginReport(str(config / FOLDER), loaded, served, tuple(dict.fromkeys(problems)))


def _served(registry: ProcessorRegistry, extension: str) -> Served:
    winner, *others = registry.contenders(extension)
    lost = tuple(f"{each.name} ({registry.origin(each) or 'built in'}, priority {each.priority})" for each in others)
    return Served(extension, winner.name, registry.origin(winner), winner.priority, lost)


def _chat(plugins: PluginManager, config: Path, brings: Mapping[str, list[str]]) -> list[PluginProblem]:
    items, told = plugins.collect("khoj_slash_commands")
    commands, refused = with_commands(items)
    for plugin, item in items:
        if (command := commands.get(getattr(item, "name", ""))) and command.about == getattr(item, "about", None):
            brings[plugin].append(f"slash command /{command.name}")
    more, also_told = plugins.collect("khoj_personas")
    personas = load_personas(config, None, more)
    for persona in personas.by_name.values():
        if persona.source.startswith(_PERSONA_SOURCE) and persona.source.removeprefix(_PERSONA_SOURCE) in brings:
            brings[persona.source.removeprefix(_PERSONA_SOURCE)].append(f"persona {persona.name}")
    wrong = (each for each in personas.problems if each.source.startswith(_PERSONA_SOURCE))
    return [
        *told,
        *also_told,
        *(PluginProblem(plugin, error) for plugin, error in refused),
        *(PluginProblem(each.source.removeprefix(_PERSONA_SOURCE), f"khoj_personas: {each.message}") for each in wrong),
    ]


def _named(plugins: PluginManager, brings: Mapping[str, list[str]]) -> list[PluginProblem]:
    kinds = (
        ("query filter {}:", brought(plugins, "khoj_query_filters", QueryFilter, FILTERS)),
        ("embedding model {}", plugged_models(plugins)),
        ("reranker {}", plugged_rerankers(plugins)),
        ("chat provider {}", brought(plugins, "khoj_chat_providers", ChatProvider, PROVIDERS)),
        ("verb {}", brought(plugins, "khoj_cli_verbs", CliVerb, ())),
    )
    problems: list[PluginProblem] = []
    for wording, found in kinds:
        problems += found.problems
        for name, plugin in found.plugin.items():
            brings[plugin].append(wording.format(name))
    return problems
