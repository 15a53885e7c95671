"""sentence-transformers itself: prepares every bi-encoder, and runs those that cannot be exported or that have a GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from khoj_ls.embed.vectors import unit_rows
from khoj_ls.models.messages import Value
from khoj_ls.models.sources import check_harmless
from khoj_ls.models.torch_models import SAFE_TO_LOAD, TorchBackend


def load_sentence_transformer(folder: Path, device: str = "cpu") -> Any:
    """Load the model in `folder` and run none of its code. Raises ModelError, and what the library raises on damaged files."""
    check_harmless(folder)
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device=device, model_kwargs={"use_safetensors": True}, **dict(SAFE_TO_LOAD))


def sentence_transformers_backend(folder: Path, device: str, max_tokens: int, budget: int, most_texts: int) -> TorchBackend:
    """The model in `folder` as a backend; a batch holds about `budget` tokens and at most `most_texts` texts."""
    model = load_sentence_transformer(folder, device)
    model.max_seq_length = max_tokens

    def vectors(texts: list[str]) -> list[Value]:
        return unit_rows(model.encode(texts, prompt="", batch_size=len(texts), show_progress_bar=False))

    return TorchBackend(vectors, device, budget, most_texts)
