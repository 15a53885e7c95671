"""Letting plugins in: a broken one is named and left out, and never takes the program with it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pluggy

from khoj_ls.config.options import suggestion
from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import PluginSettings
from khoj_ls.plugins import hookspecs
from khoj_ls.plugins.events import HookCall
from khoj_ls.plugins.found import Found, PluginProblem, find_plugins
from khoj_ls.plugins.hooks import HOOKS, NO_HOOKS, PRE_INDEX, Hooks, Implementation
from khoj_ls.plugins.limits import Overdue, PluginFault, within
from khoj_ls.plugins.loading import load, tried_apart

__all__ = [
    "NO_PLUGINS",
    "Loaded",
    "Order",
    "PluginManager",
    "PluginProblem",
    "load_plugins",
    "ordered_plugins",
    "plugin_manager",
]

PRIORITY = "khoj_priority"
"""What a plugin may have beside its hooks: a whole number; the hooks of the highest are called first."""


@dataclass(frozen=True)
class Loaded:
    """A plugin that was let in."""

    found: Found
    priority: int
    hooks: tuple[str, ...]
    """Names of those it implements, sorted."""


class Order(msgspec.Struct, frozen=True):
    """What another process needs to work with the same plugins."""

    plugins: tuple[Found, ...] = ()
    vault: str = ""
    load_seconds: float = 10.0
    hook_seconds: float = 5.0
    model_seconds: float = 60.0


@dataclass(frozen=True)
class PluginManager:
    """The plugins that were let in, and what became of the others."""

    manager: pluggy.PluginManager
    problems: tuple[PluginProblem, ...]
    loaded: tuple[Loaded, ...] = ()
    """Those of others, in the order in which they were let in."""
    hooks: Hooks = NO_HOOKS
    settings: PluginSettings = field(default_factory=PluginSettings)
    _overdue: dict[tuple[str, str], str] = field(default_factory=dict)
    """What was said of a plugin that has not returned from a hook, by its name and the hook: it is not asked again."""

    def collect(self, hook: str) -> tuple[list[tuple[str, Any]], tuple[PluginProblem, ...]]:
        """Everything the plugins return from the list-valued `hook`, each item with its plugin's name, in order of entry.

        A plugin that raises, takes too long, or returns no list, gives a problem in place of items.
        """
        items: list[tuple[str, Any]] = []
        problems: list[PluginProblem] = []
        plugins = self.manager.list_name_plugin()
        asked = {each.plugin_name for each in getattr(self.manager.hook, hook).get_hookimpls()}
        for name, plugin in plugins:
            if name not in asked:
                continue
            if (name, hook) in self._overdue:
                problems.append(PluginProblem(name, self._overdue[name, hook]))
                continue
            others = [other for _, other in plugins if other is not plugin]
            try:
                answers = within(self.settings.load_seconds, self.manager.subset_hook_caller(hook, others), f"khoj-{hook}")
                items += [(name, item) for item in _lists(answers)]
            except PluginFault as fault:
                problems.append(PluginProblem(name, f"{hook}: {fault}"))
                if isinstance(fault, Overdue):
                    self._overdue[name, hook] = problems[-1].error
        return items, tuple(problems)

    def mark(self, plugin: str) -> str:
        """Names the code of a plugin of others: what it made may be made differently under another mark."""
        return next((f"{each.found.name}:{each.found.digest}" for each in self.loaded if each.found.name == plugin), "")

    @property
    def index_mark(self) -> str:
        """Names all the code that has its say on what is indexed; empty where there is none."""
        return " ".join(sorted(self.mark(each.found.name) for each in self.loaded if PRE_INDEX in each.hooks))

    def order(self, vault: str, most_seconds: float) -> str:
        """What another process needs to work with the same plugins for the vault at `vault`, for `ordered_plugins`.

        `most_seconds`: what hooks may take there at most, whatever the settings say. Empty where there are none.
        """
        if not self.loaded:
            return ""
        hook_seconds = min(self.settings.hook_seconds, most_seconds)
        plugins = tuple(each.found for each in self.loaded)
        return msgspec.json.encode(Order(plugins, vault, self.settings.load_seconds, hook_seconds)).decode()

    def order_of(self, plugin: str) -> str:
        """What another process needs to work with one plugin and a model that it brings, for `ordered_plugins`."""
        plugins = tuple(each.found for each in self.loaded if each.found.name == plugin)
        order = Order(plugins, "", self.settings.load_seconds, model_seconds=self.settings.model_seconds)
        return msgspec.json.encode(order).decode()


def plugin_manager(builtins: Sequence[object], *, third_party: bool = True) -> PluginManager:
    """Register `builtins`, then the plugins that installed packages name in the group `khoj_ls` (if `third_party`).

    Raises nothing for a plugin of others: one that cannot be imported, or whose hooks do not fit, is a problem.
    """
    found, problems = find_plugins(None) if third_party else ([], [])
    return _let_in(found, problems, PluginSettings(), builtins)


def load_plugins(folders: Folders, settings: PluginSettings, vaults: Sequence[str] = ()) -> PluginManager:
    """The plugins of installed packages and the user's own files; each is imported in a process of its own first.

    `vaults` are the folders that the user's settings name. Never raises: what cannot be let in is a problem.
    """
    if not settings.enabled:
        return NO_PLUGINS
    found, problems = find_plugins(folders, vaults)
    problems += [
        PluginProblem(each.name, "your settings leave it out (plugins.disabled)", each.origin)
        for each in found
        if each.name in settings.disabled
    ]
    wanted = [each for each in found if each.name not in settings.disabled]
    wrong = tried_apart(wanted, settings.load_seconds)
    problems += [PluginProblem(each.name, wrong[each.name], each.origin) for each in wanted if each.name in wrong]
    return _let_in([each for each in wanted if each.name not in wrong], problems, settings)


def ordered_plugins(text: str, on_call: Callable[[HookCall], None]) -> tuple[PluginManager, Order]:
    """The plugins that another process has let in (`PluginManager.order`), in this one; `on_call` hears of hooks' calls."""
    order = msgspec.json.decode(text, type=Order) if text else Order()
    settings = PluginSettings(load_seconds=order.load_seconds, hook_seconds=order.hook_seconds)
    return _let_in(order.plugins, [], settings, on_call=on_call), order


