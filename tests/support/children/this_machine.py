"""Which of Python's audit events would reach another machine. Imported at the start of every process: so it imports nothing."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

REPORT = "KHOJ_LS_TEST_CONNECTIONS"
"""Environment variable: the file that processes write into what they tried. The prefix lets it through to the daemon."""
_TO_ADDRESS = ("socket.connect", "socket.sendto", "socket.sendmsg")
_BY_NAME = ("socket.getaddrinfo", "socket.gethostbyname")


def elsewhere(event: str, arguments: tuple[object, ...]) -> str | None:
    """`host:port` of another machine that is about to be reached, or asked for by its name; None for all else.

    The events are those of https://docs.python.org/3/library/audit_events.html.
    """
    if event in _TO_ADDRESS:
        sock, address = arguments[:2]
        if _speaks_ip(sock) and isinstance(address, tuple) and not _is_here(str(address[0])):
            return f"{address[0]}:{address[1]}"
    elif event in _BY_NAME:
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else arguments[0]
        # An address is only read: nobody is asked for it.
        if isinstance(host, str) and host and _address(host) is None and not _is_here(host):
            return f"{host}:{arguments[1] if len(arguments) > 1 else ''}"
    return None


def _speaks_ip(sock: object) -> bool:
    import socket

    return getattr(sock, "family", None) in (socket.AF_INET, socket.AF_INET6)


def _is_here(host: str) -> bool:
    # 0.0.0.0 and :: mean this machine where one connects.
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback or address.is_unspecified


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The numeric address that `host` is; None for a name."""
    import ipaddress

    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
