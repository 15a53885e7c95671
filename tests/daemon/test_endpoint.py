from __future__ import annotations

import os
import socket
import stat
import sys
from pathlib import Path

import pytest

from khoj_ls.config.paths import folders
from khoj_ls.core.errors import DaemonError
from khoj_ls.daemon import endpoint, launch
from khoj_ls.daemon.endpoint import NotRunning

VARIABLES = ("KHOJ_LS_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "HOME")


@pytest.mark.parametrize(
    "environment",
    [
        {"KHOJ_LS_HOME": "/tmp/khoj"},
        {"KHOJ_LS_HOME": "/tmp/khoj/"},
        {"KHOJ_LS_HOME": "/tmp/./a/../khoj"},
        {"KHOJ_LS_HOME": "//tmp/khoj"},
        {"KHOJ_LS_HOME": "relative/home"},
        {"KHOJ_LS_HOME": "~/khoj", "HOME": "/tmp/someone"},
        {"KHOJ_LS_HOME": "/tmp/" + "long" * 30},
        {"KHOJ_LS_HOME": "/tmp/ünïcode"},
        {"HOME": "/tmp/someone"},
        {"HOME": "/tmp/someone/"},
        {"HOME": ""},
        {"HOME": "relative"},
        {},
        {"HOME": "/tmp/someone", "XDG_STATE_HOME": "/tmp/state"},
        {"HOME": "/tmp/someone", "XDG_STATE_HOME": "not/absolute"},
        {"HOME": "/tmp/someone", "XDG_STATE_HOME": ""},
        {"HOME": "/tmp/someone", "XDG_RUNTIME_DIR": "/tmp"},
        {"HOME": "/tmp/someone", "XDG_RUNTIME_DIR": "/tmp/"},
        {"HOME": "/tmp/someone", "XDG_RUNTIME_DIR": "/tmp/is-not-there"},
        {"HOME": "/tmp/someone", "XDG_RUNTIME_DIR": "/tmp", "KHOJ_LS_HOME": ""},
        {"HOME": "/tmp/" + "long" * 30},
    ],
    ids=str,
)
def test_the_quick_way_finds_the_folder_that_config_finds(environment, monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert endpoint.runtime_folder() == str(folders().runtime)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere config is asked")
def test_the_quick_way_is_quick(home, monkeypatch):
    monkeypatch.setenv("KHOJ_LS_HOME", "/tmp/khoj")
    assert endpoint._plain_linux_folder() == "/tmp/khoj/run"


def test_a_new_runtime_folder_is_ours_alone(tmp_path):
    folder = tmp_path / "a" / "run"
    endpoint.check_folder(str(folder), create=True)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_others_may_read_is_closed_to_them(tmp_path):
    tmp_path.chmod(0o755)
    endpoint.check_folder(str(tmp_path))
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_folder_that_others_may_write_is_refused(tmp_path, mode):
    tmp_path.chmod(mode)
    with pytest.raises(DaemonError, match="can be written by others"):
        endpoint.check_folder(str(tmp_path))


def test_a_folder_of_another_user_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(DaemonError, match="belongs to user"):
        endpoint.check_folder(str(tmp_path))


@pytest.mark.parametrize(
    "make", [lambda path, real: path.symlink_to(real), lambda path, real: path.touch()], ids=["link", "file"]
)
def test_what_is_no_folder_is_refused(tmp_path, make):
    real = tmp_path / "real"
    real.mkdir(mode=0o700)
    make(tmp_path / "run", real)
    with pytest.raises(DaemonError, match=r"is not a folder|cannot be made"):
        endpoint.check_folder(str(tmp_path / "run"), create=True)


def test_no_folder_means_no_daemon(tmp_path):
    with pytest.raises(NotRunning):
        endpoint.connect(str(tmp_path / "run"))


def test_a_stale_socket_means_no_daemon(tmp_path):
    tmp_path.chmod(0o700)
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / endpoint.SOCKET))
    left.close()
    with pytest.raises(NotRunning):
        endpoint.connect(str(tmp_path))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"port": 1}', '{"port": "x", "token": "t"}', '{"token": "t"}'])
def test_a_stale_or_broken_address_means_no_daemon(tmp_path, text):
    tmp_path.chmod(0o700)
    (tmp_path / endpoint.ADDRESS).write_text(text)
    with pytest.raises(NotRunning):
        endpoint.connect(str(tmp_path))


def test_a_path_too_long_for_a_socket_is_served_over_tcp(tmp_path, monkeypatch):
    monkeypatch.delenv(endpoint.TRANSPORT_VARIABLE, raising=False)
    assert endpoint.wants_tcp("/run/user/1000/khoj-ls") is False
    assert endpoint.wants_tcp("/run/" + "x" * 100) is True


@pytest.mark.parametrize(("transport", "name"), [("unix", endpoint.SOCKET), ("tcp", endpoint.ADDRESS)])
def test_only_its_owner_may_use_the_socket(toys, monkeypatch, transport, name):
    monkeypatch.setenv(endpoint.TRANSPORT_VARIABLE, transport)
    toys.start()
    files = {path.name: stat.S_IMODE(path.lstat().st_mode) for path in Path(toys.folder).iterdir()}
    assert files == {name: 0o600, endpoint.LOCK: 0o600, endpoint.START_LOCK: 0o600}
    assert stat.S_IMODE(Path(toys.folder).stat().st_mode) == 0o700
    assert launch.status()["transport"] == transport
