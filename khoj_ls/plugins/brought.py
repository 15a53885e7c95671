"""What plugins bring that is known by a name: looked at, and entered only where nothing of that name is there already."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from khoj_ls.plugins.kinds import ChatProvider, CliVerb, EmbeddingChoice, QueryFilter, RerankerChoice
from khoj_ls.plugins.manager import PluginManager, PluginProblem

K = TypeVar("K", QueryFilter, EmbeddingChoice, RerankerChoice, ChatProvider, CliVerb)

_WORD = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_LETTERS = re.compile(r"[a-z]{2,20}")
"""What the query language can read as a filter's name."""


@dataclass(frozen=True)
class Brought(Generic[K]):
    """Things of one kind."""

    by_name: Mapping[str, K]
    plugin: Mapping[str, str]
    """The plugin of each, by its name."""
    problems: tuple[PluginProblem, ...] = ()


def brought(plugins: PluginManager, hook: str, kind: type[K], taken: Collection[str]) -> Brought[K]:
    """What `hook` brings, all of `kind`; the first of a name holds, and none takes a name that is `taken`. Never raises."""
    items, told = plugins.collect(hook)
    problems = list(told)
    by_name: dict[str, K] = {}
    origin: dict[str, str] = {}
    for plugin, item in items:
        if fault := _fault(item, kind):
            problems.append(PluginProblem(plugin, f"{hook}: {fault}"))
        elif item.name in taken or item.name in by_name:
            owner = f"the plugin {origin[item.name]} has" if item.name in origin else "there is"
            problems.append(PluginProblem(plugin, f"{hook}: {owner} a {item.name} already; that one is kept"))
        else:
            by_name[item.name], origin[item.name] = item, plugin
    return Brought(MappingProxyType(by_name), MappingProxyType(origin), tuple(problems))


def _fault(item: object, kind: type[K]) -> str:
    if not isinstance(item, kind):
        return f"a {type(item).__name__} is no {kind.__name__}"
    pattern = _LETTERS if isinstance(item, QueryFilter) else _WORD
    if not isinstance(item.name, str) or not pattern.fullmatch(item.name):
        of = "2 to 20 lower-case letters" if pattern is _LETTERS else "lower-case letters, digits, - and _"
        return f"{str(item.name)[:60]!r} is no name for a {kind.__name__}: {of}"
    if not isinstance(item.about, str):
        return f"what {item.name} says about itself is no text"
    call: object = getattr(item, {QueryFilter: "query", CliVerb: "run"}.get(kind, "make"))
    return "" if callable(call) else f"{item.name} cannot be called"
