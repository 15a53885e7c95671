"""sentence-transformers itself, for models that cannot be exported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from khoj_ls.core.types import Vector
from khoj_ls.embed.batches import batches
from khoj_ls.embed.onnx_backend import unit_rows


def load_sentence_transformer(source: str, device: str = "cpu") -> Any:
    """Load a model by folder or name, from this machine only. Raises OSError, ValueError."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(source, device=device, local_files_only=True, trust_remote_code=False)


class SentenceTransformersEncoder:
    """A model in PyTorch."""

    def __init__(self, source: str, device: str, max_tokens: int, budget: int) -> None:
        """Load `source`; a batch holds about `budget` tokens."""
        self._budget = budget
        self._model = load_sentence_transformer(source, pick_device(device))
        self._model.max_seq_length = max_tokens

    def embed(self, texts: Sequence[str], *, query: bool = False) -> list[Vector]:
        """Unit vectors of `texts`, in order."""
        vectors: list[Vector] = [b""] * len(texts)
        for group in batches([len(text) // 3 + 1 for text in texts], self._budget):
            matrix = self._model.encode([texts[index] for index in group], show_progress_bar=False, normalize_embeddings=True)
            for index, row in zip(group, unit_rows(matrix), strict=True):
                vectors[index] = row
        return vectors


def pick_device(wanted: str) -> str:
    """`auto` is CUDA or MPS where there is one."""
    if wanted != "auto":
        return wanted
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
