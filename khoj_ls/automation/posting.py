"""One delivery over HTTP/1.1: signed, to an address that was checked, over within its time, and never redirected.

A socket of our own, not a library's client: the name is resolved once, and what is connected to is the very address that was
checked, so that a name that means something else a moment later (DNS rebinding) leads nowhere. No proxy is used.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from khoj_ls import __version__
from khoj_ls.automation.addresses import is_named, is_public
from khoj_ls.config.keys import Secret
from khoj_ls.config.webhooks import Webhook

Resolve = Callable[[str, int], Iterable[Any]]
"""What `socket.getaddrinfo` gives for a host and a port."""

_HEAD_BYTES = 65_536
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: |\r|$)")
_RETRY_AFTER = re.compile(rb"\r\nretry-after:[ \t]*(\d{1,6})[ \t]*\r", re.IGNORECASE)
_GONE = 410


@dataclass(frozen=True)
class Answer:
    """What came of one attempt."""

    status: int | None
    """HTTP status; None where there was no answer."""
    error: str = ""
    """What went wrong, for people; empty when the delivery arrived."""
    final: bool = False
    """Whether another attempt would change nothing."""
    retry_after: float = 0.0
    """Seconds that the receiver wants to be left alone."""

    @property
    def arrived(self) -> bool:
        """Whether the receiver took it."""
        return not self.error


class _Stopped(Exception):
    """The attempt is over."""

    def __init__(self, error: str, *, final: bool = False) -> None:
        super().__init__(error)
        self.answer = Answer(None, error, final)


def signature(secret: Secret, timestamp: int, delivery: str, body: bytes) -> str:
    """The value of X-Khoj-Signature: `v1=` and HMAC-SHA256, in hex, of `TIMESTAMP.DELIVERY.` and the bytes of the body."""
    signed = f"{timestamp}.{delivery}.".encode() + body
    return "v1=" + hmac.new(secret.reveal().encode(), signed, hashlib.sha256).hexdigest()


def post(webhook: Webhook, secret: Secret, event: str, delivery: str, body: bytes, *, resolve: Resolve | None = None) -> Answer:
    """Send a delivery once and wait for the answer, for `timeout_seconds` in all. Never raises for what the network does."""
    timestamp = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "User-Agent": f"khoj-ls/{__version__}",
        "Connection": "close",
        "X-Khoj-Event": event,
        "X-Khoj-Delivery": delivery,
        "X-Khoj-Timestamp": str(timestamp),
        "X-Khoj-Signature": signature(secret, timestamp, delivery, body),
    }
    deadline = time.monotonic() + webhook.timeout_seconds
    try:
        with contextlib.closing(_connected(webhook, deadline, resolve or _resolve)) as connection:
            return _exchanged(connection, _request(webhook.url, headers) + body, deadline)
    except _Stopped as stopped:
        return stopped.answer
    except TimeoutError:
        return Answer(None, f"no answer within {webhook.timeout_seconds:g} s")
    except ssl.SSLCertVerificationError as error:
        return Answer(None, f"the certificate is not trusted: {error.verify_message}")
    except OSError as error:
        return Answer(None, f"not reached: {error.strerror or error}")


def _resolve(host: str, port: int) -> Iterable[Any]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _connected(webhook: Webhook, deadline: float, resolve: Resolve) -> socket.socket:
    """A connection to an address of the host that may be reached. Raises _Stopped, OSError."""
    parts = urlsplit(webhook.url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    try:
        found = list(resolve(host, parts.port or (443 if secure else 80)))
    except (socket.gaierror, UnicodeError):
        raise _Stopped(f"there is no host {host}, or no network") from None
    usable = [each for each in found if _may_reach(each[4][0], webhook, secure=secure)]
    if not usable:
        raise _Stopped(_refusal(host, found, secure=secure), final=True)
    trouble: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in usable:
        plain = socket.socket(family, kind, protocol)
        try:
            plain.settimeout(_left(deadline))
            plain.connect(address)
            # What is connected to is what counts.
            if not _may_reach(plain.getpeername()[0], webhook, secure=secure):
                raise _Stopped(f"{host} leads to an address that may not be reached", final=True)
            if not secure:
                return plain
            plain.settimeout(_left(deadline))
            return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        except OSError as error:
            plain.close()
            trouble = error
        except BaseException:  # whatever it was, nothing stays open; it is raised again
            plain.close()
            raise
    raise trouble


def _may_reach(address: str, webhook: Webhook, *, secure: bool) -> bool:
    return is_named(address, webhook.allow_private) or (secure and is_public(address))


def _refusal(host: str, found: Iterable[Any], *, secure: bool) -> str:
    addresses = ", ".join(dict.fromkeys(str(each[4][0]) for each in found))
    if secure or not all(is_public(each[4][0]) for each in found):
        return f"{host} is {addresses}, which is not public: nothing is sent there unless allow_private names it"
    return f"{host} is {addresses}, which allow_private does not name: over http nothing is sent elsewhere"


def _request(url: str, headers: Mapping[str, str]) -> bytes:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _exchanged(connection: socket.socket, request: bytes, deadline: float) -> Answer:
    """Send, and read the head of the answer; the rest of it is nothing to us. Raises _Stopped, OSError."""
    connection.settimeout(_left(deadline))
    # A receiver may answer before it has read all, and close: its answer is what counts.
    with contextlib.suppress(ConnectionError):
        connection.sendall(request)
    read = b""
    while True:
        head, end, rest = read.partition(b"\r\n\r\n")
        found = _STATUS.match(head)
        if end and found and found[1].startswith(b"1"):  # 100 Continue and its like: the answer is still to come
            read = rest
            continue
        if end:
            break
        connection.settimeout(_left(deadline))
        more = connection.recv(8192)
        if not more or len(read) > _HEAD_BYTES:
            raise _Stopped("the connection was closed without an answer" if not more else "the answer is not HTTP")
        read += more
    if not found:
        raise _Stopped("the answer is not HTTP")
    return _judged(int(found[1]), head + b"\r\n")


def _judged(status: int, head: bytes) -> Answer:
    if 200 <= status < 300:
        return Answer(status)
    if 300 <= status < 400:
        return Answer(status, f"HTTP {status}: it redirects, which is not followed: correct the url", final=True)
    wanted = _RETRY_AFTER.search(head)
    return Answer(status, f"HTTP {status}", final=status == _GONE, retry_after=float(wanted[1]) if wanted else 0.0)


def _left(deadline: float) -> float:
    """Seconds that are left. Raises TimeoutError when none are."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
