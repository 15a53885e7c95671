"""Which addresses a webhook may connect to: public ones, and those that the user names. Names say nothing, numbers do."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_NAT64 = ip_network("64:ff9b::/96")

Address = IPv4Address | IPv6Address


def is_named(host: str, allowed: Sequence[str]) -> bool:
    """Whether the numeric address `host` is one of the addresses and networks in `allowed`."""
    networks = [ip_network(each, strict=False) for each in allowed]
    return any(address in network for address in _meant(host) for network in networks)


def is_public(host: str) -> bool:
    """Whether the numeric address `host` is on the public internet, and so is what is inside of it (IPv4 within IPv6)."""
    return all(
        address.is_global and not (address.is_multicast or address.is_reserved or address.is_loopback or address.is_unspecified)
        for address in _meant(host)
    )


def _meant(host: str) -> list[Address]:
    """What a numeric address leads to: an IPv4 address within IPv6 (mapped, 6to4, Teredo, NAT64) beside that itself."""
    address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    inner: list[IPv4Address | None] = [address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        # The prefix is for public addresses only, but nobody holds a network to that.
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    return [address, *(each for each in inner if each is not None)]
