"""An OpenAI-compatible /v1/embeddings endpoint. Nothing is sent anywhere but to the address in the user's own settings."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import math
import os
import random
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from khoj_ls.config.keys import Secret, find_key
from khoj_ls.config.paths import folders
from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.core.errors import ModelError, SettingsError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.types import Vector

if TYPE_CHECKING:
    import httpx

_BATCH = 100
_SIDE_BY_SIDE = 4
_TRIES = 5
_REQUEST_SECONDS = 60.0
_LONGEST_PAUSE = 60.0
"""An endpoint that wants to be left alone for longer is given up for now."""
_POLL_SECONDS = 0.1
_RETRIED = frozenset((408, 429, 500, 502, 503, 504))
_SHOWN = 200
"""Characters of an endpoint's own message that are passed on."""


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # no URL, or a name
        return False


def embeddings_url(endpoint: str) -> str:
    """Where to post, given a base URL with or without `/v1`, or the full address. Raises ModelError."""
    base = endpoint.rstrip("/")
    try:
        usable = urlsplit(base).scheme in ("http", "https") and bool(urlsplit(base).hostname)
    except ValueError:
        usable = False
    if not usable:
        raise ModelError(f"embedding.endpoint is {_host(endpoint)!r}: write an address such as https://api.example.org/v1")
    if base.endswith("/embeddings"):
        return base
    return f"{base}/embeddings" if urlsplit(base).path else f"{base}/v1/embeddings"


class RemoteEncoder:
    """Embeds over HTTP. Any thread may ask."""

    def __init__(self, settings: EmbeddingSettings, environment: Mapping[str, str]) -> None:
        """Talk to `settings.endpoint`, with the key (never shown) and the proxy that `environment` holds. Raises ModelError."""
        self._settings = settings
        self._environment = environment
        self._host = _host(settings.endpoint)
        if not is_loopback(settings.endpoint) and not settings.allow_remote:
            raise ModelError(
                f"embedding.endpoint is at {self._host}, which is not on this machine: "
                "`khoj-ls config set embedding.allow_remote true` allows sending your notes there"
            )
        self._url = embeddings_url(settings.endpoint)
        import httpx  # here: the daemon's start does not wait for it

        try:
            self._client = httpx.Client(
                follow_redirects=False,
                # What applies is said by the environment handed in, not by that of whoever started this process.
                trust_env=False,
                proxy=None if is_loopback(settings.endpoint) else _proxy(self._url, environment),
                verify=_certificates(environment),
            )
        except (ValueError, ImportError, OSError, httpx.InvalidURL) as error:
            raise ModelError(f"the proxy or the certificates for {self._host} cannot be used: {error}") from error
        self._pool = ThreadPoolExecutor(_SIDE_BY_SIDE, "khoj-remote")
        self._secret: Secret | None = None
        self._encoding = "base64"

    def embed_documents(
        self,
        texts: Sequence[str],
        token: CancelToken | None = None,
        on_vectors: Callable[[Sequence[int], Sequence[Vector]], None] | None = None,
    ) -> list[Vector]:
        """Unit vectors of `texts`, in order; a few requests go side by side. Raises ModelError, Cancelled."""
        over = CancelToken()
        key = self._key()
        vectors: list[Vector] = [b""] * len(texts)
        running: dict[Future[list[Vector]], range] = {}
        starts = iter(range(0, len(texts), _BATCH))
        try:
            while True:
                if token:
                    token.raise_if_cancelled()
                while len(running) < _SIDE_BY_SIDE and (start := next(starts, None)) is not None:
                    places = range(start, min(start + _BATCH, len(texts)))
                    running[self._pool.submit(self._post, [texts[at] for at in places], key, over, math.inf)] = places
                if not running:
                    return vectors
                for done in wait(running, _POLL_SECONDS, FIRST_COMPLETED).done:
                    places, found = running.pop(done), done.result()
                    vectors[places.start : places.stop] = found
                    if on_vectors:
                        on_vectors(places, found)
        finally:
            over.cancel()  # what is on its way comes to nothing
            for future in running:
                future.cancel()

    def embed_query(self, text: str, timeout: float | None = None) -> Vector:
        """Unit vector of one text, beside whatever else is asked. Raises ModelError, also after about `timeout` seconds."""
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        [vector] = self._post([text], self._key(), CancelToken(), deadline)
        return vector

    def close(self) -> None:
        """Close connections."""
        self._client.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _key(self) -> str:
        name = self._settings.api_key_variable
        if self._secret is None and name:
            try:
                self._secret = find_key(name, self._environment, folders())
            except SettingsError as error:
                raise ModelError(f"the key {name} for {self._host} cannot be used: {error}") from error
        return self._secret.reveal() if self._secret else ""

    def _post(self, texts: Sequence[str], key: str, over: CancelToken, deadline: float) -> list[Vector]:
        import httpx

        headers = {"Authorization": f"Bearer {key}"} if key else {}
        for attempt in range(_TRIES):
            last = attempt == _TRIES - 1
            encoding = self._encoding
            left = min(_REQUEST_SECONDS, deadline - time.monotonic())
            response = None
            try:
                response = self._client.post(
                    self._url,
                    json=self._body(texts, encoding),
                    headers=headers,
                    timeout=httpx.Timeout(max(0.01, left), connect=max(0.01, min(10.0, left))),
                )
            except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:  # RuntimeError: closed meanwhile
                if last or time.monotonic() >= deadline or not isinstance(error, httpx.TransportError):
                    raise ModelError(
                        f"{self._host} does not answer ({type(error).__name__}): is the service running?"
                    ) from error
            if response is not None and response.status_code in (400, 422) and encoding == "base64" and not last:
                self._encoding = "float"  # not every service knows the other
                continue
            pause = _pause(attempt, response)
            hopeless = last or pause > _LONGEST_PAUSE or time.monotonic() + pause >= deadline
            if response is not None and (response.status_code not in _RETRIED or hopeless):
                return self._vectors(response, len(texts), key)
            over.wait(min(pause, max(0.0, deadline - time.monotonic() - 0.01)))
            over.raise_if_cancelled()
        raise AssertionError("unreachable")

    def _body(self, texts: Sequence[str], encoding: str) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._settings.remote_model,
            "input": [text or " " for text in texts],
            "encoding_format": encoding,
        }
        if self._settings.remote_model.startswith("text-embedding-3"):  # shortens on demand; others refuse the field
            body["dimensions"] = self._settings.remote_dimensions
        return body

    def _vectors(self, response: httpx.Response, count: int, key: str) -> list[Vector]:
        if response.status_code in (401, 403):
            self._secret = None
            name = self._settings.api_key_variable
            raise ModelError(
                f"{self._host} refuses the key {name}: set the environment variable, or run `khoj-ls config key {name}`"
                if key
                else f"{self._host} wants a key: set the environment variable {name}, or run `khoj-ls config key {name}`"
            )
        if response.is_redirect:
            raise ModelError(f"{self._host} redirects elsewhere, which is not followed: correct embedding.endpoint")
        if response.status_code != 200:
            raise ModelError(f"{self._host} answers with status {response.status_code}{_reason(response, key)}")
        try:
            items = sorted(response.json()["data"], key=lambda item: item["index"])
            rows = [_row(item["embedding"]) for item in items]
            in_order = [item["index"] for item in items] == list(range(len(items)))
        except (ValueError, KeyError, TypeError, binascii.Error, struct.error) as error:
            raise ModelError(f"{self._host} does not answer as an OpenAI-compatible endpoint does") from error
        wanted = self._settings.remote_dimensions
        if not in_order or len(rows) != count or any(len(row) != wanted for row in rows):
            sizes = sorted({len(row) for row in rows})
            raise ModelError(
                f"{self._host} returned {len(rows)} vectors of length {sizes} for {count} texts; "
                f"embedding.remote_dimensions is {wanted}"
            )
        return [_unit(row) for row in rows]


