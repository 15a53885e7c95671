"""sentence-transformers itself: prepares every bi-encoder, and runs those that cannot be exported or that have a GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from khoj_ls.embed.vectors import unit_rows
from khoj_ls.models.messages import Value
from khoj_ls.models.sources import check_harmless
from khoj_ls.models.torch_models import SAFE_TO_LOAD, TorchBackend, times_as_much


def load_sentence_transformer(folder: Path, device: str = "cpu") -> Any:
    """Load the model in `folder` and run none of its code. Raises ModelError, and what the library raises on damaged files."""
    check_harmless(folder)
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device=device, model_kwargs={"use_safetensors": True}, **dict(SAFE_TO_LOAD))


def sentence_transformers_backend(
    folder: Path, device: str, max_tokens: int, budget: int, most_texts: int, *, half: bool = False
) -> TorchBackend:
    """The model in `folder` as a backend; a batch holds about `budget` tokens and at most `most_texts` texts.

    On an accelerator both may be more, as its memory allows. `half`: computed in numbers of 16 bits.
    """
    model = load_sentence_transformer(folder, device)
    model.max_seq_length = max_tokens
    if half:
        model = model.half()

    def vectors(texts: list[str]) -> list[Value]:
        return unit_rows(model.encode(texts, prompt="", batch_size=len(texts), show_progress_bar=False))

    most = 1 if device == "cpu" else times_as_much(device)
    return TorchBackend(vectors, device, budget * most, most_texts * most)
