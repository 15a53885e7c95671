from __future__ import annotations

import json
import os
import socket
import threading

import pytest

from khoj_ls import __version__
from khoj_ls.core.errors import DaemonError
from khoj_ls.daemon import endpoint, handshake
from khoj_ls.daemon.admission import version_key
from khoj_ls.daemon.dial import dial
from khoj_ls.daemon.handshake import LINE_LIMIT, encode, session_environment
from khoj_ls.daemon.launch import daemon_environment

HELLO = {"khoj": 1, "version": __version__, "pid": 1, "face": "rpc", "environment": {}, "cwd": "/"}


@pytest.mark.parametrize(
    ("name", "travels", "inherited"),
    [
        ("OPENAI_API_KEY", True, False),
        ("OPENAI_BASE_URL", True, False),
        ("ANTHROPIC_API_KEY", True, False),
        ("GEMINI_API_KEY", True, False),
        ("OLLAMA_HOST", True, False),
        ("HTTP_PROXY", True, False),
        ("https_proxy", True, False),
        ("no_proxy", True, False),
        ("LANG", True, True),
        ("LC_ALL", True, True),
        ("TZ", True, True),
        ("KHOJ_LS_HOME", False, True),
        ("XDG_RUNTIME_DIR", False, True),
        ("HOME", False, True),
        ("PATH", False, True),
        ("HF_TOKEN", False, False),
        ("AWS_SECRET_ACCESS_KEY", False, False),
        ("GITHUB_TOKEN", False, False),
        ("SSH_AUTH_SOCK", False, False),
        ("DATABASE_URL", False, False),
        ("openai_api_key", False, False),
        ("MY_OPENAI_SECRET", False, False),
    ],
)
def test_which_variables_travel_with_a_session_and_which_a_daemon_inherits(name, travels, inherited):
    assert (name in session_environment({name: "v"}), name in daemon_environment({name: "v"})) == (travels, inherited)


def test_versions_are_in_order():
    early = ["", "0.1.0.dev1", "0.1.0a1", "0.1.0a2", "0.1.0b1", "0.1.0rc1"]
    ordered = [*early, "0.1.0", "0.1.0.post1", "0.1.1", "0.9", "0.10", "1.0", "1.0.1", "2"]
    assert sorted(ordered, key=version_key) == ordered
    assert version_key("1.0") == version_key("1") == version_key("v1.0.0")


@pytest.fixture
def raw(toys):
    """Sends bytes to a fresh connection and returns the answer."""
    toys.start()

    def send(data, *, half_close=False):
        connected = endpoint.connect(toys.folder).socket
        with connected:
            connected.sendall(data)
            if half_close:
                connected.shutdown(socket.SHUT_WR)
            return connected.makefile().readline()

    return send


@pytest.mark.parametrize(
    ("first", "error"),
    [
        (b"GET / HTTP/1.1\r\n", "not a JSON object"),
        (b"[1]\n", "not a JSON object"),
        (b"\xff\xfe\n", "not a JSON object"),
        (b"{}\n", "names its version and a face"),
        (encode({**HELLO, "face": "mcp"}), "one of lsp, rpc, control"),
        (encode({**HELLO, "version": 3}), "names its version"),
        (encode({**HELLO, "cwd": "x" * LINE_LIMIT}), f"at most {LINE_LIMIT} bytes"),
    ],
)
def test_who_does_not_introduce_himself_is_refused(raw, first, error):
    answer = json.loads(raw(first))
    assert (answer["ok"], answer["code"], answer["khoj"], answer["version"]) == (False, "hello", 1, __version__)
    assert error in answer["error"]


def test_half_a_hello_is_refused_and_none_at_all_is_ignored(raw):
    assert "ends in the middle" in raw(b'{"khoj": 1', half_close=True)
    assert raw(b"", half_close=True) == ""


@pytest.mark.parametrize(
    "hello",
    [
        HELLO,
        {"version": __version__, "face": "rpc"},
        {**HELLO, "khoj": 2, "something": "of a later protocol"},
        {**HELLO, "environment": ["odd"], "pid": "odd", "cwd": None},
        {**HELLO, "version": "0.0.0"},
    ],
    ids=["as it should be", "least", "later protocol", "odd values", "older"],
)
def test_who_says_version_and_face_is_let_in(raw, toys, hello):
    answer = json.loads(raw(encode(hello)))
    assert answer == {"khoj": 1, "version": __version__, "pid": toys.pid, "ok": True}


