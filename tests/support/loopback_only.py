"""Lets no test open a connection to another machine, and tells of those that tried."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Iterator


@contextlib.contextmanager
def loopback_only() -> Iterator[list[str]]:
    """While this holds, connecting elsewhere fails; yields what was tried, as `host:port`.

    A list, because the code under test may hold a failed connection for the network's fault.
    """
    tried: list[str] = []
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def allowed(sock: socket.socket, address: object) -> None:
        if sock.family not in (socket.AF_INET, socket.AF_INET6):
            return
        host, port = address[:2]  # type: ignore[index]  # of these families it is a tuple
        try:
            inside = host == "localhost" or ipaddress.ip_address(host.partition("%")[0]).is_loopback
        except ValueError:  # a name, which would have to be asked for
            inside = False
        if not inside:
            tried.append(f"{host}:{port}")
            raise AssertionError(f"a test connects to {host}:{port}: tests stay on this machine")

    def guarded_connect(sock, address):
        allowed(sock, address)
        return connect(sock, address)

    def guarded_connect_ex(sock, address):
        allowed(sock, address)
        return connect_ex(sock, address)

    socket.socket.connect, socket.socket.connect_ex = guarded_connect, guarded_connect_ex  # type: ignore[method-assign]  # the guard
    try:
        yield tried
    finally:
        socket.socket.connect, socket.socket.connect_ex = connect, connect_ex  # type: ignore[method-assign]  # as before
