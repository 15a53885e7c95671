"""Embedding models that plugins bring: made and asked in the encoder's process, which is ended when one hangs.

What the daemon must know of a model stands in the model.json that preparing it leaves. The process that embeds makes the model
anew, and holds it against that.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from khoj_ls.core.errors import ModelError
from khoj_ls.core.protocols import EmbeddingModel
from khoj_ls.embed.presets import plugged_models
from khoj_ls.embed.role import DOCUMENT, QUERY
from khoj_ls.embed.tokenizer import HfTokenizer
from khoj_ls.embed.vectors import unit_rows
from khoj_ls.models.batches import Batch, group
from khoj_ls.models.messages import Input, Load, ModelFile, Value
from khoj_ls.models.preparing import installed
from khoj_ls.plugins.limits import Overdue, PluginFault, within
from khoj_ls.plugins.manager import ordered_plugins

_LAST_SECONDS = 0.5
"""How long the process of a model that hangs stays, so that who asked hears why it goes."""
_LEAST_TOKENS, _MOST_DIMENSIONS = 16, 65_536


@dataclass(frozen=True)
class Made:
    """A model of a plugin, and what it says of itself."""

    model: EmbeddingModel
    name: str
    plugin: str
    id: str
    dimensions: int
    max_tokens: int
    remote: str
    tokenizer: str
    seconds: float
    """What it may take for one batch."""

    @property
    def own(self) -> str:
        """What people call it."""
        return _called(self.name, self.plugin)


def prepare_plugged(name: str, plugin: str, folder: Path) -> ModelFile:
    """Make the model called `name`, and take down what it says of itself in `folder`. Raises ModelError.

    `plugin` is what loads its plugin (`PluginManager.order_of`).
    """
    made = _made(name, plugin)

    def take_down(scratch: Path) -> ModelFile:
        if made.tokenizer:
            try:
                HfTokenizer(Path(made.tokenizer), made.max_tokens)
                shutil.copyfile(made.tokenizer, scratch / "tokenizer.json")
            except Exception as error:  # whatever the library raises: the user hears which file it is
                raise ModelError(f"{made.own} cannot be used: {made.tokenizer} does not load ({error})") from error
        return ModelFile(
            id=hashlib.sha256(repr((made.plugin, name, made.id, made.dimensions)).encode()).hexdigest()[:32],
            name=name,
            dimensions=made.dimensions,
            max_tokens=made.max_tokens,
            backend="plugin",
            source="",
            signature="",
            revision=made.id,
            remote=made.remote,
        )

    return installed(folder, take_down)


def plugged_backend(wanted: Load, known: ModelFile) -> PluggedBackend:
    """The model of a plugin, made for work. Raises ModelError where it is not the one that is `known`."""
    made = _made(known.name, wanted.plugin)
    if (made.id, made.dimensions, made.remote) != (known.revision, known.dimensions, known.remote):
        raise ModelError(f"{made.own} is another one than it was; it is taken up anew")
    return PluggedBackend(made, wanted.batch_tokens, wanted.batch_inputs)


class PluggedBackend:
    """A model of a plugin as a backend (`models.batches.Backend`)."""

    side_by_side = 1

    def __init__(self, made: Made, budget: int, most: int) -> None:
        """Ask `made`; a batch holds at most `most` texts, of about `budget` tokens in all."""
        self._made = made
        self._budget = budget
        self._most = most

    def plan(self, inputs: Sequence[Input]) -> list[Batch]:
        """Batches of documents; queries one by one."""
        texts = [each if isinstance(each, tuple) else (DOCUMENT, each) for each in inputs]
        queries = [Batch([place], [texts[place]]) for place, (kind, _) in enumerate(texts) if kind == QUERY]
        places = [place for place, (kind, _) in enumerate(texts) if kind != QUERY]
        # A token of most languages has three bytes and more.
        groups = group([len(texts[place][1].encode()) // 3 + 1 for place in places], self._budget, self._most)
        chosen = ([places[at] for at in each] for each in groups)
        return queries + [Batch(each, [texts[place] for place in each]) for each in chosen]

    def run(self, batch: Batch) -> list[Value]:
        """Unit vectors of a batch. Raises ModelError; when it takes too long the process ends after that."""
        try:
            return within(self._made.seconds, partial(self._vectors, batch.inputs), "khoj-plugged-model")
        except PluginFault as fault:
            if isinstance(fault, Overdue):
                # A thread cannot be ended: the process is, and who asks next gets a new one.
                threading.Timer(_LAST_SECONDS, os._exit, (1,)).start()
            raise ModelError(f"{self._made.own} failed: {fault}") from fault

    def _vectors(self, texts: Sequence[tuple[str, str]]) -> list[Value]:
        model, wanted = self._made.model, (len(texts), self._made.dimensions)
        [kind] = {kind for kind, _ in texts}
        rows = [model.embed_query(texts[0][1])] if kind == QUERY else model.embed_documents([text for _, text in texts])
        matrix = np.asarray(rows, dtype="<f4")
        if matrix.shape != wanted:
            raise PluginFault(f"it returned vectors of shape {matrix.shape} where {wanted} was wanted")
        if not np.isfinite(matrix).all():
            raise PluginFault("it returned vectors that hold no numbers")
        return unit_rows(matrix)


def _made(name: str, plugin: str) -> Made:
    """The model, made in this process. Raises ModelError."""
    plugins, order = ordered_plugins(plugin, lambda call: None)
    brought = plugged_models(plugins)
    if name not in brought.by_name:
        told = "; ".join(each.error for each in (*plugins.problems, *brought.problems)) or "it brings none of that name"
        raise ModelError(f"the plugin of the embedding model {name} cannot be used: {told}")
    seconds, its = order.model_seconds, brought.plugin[name]
    try:
        return within(seconds, lambda: _described(brought.by_name[name].make(), name, its, seconds), "khoj-make-model")
    except PluginFault as fault:
        raise ModelError(f"{_called(name, its)} cannot be used: {fault}") from fault


def _called(name: str, plugin: str) -> str:
    return f"the embedding model {name} of the plugin {plugin}"


def _described(model: object, name: str, plugin: str, seconds: float) -> Made:
    """What a model says of itself. Raises PluginFault, and whatever its code raises."""
    if not isinstance(model, EmbeddingModel):
        raise PluginFault(f"a {type(model).__name__} is no EmbeddingModel")
    tokenizer = getattr(model, "tokenizer", "") or ""
    made = Made(model, name, plugin, model.id, model.dimensions, model.max_tokens, model.remote, tokenizer, seconds)
    if not all(isinstance(each, str) for each in (made.id, made.remote, made.tokenizer)) or not made.id:
        raise PluginFault("its id, remote and tokenizer are texts, and the id names it")
    if type(made.dimensions) is not int or not 1 <= made.dimensions <= _MOST_DIMENSIONS:
        raise PluginFault(f"its dimensions are a whole number from 1 to {_MOST_DIMENSIONS}")
    if type(made.max_tokens) is not int or made.max_tokens < _LEAST_TOKENS:
        raise PluginFault(f"its max_tokens are a whole number, {_LEAST_TOKENS} or more")
    return made
