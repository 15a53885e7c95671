"""The only way out: HTTP clients that reach one service, the one the user's own settings name, and nothing else."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from khoj_ls.config.keys import find_key
from khoj_ls.config.paths import Folders
from khoj_ls.core.errors import KeyRefused, ModelError, SettingsError
from khoj_ls.models.endpoint import certificates, host_of, is_loopback, proxy_for

if TYPE_CHECKING:
    import httpx2

_CONNECT_SECONDS = 10.0
_SENT = frozenset(
    ("host", "content-type", "content-length", "accept", "accept-encoding", "connection", "transfer-encoding", "user-agent")
)
"""What a request's head may hold beside its key: nothing about this machine."""
_AGENT = "khoj-ls"
_TALKATIVE = ("openai", "anthropic")
"""Libraries that log what they send where the log is open to details: it is the user's notes."""


@dataclass(frozen=True)
class Service:
    """Where models are asked, as the settings say."""

    provider: str
    """Its name in the settings: `openai`, or one of the user's own."""
    base_url: str
    key_variable: str = ""
    """Environment variable that holds the key; empty where none is wanted."""
    setting: str = "chat.providers"
    """What holds the address, for messages."""
    start: str = ""
    """What to do when a service on this machine does not answer."""


class Connection:
    """Makes clients for one service. Each answer has a client of its own, so that closing it ends the answer at once."""

    def __init__(self, service: Service, environment: Mapping[str, str], folders: Folders, *, key: str | None = None) -> None:
        """Reach `service` with the key (else `key`) and the proxy that `environment` holds now and later. Raises ModelError."""
        self.service = service
        self._environment = environment
        self._folders = folders
        self._given = key
        self._origin = _origin(service)
        self.host = host_of(service.base_url)
        """Without path."""
        path = urlsplit(service.base_url).path.rstrip("/")
        self.root = self.host + path.removesuffix("/v1")
        """The address without a `/v1` at its end: what the paths of all APIs of a server follow."""
        self.version = "/v1" if path.endswith("/v1") else ""
        """What the address has after `root`."""
        self.remote = not is_loopback(service.base_url)
        self._context: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        return f"Connection({self.service.provider}, {self.host})"

    def key(self) -> str:
        """The key as it is now; empty where there is none.

        Raises KeyRefused when the place of the keys cannot be read, or holds what cannot be sent.
        """
        name = self.service.key_variable
        if self._given is not None or not name:
            return self._given or ""
        try:
            secret = find_key(name, self._environment, self._folders)
        except SettingsError as error:
            raise KeyRefused(f"the key {name} for {self.host} cannot be used: {error}") from error
        key = secret.reveal() if secret else ""
        if not (key.isascii() and key.isprintable()):
            raise KeyRefused(
                f"the key {name} for {self.host} holds what no key does, such as a line break or a typographic quote: copy it "
                "again"
            )
        return key

    def client(self, key: str, silence: float, extra: frozenset[str] = frozenset()) -> httpx2.AsyncClient:
        """A client that sends `key` and is told nothing by the process's own environment; `extra` are more headers it sends.

        It waits at most `silence` seconds for the next byte. Raises ModelError for a proxy or certificates that cannot be used.
        """
        import httpx2

        from khoj_ls.llm.guard import AsyncGuard

        return httpx2.AsyncClient(
            transport=AsyncGuard(self._origin, _SENT | extra, _head(key), **self._way()),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx2.Timeout(silence, connect=min(_CONNECT_SECONDS, silence)),
        )

    def ask(self, path: str, body: Any = None, *, seconds: float = 2.0) -> Any:
        """The decoded answer to one short question (GET, or POST with `body`) at `path` below `root`; None: none.

        For what is good to know and can be done without: lists, windows, counts.
        """
        import httpx2

        from khoj_ls.llm.guard import Guard

        try:
            with httpx2.Client(
                transport=Guard(self._origin, _SENT, _head(self.key()), **self._way()),
                trust_env=False,
                follow_redirects=False,
                timeout=seconds,
            ) as client:
                answer = client.request("GET" if body is None else "POST", f"{self.root}{path}", json=body)
                return answer.json() if answer.status_code == 200 else None
        except (httpx2.HTTPError, httpx2.InvalidURL, ModelError, ValueError, RecursionError):
            return None

    def _way(self) -> dict[str, Any]:
        """Proxy and certificates, from the environment that was handed in."""
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        try:
            if self._context is None:
                self._context = self._trusted()
            proxy = proxy_for(self.service.base_url, self._environment) if self.remote else None
        except (ValueError, OSError) as error:
            raise ModelError(f"the certificates for {self.host} cannot be used: {error}") from error
        return {"verify": self._context, "proxy": proxy}

    def _trusted(self) -> ssl.SSLContext:
        """Whose certificates are trusted: reading them takes longer than a short question, so it is done once."""
        import httpx2

        if self._origin[0] == "http":
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # nobody's: nothing is encrypted
        return httpx2.create_ssl_context(certificates(self._environment), trust_env=False)


def _origin(service: Service) -> tuple[str, str, int]:
    """Scheme, host and port of the service. Raises ModelError for what is no address, or holds a password."""
    try:
        parts = urlsplit(service.base_url)
        scheme, host, port = parts.scheme, (parts.hostname or "").lower(), parts.port
    except ValueError:
        scheme = host = ""
        port = None
    shown = host_of(service.base_url)
    if scheme not in ("http", "https") or not host:
        raise ModelError(f"{service.setting} is {shown!r}: write an address such as https://api.example.org/v1")
    if "@" in parts.netloc:
        raise ModelError(
            f"{service.setting} ({shown}) holds a name or a password: settings hold no keys; take it out, and name the "
            "variable that holds the key as api_key_variable"
        )
    return scheme, host, port or (443 if scheme == "https" else 80)


def _head(key: str) -> dict[str, str]:
    return {"User-Agent": _AGENT, **({"Authorization": f"Bearer {key}"} if key else {})}
