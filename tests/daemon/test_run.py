"""The daemon as it is shipped: its composition, its faces, and what it leaves unimported."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import psutil
import pytest

from khoj_ls import __version__
from khoj_ls.core.errors import UsageError
from khoj_ls.daemon import launch
from khoj_ls.daemon.client import DaemonClient

INITIALIZE = {"processId": None, "rootUri": None, "capabilities": {}}


def message(method, request=None, params=None):
    body = {"jsonrpc": "2.0", "method": method, **({} if request is None else {"id": request})}
    text = json.dumps({**body, **({} if params is None else {"params": params})}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(text), text)


def answer(stream):
    length = 0
    while line := stream.readline().strip():
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return json.loads(stream.read(length))


@pytest.fixture
def editor(toys):
    """Starts `khoj-ls` as an editor does."""
    program = [sys.executable, "-m", "khoj_ls"]

    def start(*arguments):
        process = subprocess.Popen(
            [*program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        toys.processes.append(process)
        return process

    return start


@pytest.mark.parametrize("arguments", [(), ("--stdio",), ("lsp",), ("lsp", "--stdio")], ids=" ".join)
def test_an_editor_gets_its_server(editor, toys, arguments):
    relay = editor(*arguments)
    relay.stdin.write(message("initialize", 1, INITIALIZE))
    relay.stdin.flush()
    assert answer(relay.stdout)["result"]["serverInfo"] == {"name": "khoj-ls", "version": __version__}
    relay.stdin.write(message("initialized", params={}) + message("shutdown", 2))
    relay.stdin.flush()
    assert answer(relay.stdout)["id"] == 2
    relay.stdin.write(message("exit"))
    relay.stdin.flush()
    assert (toys.status_of(relay), relay.stderr.read()) == (0, b"")
    toys.wait_until(lambda: launch.status()["sessions"] == 0)


def test_shells_are_answered_and_nothing_heavy_is_loaded_for_it(toys):
    with DaemonClient.connect() as client:
        status = client.call("khoj/status")
        assert status["vaults"] == []
        assert {key: status["daemon"][key] for key in ("pid", "version", "worker", "sessions")} == {
            "pid": toys.pid,
            "version": __version__,
            "worker": None,
            "sessions": 1,
        }
        assert status["daemon"]["rss_bytes"] > 1_000_000
        with pytest.raises(UsageError, match="no vault"):
            client.call("khoj/search", {"query": "anything"})
        with pytest.raises(UsageError, match=r"khoj/search: .*limit"):
            client.call("khoj/search", {"query": "anything", "limit": "many"})
    assert status["daemon"]["rss_bytes"] < 150_000_000
    if sys.platform != "linux":  # elsewhere the system does not say what a process has mapped
        return
    libraries = {path.path for path in psutil.Process(toys.pid).memory_maps()}
    assert not [path for path in libraries if "torch" in path or "onnxruntime" in path]


def test_wrong_settings_are_told_in_the_log_and_stop_nothing(toys, home):
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text("daemon.idle_exit_secs = 1\n")
    with DaemonClient.connect() as client:
        client.call("daemon/status")
    assert "config.toml: daemon.idle_exit_secs: there is no such setting" in toys.log


def test_a_daemon_in_the_foreground_shows_its_log(toys):
    process = subprocess.Popen(
        [sys.executable, "-m", "khoj_ls.daemon.run", "--foreground"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(os.environ),
    )
    toys.processes.append(process)
    assert process.stdout.readline() == b"ready\n"
    assert toys.pid == process.pid
    process.terminate()
    assert toys.status_of(process) == 0
    assert b"stopping: SIGTERM" in process.stderr.read()
