"""The guard that keeps the whole suite on this machine bites: in the tests' own process, in its children, in the daemon."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from loopback_only import loopback_only

from khoj_ls.core.errors import KhojError
from khoj_ls.daemon import launch

# Of the networks of RFC 5737 and RFC 2606, which are nobody's.
CONNECTING = "import socket; socket.socket().{call}(('198.51.100.7', 80))"
ASKING = "import socket; socket.getaddrinfo('notes.example.org', 443)"
HERE = """if True:
    import socket
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()
        socket.create_connection(("127.0.0.1", server.getsockname()[1])).close()
        socket.create_connection(("0.0.0.0", server.getsockname()[1])).close()
    socket.socketpair()
"""


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (CONNECTING.format(call="connect"), ["198.51.100.7:80"]),
        (CONNECTING.format(call="connect_ex"), ["198.51.100.7:80"]),
        ("import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('198.51.100.7', 53))", ["198.51.100.7:53"]),
        ("import socket; socket.socket(socket.AF_INET6).connect(('2001:db8::7', 80))", ["2001:db8::7:80"]),
        (ASKING, ["notes.example.org:443"]),
        (HERE, []),
    ],
)
def test_here_and_in_a_process_of_its_own(children, code, told):
    with loopback_only() as tried:
        try:
            exec(code, {})
        except AssertionError as error:
            assert "tests stay on this machine" in str(error)
    assert tried == told
    # A daemon is given less of the environment than others, and workers what it has.
    for environment in (dict(os.environ), launch.daemon_environment(os.environ)):
        ended = subprocess.run([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE, text=True)
        assert ("tests stay on this machine" in ended.stderr, ended.returncode) == (bool(told), int(bool(told))), ended.stderr
        assert [line.partition(" by ")[0] for line in children.tried()] == told


@pytest.mark.daemon_errors("a chat turn failed.*tests stay on this machine")
def test_in_the_daemon(children, toys, home, tmp_path):
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text(
        '[embedding]\nmodel = "/none"\n'
        '[chat]\nmodel = "far/m"\nallowed_hosts = ["http://198.51.100.7"]\nproviders.far.base_url = "http://198.51.100.7/v1"\n'
    )
    (tmp_path / "notes").mkdir()
    launch.ensure_running(toys.folder)
    with toys.client() as client, pytest.raises(KhojError):
        client.call("khoj/ask", {"message": "is anybody there", "vault": str(tmp_path / "notes")})
    tried = children.tried()
    assert tried and all(line.startswith("198.51.100.7:80 by ") and "khoj_ls.daemon.run" in line for line in tried)
