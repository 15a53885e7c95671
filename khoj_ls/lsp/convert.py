"""Core and wire values as LSP types. The one place that knows position encodings.

Core counts whole lines; the only characters that are counted here are those of a line's end, in the units the client chose
(LSP 3.17, PositionEncodingKind). Pieces of long lines know their columns in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types
from pygls.workspace import PositionCodec

from khoj_ls.core.places import Column
from khoj_ls.core.types import Entry, Span
from khoj_ls.wire import messages as wire


def lines_range(lines: Sequence[str], span: Span, codec: PositionCodec) -> types.Range:
    """Range of the whole lines of `span`, ending inside the document whose `lines` (with line breaks) are given."""
    first = min(span.line - 1, max(0, len(lines) - 1))
    inside = span.end_line < len(lines)
    end = types.Position(line=span.end_line, character=0) if inside else line_end(lines, len(lines), codec)
    return types.Range(start=types.Position(line=first, character=0), end=end)


def line_end(lines: Sequence[str], line: int, codec: PositionCodec) -> types.Position:
    """Position behind the last character of 1-based `line`, line break excluded."""
    if not lines:
        return types.Position(line=0, character=0)
    number = min(line, len(lines))
    return types.Position(line=number - 1, character=codec.client_num_units(lines[number - 1].rstrip("\r\n")))


def wire_range(value: wire.Range) -> types.Range:
    """A wire range as it stands: it is in the client's units."""
    return types.Range(
        start=types.Position(line=value.start.line, character=value.start.character),
        end=types.Position(line=value.end.line, character=value.end.character),
    )


def hit_symbol(hit: wire.Hit) -> types.WorkspaceSymbol:
    """A hit as a workspace symbol: named by its heading, contained in its note."""
    heading = hit.outline[-1] if hit.outline else hit.title
    container = " > ".join([hit.title, *hit.outline[:-1]]) if hit.outline else hit.title
    return types.WorkspaceSymbol(
        name=heading,
        kind=types.SymbolKind.String if hit.outline else types.SymbolKind.File,
        container_name=f"{container}: {hit.snippet}" if hit.snippet else container,
        location=types.Location(uri=hit.uri, range=wire_range(hit.range)),
    )


def document_symbols(entries: Sequence[Entry], lines: Sequence[str], codec: PositionCodec) -> list[types.DocumentSymbol]:
    """Headings of a note as a tree. A symbol's range holds its whole subtree, its selection the heading line."""
    roots: list[types.DocumentSymbol] = []
    stack: list[tuple[int, types.DocumentSymbol, list[types.DocumentSymbol]]] = []
    for entry in entries:
        place = _range(entry, lines, codec)
        if not entry.level:
            if entry.place and entry.place.columns:
                _reach(stack, place.end)  # a piece of a long line belongs to the heading before it
            continue
        children: list[types.DocumentSymbol] = []
        symbol = types.DocumentSymbol(
            name=entry.heading or "(no heading)",
            kind=types.SymbolKind.String,
            range=place,
            selection_range=_heading_range(entry, lines, codec),
            children=children,
        )
        while stack and stack[-1][0] >= entry.level:
            stack.pop()
        (stack[-1][2] if stack else roots).append(symbol)
        _reach(stack, place.end)
        stack.append((entry.level, symbol, children))
    return roots


def _reach(stack: Sequence[tuple[int, types.DocumentSymbol, list[types.DocumentSymbol]]], end: types.Position) -> None:
    for _, ancestor, _ in stack:
        ancestor.range = types.Range(start=ancestor.range.start, end=end)


def _range(entry: Entry, lines: Sequence[str], codec: PositionCodec) -> types.Range:
    """Where an entry stands: whole lines, or a piece of a long one."""
    if not (entry.place and entry.place.columns):
        return lines_range(lines, entry.span, codec)
    return _columns_range(entry.span.line, *entry.place.columns, codec)


def _heading_range(entry: Entry, lines: Sequence[str], codec: PositionCodec) -> types.Range:
    if not (entry.place and entry.place.columns):
        start = types.Position(line=entry.span.line - 1, character=0)
        return types.Range(start=start, end=line_end(lines, entry.span.line, codec))
    begins = entry.place.columns[0]
    length = next((each.span.end - each.span.start for each in entry.anchors if each.span.start == entry.span.start), 0)
    heading = entry.raw.encode()[:length].decode(errors="ignore")
    return _columns_range(entry.span.line, begins, begins.behind(heading), codec)


def _columns_range(line: int, start: Column, end: Column, codec: PositionCodec) -> types.Range:
    units = types.PositionEncodingKind(codec.encoding or "utf-16").value.replace("-", "")
    first, behind = (types.Position(line=line - 1, character=getattr(column, units)) for column in (start, end))
    return types.Range(start=first, end=behind)
