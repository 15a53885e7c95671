"""Letting plugins in: a broken one is named and left out, and never takes the program with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from khoj_ls.plugins import hookspecs


@dataclass(frozen=True)
class PluginProblem:
    """A plugin, or a part of it, that is left out."""

    plugin: str
    """Name of its entry point."""
    error: str
    """What went wrong, for the user."""


@dataclass(frozen=True)
class PluginManager:
    """The plugins that were let in, built-ins first, and what became of the others."""

    manager: pluggy.PluginManager
    problems: tuple[PluginProblem, ...]

    def collect(self, hook: str) -> tuple[list[tuple[str, Any]], tuple[PluginProblem, ...]]:
        """Everything the plugins return from the list-valued `hook`, each item with its plugin's name, in order of entry.

        A plugin that raises, or returns no list, gives a problem in place of items.
        """
        items: list[tuple[str, Any]] = []
        problems: list[PluginProblem] = []
        plugins = self.manager.list_name_plugin()
        for name, plugin in plugins:
            others = [other for _, other in plugins if other is not plugin]
            try:
                for found in self.manager.subset_hook_caller(hook, others)():
                    items += [(name, item) for item in found]
            except Exception as error:  # noqa: BLE001 - a plugin is code of others: whatever it raises is its own problem
                problems.append(PluginProblem(name, _describe(error)))
        return items, tuple(problems)


def plugin_manager(builtins: Sequence[object], *, third_party: bool = True) -> PluginManager:
    """Register `builtins`, then the plugins that installed packages name in the group `khoj_ls` (if `third_party`).

    Raises nothing for a plugin of others: one that cannot be imported, or whose hooks do not fit, is a problem.
    """
    manager = pluggy.PluginManager(hookspecs.GROUP)
    manager.add_hookspecs(hookspecs)
    for builtin in builtins:
        manager.register(builtin)
    found = sorted(entry_points(group=hookspecs.GROUP), key=lambda point: point.name) if third_party else []
    problems = [_let_in(manager, point) for point in found]
    return PluginManager(manager, tuple(problem for problem in problems if problem))


def _let_in(manager: pluggy.PluginManager, point: EntryPoint) -> PluginProblem | None:
    try:
        manager.register(point.load(), name=point.name)
    except Exception as error:  # noqa: BLE001 - importing code of others: whatever it raises is its own problem
        if manager.has_plugin(point.name):  # pluggy before 1.7 enters it, then checks its hooks
            manager.unregister(name=point.name)
        return PluginProblem(point.name, _describe(error))
    return None


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".strip()
