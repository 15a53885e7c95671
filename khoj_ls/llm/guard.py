"""HTTP transports that open no connection but to one origin, and send no header that is not meant to be sent.

Libraries above them read environment variables and add what they like; a service may redirect or name addresses in its answers.
What passes here is what leaves the machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import httpx2

from khoj_ls.core.errors import ModelError

Origin = tuple[str, str, int]
"""Scheme, host in lower case, port."""


class Guard(httpx2.HTTPTransport):
    """For clients that block."""

    def __init__(self, origin: Origin, sent: frozenset[str], head: Mapping[str, str], **way: Any) -> None:
        """Reach `origin` alone, with the headers named in `sent` (lower case) and those of `head`."""
        super().__init__(trust_env=False, **_usable(way))
        self._rule = (origin, sent, head)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request. Raises ModelError for another origin."""
        _hold(request, *self._rule)
        return super().handle_request(request)


class AsyncGuard(httpx2.AsyncHTTPTransport):
    """For clients of an event loop."""

    def __init__(self, origin: Origin, sent: frozenset[str], head: Mapping[str, str], **way: Any) -> None:
        """Reach `origin` alone, with the headers named in `sent` (lower case) and those of `head`."""
        super().__init__(trust_env=False, **_usable(way))
        self._rule = (origin, sent, head)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request. Raises ModelError for another origin."""
        _hold(request, *self._rule)
        return await super().handle_async_request(request)


def _hold(request: httpx2.Request, origin: Origin, sent: frozenset[str], head: Mapping[str, str]) -> None:
    url = request.url
    port = url.port or (443 if url.scheme == "https" else 80)
    if (url.scheme, url.host.lower(), port) != origin:
        raise ModelError(f"a request for {url.scheme}://{url.host} was stopped: only {origin[0]}://{origin[1]} is set")
    for name in list(request.headers):
        if name.lower() not in sent:
            del request.headers[name]
    request.headers.update(head)


def _usable(way: dict[str, Any]) -> dict[str, Any]:
    """Make sure of the proxy's address before a connection is tried. Raises ModelError."""
    if not way.get("proxy"):
        return way
    try:
        proxy = httpx2.Proxy(way["proxy"])
    except (ValueError, httpx2.InvalidURL) as error:
        raise ModelError(f"the proxy that the environment names cannot be used: {type(error).__name__}") from None
    if proxy.url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ModelError("the proxy that the environment names speaks SOCKS, which needs a package: pip install socksio")
    return {**way, "proxy": proxy}
