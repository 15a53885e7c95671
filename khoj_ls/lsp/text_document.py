"""The documents of a session: pygls' own, with LSP's lines and with files as khoj-ls reads them.

pygls cuts a text with `str.splitlines`, which also ends lines at form feeds, U+2028 and others; LSP knows LF, CR LF and CR only
(LSP 3.17, Text Documents). One such character above an edit would put the edit into the wrong line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from lsprotocol import types
from pygls.workspace import TextDocument, Workspace

from khoj_ls.core.text import decode_source, text_lines

_OTHER_BREAKS = re.compile("[\v\f\x1c-\x1e\x85\u2028\u2029]")


class NoteDocument(TextDocument):
    """One text that the editor shows, or a file that is asked about without being open."""

    home: tuple[Path, str] | None = None
    """Root of the vault it was last found in, and its path there: kept, as telling it asks the disk for links."""

    @property
    def lines(self) -> Sequence[str]:
        """The lines, line breaks included."""
        text = self.source
        # Nearly every text has none of the others, and splitlines is ten times as fast.
        return text_lines(text) if _OTHER_BREAKS.search(text) else text.splitlines(keepends=True)

    @property
    def source(self) -> str:
        """The whole text; of a file that is not open what is on the disk, empty when there is none."""
        if self._source is None:
            try:
                return decode_source(Path(self.path).read_bytes())[0]
            except (OSError, ValueError):  # not there (yet), or no name that a file can have
                return ""
        return self._source


class NoteWorkspace(Workspace):
    """The workspace of a session, which makes documents of our kind."""

    @classmethod
    def instead_of(cls, made: Workspace) -> NoteWorkspace:
        """A workspace like the one that pygls has just made."""
        folders = list(made.folders.values())
        return cls(made.root_uri, made._sync_kind, folders, made.position_encoding)

    def update_text_document(
        self, text_doc: types.VersionedTextDocumentIdentifier, change: types.TextDocumentContentChangeEvent
    ) -> None:
        """Take in a change; one of a document that is not open is passed over: there is nothing that it could change."""
        if unquote(text_doc.uri) in self._text_documents:
            super().update_text_document(text_doc, change)

    def update_notebook_document(self, params: types.DidChangeNotebookDocumentParams) -> None:
        """The same for a notebook."""
        if unquote(params.notebook_document.uri) in self._notebook_documents:
            super().update_notebook_document(params)

    def _create_text_document(
        self, doc_uri: str, source: str | None = None, version: int | None = None, language_id: str | None = None
    ) -> NoteDocument:
        return NoteDocument(
            doc_uri,
            source=source,
            version=version,
            language_id=language_id,
            sync_kind=self._sync_kind,
            position_codec=self.position_codec,
        )
