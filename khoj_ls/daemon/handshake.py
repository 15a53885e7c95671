"""The first lines on the socket: who is there, which version, which keys. Standard library only.

The client sends one line of JSON, `hello`; the daemon answers one line, `reply`; then the connection belongs to the face that
hello names. On TCP two lines go before, because whoever listens on a port that a killed daemon has left must not be told any
key: the client sends a nonce, and the daemon proves that it knows the token of the address file.

    client  {"khoj": 1, "nonce": C}                                             TCP only
    daemon  {"khoj": 1, "nonce": S, "proof": HMAC(token, "daemon" + C)}         TCP only
    client  {"khoj": 1, "version", "pid", "face", "environment": {}, "cwd", "proof": HMAC(token, "client" + S)}
    daemon  {"khoj": 1, "version", "pid", "ok": true} or {..., "ok": false, "code", "error"}
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Mapping

from khoj_ls import __version__
from khoj_ls.core.errors import DaemonError
from khoj_ls.daemon.endpoint import Address

PROTOCOL = 1
LINE_LIMIT = 64 * 1024
"""Longest line of the handshake in bytes."""
REPLY_SECONDS = 30.0
"""How long a client waits for the daemon: as long as one may take to start (`launch.START_SECONDS`), which takes connections
before it answers them."""

FACES = ("lsp", "rpc", "control")
"""lsp: an editor. rpc: requests, one per line. control: only daemon/*, for any version, and never a session."""

REPLACED = "replaced"
"""Code of the refusal by a daemon that ends because the client is newer."""

_NAMES = frozenset({"OLLAMA_HOST", "LANG", "TZ"})
_PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"})
_PREFIXES = ("OPENAI_", "ANTHROPIC_", "LC_")


class Reply:
    """The daemon let us in."""

    __slots__ = ("pid", "rest", "version")

    def __init__(self, version: str, pid: int, rest: bytes) -> None:
        """Who answered; `rest` is what came behind the reply and belongs to the face already."""
        self.version = version
        self.pid = pid
        self.rest = rest


class Replaced(Exception):
    """The daemon was older than this program and makes room: start a new one."""


def session_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that a session takes along: keys and addresses of model providers, proxies, language, time zone."""
    return {name: value for name, value in environment.items() if _travels(name)}


def _travels(name: str) -> bool:
    # Proxies are spelled in lower case as often as not.
    return name in _NAMES or name.upper() in _PROXIES or name.endswith("_API_KEY") or name.startswith(_PREFIXES)


def proof(token: str, side: str, nonce: str) -> str:
    """What only who knows `token` can answer to `nonce`; `side` keeps one side's answer from serving as the other's."""
    import hmac

    return hmac.new(token.encode(), f"{side}{nonce}".encode(), "sha256").hexdigest()


def proven(given: object, token: str, side: str, nonce: str) -> bool:
    """Whether `given` is the proof, compared in constant time."""
    import hmac

    return isinstance(given, str) and hmac.compare_digest(given.encode(), proof(token, side, nonce).encode())


def new_nonce() -> str:
    """A random number used once."""
    return os.urandom(32).hex()


def encode(message: Mapping[str, object]) -> bytes:
    """One line of JSON."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> dict[str, object]:
    """The object on one line. Raises ValueError."""
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("not an object")
    return message


def greet(address: Address, face: str, *, seconds: float | None = None) -> Reply:
    """Introduce ourselves on a fresh connection.

    Raises Replaced, ConnectionError when the daemon goes away meanwhile, DaemonError when it refuses or does not answer.
    """
    deadline = time.monotonic() + (REPLY_SECONDS if seconds is None else seconds)
    hello: dict[str, object] = {
        "khoj": PROTOCOL,
        "version": __version__,
        "pid": os.getpid(),
        "face": face,
        "environment": session_environment(os.environ),
        "cwd": _cwd(),
    }
    try:
        if address.token is not None:
            hello["proof"] = _exchange_proofs(address.socket, address.token, deadline)
        address.socket.sendall(encode(hello))
        line, rest = _read_line(address.socket, deadline)
        reply = decode(line)
        version, pid = str(reply["version"]), int(str(reply["pid"]))
    except TimeoutError as error:
        raise DaemonError("the daemon does not answer: run khoj-ls daemon stop, then try again") from error
    except (ValueError, KeyError) as error:
        raise DaemonError(f"what answers is not a khoj-ls daemon ({error}): run khoj-ls daemon stop") from error
    finally:
        address.socket.settimeout(None)
    if reply.get("ok") is True:
        return Reply(version, pid, rest)
    if reply.get("code") == REPLACED:
        raise Replaced
    raise DaemonError(f"the daemon {version} refused: {reply.get('error')}")


def _exchange_proofs(connected: socket.socket, token: str, deadline: float) -> str:
    """Let the daemon prove itself; returns our own proof."""
    nonce = new_nonce()
    connected.sendall(encode({"khoj": PROTOCOL, "nonce": nonce}))
    line, _ = _read_line(connected, deadline)
    answer = decode(line)
    if not proven(answer.get("proof"), token, "daemon", nonce):
        # Not our daemon: it left its address behind, and another program has the port now.
        raise ConnectionRefusedError("another program listens on the daemon's port")
    return proof(token, "client", str(answer.get("nonce")))


def _read_line(connected: socket.socket, deadline: float) -> tuple[bytes, bytes]:
    """One line and what came behind it."""
    data = b""
    while b"\n" not in data:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        connected.settimeout(remaining)
        chunk = connected.recv(LINE_LIMIT)
        if not chunk:
            raise ConnectionResetError("the daemon closed the connection")
        data += chunk
        if len(data) > LINE_LIMIT:
            raise ValueError("its answer is too long")
    line, _, rest = data.partition(b"\n")
    return line, rest


def _cwd() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - pathlib costs milliseconds of the editor's start
    except OSError:  # the folder was removed under us
        return ""