def _host(url: str) -> str:
    """Address of a service without the name and password that a URL may carry."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else url
    except ValueError:
        return url


def _proxy(url: str, environment: Mapping[str, str]) -> str | None:
    known = {name.lower(): value for name, value in environment.items() if name.lower().endswith("_proxy") and value}
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    direct = [entry.strip().lstrip("*.").lower() for entry in known.get("no_proxy", "").split(",") if entry.strip()]
    if any(entry in ("", host) or host.endswith(f".{entry}") for entry in direct):
        return None
    return known.get(f"{parts.scheme}_proxy") or known.get("all_proxy")


def _certificates(environment: Mapping[str, str]) -> Any:
    """True: those that come with httpx; else what SSL_CERT_FILE or SSL_CERT_DIR name, for services of one's own."""
    file, folder = (environment.get(name) or os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
    if not file and not folder:
        return True
    import ssl

    return ssl.create_default_context(cafile=file, capath=folder)


def _pause(attempt: int, response: httpx.Response | None) -> float:
    """Seconds until the next try: as the answer's Retry-After says (RFC 9110, 10.2.3), else longer each time."""
    asked = response.headers.get("retry-after", "") if response is not None else ""
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


def _row(embedding: Any) -> Sequence[float]:
    if isinstance(embedding, str):
        data = base64.b64decode(embedding, validate=True)
        return struct.unpack(f"<{len(data) // 4}f", data)
    return [float(value) for value in embedding]


def _unit(row: Sequence[float]) -> Vector:
    length = math.hypot(*row)
    values = [value / length for value in row] if math.isfinite(length) and length > 1e-9 else [1.0, *[0.0] * (len(row) - 1)]
    return struct.pack(f"<{len(values)}f", *values)
