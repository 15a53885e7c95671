from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from khoj_ls.daemon import launch

SHUTDOWN = b'Content-Length: 44\r\n\r\n{"jsonrpc":"2.0","id":3,"method":"shutdown"}'
EXIT = b'Content-Length: 35\r\n\r\n{"jsonrpc": "2.0", "method": "exit"}'
CHANGE = (
    b'Content-Length: 99\r\n\r\n{"jsonrpc":"2.0","method":"textDocument/didChange","params":{"text":"\\"method\\":\\"exit\\""}}'
)


def test_every_byte_arrives_in_both_directions_however_it_is_cut(on_transport):
    chance = random.Random(7)
    sent = chance.randbytes(5_000_000)
    relay = on_transport.relay()

    def write():
        position = 0
        while position < len(sent):
            size = chance.choice((1, 7, 4096, 65_536, 65_537, 300_000))
            relay.stdin.write(sent[position : position + size])
            position += size
        # Half-closed: the rest of the answer is still to come.
        relay.stdin.close()

    writer = threading.Thread(target=write)
    writer.start()
    received = bytearray()
    while chunk := relay.stdout.read(chance.choice((1, 100, 65_536))):
        received += chunk
    writer.join()
    assert received == sent
    assert on_transport.status_of(relay) == 0
    assert relay.stderr.read() == b""


def test_it_starts_the_daemon_that_it_needs(toys):
    assert toys.pid is None
    toys.connected_relay()
    assert toys.pid is not None


def test_it_ends_well_when_the_editor_closes_its_side(on_transport):
    relay = on_transport.connected_relay()
    relay.stdin.close()
    assert on_transport.status_of(relay) == 0
    on_transport.wait_until(lambda: launch.status()["sessions"] == 0)


def test_the_daemon_hears_that_the_editor_closed_its_side_and_has_the_last_word(on_transport):
    relay = on_transport.connected_relay()
    relay.stdin.write(b"!farewell\n")
    assert relay.stdout.readline() == b"!farewell\n"
    relay.stdin.close()
    assert relay.stdout.read() == b"farewell\n"


def test_it_ends_when_the_editor_closes_its_side_and_the_daemon_hangs(toys):
    relay = toys.connected_relay()
    os.kill(toys.pid, signal.SIGSTOP)
    relay.stdin.close()
    assert toys.status_of(relay) == 0
    os.kill(toys.pid, signal.SIGCONT)


def test_it_ends_at_once_when_the_daemon_is_killed_and_the_next_one_recovers(on_transport):
    relay = on_transport.connected_relay()
    killed = on_transport.pid
    on_transport.kill()
    assert on_transport.status_of(relay) == 1
    assert b"the daemon ended" in relay.stderr.read()
    on_transport.connected_relay()
    assert on_transport.pid not in (None, killed)


def test_it_ends_when_nobody_reads_what_it_writes(toys):
    relay = toys.connected_relay()
    # Its standard input stays open, as when the killed editor's children hold it.
    relay.stdout.close()
    assert toys.status_of(relay) == 0


def test_it_ends_with_the_editor_that_is_killed(toys, tmp_path):
    editor = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys, time\n"
            "relay = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)\n"
            "relay.stdin.write(b'hello\\n')\n"
            "print(relay.stdout.readline(), relay.pid, flush=True)\n"
            "time.sleep(600)\n",
            *toys.relay_command,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    greeting, pid = editor.stdout.readline().split()
    assert greeting == "b'hello\\n'"
    editor.kill()
    editor.communicate()
    toys.wait_until(lambda: not _alive(int(pid)))


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (SHUTDOWN + EXIT, 0),
        (EXIT, 1),
        (SHUTDOWN + CHANGE + EXIT, 0),
        (CHANGE + EXIT, 1),
        (SHUTDOWN + b"Content-Length: 9\r\n\r\n" + CHANGE * 1000 + EXIT, 0),
    ],
)
def test_the_exit_status_is_the_one_that_lsp_wants(toys, words, status):
    relay = toys.connected_relay()
    relay.stdin.write(words)
    read = b""
    while len(read) < len(words):
        read += relay.stdout.read(65_536)
    relay.stdin.write(b"!close\n")
    assert (toys.status_of(relay), relay.stderr.read()) == (status, b"")


@pytest.mark.parametrize("words", [SHUTDOWN, CHANGE, b""])
def test_without_exit_the_daemons_end_is_no_good_end(toys, words):
    relay = toys.connected_relay()
    relay.stdin.write(words)
    read = b""
    while len(read) < len(words):
        read += relay.stdout.read(65_536)
    relay.stdin.write(b"!close\n")
    assert toys.status_of(relay) == 1
    assert b"the daemon ended" in relay.stderr.read()


@pytest.mark.daemon_errors(r"a connection failed[\s\S]*(SystemExit|the toy breaks)")
def test_one_editors_exit_or_crash_ends_its_connection_alone(toys):
    daemon = toys.start()
    other = toys.connected_relay()
    for order in (b"!exit\n", b"!crash\n"):
        relay = toys.connected_relay()
        relay.stdin.write(order)
        assert toys.status_of(relay) == 1
    other.stdin.write(b"still there\n")
    assert other.stdout.readline() == b"still there\n"
    assert toys.pid == daemon
    assert "the toy breaks" in toys.log


@pytest.mark.daemon_errors("the toy is broken")
def test_without_a_daemon_it_says_why_and_fails(toys, monkeypatch):
    monkeypatch.setenv("KHOJ_LS_TOY_FAILS", "yes")
    relay = toys.relay()
    assert toys.status_of(relay) == 1
    error = relay.stderr.read().decode()
    assert error.startswith("khoj-ls: the daemon did not start: the toy is broken; see ")
    assert error.count("\n") == 1


def test_ctrl_c_leaves_no_trace(toys):
    relay = toys.connected_relay()
    relay.send_signal(signal.SIGINT)
    assert toys.status_of(relay) == -signal.SIGINT
    assert relay.stderr.read() == b""


def test_it_imports_little():
    code = (
        "import sys; before = set(sys.modules); import khoj_ls.__main__, khoj_ls.daemon.relay;"
        "print(*sorted(name.partition('.')[0] for name in set(sys.modules) - before))"
    )
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    outside = {name for name in loaded if name not in sys.stdlib_module_names}
    assert outside == {"khoj_ls"}
    assert not loaded & {"typing", "dataclasses", "inspect", "pathlib", "subprocess", "asyncio", "logging", "tempfile"}


def _alive(pid):
    try:
        # One that ended and whose new parent has not looked yet is gone all the same.
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
