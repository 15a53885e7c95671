from __future__ import annotations

import logging
import pickle
from pathlib import Path

import msgspec
import pytest

from khoj_ls.config.keys import SERVICE, Secret, find_key, keys_file, keys_file_problem, store_key
from khoj_ls.config.paths import Folders
from khoj_ls.core.errors import SettingsError

NAME = "OPENAI_API_KEY"


class Keyring:
    """A keyring backend that holds one key."""

    @staticmethod
    def install(monkeypatch: pytest.MonkeyPatch, key: str | None) -> None:
        import keyring

        monkeypatch.setattr(keyring, "get_password", lambda service, name: key if (service, name) == (SERVICE, NAME) else None)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    Keyring.install(monkeypatch, None)
    (tmp_path / "config").mkdir()
    return Folders(tmp_path / "config", tmp_path / "data", tmp_path / "state", tmp_path / "run")


def write_keys(folders: Folders, text: str, mode: int = 0o600) -> None:
    keys_file(folders).write_text(text)
    keys_file(folders).chmod(mode)


def test_the_order_is_environment_then_file_then_keyring(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_key(NAME, {}, folders) is None
    Keyring.install(monkeypatch, "from keyring")
    assert find_key(NAME, {}, folders) == Secret("from keyring")
    write_keys(folders, f'{NAME} = "from file"')
    assert find_key(NAME, {}, folders) == Secret("from file")
    assert find_key(NAME, {NAME: " from environment\n"}, folders) == Secret("from environment")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_keys_file_that_others_can_read_is_refused(folders: Folders, mode: int) -> None:
    write_keys(folders, f'{NAME} = "sk-1"', mode)
    message = (
        f"{keys_file(folders)} can be read by others (mode {mode:04o}) and is not used; run: chmod 600 '{keys_file(folders)}'"
    )
    with pytest.raises(SettingsError) as raised:
        find_key(NAME, {}, folders)
    assert str(raised.value) == message == keys_file_problem(folders)
    assert find_key(NAME, {NAME: "sk-2"}, folders) == Secret("sk-2"), "the environment is not touched by it"


def test_a_broken_keys_file_is_named_without_its_content(folders: Folders) -> None:
    write_keys(folders, "sk-secret-without-a-name")
    problem = keys_file_problem(folders)
    assert problem is not None
    assert str(keys_file(folders)) in problem
    assert "sk-secret" not in problem


@pytest.mark.parametrize(
    "shown",
    [str, repr, "{}".format, "{!r:>10}".format, lambda key: f"{key}", lambda key: f"{[key]}", lambda key: "%s" % key],  # noqa: UP031 - people write this too
)
def test_a_secret_shows_itself_nowhere(shown: object) -> None:
    assert "sk-1" not in shown(Secret("sk-1"))  # type: ignore[operator]  # one of the functions above


def test_a_secret_is_neither_logged_nor_sent(caplog: pytest.LogCaptureFixture) -> None:
    key = Secret("sk-1")
    logging.getLogger("test").warning("key %s %r", key, {"key": key})
    assert "sk-1" not in caplog.text
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        msgspec.json.encode(key)
    assert key.reveal() == "sk-1"


def test_storing_a_key_keeps_the_file_private_and_the_rest_of_it(folders: Folders) -> None:
    store_key(NAME, Secret("sk-1"), folders)
    assert keys_file(folders).stat().st_mode & 0o777 == 0o600
    write_keys(folders, f'# mine\nOTHER = "x"  # keep\n{NAME} = "sk-1"\n')
    store_key(NAME, Secret('sk-"2'), folders)
    assert find_key(NAME, {}, folders) == Secret('sk-"2')
    store_key(NAME, None, folders)
    assert keys_file(folders).read_text() == '# mine\nOTHER = "x"  # keep\n'
    assert keys_file(folders).stat().st_mode & 0o777 == 0o600
