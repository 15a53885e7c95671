"""A reranker that a plugin brings, as the rest of the program sees it: no call of it holds a search up beyond its limit."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from functools import partial

from khoj_ls.core.errors import KhojError, ModelError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.protocols import RerankModel
from khoj_ls.plugins.brought import Brought, brought
from khoj_ls.plugins.kinds import RerankerChoice
from khoj_ls.plugins.limits import Attempt, PluginFault
from khoj_ls.plugins.manager import PluginManager
from khoj_ls.rerank.presets import OFF, PRESETS


def plugged_rerankers(plugins: PluginManager) -> Brought[RerankerChoice]:
    """The rerankers that plugins bring."""
    return brought(plugins, "khoj_rerankers", RerankerChoice, (*OFF, *(preset.name for preset in PRESETS)))


class PluggedReranker:
    """A RerankModel of a plugin (core.protocols). Thread-safe; made when it is first asked."""

    def __init__(self, choice: RerankerChoice, plugin: str, seconds: float = 20.0) -> None:
        """Ask what `choice` makes; `plugin` is named in messages. `seconds`: what a call may take where nobody says."""
        self._choice = choice
        self._named = f"the reranker {choice.name} of the plugin {plugin}"
        self._seconds = seconds
        self._lock = threading.Lock()
        self._model: RerankModel | None = None
        self._hanging: Attempt[object] | None = None

    @property
    def remote(self) -> str:
        """Where texts are sent, by its own account; empty for a model on this machine. Raises ModelError."""
        remote = self._asked(lambda: self._made().remote, None, None)
        if not isinstance(remote, str):
            raise ModelError(f"{self._named} does not say where texts are sent: its remote is no text")
        return remote

    def score(
        self, query: str, texts: Sequence[str], token: CancelToken | None = None, timeout: float | None = None
    ) -> list[float]:
        """How well each of `texts` answers `query`, 0..1, in order.

        Raises ModelError, also after `timeout` seconds; Cancelled.
        """
        given = self._asked(partial(self._scores, query, tuple(texts), token, timeout), token, timeout)
        if not isinstance(given, list) or len(given) != len(texts):
            raise ModelError(f"{self._named} gave no score for each text")
        if not all(isinstance(each, (int, float)) and math.isfinite(each) and 0 <= each <= 1 for each in given):
            raise ModelError(f"{self._named} gave a score that is none: they go from 0 to 1")
        return [float(each) for each in given]

    def _scores(self, query: str, texts: Sequence[str], token: CancelToken | None, timeout: float | None) -> object:
        return list(self._made().score(query, texts, token, timeout))

    def _made(self) -> RerankModel:
        with self._lock:
            if self._model is None:
                self._model = self._choice.make()
            return self._model

    def _asked(self, call: Callable[[], object], token: CancelToken | None, timeout: float | None) -> object:
        if self._hanging is not None and self._hanging.running:
            raise ModelError(f"{self._named} does not answer: an earlier call of it has not returned")
        attempt = Attempt(call, "khoj-plugged-reranker")
        try:
            return attempt.result(timeout or self._seconds, token)
        except PluginFault as fault:
            self._hanging = attempt if attempt.running else None
            if isinstance(fault.__cause__, KhojError):
                raise fault.__cause__ from None
            raise ModelError(f"{self._named} failed: {fault}") from fault
