"""Which model the notes are embedded with, and the change from one to another beside the one that answers."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from khoj_ls.core.types import Vector
from khoj_ls.store.chunks import ActiveModel, drop_other_chunkers, model_by_key, use_model
from khoj_ls.store.database import get_meta, set_meta


@dataclass(frozen=True)
class ModelInfo:
    """A model as the indexer must know it."""

    key: str
    """Names the weights and all that changes a vector: vectors are stored under it."""
    name: str
    """What users call it."""
    dimensions: int
    chunker: str
    """Names the way of cutting: the tokenizer's content, the limit, the version of the chunker."""
    tokenizer: str
    """Folder or file that holds the tokenizer, for the worker."""
    max_tokens: int
    remote: str = ""
    """Where texts are sent; empty for a model on this machine."""


class Encoder(Protocol):
    """Makes vectors. Both calls may take long and raise ModelError."""

    def info(self) -> ModelInfo:
        """What the model is, prepared for use if it was not."""
        ...

    def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        """Unit vectors of `texts`, in order."""
        ...


def active_model(connection: sqlite3.Connection) -> ActiveModel | None:
    """The model that answers searches; None before the first."""
    key = get_meta(connection, "active_model")
    try:
        return model_by_key(connection, key) if key else None
    except LookupError:
        return None


def adopt(connection: sqlite3.Connection, info: ModelInfo) -> ActiveModel:
    """The stored row of a model that is to be used. The first one answers at once; another only when `take_over` says so."""
    model = use_model(connection, info.key, info.name, info.dimensions, info.chunker)
    if active_model(connection) is None:
        set_meta(connection, "active_model", info.key)
    return model


def has_taken_over(connection: sqlite3.Connection, model: ActiveModel) -> bool:
    """Whether the model answers and nothing is left of those before it."""
    return get_meta(connection, "complete_model") == _complete(model)


def take_over(connection: sqlite3.Connection, model: ActiveModel) -> None:
    """Let the model answer, now that all notes are embedded with it, and drop the chunks of others."""
    set_meta(connection, "active_model", model.key)
    set_meta(connection, "complete_model", _complete(model))
    drop_other_chunkers(connection, model)


def _complete(model: ActiveModel) -> str:
    return f"{model.key} {model.chunker_id}"
