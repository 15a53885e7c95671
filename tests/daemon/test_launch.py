from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path

import psutil
import pytest

from khoj_ls import __version__
from khoj_ls.core.errors import DaemonError
from khoj_ls.daemon import endpoint, launch
from khoj_ls.daemon.dial import dial


def test_twenty_relays_at_once_start_one_daemon(on_transport):
    relays = [on_transport.relay() for _ in range(20)]
    for relay in relays:
        relay.stdin.write(b"hello\n")
    assert [relay.stdout.readline() for relay in relays] == [b"hello\n"] * 20
    assert on_transport.started == 1
    assert launch.status()["sessions"] == 20


def test_threads_of_one_program_start_one_daemon(toys):
    threads = [threading.Thread(target=launch.ensure_running, args=(toys.folder, "rpc", toys.daemon_command)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert toys.started == 1


def test_a_second_daemon_finds_the_first_and_ends_quietly(toys):
    first = toys.start()
    second = subprocess.run([*toys.daemon_command[:-1]], capture_output=True, check=True)
    assert (second.stdout, second.stderr, toys.started) == (b"ready\n", b"", 2)
    assert toys.pid == first


def test_a_daemon_is_on_its_own(toys):
    daemon = psutil.Process(toys.start())
    assert os.getsid(daemon.pid) != os.getsid(0)
    assert daemon.ppid() != os.getpid()
    assert daemon.cwd() == "/"
    assert daemon.pid in psutil.pids()


def test_a_relative_home_is_the_same_home_for_the_daemon(toys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KHOJ_LS_HOME", "h")
    toys.start()
    assert launch.status()["log"] == str(tmp_path / "h" / "state" / "daemon.log")


@pytest.mark.daemon_errors("the toy is broken")
def test_the_reason_of_a_failed_start_is_told(toys, monkeypatch):
    monkeypatch.setenv("KHOJ_LS_TOY_FAILS", "yes")
    with pytest.raises(DaemonError, match=r"^the daemon did not start: the toy is broken; see .*daemon.log$"):
        toys.start()
    assert toys.pid is None
    monkeypatch.delenv("KHOJ_LS_TOY_FAILS")
    toys.start()


@pytest.mark.parametrize(
    ("code", "reason"),
    [("raise RuntimeError('no such thing')", "RuntimeError: no such thing"), ("", "it gave no reason")],
)
def test_a_daemon_that_dies_before_its_first_word_is_reported_by_the_tail_of_the_log(toys, code, reason):
    with pytest.raises(DaemonError, match=f"did not start: {reason}; see "):
        launch.ensure_running(toys.folder, "rpc", (toys.daemon_command[0], "-c", code))


def test_a_home_that_cannot_be_written_is_reported(toys, home):
    home.mkdir()
    (home / "state").write_text("in the way")
    with pytest.raises(DaemonError, match=r"the daemon cannot be started: .*state"):
        toys.start()


def test_a_program_that_is_not_there_is_reported(toys):
    with pytest.raises(DaemonError, match="/no/python cannot be run: No such file or directory"):
        launch.ensure_running(toys.folder, "rpc", ("/no/python",))


def test_no_daemon_to_stop_or_ask(toys):
    assert (launch.stop(), launch.status()) == (False, None)
    endpoint.check_folder(toys.folder, create=True)
    assert (launch.stop(), launch.status()) == (False, None)


def test_status_is_what_the_daemon_says_and_asking_is_no_session(on_transport, transport):
    pid = on_transport.start()
    status = launch.status()
    assert status.pop("uptime_seconds") > 0
    assert status == {
        "pid": pid,
        "version": __version__,
        "sessions": 0,
        "transport": transport,
        "log": str(launch.log_path()),
    }


def test_stop_ends_the_daemon_and_its_sessions(on_transport):
    relay = on_transport.connected_relay()
    assert launch.stop() is True
    assert on_transport.pid is None
    assert on_transport.status_of(relay) == 1
    left = {path.name for path in Path(on_transport.folder).iterdir()}
    assert left == {endpoint.LOCK, endpoint.START_LOCK}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_the_daemon_in_good_order(toys, number):
    pid = toys.start()
    os.kill(pid, number)
    toys.gone()
    assert f"stopping: {number.name}" in toys.log
    assert f"khoj-ls ends (process {pid})" in toys.log
    assert toys.log.endswith("closed\n")


def test_a_daemon_that_hangs_is_killed_by_stop(toys, monkeypatch):
    monkeypatch.setattr("khoj_ls.daemon.handshake.REPLY_SECONDS", 0.1)
    monkeypatch.setattr(endpoint, "CONNECT_SECONDS", 0.1)
    pid = toys.start()
    os.kill(pid, signal.SIGSTOP)
    assert launch.stop(timeout=0.2) is True
    assert toys.pid is None
    toys.wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def test_what_a_killed_daemon_leaves_is_cleared_away_by_the_next(on_transport):
    on_transport.start()
    on_transport.kill()
    # A leftover of the other transport must not mislead anybody either.
    for name in (endpoint.SOCKET, endpoint.ADDRESS):
        Path(on_transport.folder, name).touch()
    with pytest.raises(DaemonError):
        dial("rpc", start=False)
    on_transport.start()
    with on_transport.client() as client:
        assert client.call("echo", {"a": 1}) == {"a": 1}
