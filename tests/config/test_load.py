from __future__ import annotations

import os
from pathlib import Path

import pytest

from khoj_ls.config.load import (
    MAX_PROBLEMS,
    assignments,
    load_user_settings,
    load_vault_settings,
    session_values,
    settings_problems,
)
from khoj_ls.config.options import options, value_of, with_values
from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import Settings
from khoj_ls.core.errors import UsageError

DEFAULT = Settings()


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    home = tmp_path / "home"
    (home / "config").mkdir(parents=True)
    return Folders(home / "config", home / "data", home / "state", home / "run")


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    root = tmp_path / "notes"
    root.mkdir()
    return root


def changed(settings: Settings) -> dict[str, object]:
    """What differs from the defaults, by dotted key."""
    return {key: value_of(settings, key) for key, option in options().items() if value_of(settings, key) != option.default}


def test_without_any_file_the_defaults_hold(folders: Folders, vault: Path) -> None:
    user, problems = load_user_settings(folders)
    assert (changed(user), problems) == ({}, [])
    assert load_vault_settings(user, vault) == DEFAULT


def test_every_key_can_be_set(folders: Folders) -> None:
    folders.user_settings.write_text(
        'vaults = ["~/notes"]\n'
        '[index]\nignore = ["*.log", "drafts/"]\nhidden = true\ndebounce_seconds = 1\n'
        '[embedding]\nmodel = "balanced"\nthreads = 2\n'
        '[search]\nlimit = 25\nmode = "lexical"\n'
    )
    user, problems = load_user_settings(folders)
    assert problems == []
    assert changed(user) == {
        "vaults": ("~/notes",),
        "index.ignore": ("*.log", "drafts/"),
        "index.hidden": True,
        "index.debounce_seconds": 1.0,
        "embedding.model": "balanced",
        "embedding.threads": 2,
        "search.limit": 25,
        "search.mode": "lexical",
    }


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("[search]\nlimt = 5", "search.limt", "there is no such setting; did you mean search.limit?"),
        ("limit = 5", "limit", "there is no such setting; did you mean search.limit?"),
        ("[serch]\nlimit = 5", "serch", "there is no such section; did you mean search?"),
        ("[search]\nlimit = 'ten'", "search.limit", 'wants a whole number from 1 to 100, not "ten"; it is left out'),
        ("[search]\nlimit = 0", "search.limit", "wants a whole number from 1 to 100, not 0; it is left out"),
        ("[search]\nlimit = true", "search.limit", "wants a whole number from 1 to 100, not true; it is left out"),
        ("[search]\nlimit = 2.5", "search.limit", "wants a whole number from 1 to 100, not 2.5; it is left out"),
        ("[search.limit]\na = 1", "search.limit", "wants a whole number from 1 to 100, not a section; it is left out"),
        ("[search]\nmode = 'fuzzy'", "search.mode", 'wants one of hybrid, lexical, dense, not "fuzzy"; it is left out'),
        ("[search]\nscore_threshold = nan", "search.score_threshold", "wants a number from 0 to 1, not nan; it is left out"),
        ("[daemon]\nidle_exit_seconds = inf", "daemon.idle_exit_seconds", "wants a number, 0 or more, not inf; it is left out"),
        ("[index]\nhidden = 'yes'", "index.hidden", 'wants true or false, not "yes"; it is left out'),
        ("[index]\nignore = '*.log'", "index.ignore", 'wants a list of texts, not "*.log"; it is left out'),
        ("[index]\nignore = ['a', 1]", "index.ignore", 'wants a list of texts, not ["a", 1]; it is left out'),
        ("search = 3", "search", "this is a section, not a setting"),
        ('"a\\u001b[2Jb" = 3', "a?[2Jb", "there is no such setting"),
        ("[search]\nlimit = ", "", "not valid TOML: Invalid value (at end of document); the defaults are used"),
        ("vault = 3", "vault", 'write one table per vault: [vault."/path/to/notes"]'),
        ("[vault.notes]\nsearch.limit = 3", 'vault."notes"', 'write one table per vault: [vault."/path/to/notes"]'),
        ("[vault.'/n']\nsearch.limt = 3", 'vault."/n".search.limt', "there is no such setting; did you mean search.limit?"),
        (
            "[vault.'/n']\ndaemon.nice = 3",
            'vault."/n".daemon.nice',
            "this holds for all vaults: set it outside the table of a vault",
        ),
    ],
)
def test_a_wrong_key_or_value_is_told_and_its_default_stays(folders: Folders, text: str, key: str, message: str) -> None:
    folders.user_settings.write_text(text)
    user, problems = load_user_settings(folders)
    assert [(item.source, item.key, item.message) for item in problems] == [(str(folders.user_settings), key, message)]
    assert changed(user) == {}
    assert settings_problems(folders.user_settings) == problems


