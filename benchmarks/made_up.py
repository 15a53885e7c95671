"""Vectors made up from the words of a text, for measuring how long things take where a model would work for half an hour.

The vector of a text is the mean of its words' directions, so that texts that share words lie near each other and the vector
index has as much to do as with a model's vectors. They say nothing about how good an answer is.
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
from khoj_ls.embed.service import ComingVector, EncoderService, EncoderStatus, OnVectors
from khoj_ls.vaults import OpenVaults

_DIRECTIONS = 16_384
_LEAST_LETTERS = 4
_SUBJECTS = 300
_SUBJECT_SHARE, _NOTE_SHARE = 0.3, 0.3
"""What of the variance of passages is that of subjects, and of notes about their subject."""
_FALL = 1.1
_COMMON = 0.44
"""Length of the mean of all vectors; both as measured of a thousand real notes."""


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


class MadeUpPlaces:
    """Vectors without texts that lie as those of real notes do: each note has a subject, each passage lies about its note.

    Of a model's 384 numbers few dozen matter (the variance along the principal axes of real notes' vectors falls as
    k ** -1.1), and all have a part in common. Their intrinsic dimension (TwoNN) is some 20, of real notes' 7, and
    125 of numbers drawn evenly in all directions, which no graph of neighbours holds together.
    """

    def __init__(self, numbers: Any, dimensions: int) -> None:
        """Draw the subjects by a numpy Generator `numbers`."""
        import numpy as np

        self._numbers = numbers
        axes = np.arange(1, dimensions + 1) ** (-_FALL / 2)
        self._axes = axes * np.sqrt((1 - _COMMON**2) / (axes**2).sum())
        self._subjects = self._about(np.zeros((_SUBJECTS, dimensions)), 1.0)
        likely = 1 / np.arange(3, _SUBJECTS + 3)
        self._likely = likely / likely.sum()

    def of_note(self, passages: int) -> Any:
        """The unit vectors of one more note's passages, a float32 array of shape (passages, dimensions)."""
        note = self._about(self._subject(1), _NOTE_SHARE)
        return self._unit(self._about(note.repeat(passages, 0), 1 - _SUBJECT_SHARE - _NOTE_SHARE))

    def of_queries(self, count: int) -> Any:
        """The unit vectors of `count` queries about the same subjects."""
        return self._unit(self._about(self._subject(count), 1 - _SUBJECT_SHARE))

    def _subject(self, count: int) -> Any:
        return _SUBJECT_SHARE**0.5 * self._subjects[self._numbers.choice(_SUBJECTS, count, p=self._likely)]

    def _about(self, places: Any, share: float) -> Any:
        return places + share**0.5 * self._axes * self._numbers.standard_normal(places.shape)

    def _unit(self, places: Any) -> Any:
        import numpy as np

        places[:, 0] += _COMMON
        return (places / np.linalg.norm(places, axis=1, keepdims=True)).astype("<f4")


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

    def begin_query(self, text: str, passage: bool) -> ComingVector:
        """The same, there at once."""
        return lambda seconds: made_up(text, self.dimensions)

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