def test_a_process_of_another_user_is_refused_and_always_told_why(toys, monkeypatch):
    monkeypatch.setenv("KHOJ_LS_TOY_PEER", str(os.geteuid() + 1))
    toys.start()
    for _ in range(50):
        with pytest.raises(DaemonError, match=f"serves user {os.geteuid()}, not user {os.geteuid() + 1}"):
            dial("rpc", start=False)


def test_a_wrong_token_is_refused(toys, monkeypatch):
    monkeypatch.setenv(endpoint.TRANSPORT_VARIABLE, "tcp")
    toys.start()
    address = endpoint.connect(toys.folder)
    lines = address.socket.makefile()
    address.socket.sendall(encode({"khoj": 1, "nonce": "mine"}))
    challenge = json.loads(lines.readline())
    assert handshake.proven(challenge["proof"], address.token, "daemon", "mine")
    wrong = handshake.proof("not the token", "client", challenge["nonce"])
    address.socket.sendall(encode({**HELLO, "proof": wrong}))
    answer = json.loads(lines.readline())
    address.socket.close()
    assert (answer["ok"], answer["code"]) == (False, "token")


@pytest.mark.parametrize("proof", [None, 3, "", "daemon's own"])
def test_neither_no_proof_nor_the_daemons_own_opens_the_door(toys, monkeypatch, proof):
    monkeypatch.setenv(endpoint.TRANSPORT_VARIABLE, "tcp")
    toys.start()
    address = endpoint.connect(toys.folder)
    lines = address.socket.makefile()
    address.socket.sendall(encode({"khoj": 1, "nonce": "mine"}))
    challenge = json.loads(lines.readline())
    given = challenge["proof"] if proof == "daemon's own" else proof
    address.socket.sendall(encode({**HELLO, "proof": given}))
    answer = json.loads(lines.readline())
    address.socket.close()
    assert (answer["ok"], answer["code"]) == (False, "token")


def test_a_stranger_on_the_port_of_a_killed_daemon_learns_nothing(home, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen():
            connected, _ = server.accept()
            with connected:
                heard.append(connected.recv(1 << 16))
                connected.sendall(encode({"khoj": 1, "nonce": "n", "proof": "0" * 64}))
                heard.append(connected.recv(1 << 16))

        stranger = threading.Thread(target=listen)
        stranger.start()
        endpoint.check_folder(endpoint.runtime_folder(), create=True)
        address = {"port": server.getsockname()[1], "token": "the token"}
        with open(f"{endpoint.runtime_folder()}/{endpoint.ADDRESS}", "w") as file:
            json.dump(address, file)
        with pytest.raises(endpoint.NotRunning):
            dial("rpc", start=False)
        stranger.join()
    assert set(json.loads(heard[0])) == {"khoj", "nonce"}
    assert heard[1] == b""


def test_a_session_brings_its_own_keys_and_nothing_else(on_transport, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "the first editor's")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not for the daemon")
    on_transport.start()
    monkeypatch.setenv("OPENAI_API_KEY", "mine")
    with on_transport.client() as client:
        seen = client.call("environment")
    assert seen["session"]["OPENAI_API_KEY"] == "mine"
    assert "OPENAI_API_KEY" not in seen["process"]
    assert "AWS_SECRET_ACCESS_KEY" not in {**seen["session"], **seen["process"]}
    assert "mine" not in on_transport.log


def test_an_lsp_session_knows_who_and_where_its_client_is(toys, tmp_path, monkeypatch):
    monkeypatch.setenv("LC_TIME", "C.UTF-8")
    relay = toys.relay(cwd=tmp_path)
    relay.stdin.write(b"!hello\n")
    hello = json.loads(relay.stdout.readline())
    assert (hello["cwd"], hello["pid"], hello["environment"]["LC_TIME"]) == (str(tmp_path), relay.pid, "C.UTF-8")


@pytest.mark.parametrize("answer", [b"nonsense\n", b"{}\n", b'{"version": "1", "pid": "x"}\n', b"x" * (LINE_LIMIT + 1)])
def test_what_is_no_daemon_is_called_so(answer):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = threading.Thread(target=theirs.sendall, args=(answer,))
        sender.start()
        with pytest.raises(DaemonError, match="is not a khoj-ls daemon"):
            handshake.greet(endpoint.Address(ours, None), "rpc")
        ours.close()
        sender.join()


def test_a_daemon_that_does_not_answer_is_not_waited_for_for_ever():
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(DaemonError, match="does not answer: run khoj-ls daemon stop"):
        handshake.greet(endpoint.Address(ours, None), "rpc", seconds=0.05)
