"""Vectors made up from the words of a text, for measuring how long things take where a model would work for half an hour.

A vector is the mean of its words' directions, so that texts that share words lie near each other and the vector index has as
much to do as with a model's vectors. They say nothing about how good an answer is.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.types import Vector
from khoj_ls.embed.service import EncoderService, EncoderStatus, OnVectors
from khoj_ls.vaults import OpenVaults

_DIRECTIONS = 16_384
_LEAST_LETTERS = 4


@cache
def _directions(dimensions: int) -> Any:
    import numpy as np

    return np.random.default_rng(1).standard_normal((_DIRECTIONS, dimensions), np.float32)


def made_up(text: str, dimensions: int) -> Vector:
    """A unit vector for the words of `text`."""
    import numpy as np

    words = {word for word in re.findall(r"[^\W_]+", text.lower()) if len(word) >= _LEAST_LETTERS} or {text}
    total = _directions(dimensions)[[zlib.crc32(word.encode()) % _DIRECTIONS for word in sorted(words)]].sum(axis=0)
    return bytes((total / np.linalg.norm(total)).astype(np.float32).tobytes())


class MadeUpEncoder(EncoderService):
    """The encoder of a real model, whose tokenizer cuts the notes, with made-up vectors in place of the model's."""

    def embed_documents(
        self, texts: Sequence[str], token: CancelToken | None = None, on_vectors: OnVectors | None = None
    ) -> list[Vector]:
        """Made-up vectors of `texts`."""
        vectors = [made_up(text, self.dimensions) for text in texts]
        if on_vectors:
            on_vectors(range(len(texts)), vectors)
        return vectors

    def embed_query(self, text: str, timeout: float | None = None, token: CancelToken | None = None) -> Vector:
        """The made-up vector of `text`."""
        return made_up(text, self.dimensions)

    def status(self) -> EncoderStatus:
        """Always ready."""
        return replace(super().status(), state="ready")


class MadeUpVaults(OpenVaults):
    """Vaults that are embedded with made-up vectors."""

    def _encoder(self, settings: EmbeddingSettings, model: str) -> EncoderService:
        return _encoder(replace(settings, model=model), self.folders.models)


@cache
def _encoder(settings: EmbeddingSettings, models: Path, environment: Mapping[str, str] | None = None) -> EncoderService:
    return MadeUpEncoder(settings, models, environment=environment)
