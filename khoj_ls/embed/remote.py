"""An OpenAI-compatible /v1/embeddings endpoint."""

from __future__ import annotations

import base64
import binascii
import math
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.core.errors import ModelError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.types import Vector
from khoj_ls.models.endpoint import Address, BadRequest, Endpoint
from khoj_ls.models.side_by_side import MOST, side_by_side

_BATCH = 100


def address_of(settings: EmbeddingSettings) -> Address:
    """Where the settings say the endpoint is."""
    return Address("embedding", settings.endpoint, "embeddings", settings.api_key_variable, allowed=settings.allow_remote)


class RemoteEncoder:
    """Embeds over HTTP. Any thread may ask."""

    def __init__(self, settings: EmbeddingSettings, environment: Mapping[str, str]) -> None:
        """Talk to `settings.endpoint`, with the key (never shown) and the proxy that `environment` holds. Raises ModelError."""
        self._settings = settings
        self._endpoint = Endpoint(address_of(settings), environment)
        self._pool = ThreadPoolExecutor(MOST, "khoj-remote")
        # A query does not wait for documents.
        self._queries = ThreadPoolExecutor(MOST, "khoj-remote-query")
        self._encoding = "base64"

    def embed_documents(
        self,
        texts: Sequence[str],
        token: CancelToken | None = None,
        on_vectors: Callable[[Sequence[int], Sequence[Vector]], None] | None = None,
    ) -> list[Vector]:
        """Unit vectors of `texts`, in order; a few requests go side by side. Raises ModelError, Cancelled."""
        return self._embed(self._pool, texts, token, math.inf, on_vectors)

    def embed_query(self, text: str, timeout: float | None = None, token: CancelToken | None = None) -> Vector:
        """Unit vector of one text, beside whatever else is asked.

        Raises ModelError, also after about `timeout` seconds, and Cancelled.
        """
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        [vector] = self._embed(self._queries, [text], token, deadline)
        return vector

    def close(self) -> None:
        """Close connections."""
        self._endpoint.close()
        for pool in (self._pool, self._queries):
            pool.shutdown(wait=False, cancel_futures=True)

    def _embed(
        self,
        pool: ThreadPoolExecutor,
        texts: Sequence[str],
        token: CancelToken | None,
        deadline: float,
        on_vectors: Callable[[Sequence[int], Sequence[Vector]], None] | None = None,
    ) -> list[Vector]:
        vectors: list[Vector] = [b""] * len(texts)

        def ask(places: range, over: CancelToken) -> list[Vector]:
            return self._post([texts[at] for at in places], over, deadline)

        def arrived(places: range, found: list[Vector]) -> None:
            vectors[places.start : places.stop] = found
            if on_vectors:
                on_vectors(places, found)

        side_by_side(pool, ask, len(texts), _BATCH, token, arrived)
        return vectors

    def _post(self, texts: Sequence[str], over: CancelToken, deadline: float) -> list[Vector]:
        encoding = self._encoding
        try:
            answer = self._endpoint.post(self._body(texts, encoding), over, deadline)
        except BadRequest:
            if encoding != "base64":
                raise
            self._encoding = "float"  # not every service knows the other
            answer = self._endpoint.post(self._body(texts, self._encoding), over, deadline)
        return self._vectors(answer, len(texts))

    def _body(self, texts: Sequence[str], encoding: str) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._settings.remote_model,
            "input": [text or " " for text in texts],
            "encoding_format": encoding,
        }
        if self._settings.remote_model.startswith("text-embedding-3"):  # shortens on demand; others refuse the field
            body["dimensions"] = self._settings.remote_dimensions
        return body

    def _vectors(self, answer: Any, count: int) -> list[Vector]:
        host = self._endpoint.host
        try:
            items = sorted(answer["data"], key=lambda item: item["index"])
            rows = [_row(item["embedding"]) for item in items]
            in_order = [item["index"] for item in items] == list(range(len(items)))
        except (ValueError, KeyError, TypeError, binascii.Error, struct.error) as error:
            raise ModelError(f"{host} does not answer as an OpenAI-compatible endpoint does") from error
        wanted = self._settings.remote_dimensions
        if not in_order or len(rows) != count or any(len(row) != wanted for row in rows):
            sizes = sorted({len(row) for row in rows})
            raise ModelError(
                f"{host} returned {len(rows)} vectors of length {sizes} for {count} texts; "
                f"embedding.remote_dimensions is {wanted}"
            )
        return [_unit(row) for row in rows]


def _row(embedding: Any) -> Sequence[float]:
    if isinstance(embedding, str):
        data = base64.b64decode(embedding, validate=True)
        return struct.unpack(f"<{len(data) // 4}f", data)
    return [float(value) for value in embedding]


def _unit(row: Sequence[float]) -> Vector:
    length = math.hypot(*row)
    values = [value / length for value in row] if math.isfinite(length) and length > 1e-9 else [1.0, *[0.0] * (len(row) - 1)]
    return struct.pack(f"<{len(values)}f", *values)
