"""What plugins make of a file that was read, before it is written: taken only as far as the index can bear it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from khoj_ls.content.admission import checked_parse
from khoj_ls.content.registry import places_fault
from khoj_ls.core.text import text_lines
from khoj_ls.core.types import Entry, ParsedFile
from khoj_ls.plugins.events import PreIndex
from khoj_ls.plugins.hooks import PRE_INDEX, Hooks


def pre_indexed(hooks: Hooks, vault: Path, path: str, parsed: ParsedFile, without: Collection[str] = ()) -> ParsedFile:
    """`parsed` as the plugins, but those `without`, would have it. A file with errors is shown to none. Never raises."""
    if not hooks.has(PRE_INDEX) or any(problem.severity == "error" for problem in parsed.problems):
        return parsed
    return hooks.passed(PRE_INDEX, PreIndex(vault, path, parsed), _admitted, without=without).parsed


def _admitted(before: PreIndex, after: PreIndex) -> PreIndex:
    """What is taken of an answer: all of `parsed` but its type, and nothing that was private becomes less so.

    Raises TypeError where it is none that could be stored, ValueError where its entries do not lie in the source.
    """
    parsed = checked_parse(after.parsed)
    if fault := places_fault(parsed.entries):
        raise ValueError(f"what it returned has wrong places: {fault}")
    for at, entry in enumerate(parsed.entries):
        if len(text_lines(entry.text)) > len(text_lines(entry.raw)):
            raise ValueError(f"the text of entry {at} has more lines than its source")
    known = before.parsed
    parsed = replace(
        parsed,
        type=known.type,
        private=known.private or parsed.private,
        entries=_as_private(known.entries, parsed.entries),
        problems=tuple(dict.fromkeys((*known.problems, *parsed.problems))),
    )
    return replace(before, parsed=parsed)


def _as_private(before: Sequence[Entry], after: Sequence[Entry]) -> tuple[Entry, ...]:
    """`after`, private where its lines were so before, or where the entry that it stands below is."""
    lines = [(entry.span.line, entry.span.end_line) for entry in before if entry.private]
    made: list[Entry] = []
    for entry in after:
        was = any(first <= entry.span.end_line and entry.span.line <= last for first, last in lines)
        below = entry.parent is not None and made[entry.parent].private
        made.append(replace(entry, private=True) if (was or below) and not entry.private else entry)
    return tuple(made)
