"""The daemon with plugins of every broken kind: each is named by what `khoj-ls plugins` asks for, and everything else works."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from waiting import wait_until

from khoj_ls.config.load import load_user_settings
from khoj_ls.config.paths import Folders
from khoj_ls.core.jobs import CancelToken
from khoj_ls.daemon.admission import Hello
from khoj_ls.daemon.compose import compose

SETTINGS = """
[embedding]
model = "/none"
[daemon]
nice = 0
[plugins]
load_seconds = 3
search_hook_seconds = 0.5
"""
HOOK = "@hookimpl\ndef khoj_{}({}): {}\n"
PLUGINS = {
    "import_raises": "1 / 0\n",
    "import_hangs": "import time\ntime.sleep(3600)\n",  # what hangs: nobody waits for it
    "import_dies": "import os\nos._exit(1)\n",
    "list_garbage": HOOK.format("content_processors", "", "return 42"),
    "item_garbage": HOOK.format("query_filters", "", "return [object()]"),
    "hook_garbage": HOOK.format("post_search", "event", "return 17"),
    "hook_raises": HOOK.format("pre_search", "event", "1 / 0"),
    "hook_hangs": "import time\nkhoj_priority = -1\n" + HOOK.format("post_search", "event", "time.sleep(3600)"),  # nobody waits
    "good": "from khoj_ls.plugins.kinds import QueryFilter\n"
    + HOOK.format("query_filters", "", "return [QueryFilter('about', 'By tag.', lambda value: f'tag:{value}')]"),
}
REFUSED = {
    "import_raises": "ZeroDivisionError: division by zero",
    "import_hangs": "it was not imported within 3 s",
    "import_dies": "it ended the process that imported it",
    "list_garbage": "khoj_content_processors: it returned a int, not a list",
    "item_garbage": "khoj_query_filters: a object is no QueryFilter",
}


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Any]:
    home = Folders(*(tmp_path / name for name in ("config", "data", "state", "run")))
    (home.config / "plugins").mkdir(parents=True)
    home.user_settings.write_text(SETTINGS)
    for name, text in PLUGINS.items():
        (home.config / "plugins" / f"{name}.py").write_text(f"from khoj_ls.plugins.hookspecs import hookimpl\n{text}")
    settings, problems = load_user_settings(home)
    assert problems == []
    found = compose(settings, home)
    yield found
    found.close()


def test_each_is_named_and_everything_else_works(serving: Any, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "boat.md").write_text("---\ntags: [sea]\n---\n# The boat\nIt lies in the harbour.\n")
    ask = serving.rpc(Hello("rpc", "1", os.getpid(), {}), dict)

    def asked(method: str, **params: Any) -> Any:
        return ask(method, params, CancelToken(), lambda progress: None, lambda turn: None)

    def paths() -> list[str]:
        return [hit.uri.rpartition("/")[2] for hit in asked("khoj/search", vault=str(notes), query="harbour about:sea").hits]

    def states() -> dict[str, list[str]]:
        paths()
        return {each.name: [hook.state for hook in each.hooks] for each in asked("khoj/plugins").plugins}

    refused = {each.plugin: each.error for each in asked("khoj/plugins").refused}
    assert refused.keys() == REFUSED.keys()
    assert [name for name, error in REFUSED.items() if error not in refused[name]] == []
    wait_until(lambda: paths() == ["boat.md"], "the note was found", 120)
    wait_until(lambda: states().items() >= {"good": [], "hook_hangs": ["hangs"]}.items(), "one that hangs was told", 120)
    # After some failures in a row a hook is left out: how many searches there were is the machine's affair.
    failed = (["fails"], ["disabled"])
    wait_until(lambda: (now := states())["hook_garbage"] in failed and now["hook_raises"] in failed, "failures were told", 120)
    assert paths() == ["boat.md"]
