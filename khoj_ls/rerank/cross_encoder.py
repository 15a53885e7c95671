"""sentence-transformers' CrossEncoder: prepares every reranker, and runs those that cannot be exported or that have a GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from khoj_ls.models.messages import Value
from khoj_ls.models.sources import check_harmless
from khoj_ls.models.torch_models import SAFE_TO_LOAD, TorchBackend
from khoj_ls.rerank.output import score_rows

Pair = tuple[str, str]


def load_cross_encoder(folder: Path, device: str = "cpu") -> Any:
    """Load the model in `folder` and run none of its code. Raises ModelError, and what the library raises on damaged files."""
    check_harmless(folder)
    from sentence_transformers import CrossEncoder

    return CrossEncoder(str(folder), device=device, model_kwargs={"use_safetensors": True}, **dict(SAFE_TO_LOAD))


def longest(model: Any) -> int | None:
    """Most tokens of a pair, as the model itself says."""
    limit = getattr(model, _limit_of(model))
    return int(limit) if limit else None


def set_longest(model: Any, tokens: int) -> None:
    """Cut pairs to so many tokens."""
    setattr(model, _limit_of(model), tokens)


def labels(model: Any) -> int:
    """How many numbers the model gives for a pair: a reranker gives one."""
    return int(model.config.num_labels)


def activation(model: Any) -> Any:
    """From the model's own output to 0..1: its own activation, and the logistic function behind it unless it is that already.

    The logistic function rises everywhere, so the order is the model's own: many rerankers are published with an activation
    that does nothing, and their scores are any numbers.
    """
    import torch

    own = model.activation_fn
    return own if isinstance(own, torch.nn.Sigmoid) else torch.nn.Sequential(own, torch.nn.Sigmoid())


def predict(model: Any, pairs: list[Pair], batch_size: int) -> np.ndarray:
    """Scores of `pairs` in 0..1, in order, as CrossEncoder computes them."""
    scores = model.predict(pairs, activation_fn=activation(model), batch_size=batch_size, show_progress_bar=False)
    flat: np.ndarray = np.asarray(scores, np.float32).reshape(-1)
    return flat


def cross_encoder_backend(folder: Path, device: str, max_tokens: int, budget: int, most_pairs: int) -> TorchBackend:
    """The model in `folder` as a backend; a batch holds about `budget` tokens and at most `most_pairs` pairs."""
    model = load_cross_encoder(folder, device)
    set_longest(model, max_tokens)

    def scores(pairs: list[Pair]) -> list[Value]:
        return score_rows(predict(model, pairs, len(pairs)))

    return TorchBackend(scores, device, budget, most_pairs)


def _limit_of(model: Any) -> str:
    # sentence-transformers 5 called it max_length.
    return "max_seq_length" if hasattr(model, "max_seq_length") else "max_length"
