"""A model behind an HTTP address: nothing is sent anywhere but to the one in the user's own settings, and not without a yes."""

from __future__ import annotations

import ipaddress
import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from khoj_ls.config.keys import Secret, find_key
from khoj_ls.config.paths import folders
from khoj_ls.core.errors import ModelError, SettingsError
from khoj_ls.core.jobs import CancelToken

if TYPE_CHECKING:
    import httpx

_TRIES = 5
_REQUEST_SECONDS = 60.0
_LONGEST_PAUSE = 60.0
"""An endpoint that wants to be left alone for longer is given up for now."""
_RETRIED = frozenset((408, 429, 500, 502, 503, 504))
_SHOWN = 200
"""Characters of an endpoint's own message that are passed on."""


@dataclass(frozen=True)
class Address:
    """Where an endpoint is, as one section of the settings says."""

    section: str
    """`embedding`: its settings `endpoint`, `allow_remote` and `api_key_variable` are named in messages."""
    endpoint: str
    path: str
    """What follows `/v1` in the full address: `embeddings`."""
    key_variable: str
    """Environment variable that holds the key; empty where none is wanted."""
    allowed: bool
    """The user's yes to sending notes there when it is not this machine."""
    sends: str = "your notes"
    """What that yes is to, in words."""


class BadRequest(ModelError):
    """The endpoint does not take what it was sent (400, 422)."""


class Endpoint:
    """Posts JSON, with retries. Any thread may ask."""

    def __init__(self, address: Address, environment: Mapping[str, str]) -> None:
        """Talk to `address`, with the key (never shown) and the proxy that `environment` holds. Raises ModelError."""
        self._address = address
        self._environment = environment
        self.host = host_of(address.endpoint)
        """Without the name and password that the address may carry."""
        local = is_loopback(address.endpoint)
        if not local and not address.allowed:
            raise ModelError(
                f"{address.section}.endpoint is at {self.host}, which is not on this machine: "
                f"`khoj-ls config set {address.section}.allow_remote true` allows sending {address.sends} there"
            )
        self._url = url_of(address)
        import httpx  # here: the daemon's start does not wait for it

        try:
            self._client = httpx.Client(
                follow_redirects=False,
                # What applies is said by the environment handed in, not by that of whoever started this process.
                trust_env=False,
                proxy=None if local else proxy_for(self._url, environment),
                verify=certificates(environment),
            )
        except (ValueError, ImportError, OSError, httpx.InvalidURL) as error:
            raise ModelError(f"the proxy or the certificates for {self.host} cannot be used: {error}") from error
        self._secret: Secret | None = None

    def post(self, body: Mapping[str, Any], over: CancelToken, deadline: float) -> Any:
        """The decoded answer to `body`. Raises ModelError (BadRequest), also at `deadline` (monotonic); Cancelled by `over`."""
        import httpx

        key = self._key()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        for attempt in range(_TRIES):
            last = attempt == _TRIES - 1
            left = min(_REQUEST_SECONDS, deadline - time.monotonic())
            response = None
            try:
                response = self._client.post(
                    self._url,
                    json=body,
                    headers=headers,
                    timeout=httpx.Timeout(max(0.01, left), connect=max(0.01, min(10.0, left))),
                )
            except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:  # RuntimeError: closed meanwhile
                if last or time.monotonic() >= deadline or not isinstance(error, httpx.TransportError):
                    raise ModelError(
                        f"{self.host} does not answer ({type(error).__name__}): is the service running?"
                    ) from error
            pause = pause_before_next(attempt, response.headers.get("retry-after", "") if response is not None else "")
            hopeless = last or pause > _LONGEST_PAUSE or time.monotonic() + pause >= deadline
            if response is not None and (response.status_code not in _RETRIED or hopeless):
                return self._answer(response, key)
            over.wait(min(pause, max(0.0, deadline - time.monotonic() - 0.01)))
            over.raise_if_cancelled()
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close connections."""
        self._client.close()

    def _key(self) -> str:
        name = self._address.key_variable
        if self._secret is None and name:
            try:
                self._secret = find_key(name, self._environment, folders())
            except SettingsError as error:
                raise ModelError(f"the key {name} for {self.host} cannot be used: {error}") from error
        return self._secret.reveal() if self._secret else ""

    def _answer(self, response: httpx.Response, key: str) -> Any:
        status = response.status_code
        if status in (401, 403):
            self._secret = None
            name = self._address.key_variable
            raise ModelError(
                f"{self.host} refuses the key {name}: set the environment variable, or run `khoj-ls config key {name}`"
                if key
                else f"{self.host} wants a key: set the environment variable {name}, or run `khoj-ls config key {name}`"
            )
        if response.is_redirect:
            raise ModelError(
                f"{self.host} redirects elsewhere, which is not followed: correct {self._address.section}.endpoint"
            )
        if status != 200:
            kind = BadRequest if status in (400, 422) else ModelError
            raise kind(f"{self.host} answers with status {status}{_reason(response, key)}")
        try:
            return response.json()
        except ValueError as error:
            raise ModelError(f"{self.host} does not answer with JSON: correct {self._address.section}.endpoint") from error


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # no URL, or a name
        return False


def url_of(address: Address) -> str:
    """Where to post, given a base URL with or without `/v1`, or the full address. Raises ModelError."""
    base = address.endpoint.rstrip("/")
    try:
        usable = urlsplit(base).scheme in ("http", "https") and bool(urlsplit(base).hostname)
    except ValueError:
        usable = False
    if not usable:
        shown = host_of(address.endpoint)
        raise ModelError(f"{address.section}.endpoint is {shown!r}: write an address such as https://api.example.org/v1")
    if base.endswith(f"/{address.path}"):
        return base
    return f"{base}/{address.path}" if urlsplit(base).path else f"{base}/v1/{address.path}"


def host_of(url: str) -> str:
    """Address of a service without the name and password that a URL may carry."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else url
    except ValueError:
        return url