def test_the_good_keys_of_a_file_with_a_wrong_one_hold(folders: Folders) -> None:
    folders.user_settings.write_text("[search]\nlimt = 5\nmax_per_file = 1\n")
    user, problems = load_user_settings(folders)
    assert changed(user) == {"search.max_per_file": 1}
    assert len(problems) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "not UTF-8 at byte 0; the defaults are used"),
        (b"a = " + b"[" * 20_000, "not valid TOML: nested too deeply; the defaults are used"),
        (b"#" * 1_000_001, "1000001 bytes long; at most 1000000 are read; the defaults are used"),
    ],
    ids=["encoding", "nesting", "size"],
)
def test_a_file_that_is_no_toml_at_all(folders: Folders, content: bytes, message: str) -> None:
    folders.user_settings.write_bytes(content)
    user, problems = load_user_settings(folders)
    assert changed(user) == {}
    assert [item.message for item in problems] == [message]


def test_a_byte_order_mark_is_no_mistake(folders: Folders) -> None:
    folders.user_settings.write_bytes(b"\xef\xbb\xbf[search]\nlimit = 7\n")
    assert load_user_settings(folders)[1] == []


def test_a_flood_of_wrong_keys_is_cut_short(folders: Folders) -> None:
    folders.user_settings.write_text("".join(f"key{number} = 1\n" for number in range(1000)))
    assert len(load_user_settings(folders)[1]) == MAX_PROBLEMS + 1


@pytest.mark.parametrize(
    ("text", "key", "told"),
    [
        ("[daemon]\nnice = 3", "daemon.nice", "run: khoj-ls config set daemon.nice 3"),
        (
            "[embedding]\nendpoint = 'http://evil.example/; rm -rf'",
            "embedding.endpoint",
            "khoj-ls config set embedding.endpoint 'http://evil.example/; rm -rf'",
        ),
        ("[embedding]\nallow_remote = true", "embedding.allow_remote", "a vault's file may not set this"),
        ("vaults = ['/']", "vaults", "a vault's file may not set this"),
        ("[embedding]\nmodel = './model'", "embedding.model", "only name a local preset"),
        ("[embedding]\nmodel = 'remote'", "embedding.model", "only name a local preset"),
        ("[embedding]\nmodel = 'someone/model'", "embedding.model", "only name a local preset"),
        ("[vault.'/n']\nsearch.limit = 1", "vault", "there is no such section"),
    ],
)
def test_a_vault_that_was_cloned_may_not_set_what_is_the_users(
    folders: Folders, vault: Path, text: str, key: str, told: str
) -> None:
    (vault / ".khoj.toml").write_text(text)
    user, _ = load_user_settings(folders)
    assert changed(load_vault_settings(user, vault)) == {}
    (problem,) = settings_problems(folders.user_settings, vault)
    assert (problem.source, problem.key) == (str(vault / ".khoj.toml"), key)
    assert told in problem.message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such files on this system")
def test_a_vault_file_that_is_a_device_or_a_pipe_does_not_stop_anything(folders: Folders, vault: Path) -> None:
    os.mkfifo(vault / ".khoj.toml")
    assert changed(load_vault_settings(DEFAULT, vault)) == {}
    assert [item.message for item in settings_problems(folders.user_settings, vault)] == ["not a regular file; it is left out"]


