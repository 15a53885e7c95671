"""What khoj/suggestLinks answers: from a place in a text to the notes that belong linked there."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from khoj_ls.core.errors import UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.text import text_lines
from khoj_ls.graph.suggest import Suggestion, suggest
from khoj_ls.vault import Vault
from khoj_ls.wire import link_messages as wire
from khoj_ls.wire.messages import Position


@dataclass(frozen=True)
class OpenText:
    """A text as a client has it, and its places in the client's units."""

    text: str
    offset: Callable[[Position], int]
    """Byte offset of a position."""
    position: Callable[[int], Position]
    """Position of a byte offset."""


def suggestions(
    vault: Vault, path: Path, shown: OpenText, params: wire.SuggestLinksParams, limit: int, token: CancelToken
) -> wire.SuggestLinksResult:
    """The notes that belong linked at a place. Raises UsageError when none is named."""
    if params.range is not None:
        selection = (shown.offset(params.range.start), shown.offset(params.range.end))
    elif params.position is not None:
        selection = None
    else:
        raise UsageError("khoj/suggestLinks wants a position or a range")
    offset = selection[0] if selection else shown.offset(params.position or Position(0))
    note = vault.note(path, shown.text)
    context = vault.search_context()
    found = vault.links(lambda network: suggest(network, context, note, offset, selection, limit, token))
    return wire.SuggestLinksResult([_suggestion(vault.root, shown, each) for each in found])


def text_on_disk(path: Path) -> OpenText:
    """A note that no client shows, in UTF-16 units as LSP has them where nothing else was agreed. Raises UsageError."""
    try:
        text = path.read_bytes().decode(errors="replace")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    lines = text_lines(text)
    starts = [0, *accumulate(len(line.encode()) for line in lines)]

    def offset(position: Position) -> int:
        if position.line >= len(lines):
            return starts[-1]
        units = lines[position.line].rstrip("\r\n").encode("utf-16-le")[: 2 * position.character]
        return starts[position.line] + len(units.decode("utf-16-le", "ignore").encode())

    def position(at: int) -> Position:
        line = max(0, bisect_right(starts, at, hi=len(lines)) - 1)
        before = text.encode()[starts[line] : at].decode(errors="ignore")
        return Position(line, len(before.encode("utf-16-le")) // 2)

    return OpenText(text, offset, position)


def _suggestion(root: Path, shown: OpenText, each: Suggestion) -> wire.LinkSuggestion:
    words = [shown.position(at) for at in each.phrase] if each.phrase else None
    return wire.LinkSuggestion((root / each.path).as_uri(), each.title, each.score, each.linked, words, dict(each.signals))
