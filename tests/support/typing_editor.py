"""An editor as the server meets it: it holds texts, makes edits of the version it shows, and tells of every change."""

from __future__ import annotations

import ast
import asyncio
import contextlib
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lsp_driver import make_client
from lsprotocol import types
from pytest_lsp import client_capabilities

from khoj_ls.lsp.build import create_server, serve_connection

_CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


class Editor:
    """A client with buffers, connected to a server in this process."""

    def __init__(self, client, encoding: str):
        self.client = client
        self.encoding = encoding
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.edits: list[types.ApplyWorkspaceEditParams] = []
        self.before_edit = lambda: None
        """Called before an edit is looked at: what the user types in that moment."""
        self.refuses = lambda: False
        self.pretends = lambda: False
        """Whether it says that an edit is made, and makes it not (Neovim, when the version is old)."""
        self.checks_versions = True
        self.answers: list[str] = []
        """What the user chooses when he is asked, in turn."""
        self.questions: list[str] = []
        client.feature(types.WORKSPACE_APPLY_EDIT)(lambda params: self._apply(params))
        client.feature(types.WINDOW_SHOW_MESSAGE_REQUEST)(lambda params: self._choose(params))

    def open(self, uri: str, text: str | None = None) -> str:
        path = Path(unquote(urlsplit(uri).path))
        self.texts[uri] = path.read_text() if text is None else text
        self.versions[uri] = 1
        item = types.TextDocumentItem(uri, "org" if path.suffix == ".org" else "markdown", 1, self.texts[uri])
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return self.texts[uri]

    def close(self, uri: str) -> None:
        del self.texts[uri], self.versions[uri]
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))

    def type(self, uri: str, text: str, *, instead_of: str = "") -> None:
        """Write at the end, or in place of something; told as the change of a range."""
        before = self.texts[uri]
        start = before.index(instead_of) if instead_of else len(before)
        place = types.Range(self._position(before, start), self._position(before, start + len(instead_of)))
        self.texts[uri] = before[:start] + text + before[start + len(instead_of) :]
        self._tell(uri, types.TextDocumentContentChangePartial(range=place, text=text))

    async def actions(self, uri: str, at: str = "", **context) -> dict[str, types.CodeAction]:
        """Code actions by title, where `at` stands, else at the end."""
        text = self.texts[uri]
        place = self._position(text, text.index(at) if at else len(text))
        found = await self.client.text_document_code_action_async(
            types.CodeActionParams(
                types.TextDocumentIdentifier(uri), types.Range(place, place), types.CodeActionContext([], **context)
            )
        )
        return {action.title: action for action in found or []}

    async def run(self, action: types.CodeAction | types.CodeLens):
        command = action.command
        if isinstance(command, str):  # lsprotocol takes an action for a command, and writes its command as text
            command = types.Command(**ast.literal_eval(command))
        return await self.client.workspace_execute_command_async(
            types.ExecuteCommandParams(command=command.command, arguments=command.arguments)
        )

    def place_of(self, uri: str, words: str) -> types.Position:
        return self._position(self.texts[uri], self.texts[uri].index(words))

    def _apply(self, params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
        self.before_edit()
        self.edits.append(params)
        if self.refuses():
            return types.ApplyWorkspaceEditResult(applied=False, failure_reason="no")
        if self.pretends():
            return types.ApplyWorkspaceEditResult(applied=True)
        for uri, edits in (params.edit.changes or {}).items():
            self._make(uri, edits)
        for change in params.edit.document_changes or []:
            uri, version = change.text_document.uri, change.text_document.version
            if uri not in self.texts or (self.checks_versions and version is not None and version != self.versions[uri]):
                return types.ApplyWorkspaceEditResult(applied=False, failure_reason="older")
            self._make(uri, change.edits)
        return types.ApplyWorkspaceEditResult(applied=True)

    def _make(self, uri: str, edits) -> None:
        text = self.texts[uri]
        placed = sorted((self._offset(text, e.range.start), self._offset(text, e.range.end), e.new_text) for e in edits)
        for start, end, new in reversed(placed):
            text = text[:start] + new + text[end:]
        self.texts[uri] = text
        self._tell(uri, types.TextDocumentContentChangeWholeDocument(text=text))

    def _tell(self, uri: str, change) -> None:
        self.versions[uri] += 1
        document = types.VersionedTextDocumentIdentifier(uri=uri, version=self.versions[uri])
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    def _choose(self, params: types.ShowMessageRequestParams):
        self.questions.append(params.message)
        return types.MessageActionItem(title=self.answers.pop(0)) if self.answers else None

    def _position(self, text: str, offset: int) -> types.Position:
        before = text[:offset].split("\n")
        codec, width = _CODECS[self.encoding]
        return types.Position(len(before) - 1, len(before[-1].encode(codec)) // width)

    def _offset(self, text: str, position: types.Position) -> int:
        lines = text.split("\n")
        codec, width = _CODECS[self.encoding]
        raw = lines[position.line].encode(codec)
        assert position.character * width <= len(raw), (position, lines[position.line])
        before = raw[: position.character * width].decode(codec)
        return sum(len(line) + 1 for line in lines[: position.line]) + len(before)


@contextlib.asynccontextmanager
async def editor_on(vaults, root: Path, profile: str, change=lambda capabilities: None):
    """An editor whose workspace is `root`, and its server, over a socket on loopback."""
    servers, over = [], asyncio.Event()

    async def serve(reader, writer):
        servers.append(create_server(vaults))
        await serve_connection(servers[0], reader, writer)
        writer.close()
        over.set()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    client = make_client()
    await client.start_tcp("127.0.0.1", listening.sockets[0].getsockname()[1])
    capabilities = client_capabilities(profile)
    change(capabilities)
    result = await client.initialize_session(
        types.InitializeParams(
            capabilities=capabilities,
            client_info=types.ClientInfo("Neovim" if profile == "neovim" else profile),
            root_uri=root.as_uri(),
            workspace_folders=[types.WorkspaceFolder(uri=root.as_uri(), name=root.name)],
        )
    )
    encoding = result.capabilities.position_encoding
    try:
        yield Editor(client, str(getattr(encoding, "value", encoding or "utf-16"))), servers[0]
    finally:
        await client.shutdown_session()
        await asyncio.wait_for(over.wait(), 20)
        listening.close()
