"""The encoder as the rest of the program sees it: start on first need, one worker for all vaults, gone when idle."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.core.errors import ModelError
from khoj_ls.core.jobs import CancelToken, ProgressCallback
from khoj_ls.core.protocols import Tokenizer
from khoj_ls.core.types import Vector
from khoj_ls.embed.presets import ModelSpec, resolve_model
from khoj_ls.embed.remote import RemoteEncoder
from khoj_ls.embed.role import DOCUMENT, ENCODER, QUERY
from khoj_ls.embed.runtimes import runtimes
from khoj_ls.embed.tokenizer import load_tokenizer
from khoj_ls.models.endpoint import is_loopback
from khoj_ls.models.local import LocalModel, ModelStatus, cores
from khoj_ls.models.messages import Input, Load
from khoj_ls.plugins.manager import NO_PLUGINS, PluginManager

ComingVector = Callable[[float], Vector | None]
"""A vector that is being made: waits for at most so many seconds, and gives it once it is there. Raises ModelError."""

OnVectors = Callable[[Sequence[int], Sequence[Vector]], None]
"""Hears of each batch: the places of its texts, and their vectors."""

EncoderStatus = ModelStatus

_CACHED_QUERIES = 256


class EncoderService:
    """A bi-encoder in a worker process, or at an endpoint. Thread-safe; making one starts nothing."""

    def __init__(
        self,
        settings: EmbeddingSettings,
        models_folder: Path,
        *,
        nice: int = 10,
        environment: Mapping[str, str] | None = None,
        plugins: PluginManager = NO_PLUGINS,
    ) -> None:
        """Serve the model that `settings` name; prepared models are kept in `models_folder`. `plugins` may bring it.

        `environment` holds the keys and proxies for a remote model, and may grow while the service lives.
        """
        self.settings = settings
        self._models = models_folder
        self._nice = nice
        self._environment = environment if environment is not None else {}
        self._plugins = plugins
        self._lock = threading.RLock()
        self._served: LocalModel | None = None
        self._remote: RemoteEncoder | None = None
        self._queries: OrderedDict[tuple[bool, str], Vector] = OrderedDict()

    # -- the model -------------------------------------------------------------------------------------------------

    @functools.cached_property
    def spec(self) -> ModelSpec:
        """What the settings mean. Raises ModelError."""
        return resolve_model(self.settings, self._plugins)

    @property
    def prepared(self) -> bool:
        """Whether everything about the model is known and on disk."""
        return self.spec.remote or self._local.prepared

    @property
    def id(self) -> str:
        """Names the weights and all that changes a vector. Raises ModelError before the model is prepared."""
        if self.spec.remote:
            prefixes = f" {self.spec.document_prefix!r}" if self.spec.document_prefix else ""
            return f"{self.spec.source} {self.settings.remote_model} {self.spec.dimensions}{prefixes}"
        return self._local.known().id

    @property
    def dimensions(self) -> int:
        """Length of the vectors."""
        return self.spec.dimensions if self.spec.remote else self._local.known().dimensions

    @property
    def max_tokens(self) -> int:
        """Longest input in tokens."""
        return self.spec.max_tokens if self.spec.remote else self._local.known().max_tokens

    @property
    def remote(self) -> str:
        """Where texts are sent; empty for a model on this machine, an endpoint on loopback included.

        Raises ModelError before a plugin's model is prepared: it says so itself.
        """
        if self.spec.plugin:
            return self._local.known().remote
        return self.spec.source if self.spec.remote and not is_loopback(self.spec.source) else ""

    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer, loaded in this process."""
        return load_tokenizer(*self.tokenizer_source())

    def tokenizer_source(self) -> tuple[str, int]:
        """What `load_tokenizer` wants, for another process."""
        if self.spec.remote:
            # A token has at least one byte, so this leaves room for the prefix whatever it is made of.
            return "", self.spec.max_tokens - len((self.spec.document_prefix or "").encode())
        if self.spec.plugin and not (self._local.folder / "tokenizer.json").exists():
            return "", self.max_tokens
        return str(self._local.folder), self.max_tokens

    def prepare(self, progress: ProgressCallback | None = None, token: CancelToken | None = None) -> None:
        """Make the model ready for use, once: seconds to a minute. Raises ModelError, Cancelled."""
        if not self.spec.remote:
            self._local.prepare(progress, token)

    # -- work ------------------------------------------------------------------------------------------------------

    def embed_documents(
        self, texts: Sequence[str], token: CancelToken | None = None, on_vectors: OnVectors | None = None
    ) -> list[Vector]:
        """Vectors of `texts`, in order; `on_vectors` hears of each batch as soon as it is there.

        Many texts at once are cut into better batches than few. Stops between two batches. Raises ModelError, Cancelled.
        """
        if self.spec.remote:
            prefix = self.spec.document_prefix or ""
            return self._remote_encoder().embed_documents([prefix + text for text in texts], token, on_vectors)
        self._local.prepare(None, token)
        return self._local.compute(self._inputs(texts, passage=True), token, on_values=on_vectors)

    def embed_query(self, text: str, timeout: float | None = None, token: CancelToken | None = None) -> Vector:
        """Vector of a search query; asked again it comes from memory.

        Raises ModelError, also after `timeout` seconds, and Cancelled.
        """
        return self._embed_one(text, timeout, token, passage=False)

    def embed_passage(self, text: str, timeout: float | None = None, token: CancelToken | None = None) -> Vector:
        """Vector of a text that is compared with documents as one of them, as soon as that of a query. Raises as that does."""
        return self._embed_one(text, timeout, token, passage=True)

    def begin_query(self, text: str, passage: bool, then: Callable[[Vector], None] | None = None) -> ComingVector | None:
        """Have the vector of a query, or of a `passage`, made; returns at once. None where that has to be waited for.

        `then` hears of one that is not there yet as soon as it is, on another thread, which it may not keep for long.
        It raises ModelError, also where there is none yet, for causes that `embed_query` and `embed_passage` may overcome: they
        start the worker anew.
        """
        known = self._known_query(text, passage=passage)
        if known is not None:
            return lambda seconds: known
        if self.spec.remote or self.spec.plugin or not self._local.prepared:
            return None
        [value] = self._inputs([text], passage=passage)
        coming = self._local.begin(value, then)

        def wait(seconds: float) -> Vector | None:
            vector = coming(seconds) if coming else None
            if vector is not None:
                self._remember_query(text, vector, passage=passage)
            return vector

        return wait if coming else None

    def _embed_one(self, text: str, timeout: float | None, token: CancelToken | None, *, passage: bool) -> Vector:
        known = self._known_query(text, passage=passage)
        if known is not None:
            return known
        if self.spec.remote:
            prefix = (self.spec.document_prefix if passage else self.spec.query_prefix) or ""
            vector = self._remote_encoder().embed_query(prefix + text, timeout, token)
        else:
            [vector] = self._local.compute(self._inputs([text], passage=passage), token, query=True, timeout=timeout)
        self._remember_query(text, vector, passage=passage)
        return vector

    def _known_query(self, text: str, *, passage: bool) -> Vector | None:
        with self._lock:
            known = self._queries.get((passage, text))
            if known is not None:
                self._queries.move_to_end((passage, text))
            return known

    def _remember_query(self, text: str, vector: Vector, *, passage: bool) -> None:
        with self._lock:
            self._queries[passage, text] = vector
            while len(self._queries) > _CACHED_QUERIES:
                self._queries.popitem(last=False)

    def warm(self) -> None:
        """Start the worker in the background, so that the first query finds it ready."""
        try:
            if not self.spec.remote:
                self._local.warm()
        except ModelError:  # asked for by nobody: whoever needs it hears the reason
            return

    def status(self) -> ModelStatus:
        """How the worker is."""
        try:
            return replace(self._local.status(), model=self.settings.model)
        except ModelError as error:
            return ModelStatus("failed", None, 0, self.settings.model, None, str(error))

    def close(self) -> None:
        """End the worker, and connections."""
        with self._lock:
            if self._remote:
                self._remote.close()
        with contextlib.suppress(ModelError):  # nothing known, nothing running
            self._local.close()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _inputs(self, texts: Sequence[str], *, passage: bool) -> list[Input]:
        """Texts as the worker's model wants them. Raises ModelError, also where they would leave without the user's yes."""
        model = self._local.known()
        if not self.spec.plugin:
            prefix = model.document_prefix if passage else model.query_prefix
            return [prefix + text for text in texts]
        if model.remote and not self.settings.allow_remote:
            raise ModelError(
                f"the embedding model {model.name} sends texts to {model.remote}: "
                "`khoj-ls config set embedding.allow_remote true` allows it"
            )
        return [(DOCUMENT if passage else QUERY, text) for text in texts]

    @property
    def _local(self) -> LocalModel:
        """Raises ModelError when the settings name no model."""
        settings, spec, nice = self.settings, self.spec, self._nice

        def load(folder: Path) -> Load:
            return Load(
                folder=str(folder),
                threads=settings.threads or min(4, cores()),
                batch_tokens=settings.batch_tokens,
                batch_inputs=spec.batch,
                nice=nice,
                plugin=spec.plugin,
            )

        with self._lock:
            if self._served is None:
                self._served = LocalModel(
                    ENCODER,
                    spec,
                    self._models,
                    load,
                    prepare_nice=nice,
                    idle_seconds=settings.idle_unload_seconds,
                    runtimes=runtimes(spec),
                )
            return self._served

    def _remote_encoder(self) -> RemoteEncoder:
        with self._lock:
            if self._remote is None:
                self._remote = RemoteEncoder(self.settings, self._environment)
            return self._remote
