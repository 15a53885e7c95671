from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import wait_until

from khoj_ls.config.paths import folders
from khoj_ls.core.errors import DaemonError
from khoj_ls.daemon import endpoint, launch
from khoj_ls.daemon.client import DaemonClient
from khoj_ls.daemon.lockfile import holder

HERE = Path(__file__).parent
DAEMON = (sys.executable, str(HERE / "toy_daemon.py"), "--detach")
RELAY = (sys.executable, str(HERE / "toy_relay.py"))
PATIENCE = 30.0


class Toys:
    """Starts toy daemons and relays in one home of their own."""

    relay_command = RELAY
    daemon_command = DAEMON

    def __init__(self):
        self.processes = []

    wait_until = staticmethod(wait_until)

    @property
    def folder(self):
        return endpoint.runtime_folder()

    @property
    def pid(self):
        """The running daemon, or None."""
        return holder(f"{self.folder}/{endpoint.LOCK}")

    @property
    def started(self):
        """How many daemon processes were started."""
        return len(Path(os.environ["KHOJ_LS_HOME"], "started").read_text().splitlines())

    @property
    def log(self):
        return folders().log.read_text()

    def start(self):
        launch.ensure_running(self.folder, command=DAEMON)
        return self.pid

    def client(self, face="rpc"):
        return DaemonClient.connect(start=False, face=face)

    def relay(self, **options):
        process = subprocess.Popen(
            RELAY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, **options
        )
        self.processes.append(process)
        return process

    def connected_relay(self):
        """A relay that has answered once."""
        relay = self.relay()
        relay.stdin.write(b"hello\n")
        assert relay.stdout.readline() == b"hello\n"
        return relay

    @staticmethod
    def status_of(process):
        """The exit status of a process that is to end."""
        return process.wait(PATIENCE)

    def kill(self):
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        self.wait_until(lambda: self.pid != pid, "the daemon's death")

    def gone(self):
        self.wait_until(lambda: self.pid is None, "the daemon's end")

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                stream.close()
        with contextlib.suppress(DaemonError):
            launch.stop()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A place of its own for all that the program writes."""
    monkeypatch.setenv("KHOJ_LS_HOME", str(tmp_path / "h"))
    monkeypatch.delenv(endpoint.TRANSPORT_VARIABLE, raising=False)
    yield tmp_path / "h"
    # Long paths have their runtime folder in the temporary directory.
    shutil.rmtree(endpoint.runtime_folder(), ignore_errors=True)


@pytest.fixture
def toys(home, quiet_homes):
    quiet_homes.append(home)
    toys = Toys()
    yield toys
    toys.end()


@pytest.fixture(params=["unix", "tcp"])
def transport(request, monkeypatch):
    """Every test that asks for it runs on both transports."""
    return request.param


@pytest.fixture
def on_transport(toys, transport, monkeypatch):
    monkeypatch.setenv(endpoint.TRANSPORT_VARIABLE, transport)
    return toys
