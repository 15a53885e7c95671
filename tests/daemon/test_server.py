from __future__ import annotations

import re
from pathlib import Path

import pytest

from khoj_ls.daemon import endpoint, launch
from khoj_ls.daemon.lockfile import FileLock

EVENTS = re.compile("serves(?= )|made room|closed$", re.MULTILINE)


def settings(home, text):
    (home / "config").mkdir(parents=True, exist_ok=True)
    (home / "config" / "config.toml").write_text(text)


def test_it_ends_when_nobody_has_come_for_long(toys, home):
    settings(home, "daemon.idle_exit_seconds = 0.3")
    toys.start()
    toys.gone()
    assert "stopping: no session for 0.3 s" in toys.log


def test_it_stays_while_somebody_is_there_and_ends_after_the_last(toys, home):
    settings(home, "daemon.idle_exit_seconds = 0.3")
    relay = toys.connected_relay()
    with toys.client() as client:
        with pytest.raises(TimeoutError):
            client._socket.settimeout(1.0)
            client._socket.recv(1)
        assert launch.status()["sessions"] == 2
    assert toys.pid is not None
    relay.stdin.close()
    toys.gone()


def test_it_stays_while_there_is_work(toys, home):
    settings(home, "daemon.idle_exit_seconds = 0.2")
    toys.start()
    with toys.client() as client:
        client.call("busy", {"busy": True})
    toys.wait_until(lambda: launch.status()["uptime_seconds"] > 1.0)
    with toys.client() as client:
        client.call("busy", {"busy": False})
    toys.gone()


def test_asking_for_the_status_keeps_no_daemon_alive(toys, home):
    settings(home, "daemon.idle_exit_seconds = 0.3")
    toys.start()
    toys.wait_until(lambda: launch.status() is None)


def test_an_older_daemon_makes_room_for_a_newer_client_at_once_if_it_is_idle(on_transport, monkeypatch):
    monkeypatch.setenv("KHOJ_LS_TOY_VERSION", "0.0.1")
    old = on_transport.start()
    monkeypatch.delenv("KHOJ_LS_TOY_VERSION")
    on_transport.connected_relay()
    assert on_transport.pid not in (None, old)
    assert "finishing: a newer version asks for it" in on_transport.log
    on_transport.wait_until(lambda: f"khoj-ls ends (process {old})" in on_transport.log)


def test_an_older_daemon_serves_its_sessions_to_their_end(toys, monkeypatch):
    monkeypatch.setenv("KHOJ_LS_TOY_VERSION", "0.0.1")
    old = toys.start()
    with toys.client("control") as early:
        # A session of the old version: one that claims to be so.
        with monkeypatch.context() as older:
            older.setattr("khoj_ls.daemon.handshake.__version__", "0.0.1")
            session = toys.client()
        monkeypatch.delenv("KHOJ_LS_TOY_VERSION")
        relay = toys.connected_relay()
        assert toys.pid not in (None, old)
        assert early.call("daemon/status")["sessions"] == 1
        assert session.call("echo", {"still": "here"}) == {"still": "here"}
        session.close()
        toys.wait_until(lambda: f"khoj-ls ends (process {old})" in toys.log)
    with toys.client() as client:
        assert client.call("echo", {}) == {}
    relay.stdin.write(b"unmoved\n")
    assert relay.stdout.readline() == b"unmoved\n"


def test_the_next_daemon_starts_when_the_last_has_let_go_of_everything(toys):
    old = toys.start()
    with toys.client("control") as client:
        client.call("daemon/stop")
    toys.connected_relay()
    assert toys.pid not in (None, old)
    assert [word for word in EVENTS.findall(toys.log) if word != "made room"] == ["serves", "closed", "serves"]


def test_a_newer_daemon_starts_when_the_older_has_let_go_of_what_no_session_uses(toys, monkeypatch):
    monkeypatch.setenv("KHOJ_LS_TOY_VERSION", "0.0.1")
    toys.start()
    with monkeypatch.context() as older:
        older.setattr("khoj_ls.daemon.handshake.__version__", "0.0.1")
        session = toys.client()
    monkeypatch.delenv("KHOJ_LS_TOY_VERSION")
    toys.connected_relay()
    old, *made_room, new = EVENTS.findall(toys.log.rpartition("serves ")[0] + "serves ")
    assert (old, set(made_room), new) == ("serves", {"made room"}, "serves")
    session.close()


def test_a_newer_daemon_serves_older_clients_and_stays(toys, monkeypatch):
    monkeypatch.setenv("KHOJ_LS_TOY_VERSION", "99.0")
    newer = toys.start()
    toys.connected_relay()
    with toys.client() as client:
        assert client.call("echo", {}) == {}
    assert toys.pid == newer


@pytest.mark.parametrize("what", ["folder", "address", "lock"])
def test_what_is_removed_under_a_running_daemon_is_put_back(on_transport, transport, what, tmp_path):
    daemon = on_transport.start()
    relay = on_transport.connected_relay()
    folder = Path(on_transport.folder)
    address = folder / (endpoint.SOCKET if transport == "unix" else endpoint.ADDRESS)
    if what == "folder":
        folder.rename(tmp_path / "removed")
    else:
        (address if what == "address" else folder / endpoint.LOCK).unlink()
    on_transport.wait_until(lambda: address.exists() and on_transport.pid == daemon and endpoint.answers(str(folder)))
    with on_transport.client() as client:
        assert client.pid == daemon
        assert client.call("echo", {}) == {}
    relay.stdin.write(b"undisturbed\n")
    assert relay.stdout.readline() == b"undisturbed\n"


def test_a_daemon_whose_place_is_taken_serves_what_it_has_and_ends(toys, tmp_path):
    old = toys.start()
    relay = toys.connected_relay()
    Path(toys.folder).rename(tmp_path / "removed")
    endpoint.check_folder(toys.folder, create=True)
    other = FileLock(f"{toys.folder}/{endpoint.LOCK}")
    if not other.acquire():
        pytest.skip("the daemon was quicker")
    toys.wait_until(lambda: "finishing: a daemon is running already" in toys.log)
    relay.stdin.write(b"served\n")
    assert relay.stdout.readline() == b"served\n"
    relay.stdin.close()
    toys.wait_until(lambda: f"khoj-ls ends (process {old})" in toys.log)
    other.release()


def test_housekeeping_that_fails_is_told_and_harms_nothing(caplog):
    from khoj_ls.daemon.server import _guarded

    def fail():
        raise RuntimeError("no space")

    _guarded(fail)
    assert "housekeeping failed" in caplog.text