def _let_in(
    found: Sequence[Found],
    problems: Sequence[PluginProblem],
    settings: PluginSettings,
    builtins: Sequence[object] = (),
    on_call: Callable[[HookCall], None] | None = None,
) -> PluginManager:
    manager = pluggy.PluginManager(hookspecs.GROUP)
    manager.add_hookspecs(hookspecs)
    for builtin in builtins:
        manager.register(builtin)
    loaded: list[Loaded] = []
    told = list(problems)
    for each in found:
        try:
            plugin = load(each, settings.load_seconds)
            loaded.append(within(settings.load_seconds, functools.partial(_registered, manager, each, plugin)))
            told += (PluginProblem(each.name, odd, each.origin) for odd in _oddities(manager, plugin))
        except PluginFault as fault:
            if manager.has_plugin(each.name):  # pluggy before 1.7 enters it, then checks its hooks
                manager.unregister(name=each.name)
            told.append(PluginProblem(each.name, str(fault), each.origin))
    hooks = Hooks(_implementations(manager, loaded), settings, on_call)
    return PluginManager(manager, tuple(told), tuple(loaded), hooks, settings)


def _registered(manager: pluggy.PluginManager, found: Found, plugin: object) -> Loaded:
    """Register a plugin. Raises what its hooks or its priority are wrong with."""
    priority = getattr(plugin, PRIORITY, 0)
    if type(priority) is not int:
        raise PluginFault(f"its {PRIORITY} is no whole number")
    if manager.register(plugin, name=found.name) is None:
        raise PluginFault("its name is blocked")
    hooks = sorted(caller.name for caller in manager.get_hookcallers(plugin) or () if caller.has_spec())
    if not hooks:
        manager.unregister(name=found.name)
        raise PluginFault("it implements no hook: mark its functions with khoj_ls.plugins.hookspecs.hookimpl")
    return Loaded(found, priority, tuple(hooks))


def _oddities(manager: pluggy.PluginManager, plugin: object) -> Iterator[str]:
    """What is marked as a hook and is none; the rest of the plugin works."""
    known = [name for name in dir(hookspecs) if name.startswith("khoj_")]
    for caller in manager.get_hookcallers(plugin) or ():
        if not caller.has_spec():
            yield f"{caller.name} is no hook{suggestion(caller.name, known)}"


def _implementations(manager: pluggy.PluginManager, loaded: Sequence[Loaded]) -> list[Implementation]:
    """The hooks that are called with events, in their order: by priority, then tryfirst and trylast, then name."""
    priorities = {each.found.name: each.priority for each in loaded}
    found = []
    for hook in HOOKS:
        for each in getattr(manager.hook, hook).get_hookimpls():
            if each.plugin_name in priorities:
                rank = (-priorities[each.plugin_name], each.trylast - each.tryfirst, each.plugin_name)
                found.append((rank, Implementation(each.plugin_name, hook, _taking_event(each))))
    return [implementation for _, implementation in sorted(found, key=lambda pair: pair[0])]


def _taking_event(implementation: pluggy.HookImpl) -> Callable[[Any], object]:
    """The function as one that takes the event, whatever it wants of it: pluggy lets an implementation leave arguments out."""
    if not implementation.argnames:
        return lambda event: implementation.function()
    return lambda event: implementation.function(event)


def _lists(answers: object) -> Iterator[Any]:
    """The items of what one plugin has answered. Raises PluginFault where that is no list."""
    for answer in answers if isinstance(answers, list) else ():
        if isinstance(answer, (str, bytes, Mapping)):
            raise PluginFault(f"it returned a {type(answer).__name__}, not a list")
        try:
            yield from within(1.0, functools.partial(list, answer))
        except PluginFault as fault:
            raise PluginFault(f"it returned a {type(answer).__name__}, not a list") from fault


NO_PLUGINS = _let_in((), (), PluginSettings())
"""Where there are none."""
