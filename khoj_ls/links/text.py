"""How names and headings are compared: folding, and the slugs that tools make of headings."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

NOTE_SUFFIXES = frozenset({".md", ".markdown", ".mdown", ".mkd", ".org", ".txt"})
"""Suffixes that a link may leave out."""

_MARKS = re.compile(r"\[\[([^\]|]*\|)?([^\]]*)\]\]|!?\[([^\]]*)\]\([^)]*\)")
_EMPHASIS = re.compile(r"[*~=`]+|(?<!\w)_+|_+(?!\w)")
_NOT_IN_LINK = re.compile(r"[#^|\\\[\]]|%%|(?<=\s):(?=\s)|:(?=\s|$)|(?<=\s):")
_NOT_IN_SLUG = re.compile(r"[^\w\- \u200d]")
_BLANKS = re.compile(r"\s+")


def fold(text: str) -> str:
    """`text` as names are compared: NFC, case folded, blanks as one, none at the ends."""
    if text.isascii():
        return " ".join(text.lower().split())
    return " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).split())


def split_suffix(path: str) -> tuple[str, str]:
    """`path` and its suffix, where that is one of a note (else empty): `a.b.md` is `a.b` and `.md`, `a.b` stays whole."""
    dot = path.rfind(".")
    if dot <= path.rfind("/") + 1 or path[dot:].lower() not in NOTE_SUFFIXES:
        return path, ""
    return path[:dot], path[dot:]


def name_key(name: str) -> str:
    """The key of a name or of a link's note part: its last segment, folded, without a note's suffix, up to a `#` or `?`.

    Two names that any rule might take for the same have the same key.
    """
    before = name.partition("#")[0].partition("?")[0].strip() or name.strip()
    return fold(split_suffix(before.replace("\\", "/").rstrip("/"))[0].rpartition("/")[2])


@lru_cache(maxsize=8192)
def plain_heading(heading: str) -> str:
    """A heading as Obsidian, and a careful reader, compares it: without markup and the characters no link can hold."""
    text = _MARKS.sub(lambda found: found[2] or found[3] or "", heading)
    return fold(_NOT_IN_LINK.sub(" ", _EMPHASIS.sub("", text)))


@lru_cache(maxsize=8192)
def slug(heading: str) -> str:
    """GitHub's slug of a heading (github-slugger): lower case, punctuation dropped, every blank a hyphen."""
    text = _MARKS.sub(lambda found: found[2] or found[3] or "", heading)
    return _NOT_IN_SLUG.sub("", text.strip().lower()).replace(" ", "-")


@lru_cache(maxsize=8192)
def loose_slug(text: str) -> str:
    """A slug with nothing but letters and digits: equal for all the slugs that tools make of one heading."""
    return re.sub(r"[\W_]+", "", fold(text))
