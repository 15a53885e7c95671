"""sentence-transformers itself: prepares every model, and runs those that cannot be exported or that have a GPU to run on."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from khoj_ls.core.errors import ModelError
from khoj_ls.core.types import Vector
from khoj_ls.embed.batches import Batch, group
from khoj_ls.embed.onnx_backend import unit_rows
from khoj_ls.embed.sources import check_harmless

_CHARACTERS_PER_TOKEN = 3
"""Lengths need only be about right here: the model's own tokenizer cuts."""
_CPU_TOKENS = 1024


def load_sentence_transformer(folder: Path, device: str = "cpu") -> Any:
    """Load the model in `folder` and run none of its code. Raises ModelError, and what the library raises on damaged files."""
    check_harmless(folder)
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(
        str(folder),
        device=device,
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs={"use_safetensors": True},
    )


class SentenceTransformersBackend:
    """A model in PyTorch."""

    def __init__(self, folder: Path, device: str, max_tokens: int, budget: int, most_texts: int) -> None:
        """Load the model in `folder`; a batch holds about `budget` tokens and at most `most_texts` texts."""
        # PyTorch spreads one batch over the cores by itself.
        self.side_by_side = 1
        self._budget = budget
        self._most = most_texts
        if device == "cpu":  # a large batch gains nothing there, and a query has to wait for it
            self._budget = min(budget, _CPU_TOKENS)
        self._model = load_sentence_transformer(folder, device)
        self._model.max_seq_length = max_tokens
        # Fast tokenizers keep their settings where two threads may not change them at once ("Already borrowed").
        self._next, self._turn = threading.Lock(), threading.Lock()

    def plan(self, texts: Sequence[str]) -> list[Batch]:
        """Group `texts` by their length in characters."""
        lengths = [len(text) // _CHARACTERS_PER_TOKEN + 1 for text in texts]
        return [Batch(places, [texts[place] for place in places]) for places in group(lengths, self._budget, self._most)]

    def run(self, batch: Batch) -> list[Vector]:
        """Compute with PyTorch's threads, one batch after the other: a query waits for one of the backlog's, never for two."""
        with self._next:
            self._turn.acquire()
        try:
            return unit_rows(self._model.encode(batch.inputs, prompt="", batch_size=len(batch.inputs), show_progress_bar=False))
        finally:
            self._turn.release()


def pick_device(wanted: str) -> str:
    """The device to use for a spec's: `auto` is CUDA if there is one. Raises ModelError when the one asked for is not there."""
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return "cuda" if there["cuda"] else "cpu"
    if not there.get(wanted):
        raise ModelError(f"PyTorch finds no {wanted} on this machine: set embedding.device to auto or cpu")
    return wanted
