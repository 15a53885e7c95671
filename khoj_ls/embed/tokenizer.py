"""A model's own tokenizer, without its model: loads in milliseconds, in any process."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer as Fast

from khoj_ls.core.protocols import Tokenizer


class HfTokenizer:
    """A `tokenizers` tokenizer as core's Tokenizer: never truncates, never pads."""

    def __init__(self, path: Path, max_tokens: int) -> None:
        """Load `tokenizer.json` at `path`. Raises OSError when it cannot be read."""
        data = path.read_bytes()
        self._fast = Fast.from_buffer(data)
        self._fast.no_truncation()
        self._fast.no_padding()
        self.max_tokens = max_tokens
        self.special_tokens = int(self._fast.num_special_tokens_to_add(False))
        self.id = hashlib.sha256(data + str(max_tokens).encode()).hexdigest()[:32]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Character ranges of the tokens of `text`."""
        return list(self._fast.encode(text, add_special_tokens=False).offsets)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Token counts of `texts`."""
        return [len(encoding) for encoding in self._fast.encode_batch_fast(list(texts), add_special_tokens=False)]


def load_tokenizer(path: str, max_tokens: int) -> Tokenizer:
    """The tokenizer of a prepared model: `path` is its folder or its tokenizer.json; an estimate where `path` is empty."""
    if not path:
        from khoj_ls.embed.remote import EstimateTokenizer

        return EstimateTokenizer(max_tokens)
    place = Path(path)
    return HfTokenizer(place / "tokenizer.json" if place.is_dir() else place, max_tokens)
