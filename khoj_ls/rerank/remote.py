"""A rerank endpoint as Cohere, Jina, vLLM and llama.cpp serve it.

`{model, query, documents, top_n}` is posted; `{results: [{index, relevance_score}]}` comes back, in any order.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from khoj_ls.config.settings import RerankSettings
from khoj_ls.core.errors import ModelError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.models.endpoint import Address, Endpoint
from khoj_ls.models.side_by_side import MOST, side_by_side
from khoj_ls.rerank.scores import between_0_and_1

_BATCH = 100
"""Passages of one request: what the smallest services take."""


def address_of(settings: RerankSettings) -> Address:
    """Where the settings say the endpoint is."""
    sends = f"the words of each search that asks for it, with up to {settings.candidates} passages of your notes,"
    return Address("rerank", settings.endpoint, "rerank", settings.api_key_variable, allowed=settings.allow_remote, sends=sends)


class RemoteReranker:
    """Reranks over HTTP. Any thread may ask."""

    def __init__(self, settings: RerankSettings, environment: Mapping[str, str]) -> None:
        """Talk to `settings.endpoint`, with the key (never shown) and the proxy that `environment` holds. Raises ModelError."""
        self._model = settings.remote_model
        self._endpoint = Endpoint(address_of(settings), environment)
        self._pool = ThreadPoolExecutor(MOST, "khoj-rerank")

    def score(
        self, query: str, texts: Sequence[str], token: CancelToken | None = None, timeout: float | None = None
    ) -> list[float]:
        """How well each of `texts` answers `query`, 0..1. Raises ModelError, also after about `timeout` seconds; Cancelled."""
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        scores = [0.0] * len(texts)

        def ask(places: range, over: CancelToken) -> list[float]:
            return self._post(query, [texts[at] for at in places], over, deadline)

        def arrived(places: range, found: list[float]) -> None:
            scores[places.start : places.stop] = found

        side_by_side(self._pool, ask, len(texts), _BATCH, token, arrived)
        return between_0_and_1(scores)

    def close(self) -> None:
        """Close connections."""
        self._endpoint.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _post(self, query: str, texts: list[str], over: CancelToken, deadline: float) -> list[float]:
        documents = [text or " " for text in texts]
        body = {"model": self._model, "query": query or " ", "documents": documents, "top_n": len(documents)}
        return self._scores(self._endpoint.post(body, over, deadline), len(documents))

    def _scores(self, answer: Any, count: int) -> list[float]:
        host = self._endpoint.host
        try:
            items = answer["results"] if "results" in answer else answer["data"]
            found = {int(item["index"]): float(item["relevance_score"]) for item in items}
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{host} does not answer as a Cohere- or Jina-style rerank service does") from error
        if sorted(found) != list(range(count)) or not all(map(math.isfinite, found.values())):
            raise ModelError(f"{host} returned {len(found)} scores that do not fit the {count} passages it was sent")
        return [found[place] for place in range(count)]
