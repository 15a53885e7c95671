"""[[webhooks]] tables: what of them is used, what is told of the others, and that nobody but the user can write one."""

from __future__ import annotations

from pathlib import Path

import pytest

from khoj_ls.config.load import assignments, load_user_settings, load_vault_settings, session_values, settings_problems
from khoj_ls.config.paths import Folders
from khoj_ls.config.webhooks import MOST, NOT_HERE, Webhook, webhooks
from khoj_ls.core.errors import UsageError

GOOD = """
[[webhooks]]
url = "https://hooks.example.org/khoj"
secret_variable = "WEBHOOK_KEY"
events = ["index.completed"]
"""
USABLE = Webhook("https://hooks.example.org/khoj", "WEBHOOK_KEY", ("index.completed",), "hooks-example-org")


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    (tmp_path / "config").mkdir()
    return Folders(tmp_path / "config", tmp_path / "data", tmp_path / "state", tmp_path / "run")


def read(folders: Folders, text: str) -> tuple[tuple[Webhook, ...], list[tuple[str, str]]]:
    folders.user_settings.write_text(text)
    settings, problems = load_user_settings(folders)
    return webhooks(settings.webhooks), [(problem.key, problem.message) for problem in problems]


def test_one_with_all_it_needs(folders: Folders) -> None:
    assert read(folders, GOOD) == ((USABLE,), [])


def test_all_that_can_be_set(folders: Folders) -> None:
    text = GOOD + (
        'name = "home"\nactive = false\ncontent = true\nretries = 0\ntimeout_seconds = 2\n'
        'allow_private = ["127.0.0.1", "fd00::/8"]\n'
    )
    expected = Webhook(USABLE.url, "WEBHOOK_KEY", USABLE.events, "home", False, True, 0, 2.0, ("127.0.0.1", "fd00::/8"))
    assert read(folders, text) == ((expected,), [])


@pytest.mark.parametrize(
    ("old", "new", "key", "told"),
    [
        ("", 'secret = "hunter2"', "secret", "a secret does not stand in the settings: write secret_variable = NAME"),
        ("", "retires = 3", "retires", "no such setting; did you mean retries?"),
        ("", "retries = 21", "retries", "wants a whole number from 0 to 20, not 21"),
        ("", "active = 1", "active", "wants true or false, not 1"),
        ("", 'name = "a b"', "name", "a name is made of letters"),
        ("", 'allow_private = ["home"]', "allow_private", "'home' is no address or network"),
        ('["index.completed"]', "[]", "events", "name at least one event"),
        ("index.completed", "index.complete", "events", "no event 'index.complete'; did you mean index.completed?"),
        ("WEBHOOK_KEY", "not a name", "secret_variable", "name the key that signs"),
        ("https://hooks", "ftp://hooks", "url", "write an address such as"),
        ("https://hooks", "https://me:hunter2@hooks", "url", "holds no name or password"),
        ("https://hooks", "http://hooks", "url", "write https"),
        ("org/khoj", "org/ khoj", "url", "in ASCII"),
        ("example.org/", "exämple.org/", "url", "in ASCII"),
        ("hooks.example.org", "hooks.example.org:99999", "url", "write an address such as"),
    ],
)
def test_one_with_a_mistake_is_not_used_and_no_secret_is_told(
    old: str, new: str, key: str, told: str, folders: Folders
) -> None:
    text = GOOD.replace(old, new) if old else GOOD + new
    found, problems = read(folders, text + GOOD.replace("hooks.", "other."))
    assert [each.name for each in found] == ["other-example-org"]
    [(where, message)] = problems
    assert where == f"webhooks[1].{key}" and told in message and message.endswith("; this webhook is not used")
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("text", "used", "told"),
    [
        (GOOD + GOOD, 1, [("webhooks[2].name", "there is a webhook 'hooks-example-org' already")]),
        ('webhooks = "https://hooks.example.org"', 0, [("webhooks", "write one [[webhooks]] table per webhook")]),
        ("[webhooks]\nurl = 'x'", 0, [("webhooks", "write one [[webhooks]] table per webhook")]),
        ("".join(f'{GOOD}name = "n{n}"\n' for n in range(MOST + 2)), MOST, [("webhooks", f"at most {MOST} webhooks")]),
    ],
)
def test_several(text: str, used: int, told: list[tuple[str, str]], folders: Folders) -> None:
    found, problems = read(folders, text)
    assert len(found) == used
    assert [(key, message[: len(told[at][1])]) for at, (key, message) in enumerate(problems)] == told


def test_a_vault_an_editor_and_the_command_line_can_add_none(folders: Folders, tmp_path: Path) -> None:
    root = tmp_path / "notes"
    root.mkdir()
    (root / ".khoj.toml").write_text(GOOD)
    folders.user_settings.write_text(GOOD + f'[vault."{root}"]\nwebhooks = []\n')
    user, [own_table] = load_user_settings(folders)
    assert (own_table.key, own_table.message) == (f'vault."{root}".webhooks', NOT_HERE)
    assert webhooks(load_vault_settings(user, root).webhooks) == (USABLE,)
    told = [(each.source, each.message) for each in settings_problems(folders.user_settings, root)]
    assert (str(root / ".khoj.toml"), NOT_HERE) in told
    values, [problem] = session_values({"webhooks": [{"url": "https://evil.example.org"}]})
    assert (dict(values), problem.message) == ({}, NOT_HERE)
    with pytest.raises(UsageError, match="only in your own config"):
        assignments(["webhooks=[]"])
