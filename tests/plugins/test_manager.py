from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from waiting import wait_until

from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import PluginSettings
from khoj_ls.plugins import hookspecs
from khoj_ls.plugins.manager import NO_PLUGINS, PluginManager, load_plugins, ordered_plugins, plugin_manager

HOOK = "khoj_content_processors"
HEAD = "from khoj_ls.plugins.hookspecs import hookimpl\n"
GOOD = f"{HEAD}@hookimpl\ndef khoj_content_processors(): return ['good']\n"


@pytest.fixture
def home(tmp_path: Path) -> Folders:
    (tmp_path / "config" / "plugins").mkdir(parents=True)
    return Folders(*(tmp_path / name for name in ("config", "data", "state", "run")))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Installs a package with an entry point per module, as pip does."""

    def install(**modules: str) -> None:
        site = tmp_path / "site"
        site.mkdir()
        for name, text in modules.items():
            (site / f"toy_{name}.py").write_text(text)
        info = site / "toys-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1.5\n")
        points = "".join(f"{name} = toy_{name}\n" for name in modules)
        (info / "entry_points.txt").write_text(f"[khoj_ls]\n{points}")
        monkeypatch.syspath_prepend(site)
        monkeypatch.setenv("PYTHONPATH", str(site))

    return install


def write(home: Folders, **plugins: str) -> None:
    for name, text in plugins.items():
        (home.config / "plugins" / f"{name}.py").write_text(text)


def loaded(home: Folders, **settings: Any) -> PluginManager:
    return load_plugins(home, PluginSettings(**settings))


def items(plugins: PluginManager) -> list[tuple[str, Any]]:
    return plugins.collect(HOOK)[0]


BROKEN = {
    "raises": "1 / 0",
    "syntax": "def",
    "gone": "import no_such_module_x",
    "hangs": "import time\ntime.sleep(3600)",  # what hangs: nobody waits for it
    "exits": "raise SystemExit(0)",
    "dies": "import os\nos._exit(3)",
    "empty": "",
    "misfit": f"{HEAD}@hookimpl\ndef {HOOK}(no_such_argument): return []",
    "proud": f"khoj_priority = 'first'\n{GOOD}",
    "typo": f"{GOOD}@hookimpl\ndef khoj_pre_serch(event): return None",
}
WHAT = {
    "raises": "ZeroDivisionError: division by zero",
    "syntax": "SyntaxError",
    "gone": "ModuleNotFoundError: No module named 'no_such_module_x'",
    "hangs": "it was not imported within 2 s",
    "exits": "SystemExit: 0",
    "dies": "it ended the process that imported it",
    "empty": "it implements no hook",
    "misfit": "no_such_argument",
    "proud": "khoj_priority is no whole number",
    "typo": "khoj_pre_serch is no hook; did you mean khoj_pre_search?",
}


def test_broken_plugins_are_named_and_left_out_and_the_others_work(home: Folders) -> None:
    write(home, good=GOOD, zzz=GOOD, **BROKEN)
    plugins = loaded(home, load_seconds=2.0)
    problems = {problem.plugin: problem for problem in plugins.problems}
    assert {name for name, what in WHAT.items() if what in problems[name].error} == BROKEN.keys()
    assert problems["raises"].origin == str(home.config / "plugins" / "raises.py")
    assert items(plugins) == [("good", "good"), ("typo", "good"), ("zzz", "good")]


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        ("return 42", "it returned a int, not a list"),
        ("return 'abc'", "it returned a str, not a list"),
        ("return {'a': 1}", "it returned a dict, not a list"),
        ("raise ValueError('boom')", "ValueError: boom"),
        ("import time; time.sleep(3600)", "it took longer than 1 s"),  # what hangs: nobody waits for it
        ("yield 1\n    raise ValueError('late')", "it returned a generator, not a list"),
    ],
)
def test_what_says_no_list_is_named(home: Folders, answer: str, what: str) -> None:
    write(home, good=GOOD, odd=f"{HEAD}@hookimpl\ndef {HOOK}():\n    {answer}\n")
    plugins = loaded(home)
    if "sleep" in answer:
        object.__setattr__(plugins, "settings", PluginSettings(load_seconds=1.0))
    found_items, [problem] = plugins.collect(HOOK)
    assert (found_items, problem.plugin, what in problem.error) == ([("good", "good")], "odd", True)


def test_one_that_hangs_is_asked_once(home: Folders) -> None:
    calls = home.config / "calls.txt"
    body = f"open({str(calls)!r}, 'a').write('x'); import time; time.sleep(3600)"  # what hangs: nobody waits for it
    write(home, hangs=f"{HEAD}@hookimpl\ndef {HOOK}(): {body}\n")
    plugins = loaded(home)
    object.__setattr__(plugins, "settings", PluginSettings(load_seconds=0.1))
    first, second = plugins.collect(HOOK), plugins.collect(HOOK)
    assert (first == second, [problem.plugin for problem in second[1]]) == (True, ["hangs"])
    wait_until(lambda: calls.exists() and calls.read_text(), "it was asked")
    assert calls.read_text() == "x"


def test_plugins_of_packages_come_before_files_and_keep_their_names(home: Folders, installed: Callable[..., None]) -> None:
    installed(zeta=GOOD.replace("'good'", "'zeta'"), alpha=GOOD.replace("'good'", "'alpha'"), broken="1 / 0")
    write(home, beta=GOOD, alpha=GOOD)
    plugins = loaded(home)
    assert items(plugins) == [("alpha", "alpha"), ("zeta", "zeta"), ("beta", "good")]
    assert [(each.plugin, each.error) for each in plugins.problems] == [
        ("alpha", "there is a plugin of that name already (toys 1.5 (toy_alpha))"),
        ("broken", "ZeroDivisionError: division by zero"),
    ]
    assert [(each.found.name, each.found.kind) for each in plugins.loaded] == [
        ("alpha", "installed"),
        ("zeta", "installed"),
        ("beta", "file"),
    ]


def test_built_ins_come_first(installed: Callable[..., None]) -> None:
    class BuiltIn:
        @hookspecs.hookimpl
        def khoj_content_processors(self) -> list[Any]:
            return ["built in"]

    installed(own=GOOD)
    assert [item for _, item in items(plugin_manager([BuiltIn()]))] == ["built in", "good"]
    assert [item for _, item in items(plugin_manager([BuiltIn()], third_party=False))] == ["built in"]


@pytest.mark.parametrize(
    ("settings", "names", "problems"),
    [
        ({"disabled": ("one",)}, ["two"], [("one", "your settings leave it out (plugins.disabled)")]),
        ({"enabled": False}, [], []),
    ],
)
def test_the_settings_leave_plugins_out(home: Folders, settings: Any, names: list[str], problems: list[Any]) -> None:
    write(home, one=GOOD, two=GOOD)
    plugins = loaded(home, **settings)
    assert ([name for name, _ in items(plugins)], [(each.plugin, each.error) for each in plugins.problems]) == (names, problems)


def test_another_process_has_the_same_plugins(home: Folders) -> None:
    write(home, good=GOOD, bad="1 / 0", hook=f"{HEAD}@hookimpl\ndef khoj_pre_index(event): return None\n")
    here = loaded(home)
    there, order = ordered_plugins(here.order("/notes", 2.5), lambda call: None)
    assert [each.found for each in there.loaded] == [each.found for each in here.loaded]
    assert (order.vault, there.settings.hook_seconds) == ("/notes", 2.5)
    assert items(there) == [("good", "good")]
    assert NO_PLUGINS.order("/notes", 2.5) == ""
    assert ordered_plugins("", lambda call: None)[0].loaded == ()


def test_changed_code_has_another_mark(home: Folders) -> None:
    marks = []
    for text in (GOOD, GOOD, f"{GOOD}# changed\n"):
        write(home, one=text)
        marks.append(loaded(home).mark("one"))
    assert (marks[0] == marks[1], marks[1] == marks[2]) == (True, False)


def test_nothing_is_left_of_a_file_that_was_imported(home: Folders) -> None:
    write(home, one=GOOD)
    loaded(home)
    assert [path.name for path in (home.config / "plugins").iterdir()] == ["one.py"]


def test_there_is_no_process_where_there_is_no_plugin(home: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("khoj_ls.plugins.loading.Child", lambda *_: pytest.fail("a process was started"))
    assert loaded(home).loaded == ()


def test_every_hook_is_documented() -> None:
    specs = [value for name, value in vars(hookspecs).items() if name.startswith("khoj_")]
    page = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text()
    assert specs
    assert all(spec.__doc__ and "return" in spec.__annotations__ for spec in specs)
    assert [spec.__name__ for spec in specs if f"| `{spec.__name__}` |" not in page] == []
