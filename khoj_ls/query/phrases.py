"""Whether a text holds a phrase as it was typed."""

from __future__ import annotations

import re
import unicodedata

from khoj_ls.core.text import spaced


def occurs(phrase: str, text: str) -> bool:
    """Whether `phrase` stands in `text` as typed: case and the width of blanks aside, whole words, accents as they are."""
    return _pattern(phrase).search(unicodedata.normalize("NFC", text).casefold()) is not None


def _pattern(phrase: str) -> re.Pattern[str]:
    folded = unicodedata.normalize("NFC", phrase).casefold()
    before = r"(?<!\w)" if _bounded(folded[0]) else ""
    after = r"(?!\w)" if _bounded(folded[-1]) else ""
    return re.compile(before + r"\s+".join(map(re.escape, folded.split())) + after)


def _bounded(char: str) -> bool:
    # In scripts written without blanks a word has no visible bounds.
    return char.isalnum() and spaced(char) == char
