"""What the fields of a file say about it, whatever its format: they mean what the front matter of a Markdown note means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from khoj_ls.content.markdown_meta import is_private, metadata
from khoj_ls.core.types import ParsedFile


def with_fields(parsed: ParsedFile, fields: Iterable[tuple[str, Any]]) -> ParsedFile:
    """`parsed` with title, aliases, tags, dates and properties of `fields`; private when they, or its tags, say so."""
    meta = metadata(fields)
    tags = tuple(dict.fromkeys((*parsed.tags, *meta.tags)))
    private = parsed.private or meta.private or is_private(tags)
    entries = tuple(
        replace(
            entry,
            tags=tuple(dict.fromkeys((*tags, *entry.tags))),
            private=private or entry.private or is_private(entry.tags),
        )
        for entry in parsed.entries
    )
    return replace(
        parsed,
        title=meta.title or parsed.title,
        entries=entries,
        aliases=tuple(dict.fromkeys((*parsed.aliases, *meta.aliases))),
        tags=tags,
        properties=(*parsed.properties, *meta.properties),
        dates=(*parsed.dates, *meta.dates),
        private=private,
    )