def proxy_for(url: str, environment: Mapping[str, str]) -> str | None:
    """The proxy that `environment` names for a URL, by the customary variables; None: none."""
    known = {name.lower(): value for name, value in environment.items() if name.lower().endswith("_proxy") and value}
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    direct = [entry.strip().lstrip("*.").lower() for entry in known.get("no_proxy", "").split(",") if entry.strip()]
    if any(entry in ("", host) or host.endswith(f".{entry}") for entry in direct):
        return None
    return known.get(f"{parts.scheme}_proxy") or known.get("all_proxy")


def certificates(environment: Mapping[str, str]) -> Any:
    """True: those that come with httpx; else what SSL_CERT_FILE or SSL_CERT_DIR name, for services of one's own."""
    file, folder = (environment.get(name) or os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
    if not file and not folder:
        return True
    import ssl

    return ssl.create_default_context(cafile=file, capath=folder)


def pause_before_next(attempt: int, asked: str) -> float:
    """Seconds until the next try: as the answer's Retry-After says (RFC 9110, 10.2.3), else longer each time."""
    if asked.replace(".", "", 1).isdecimal():
        return float(asked)
    try:
        moment = parsedate_to_datetime(asked)
    except ValueError:
        return float(min(30.0, 0.5 * 2**attempt) * random.uniform(0.5, 1.5))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())


def _reason(response: httpx.Response, key: str) -> str:
    """What the endpoint itself says, without the key."""
    try:
        said = response.json()
        said = said.get("error", said.get("message", "")) if isinstance(said, dict) else ""
        said = said.get("message", "") if isinstance(said, dict) else said
    except ValueError:
        said = ""
    text = " ".join(str(said).split())
    text = (text.replace(key, "***") if key else text)[:_SHOWN]
    return f": {text}" if text else ": see the service's own log"
