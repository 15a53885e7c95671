"""What khoj/plugins tells; see `messages` for what all of them share."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class PluginsParams:
    """Ask what became of the plugins."""


@dataclass(frozen=True)
class PluginHook:
    """A hook in which a plugin has its say."""

    hook: str
    """khoj_pre_search, khoj_post_search, ..."""
    state: str
    """ok, fails (its last call did), hangs (that has not returned), or disabled (it failed too often in a row)."""
    calls: int
    """How often it was called since the daemon started; khoj_pre_index is counted in other processes."""
    failures: int
    """How often it has failed in a row."""
    error: str
    """What went wrong the last time; empty where nothing did."""


@dataclass(frozen=True)
class LoadedPlugin:
    """A plugin that was let in."""

    name: str
    """Of its entry point, or its file's without .py."""
    kind: str
    """installed: a package names it; file: it is the user's own."""
    origin: str
    """Package and module, or the file."""
    priority: int
    """The hooks of the highest are called first."""
    brings: list[str] = field(default_factory=list)
    """What it adds, for people."""
    hooks: list[PluginHook] = field(default_factory=list)
    """Where it has its say."""


@dataclass(frozen=True)
class ServedExtension:
    """Who reads the files of one extension."""

    extension: str
    """Lower case, with the dot."""
    type: str
    """The content type that they have."""
    plugin: str
    """Whose content processor it is; empty where it is built in."""
    priority: int
    """Of that processor."""
    lost: list[str] = field(default_factory=list)
    """The processors that would read them too, best first, for people."""


@dataclass(frozen=True)
class RefusedPlugin:
    """A plugin, or a part of it, that is left out."""

    plugin: str
    """Its name."""
    origin: str
    """Where it comes from; empty where the plugin itself is loaded."""
    error: str
    """Why."""


@dataclass(frozen=True)
class PluginsResult:
    """What became of the plugins."""

    folder: str
    """Where the user's own plugins are looked for."""
    plugins: list[LoadedPlugin] = field(default_factory=list)
    """Those that are loaded, in the order in which they were let in."""
    processors: list[ServedExtension] = field(default_factory=list)
    """By extension."""
    refused: list[RefusedPlugin] = field(default_factory=list)
    """What is left out, and why."""
