"""An OpenAI-compatible /v1/embeddings endpoint. Nothing is sent anywhere but to the address in the user's own settings."""

from __future__ import annotations

import hashlib
import ipaddress
import math
import random
import struct
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from khoj_ls.config.keys import find_key
from khoj_ls.config.paths import folders
from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.core.errors import ModelError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.types import Vector

if TYPE_CHECKING:
    import httpx

_BATCH = 100
_TRIES = 5
_REQUEST_SECONDS = 60.0
_RETRIED = frozenset((408, 429, 500, 502, 503, 504))


class EstimateTokenizer:
    """Counts as a tokenizer that is not here might, on the safe side: one token for every two characters, at least one a word.

    Byte-level BPE makes about one token of four characters of English and up to three of one rare character.
    """

    special_tokens = 0

    def __init__(self, max_tokens: int) -> None:
        """Estimate for a model with this limit."""
        self.max_tokens = max_tokens
        self.id = hashlib.sha256(f"estimate 1 {max_tokens}".encode()).hexdigest()[:32]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Ranges of one or two characters."""
        found = []
        at = 0
        while at < len(text):
            step = 2 if text[at : at + 2].isascii() else 1
            found.append((at, min(len(text), at + step)))
            at += step
        return found

    def count(self, texts: Sequence[str]) -> list[int]:
        """Estimated token counts."""
        return [len(self.offsets(text)) for text in texts]


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # no URL, or a name
        return False


class RemoteEncoder:
    """Embeds over HTTP."""

    def __init__(self, settings: EmbeddingSettings, environment: Mapping[str, str]) -> None:
        """Talk to `settings.endpoint`; the key is looked up in `environment` and never shown. Raises ModelError."""
        if not is_loopback(settings.endpoint) and not settings.allow_remote:
            raise ModelError(
                f"embedding.endpoint is {settings.endpoint}, which is not on this machine: "
                "`khoj-ls config set embedding.allow_remote true` allows sending your notes there"
            )
        import httpx  # here: the daemon's start does not wait for it

        self._settings = settings
        secret = find_key(settings.api_key_variable, environment, folders())
        key = secret.reveal() if secret else ""
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(_REQUEST_SECONDS, connect=10.0),
            follow_redirects=False,
            trust_env=not is_loopback(settings.endpoint),
        )

    def embed(self, texts: Sequence[str], token: CancelToken | None = None, timeout: float | None = None) -> list[Vector]:
        """Unit vectors of `texts`, in order. Raises Cancelled, and ModelError, also after about `timeout` seconds."""
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        vectors: list[Vector] = []
        for start in range(0, len(texts), _BATCH):
            if token:
                token.raise_if_cancelled()
            vectors += self._batch(texts[start : start + _BATCH], token or CancelToken(), deadline)
        return vectors

    def close(self) -> None:
        """Close connections."""
        self._client.close()

    def _batch(self, texts: Sequence[str], token: CancelToken, deadline: float) -> list[Vector]:
        import httpx

        url = f"{self._settings.endpoint.rstrip('/')}/embeddings"
        body = {"model": self._settings.remote_model, "input": [text or " " for text in texts], "encoding_format": "float"}
        for attempt in range(_TRIES):
            last = attempt == _TRIES - 1
            response = None
            left = min(_REQUEST_SECONDS, deadline - time.monotonic())
            try:
                response = self._client.post(url, json=body, timeout=httpx.Timeout(left, connect=min(10.0, left)))
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if last or time.monotonic() >= deadline or isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol)):
                    raise ModelError(f"{url} does not answer ({type(error).__name__}): is the service running?") from error
            pause = _delay(attempt, response)
            hopeless = last or time.monotonic() + pause >= deadline
            if response is not None and (response.status_code not in _RETRIED or hopeless):
                return self._vectors(response, len(texts))
            token.wait(min(pause, max(0.0, deadline - time.monotonic() - 0.01)))
            token.raise_if_cancelled()
        raise AssertionError("unreachable")

    def _vectors(self, response: httpx.Response, count: int) -> list[Vector]:
        if response.status_code in (401, 403):
            raise ModelError(
                f"{self._settings.endpoint} refuses the key: set the environment variable {self._settings.api_key_variable}"
            )
        if response.is_redirect:
            raise ModelError(
                f"{self._settings.endpoint} redirects elsewhere, which is not followed: correct embedding.endpoint"
            )
        if response.status_code != 200:
            raise ModelError(f"{self._settings.endpoint} answers with status {response.status_code}: see the service's own log")
        try:
            items = sorted(response.json()["data"], key=lambda item: item["index"])
            rows = [[float(value) for value in item["embedding"]] for item in items]
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{self._settings.endpoint} does not answer as an OpenAI-compatible endpoint does") from error
        if len(rows) != count or any(len(row) != self._settings.remote_dimensions for row in rows):
            sizes = sorted({len(row) for row in rows})
            raise ModelError(
                f"{self._settings.endpoint} returned {len(rows)} vectors of length {sizes} for {count} texts; "
                f"embedding.remote_dimensions is {self._settings.remote_dimensions}"
            )
        return [_unit(row) for row in rows]


def _delay(attempt: int, response: httpx.Response | None) -> float:
    asked = response.headers.get("retry-after", "") if response is not None else ""
    if asked.replace(".", "", 1).isdecimal():
        return min(60.0, float(asked))
    return float(min(30.0, 0.5 * 2**attempt) * random.uniform(0.5, 1.5))


def _unit(row: list[float]) -> Vector:
    length = math.hypot(*row)
    values = [value / length for value in row] if math.isfinite(length) and length > 1e-9 else [1.0, *[0.0] * (len(row) - 1)]
    return struct.pack(f"<{len(values)}f", *values)
