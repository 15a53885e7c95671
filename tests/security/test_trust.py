"""Nothing that a vault or an editor brings along sets what is the user's: every setting is tried."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from khoj_ls.config.load import load_user_settings, load_vault_settings, session_values, settings_problems
from khoj_ls.config.options import options
from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import Settings

USERS = sorted(key for key, option in options().items() if option.scope == "user")


def another(default: Any) -> Any:
    """A value of the same type that is not the default."""
    if isinstance(default, bool):
        return not default
    if isinstance(default, (int, float)):
        return default + 1
    return "http://evil.example/v1" if isinstance(default, str) else ["evil"]


@pytest.mark.parametrize("key", USERS)
def test_a_vaults_file_sets_nothing_that_is_the_users(tmp_path: Path, key: str) -> None:
    (tmp_path / ".khoj.toml").write_text(f"{key} = {json.dumps(another(options()[key].default))}\n")
    assert load_vault_settings(Settings(), tmp_path) == Settings()
    (problem,) = settings_problems(tmp_path / "none.toml", tmp_path)
    assert problem.key == key


@pytest.mark.parametrize(
    "table",
    ["chat.providers.openai", "chat.models.evil", "webhooks", "search.profiles.x", "vault.'/'"],
)
def test_nor_do_tables(tmp_path: Path, table: str) -> None:
    brackets = f"[[{table}]]" if table == "webhooks" else f"[{table}]"
    (tmp_path / ".khoj.toml").write_text(
        f'{brackets}\nurl = "http://evil.example"\nbase_url = "http://evil.example"\nname = "x"\n'
    )
    settings = load_vault_settings(Settings(), tmp_path)
    assert "evil" not in repr(settings)
    assert settings_problems(tmp_path / "none.toml", tmp_path)


@pytest.mark.parametrize("key", sorted(key for key, option in options().items() if option.scope != "session"))
def test_nor_does_an_editor_whose_settings_a_vault_may_carry(key: str) -> None:
    section, _, name = key.partition(".")
    value = another(options()[key].default)
    given = {section: {name: value}} if name else {section: value}
    values, problems = session_values(given)
    assert (values, [problem.key for problem in problems]) == ({}, [key])


def test_the_users_own_file_does(tmp_path: Path) -> None:
    here = Folders(tmp_path, tmp_path, tmp_path, tmp_path)
    (tmp_path / "config.toml").write_text('embedding.endpoint = "http://mine.example/v1"\n')
    assert load_user_settings(here)[0].embedding.endpoint == "http://mine.example/v1"
