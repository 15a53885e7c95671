"""The asking session's open documents for the khoj/* requests, whose positions are in the session's own units."""

from __future__ import annotations

from urllib.parse import unquote

from lsprotocol import types

from khoj_ls.lsp.positions import Positions
from khoj_ls.lsp.server import KhojServer
from khoj_ls.wire.messages import Position
from khoj_ls.wire.suggest import OpenText


def open_text(server: KhojServer, uri: str) -> OpenText | None:
    """The document as its client has it; None when it is not open."""
    document = server.workspace.text_documents.get(unquote(uri))  # pygls keeps them so
    if document is None:
        return None
    text = document.source
    places = Positions(text, server.workspace.position_codec)

    def position(offset: int) -> Position:
        found = places.position(offset)
        return Position(found.line, found.character)

    return OpenText(text, lambda at: places.offset(types.Position(line=at.line, character=at.character)), position)
