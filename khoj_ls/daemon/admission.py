"""Who may come in: the daemon's side of the handshake."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from khoj_ls import __version__
from khoj_ls.daemon import handshake
from khoj_ls.daemon.listen import PeerUid

HELLO_SECONDS = 5.0
"""A connection that has not introduced itself by then is closed."""

LAST_WORD_SECONDS = 1.0
"""How long one that is turned away may go on talking."""

_STAGES: Mapping[str, int] = MappingProxyType({"dev": -4, "a": -3, "b": -2, "rc": -1, "": 0, "post": 1})


@dataclass(frozen=True)
class Hello:
    """A client that was let in."""

    face: str
    version: str
    pid: int
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Keys, proxies, locale: allow-listed names only. Never logged."""
    cwd: str = ""


class Refused(Exception):
    """The client is not let in; `code` is for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        """Say why."""
        super().__init__(message)
        self.code = code


class Newer(Refused):
    """The client is newer than this daemon, which is to make room."""

    def __init__(self) -> None:
        """Send the client to the next daemon."""
        super().__init__(handshake.REPLACED, "this daemon is older and makes room for a new one")


async def admit(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    *,
    token: str | None,
    peer_uid: PeerUid,
    version: str = __version__,
) -> Hello | None:
    """Read the handshake up to the client's hello, and judge it; the reply is left to the caller.

    Returns None when the client left without a word, which is how one looks whether a daemon answers. Raises Refused (Newer
    among them), and ConnectionError when the connection breaks.
    """
    check_peer(writer.get_extra_info("socket"), peer_uid)
    nonce = ""
    message = await _message(reader)
    if message is not None and token is not None:
        nonce = handshake.new_nonce()
        answer = handshake.proof(token, "daemon", str(message.get("nonce")))
        writer.write(handshake.encode({"khoj": handshake.PROTOCOL, "nonce": nonce, "proof": answer}))
        message = await _message(reader)
    if message is None:
        return None
    if token is not None and not handshake.proven(message.get("proof"), token, "client", nonce):
        raise Refused("token", "the token is wrong")
    hello = _read(message)
    if hello.face != "control" and version_key(hello.version) > version_key(version):
        raise Newer
    return hello


def check_peer(connected: socket.socket, peer_uid: PeerUid) -> None:
    """Raise Refused unless the other end is a process of this user, as far as the system tells."""
    uid = peer_uid(connected)
    if uid is not None and uid != os.geteuid():
        raise Refused("peer", f"this daemon serves user {os.geteuid()}, not user {uid}")


async def turn_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, refusal: Refused) -> None:
    """Say why, and read what the client has still to say: a socket closed with bytes unread would take our words with it."""
    writer.write(reply(ok=False, code=refusal.code, error=str(refusal)))
    writer.write_eof()
    with contextlib.suppress(asyncio.TimeoutError, TimeoutError):
        await asyncio.wait_for(_drain(reader), LAST_WORD_SECONDS)


async def _drain(reader: asyncio.StreamReader) -> None:
    while await reader.read(handshake.LINE_LIMIT):
        pass


def version_key(version: str) -> tuple[tuple[int, ...], int, int]:
    """Orders version numbers as PEP 440 does, as far as this project writes them: 0.9 < 0.10.dev1 < 0.10rc1 < 0.10."""
    found = re.match(r"v?(\d+(?:\.\d+)*)[.-]?(dev|a|b|rc|post)?(\d*)", version)
    if found is None:
        return (), 0, 0
    numbers = [int(part) for part in found[1].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers), _STAGES[found[2] or ""], int(found[3] or 0)


def reply(**words: object) -> bytes:
    """The daemon's answer to a hello."""
    return handshake.encode({"khoj": handshake.PROTOCOL, "version": __version__, "pid": os.getpid(), **words})


async def _message(reader: asyncio.StreamReader) -> dict[str, object] | None:
    """One line of the handshake; None at the end of the stream. Raises Refused."""
    try:
        line = await asyncio.wait_for(reader.readuntil(b"\n"), HELLO_SECONDS)
        if len(line) > handshake.LINE_LIMIT:
            raise Refused("hello", f"a hello has at most {handshake.LINE_LIMIT} bytes")
        return handshake.decode(line)
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise Refused("hello", "the hello ends in the middle") from error
    except asyncio.LimitOverrunError as error:
        raise Refused("hello", f"a hello has at most {handshake.LINE_LIMIT} bytes") from error
    except (asyncio.TimeoutError, TimeoutError) as error:
        raise Refused("hello", f"no hello within {HELLO_SECONDS:.0f} s") from error
    except ValueError as error:
        raise Refused("hello", "the hello is not a JSON object") from error


def _read(message: Mapping[str, object]) -> Hello:
    """The hello in a message of any protocol version: only what is needed is asked for. Raises Refused."""
    face, pid, environment = message.get("face"), message.get("pid"), message.get("environment")
    if face not in handshake.FACES or not isinstance(message.get("version"), str):
        raise Refused("hello", f"a hello names its version and a face, one of {', '.join(handshake.FACES)}")
    given = environment if isinstance(environment, dict) else {}
    texts = {name: value for name, value in given.items() if isinstance(value, str)}
    return Hello(
        face=str(face),
        version=str(message["version"]),
        pid=pid if isinstance(pid, int) else 0,
        environment=handshake.session_environment(texts),
        cwd=str(message.get("cwd") or ""),
    )