def test_which_source_wins(folders: Folders, vault: Path) -> None:
    """defaults < config.toml < .khoj.toml < the user's table for the vault < --set"""
    layers = {
        "user": "[search]\nlimit = 1\nmax_per_file = 1\nmode = 'dense'\n[index]\nhidden = true\n",
        "table": f"[vault.'{vault}']\nsearch.mode = 'lexical'\nindex.gitignore = false\n",
        "vault": "[search]\nmax_per_file = 2\nmode = 'hybrid'\n[index]\ngitignore = true\nignore = ['x']\n",
    }
    folders.user_settings.write_text(layers["user"] + layers["table"])
    (vault / ".khoj.toml").write_text(layers["vault"])
    user, problems = load_user_settings(folders, {"index.ignore": ("y",)})
    assert problems == []
    assert changed(load_vault_settings(user, vault)) == {
        "search.limit": 1,
        "index.hidden": True,
        "search.max_per_file": 2,
        "search.mode": "lexical",
        "index.gitignore": False,
        "index.ignore": ("y",),
    }


def test_the_table_of_a_vault_is_found_through_home_and_symlinks(
    folders: Folders, vault: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "link").symlink_to(vault)
    folders.user_settings.write_text("[vault.'~/link']\nsearch.limit = 4\n[vault.'/elsewhere']\nsearch.limit = 5\n")
    user, _ = load_user_settings(folders)
    assert load_vault_settings(user, vault).search.limit == 4


def test_what_an_editor_may_send() -> None:
    sent = {
        "search": {"limit": 3, "mode": None, "limt": 1},
        "search.max_per_file": 2.0,
        "index": {"hidden": True},
        "embedding": None,
    }
    values, problems = session_values(sent)
    assert values == {"search.limit": 3, "search.max_per_file": 2}
    assert {item.key: item.message for item in problems} == {
        "search.limt": "there is no such setting; did you mean search.limit?",
        "index.hidden": "an editor may not set this; run: khoj-ls config set index.hidden true",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("search.limit=5", {"search.limit": 5}),
        (" search.limit = 5 ", {"search.limit": 5}),
        ("search.mode=dense", {"search.mode": "dense"}),
        ('search.mode="dense"', {"search.mode": "dense"}),
        ("embedding.model=123", {"embedding.model": "123"}),
        ("embedding.endpoint=http://localhost:1/v1?a=b#c", {"embedding.endpoint": "http://localhost:1/v1?a=b#c"}),
        ("embedding.endpoint=", {"embedding.endpoint": ""}),
        ("index.hidden=true", {"index.hidden": True}),
        ("index.keep_vectors_days=3", {"index.keep_vectors_days": 3.0}),
        ("index.ignore=a,b c", {"index.ignore": ("a", "b c")}),
        ("index.ignore=['a,b']", {"index.ignore": ("a,b",)}),
        ("index.ignore=", {"index.ignore": ()}),
    ],
)
def test_values_on_the_command_line(text: str, expected: dict[str, object]) -> None:
    assert assignments([text]) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("search.limit", "--set search.limit: write it as section.key=value"),
        ("search.limt=5", "--set search.limt: there is no such setting; did you mean search.limit?"),
        ("search.limit=many", "--set search.limit: wants a whole number from 1 to 100, not many"),
        ("index.hidden=yes", "--set index.hidden: wants true or false, not yes"),
        ("index.ignore=[1]", "--set index.ignore: wants a list of texts, not [1]"),
    ],
)
def test_wrong_values_on_the_command_line(text: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        assignments([text])
    assert str(raised.value) == message


def test_every_default_passes_its_own_check() -> None:
    known = options()
    assert {key: option.check(option.default) for key, option in known.items()} == {
        key: option.default for key, option in known.items()
    }
    assert with_values(DEFAULT, {key: option.default for key, option in known.items()}) == DEFAULT
