from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pytest

from khoj_ls.plugins import hookspecs, manager
from khoj_ls.plugins.hookspecs import hookimpl
from khoj_ls.plugins.manager import PluginProblem, plugin_manager

HOOK = "khoj_content_processors"


def plugin(implementation: Callable[..., Any]) -> object:
    module = ModuleType("plugin")
    setattr(module, HOOK, hookimpl(implementation))
    return module


class Point:
    """An entry point that loads what the test says."""

    group = hookspecs.GROUP

    def __init__(self, name: str, load: Callable[[], object]) -> None:
        self.name, self.load = name, load


def broken_import() -> object:
    raise ImportError("no module named 'gone'")


def broken_hook() -> list[Any]:
    raise RuntimeError("boom")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def install(**plugins: Callable[[], object]) -> None:
        points = [Point(name, load) for name, load in plugins.items()]
        monkeypatch.setattr(manager, "entry_points", lambda group: points if group == "khoj_ls" else [])

    return install


def test_built_ins_come_first_and_every_item_knows_its_plugin(installed: Callable[..., None]) -> None:
    installed(zeta=lambda: plugin(lambda: ["z"]), alpha=lambda: plugin(lambda: ["a", "b"]))
    plugins = plugin_manager([plugin(lambda: ["built-in"])])
    items, problems = plugins.collect(HOOK)
    assert [item for _, item in items] == ["built-in", "a", "b", "z"]
    assert [name for name, _ in items[1:]] == ["alpha", "alpha", "zeta"]
    assert (plugins.problems, problems) == ((), ())


def test_a_broken_plugin_is_named_and_left_out(installed: Callable[..., None]) -> None:
    installed(
        gone=broken_import,
        misfit=lambda: plugin(lambda no_such_argument: []),
        raises=lambda: plugin(broken_hook),
        wrong=lambda: plugin(lambda: [1, *5]),  # type: ignore[misc]
        good=lambda: plugin(lambda: ["good"]),
    )
    plugins = plugin_manager([])
    items, problems = plugins.collect(HOOK)
    assert items == [("good", "good")]
    assert [problem.plugin for problem in plugins.problems] == ["gone", "misfit"]
    assert not plugins.manager.has_plugin("misfit")
    assert plugins.problems[0] == PluginProblem("gone", "ImportError: no module named 'gone'")
    assert [problem.plugin for problem in problems] == ["raises", "wrong"]
    assert problems[0].error == "RuntimeError: boom"


def test_third_party_plugins_can_be_kept_out(installed: Callable[..., None]) -> None:
    installed(gone=broken_import)
    plugins = plugin_manager([], third_party=False)
    assert plugins.problems == ()


def test_a_real_entry_point_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("toy", "khoj_ls.plugins.hookspecs", hookspecs.GROUP)
    monkeypatch.setattr(manager, "entry_points", lambda group: [point])
    plugins = plugin_manager([])
    assert plugins.problems == ()
    assert plugins.manager.has_plugin("toy")


def test_every_hook_is_documented() -> None:
    specs = [value for name, value in vars(hookspecs).items() if name.startswith("khoj_")]
    assert specs
    assert all(spec.__doc__ and "return" in spec.__annotations__ for spec in specs)
