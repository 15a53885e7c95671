"""The label of a link in its source, and how a new one is written there."""

from __future__ import annotations

import re

from khoj_ls.core.types import Link
from khoj_ls.links.format import escaped_label
from khoj_ls.links.rewrite import Edit

_WIKI = re.compile(r"\[\[([^\[\]\n]+)\]\]")
_ORG = re.compile(r"\[\[(?:[^\[\]\\]|\\.)+\]\[(.*)\]\]\Z", re.S)
_INLINE = re.compile(r"!?\[(.*)\](?:\(.*\)|\[[^\[\]]+\])\Z", re.S)


def relabelled(source: bytes, link: Link, source_type: str, old: str, new: str) -> Edit | None:
    """The edit that makes `new` of the label of `link`, when that is `old` to the letter; None when it is not."""
    raw = source[link.span.start : link.span.end].decode(errors="surrogateescape")
    found = _label(raw, link, source_type)
    if found is None:
        return None
    begin, end = found
    text = raw[begin:end]
    written = re.sub(r"\\([\[\]\\])", r"\1", text) if source_type != "org" and link.kind == "markdown" else text
    if " ".join(written.split()) != " ".join(old.split()):
        return None
    if source_type == "org" and link.kind not in ("wikilink", "embed"):
        shown = " ".join(new.replace("[", "{").replace("]", "}").split())
    elif link.kind == "markdown" or "](" in raw:
        shown = escaped_label(new)
    else:
        shown = " ".join(re.sub(r"[\[\]|\n]", " ", new).split())
    if not shown or shown == text:
        return None
    start = link.span.start + len(raw[:begin].encode(errors="surrogateescape"))
    return Edit(start, start + len(text.encode(errors="surrogateescape")), shown)


def _label(raw: str, link: Link, source_type: str) -> tuple[int, int] | None:
    """Characters of `raw` that are the label, without blanks around them."""
    if source_type == "org" and link.kind not in ("wikilink", "embed"):
        return _inner(_ORG.match(raw))
    if link.kind in ("wikilink", "embed"):
        wiki = _WIKI.search(raw)
        if wiki and "|" in wiki[1]:
            at = wiki.start(1)
            is_target_met = False
            for part in re.split(r"\\?\|", wiki[1]):
                begin = raw.index(part, at) if part else at
                at = begin + len(part)
                if part.strip() == link.target and not is_target_met:
                    is_target_met = True
                elif part.strip() == link.label:
                    begin += len(part) - len(part.lstrip())
                    return begin, begin + len(part.strip())
            return None
    return _inner(_INLINE.match(raw))


def _inner(found: re.Match[str] | None) -> tuple[int, int] | None:
    if found is None:
        return None
    text = found[1]
    begin = found.start(1) + len(text) - len(text.lstrip())
    return begin, begin + len(text.strip())
