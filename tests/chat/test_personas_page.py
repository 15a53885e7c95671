"""docs/personas.md says what is so: its examples are read, its lists are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from khoj_ls.chat.personas.files import KEYS
from khoj_ls.chat.personas.known import BUILT_IN, USER_FOLDER, load_personas
from khoj_ls.chat.question.commands import BUILT_IN as COMMANDS
from khoj_ls.chat.question.commands import plan_turn, with_commands
from khoj_ls.core.slash import Asked
from khoj_ls.plugins.manager import plugin_manager

PAGE = (Path(__file__).parents[2] / "docs" / "personas.md").read_text()


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


@pytest.mark.parametrize(("language", "name"), [("toml", "x.toml"), ("markdown", "x.md"), ("org", "x.org")])
def test_each_example_is_a_persona(tmp_path: Path, language: str, name: str) -> None:
    (tmp_path / USER_FOLDER).mkdir()
    (text,) = examples(language)
    (tmp_path / USER_FOLDER / name).write_text(text)
    found = load_personas(tmp_path, None)
    assert found.problems == ()
    persona = found.by_name["x"]
    assert (persona.style, persona.citations, persona.focus) == ("concise", "footnote", ("botany", "soil"))
    assert persona.prompt.startswith("You know my garden.")


def test_every_key_persona_and_command_is_told() -> None:
    first_cells = re.findall(r"^\| `([^`]+)` \|", PAGE, re.M)
    assert {cell for cell in first_cells if not cell.startswith("/")} == {*KEYS, *BUILT_IN}
    assert {cell.split()[0] for cell in first_cells if cell.startswith("/")} == {f"/{name}" for name in COMMANDS}


def test_the_plugin_of_the_page_works(tmp_path: Path) -> None:
    (code,) = examples("python")
    namespace: dict[str, object] = {}
    exec(code, namespace)
    plugin = type("Plugin", (), {name: staticmethod(value) for name, value in namespace.items() if name.startswith("khoj_")})
    plugins = plugin_manager([plugin], third_party=False)
    commands, problems = with_commands(plugins.collect("khoj_slash_commands")[0])
    plan = plan_turn("/welsh Good day", Asked(""), commands)
    assert (problems, plan.message, plan.search) == ((), "Good day", False)
    found = load_personas(tmp_path, None, plugins.collect("khoj_personas")[0])
    assert (found.problems, found.by_name["bard"].prompt) == ((), "Answer in rhymed couplets.")
