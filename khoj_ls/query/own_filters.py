"""Filters that plugins bring: each stands for a query in terms of the built-in ones, and gives way to it before one is read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from khoj_ls.core.errors import UsageError
from khoj_ls.plugins.kinds import QueryFilter
from khoj_ls.plugins.limits import PluginFault, within
from khoj_ls.query.parse import is_pasted, parse, tokens, value_written

_SECONDS = 0.5
_MOST_FOUND = 30
"""A query with more of them is no question that somebody typed."""


def expanded(text: str, filters: Mapping[str, QueryFilter], seconds: float = _SECONDS) -> str:
    """A query with what its filters of plugins stand for in their places; a text that was pasted has none.

    A filter's function has `seconds`. Raises UsageError for a value that it refuses, where it fails, and for a `-` before one
    that stands for more than a single filter.
    """
    if not filters or is_pasted(text):
        return text
    parts: list[str] = []
    at = found_of_plugins = 0
    for found in tokens(text, lenient=True, more=filters):
        own = filters.get(found["name"].lower()) if "name" in found.re.groupindex else None
        if own is None:
            continue
        found_of_plugins += 1
        if found_of_plugins > _MOST_FOUND:
            raise UsageError(f"a query takes {_MOST_FOUND} filters")
        parts += [text[at : found.start()], _meaning(own, value_written(found), found["sign"], seconds)]
        # Punctuation behind a bare value belongs to the sentence: it is matched with it, and stays away with it.
        at = found.end()
    return "".join((*parts, text[at:])) if parts else text


def _meaning(own: QueryFilter, value: str, sign: str, seconds: float) -> str:
    if not value.strip():
        raise UsageError(f"{own.name}: wants a value")
    try:
        query = within(seconds, partial(own.query, value), f"khoj-filter-{own.name}")
    except PluginFault as fault:
        if isinstance(fault.__cause__, UsageError):
            raise fault.__cause__ from None
        raise UsageError(f"the filter {own.name}: of a plugin failed: {fault}") from fault
    if not isinstance(query, str):
        raise UsageError(f"the filter {own.name}: of a plugin failed: it stands for no text")
    read = parse(query)
    if sign != "-":
        return query
    if len(read.filters) != 1 or read.text or read.exact or read.filters[0].excluded:
        raise UsageError(f"-{own.name}: cannot be turned round: it stands for {query!r}, which is more than one filter")
    return f"-{query.strip()}"
