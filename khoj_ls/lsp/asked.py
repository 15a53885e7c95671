"""The document that a request is about, and what else its session shows: the texts that count, whatever is on the disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

from lsprotocol import types
from pygls.workspace import PositionCodec

from khoj_ls.core.errors import UsageError
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.lsp.positions import Positions
from khoj_ls.lsp.server import KhojServer
from khoj_ls.lsp.text_document import NoteDocument
from khoj_ls.vault import Vault
from khoj_ls.vaults import to_path


@dataclass(frozen=True)
class Asked:
    """A document within a vault; made on the connection's loop, read in any thread."""

    vault: Vault
    uri: str
    path: str
    """Relative to the vault, posix."""
    text: str
    codec: PositionCodec
    opened: Mapping[str, tuple[str, str]]
    """URI and text of every document of the vault that the session shows, by path."""

    @cached_property
    def note(self) -> OpenNote:
        """The document, parsed."""
        return self.vault.note(self.vault.root / self.path, self.text)

    @cached_property
    def positions(self) -> Positions:
        """The places of the document."""
        return Positions(self.text, self.codec)

    def offset(self, position: types.Position) -> int:
        """Byte offset of a position in the document."""
        return self.positions.offset(position)

    def opened_note(self, path: str) -> OpenNote | None:
        """The note at `path` as the session shows it, parsed; None where it does not."""
        if path == self.path:
            return self.note
        shown = self.opened.get(path)
        return self.vault.note(self.vault.root / path, shown[1]) if shown else None

    def uri_of(self, path: str) -> str:
        """The URI of a file of the vault, as the client writes it where it has it open."""
        if path == self.path:
            return self.uri
        return self.opened[path][0] if path in self.opened else (self.vault.root / path).as_uri()


def asked(server: KhojServer, uri: str) -> Asked | None:
    """What a request on `uri` is about; None for other schemes and for files outside of every open vault, guests apart."""
    guest = server.guests.get(unquote(uri))
    vault = server.session.vaults.get(guest[0]) if guest else server.vault_of(uri)
    if vault is None:
        return None
    try:
        path = guest[1] if guest else vault.relative(to_path(uri))
    except UsageError:
        return None
    text = server.workspace.get_text_document(uri).source
    return Asked(vault, uri, path, text, server.workspace.position_codec, opened_texts(server, vault))


def opened_texts(server: KhojServer, vault: Vault) -> dict[str, tuple[str, str]]:
    """URI and text of every document of a vault that the session shows, by path."""
    found = {}
    for document in server.workspace.text_documents.values():
        home = document.home if isinstance(document, NoteDocument) else None
        if home is None or home[0] != vault.root:
            try:
                if server.vault_of(document.uri) is not vault:
                    continue
                home = (vault.root, vault.relative(to_path(document.uri)))
            except UsageError:  # no file: an unsaved text, another scheme
                continue
            if isinstance(document, NoteDocument):
                document.home = home
        found[home[1]] = (document.uri, document.source)
    return found


def asking(server: KhojServer, vault: Vault) -> Asked:
    """What a request on a whole vault is about: no document, only the texts that the session shows."""
    return Asked(vault, "", "", "", server.workspace.position_codec, opened_texts(server, vault))
