"""A model's own tokenizer, without its model: loads in milliseconds, in any process."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from khoj_ls.core.protocols import Tokenizer
from khoj_ls.models.messages import read_model

_PIECE_BYTES = 6
_PIECES = re.compile(r"\s?[A-Za-z]{1,5}|\s?[0-9]{1,3}|\s?[^\x00-\x7f]|\s?[!-/:-@\[-`{-~]|\s{1,6}|[\x00-\x7f]", re.ASCII)
"""Each at most `_PIECE_BYTES` bytes long in UTF-8; together they cover any text."""


class HfTokenizer:
    """A `tokenizers` tokenizer as core's Tokenizer: never truncates, never pads."""

    def __init__(self, path: Path, max_tokens: int, prefix: str = "") -> None:
        """Load `tokenizer.json` at `path`; `prefix` is put before every document. Raises OSError when it cannot be read."""
        from tokenizers import Tokenizer as Fast

        data = path.read_bytes()
        self._fast = Fast.from_buffer(data)
        self._fast.no_truncation()
        self._fast.no_padding()
        self.max_tokens = max_tokens
        self.special_tokens = int(self._fast.num_special_tokens_to_add(False)) + self.count([prefix])[0]
        self.id = hashlib.sha256(data + repr((max_tokens, prefix)).encode()).hexdigest()[:32]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Character ranges of the tokens of `text`."""
        return list(self._fast.encode(text, add_special_tokens=False).offsets)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Token counts of `texts`."""
        return [len(encoding) for encoding in self._fast.encode_batch_fast(list(texts), add_special_tokens=False)]


class EstimateTokenizer:
    """Stands in for the tokenizer of a model that is not here: pieces of words, of about a token's length in English.

    Never over the model's limit: byte-level BPE makes at most one token of a byte, a piece has at most six bytes, and
    `max_tokens` is a sixth of the model's own.
    """

    def __init__(self, limit: int) -> None:
        """Estimate for a model that takes `limit` tokens, special ones and prefix included."""
        self.special_tokens = 2
        self.max_tokens = max(self.special_tokens + 1, limit // _PIECE_BYTES)
        self.id = hashlib.sha256(f"estimate 2 {limit}".encode()).hexdigest()[:32]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Character ranges of the pieces of `text`."""
        return [found.span() for found in _PIECES.finditer(text)]

    def count(self, texts: Sequence[str]) -> list[int]:
        """How many pieces each of `texts` has."""
        return [len(_PIECES.findall(text)) for text in texts]


def load_tokenizer(path: str, max_tokens: int) -> Tokenizer:
    """The tokenizer of a prepared model: `path` is its folder or its tokenizer.json; an estimate where `path` is empty."""
    if not path:
        return EstimateTokenizer(max_tokens)
    place = Path(path)
    if not place.is_dir():
        return HfTokenizer(place, max_tokens)
    model = read_model(place)
    return HfTokenizer(place / "tokenizer.json", max_tokens, model.document_prefix if model else "")
