"""Tokens of a text: asked of the model's own tokenizer where its server has one, else estimated, rather too high.

The estimate goes by what byte-pair tokenizers of all vendors have in common: they know the common words of English best, other
words in pieces of three or four letters, capitals and mixtures in pairs, and letters of other scripts by one to three bytes.
docs/chat-models.md has the rules and how they measure against real tokenizers.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from khoj_ls.core.chat import Message

Tokenize = Callable[[str], int | None]
"""Asks a server for the tokens of a text; None: it does not say."""

_PER_MESSAGE = 8
"""Tokens of the marks that a chat template puts around a message; the templates of today take three to seven."""
_PER_IMAGE = 1600
"""Tokens of a picture of the largest size that services read without shrinking it."""

_PARTS = re.compile(
    r"(?P<blob>[A-Za-z0-9]{32,})|(?P<word>[A-Z]?[a-z]+(?![A-Za-z]))|(?P<mixed>[A-Za-z]+)"
    r"|(?P<one>[0-9]|\n|[^\S\n]{2,}|[^\sA-Za-z0-9\x80-\U0010ffff]|[^\S\n](?=[^\x00-\x7f]))|(?P<far>[^\s\x00-\x7f])"
)
_SHORT_WORD = 6
"""Letters of a word that counts by fours: most such words are one token, or two."""
_REST_SECONDS = 5.0
"""How long a tokenizer that did not answer is left alone: a question counts dozens of texts."""
_CACHED = 2048
_CACHED_CHARACTERS = 200_000


def estimate(text: str) -> int:
    """Tokens of a text for any tokenizer, rather too high."""
    total = 0
    for part in _PARTS.finditer(text):
        size = part.end() - part.start()
        kind = part.lastgroup
        if kind == "word":
            total += (size + 3) // 4 if size <= _SHORT_WORD else (size + 2) // 3
        elif kind == "mixed":
            total += (size + 1) // 2
        elif kind == "far":
            total += max(1, len(part.group().encode("utf-8", "replace")) - 1)
        else:
            total += size if kind == "blob" else 1
    return total


def count_messages(count: Callable[[str], int], messages: Sequence[Message]) -> int:
    """Tokens of messages as a chat template joins them, pictures included, rather too high."""
    return sum(count(message.text) + _PER_MESSAGE + _PER_IMAGE * len(message.images) for message in messages)


class Counter:
    """Counts for one model, remembering what its server said. Any thread may ask."""

    def __init__(self, tokenize: Tokenize | None) -> None:
        """Ask `tokenize`, or estimate where there is none."""
        self._tokenize = tokenize
        self._known: OrderedDict[str, int] = OrderedDict()
        self._characters = 0
        self._ask_from = 0.0
        self._lock = threading.Lock()

    def count(self, text: str) -> int:
        """Tokens of `text`. Never raises."""
        if self._tokenize is None or not text:
            return estimate(text)
        with self._lock:
            if text in self._known:
                self._known.move_to_end(text)
                return self._known[text]
        if time.monotonic() < self._ask_from:
            return estimate(text)
        counted = self._tokenize(text)
        if counted is None:
            self._ask_from = time.monotonic() + _REST_SECONDS
            return estimate(text)
        with self._lock:
            self._known[text] = counted
            self._characters += len(text)
            while len(self._known) > _CACHED or self._characters > _CACHED_CHARACTERS:
                forgotten, _ = self._known.popitem(last=False)
                self._characters -= len(forgotten)
        return counted
