"""The reranker as the rest of the program sees it: start on first need, one worker for all vaults, gone when idle."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from khoj_ls.config.settings import RerankSettings
from khoj_ls.core.errors import Cancelled, ModelError
from khoj_ls.core.jobs import CancelToken, ProgressCallback
from khoj_ls.models.endpoint import is_loopback
from khoj_ls.models.local import LocalModel, ModelStatus, cores
from khoj_ls.models.messages import Load
from khoj_ls.models.sources import locate
from khoj_ls.rerank.presets import RerankSpec, resolve_reranker
from khoj_ls.rerank.remote import RemoteReranker
from khoj_ls.rerank.role import RERANKER
from khoj_ls.rerank.scores import read_score

_BATCH_TOKENS = 4096
_BATCH_PAIRS = 32
_AGAIN_SECONDS = 60.0
"""How soon a model that could not be prepared is tried again."""


class RerankerService:
    """A cross-encoder (core.protocols.RerankModel). Thread-safe; making one starts nothing."""

    def __init__(
        self,
        settings: RerankSettings,
        models_folder: Path,
        *,
        nice: int = 10,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Serve the model that `settings` name; prepared models are kept in `models_folder`.

        Preparing is `nice`; scoring is not, as somebody waits for it. `environment` holds the keys and proxies for a remote
        model, and may grow while the service lives.
        """
        self.settings = settings
        self._models = models_folder
        self._nice = nice
        self._environment = environment if environment is not None else {}
        self._lock = threading.RLock()
        self._served: LocalModel | None = None
        self._remote: RemoteReranker | None = None
        self._preparation: threading.Thread | None = None
        self._closing = CancelToken()
        self._failed_at = -_AGAIN_SECONDS

    @functools.cached_property
    def spec(self) -> RerankSpec:
        """What the settings mean. Raises ModelError, also when they mean none."""
        spec = resolve_reranker(self.settings)
        if spec is None:
            raise ModelError("no reranker is set up: `khoj-ls config set rerank.model fast` names one")
        return spec

    @property
    def prepared(self) -> bool:
        """Whether the model can be asked at once."""
        return self.spec.remote or self._local.prepared

    @property
    def folder(self) -> Path:
        """Where the prepared model is, or will be. Raises ModelError."""
        return self._local.folder

    @property
    def id(self) -> str:
        """Names the weights and all that changes a score. Raises ModelError before the model is prepared."""
        return f"{self.spec.source} {self.settings.remote_model}" if self.spec.remote else self._local.known().id

    @property
    def remote(self) -> str:
        """Where texts are sent; empty for a model on this machine, an endpoint on loopback included. Raises ModelError."""
        return self.spec.source if self.spec.remote and not is_loopback(self.spec.source) else ""

    def prepare(self, progress: ProgressCallback | None = None, token: CancelToken | None = None) -> None:
        """Make the model ready for use, once: seconds to a minute. Raises ModelError, Cancelled."""
        if not self.spec.remote:
            self._local.prepare(progress, token)

    def score(
        self, query: str, texts: Sequence[str], token: CancelToken | None = None, timeout: float | None = None
    ) -> list[float]:
        """How well each of `texts` answers `query`, 0..1, in order.

        A model that is not prepared is, in the background; until then ModelError says so. Stops between two batches. Raises
        ModelError, also after `timeout` seconds; Cancelled.
        """
        if self.spec.remote:
            return self._remote_reranker().score(query, texts, token, timeout)
        if not self._local.prepared:
            self._begin_to_prepare()
            raise ModelError(f"the reranker {self.spec.name} is being prepared, which takes up to a minute: then ask again")
        pairs = [(query, text) for text in texts]
        return [read_score(value) for value in self._local.compute(pairs, token, timeout=timeout)]

    def warm(self) -> None:
        """Start the worker in the background, so that the first search finds it ready."""
        with contextlib.suppress(ModelError):  # asked for by nobody: whoever needs it hears the reason
            if not self.spec.remote:
                self._local.warm()

    def status(self) -> ModelStatus:
        """How the worker is."""
        try:
            return replace(self._local.status(), model=self.settings.model)
        except ModelError as error:
            return ModelStatus("off", None, 0, self.settings.model, None, str(error))

    def close(self) -> None:
        """End the worker, a preparation that is under way, and connections."""
        self._closing.cancel()
        with self._lock:
            if self._remote:
                self._remote.close()
            preparation = self._preparation
        with contextlib.suppress(ModelError):  # nothing known, nothing running
            self._local.close()
        if preparation:
            preparation.join()

    # -- inside ----------------------------------------------------------------------------------------------------

    @property
    def _local(self) -> LocalModel:
        """Raises ModelError when the settings name no model."""
        settings, spec = self.settings, self.spec

        def load(folder: Path) -> Load:
            return Load(
                folder=str(folder),
                threads=settings.threads or min(4, cores()),
                batch_tokens=_BATCH_TOKENS,
                batch_inputs=_BATCH_PAIRS,
                nice=0,
            )

        with self._lock:
            if self._served is None:
                self._served = LocalModel(
                    RERANKER,
                    spec,
                    self._models,
                    load,
                    prepare_nice=self._nice,
                    idle_seconds=settings.idle_unload_seconds,
                )
            return self._served

    def _begin_to_prepare(self) -> None:
        """Prepare the model on a thread of its own. Raises ModelError when its weights are not here, or that just failed."""
        if locate(self.spec.source) is None:
            raise ModelError(f"the reranker {self.spec.name} is not on this machine: {self.spec.remedy}")
        local = self._local
        with self._lock:
            if self._preparation and self._preparation.is_alive():
                return
            if time.monotonic() - self._failed_at < _AGAIN_SECONDS:
                local.known()  # says what went wrong
            if not self._closing.cancelled:
                self._preparation = threading.Thread(target=self._prepare, args=(local,), name="khoj-prepare", daemon=True)
                self._preparation.start()

    def _prepare(self, local: LocalModel) -> None:
        try:
            local.prepare(None, self._closing)
        except (ModelError, Cancelled):  # kept by the model, which tells it to whoever asks next
            self._failed_at = time.monotonic()

    def _remote_reranker(self) -> RemoteReranker:
        with self._lock:
            if self._remote is None:
                self._remote = RemoteReranker(self.settings, self._environment)
            return self._remote
