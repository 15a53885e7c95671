"""textDocument/completion: links, places in notes, tags and citations while they are being written.

The list is always incomplete: what is written decides which of the names are sent, and in which order. So clients are given a
`filterText` that begins with what is written; it passes any filter until they have asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from lsprotocol import types

from khoj_ls.core.types import Span
from khoj_ls.graph.caret import Spot, spot_at
from khoj_ls.graph.complete import MOST, Kind, Proposal, complete
from khoj_ls.graph.gist import Gists
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.preview import preview_of
from khoj_ls.indexing.indexer import IndexEvent
from khoj_ls.links.anchors import Place
from khoj_ls.links.resolve import Destination
from khoj_ls.lsp.asked import Asked, asked
from khoj_ls.lsp.markup import Writer
from khoj_ls.lsp.server import KhojServer
from khoj_ls.store.links import file_at
from khoj_ls.vault import Vault

TRIGGERS = ("[", "(", "#", "^", ":", "*", "@", "|", "/")
"""The last key of every mark behind which something is completed.

`[` for `[[`, `(` for `](` and `((`, `#` for headings and tags, `^` for blocks, `:` for `id:`, `file:`, `::` and Org tags,
`*` for `[[*`, `@` for citations, `|` for Dendron's `[[label|`, `/` because some clients end a word there.
"""
_KINDS: MappingProxyType[Kind, types.CompletionItemKind] = MappingProxyType(
    {
        "note": types.CompletionItemKind.File,
        "alias": types.CompletionItemKind.Reference,
        "heading": types.CompletionItemKind.Module,
        "block": types.CompletionItemKind.Text,
        "id": types.CompletionItemKind.Reference,
        "tag": types.CompletionItemKind.Keyword,
        "citation": types.CompletionItemKind.Reference,
        "file": types.CompletionItemKind.File,
    }
)
_PREVIEW_LINES = 14
_ABOUT_NOTES = frozenset({"note", "file", "path", "id", "block"})


def register(server: KhojServer) -> None:
    """Serve completions and what is shown beside them."""
    gists = Gists()

    def changed(vault: Vault, event: IndexEvent) -> None:
        if event.kind == "changed":
            vault.names.changed()

    def typed(uri: str, change: types.DidChangeTextDocumentParams | None) -> None:
        vault = server.vault_of(uri) if change is not None else None
        if vault is not None and vault.names.begin():
            # The first link of a session would wait for a fifth of a second, with ten thousand notes.
            _in_background(server, partial(_read_names, vault))

    server.on_index.append(changed)
    server.on_document.append(typed)

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION,
        types.CompletionOptions(trigger_characters=list(TRIGGERS), resolve_provider=True),
    )
    async def completion(params: types.CompletionParams) -> types.CompletionList | None:
        about = asked(server, params.text_document.uri)
        if about is None:
            return None
        awake = any(encoder.status().state == "ready" for encoder in server.session.vaults.encoders())
        details = _has_label_details(server)

        def answer() -> types.CompletionList | None:
            offset = about.offset(params.position)
            return about.vault.links(lambda network: _answer(network, about, offset, gists, awake, details))

        found = await server.answer(lambda job: answer())
        _in_background(server, partial(_read_names, about.vault))
        return found

    @server.feature(types.COMPLETION_ITEM_RESOLVE)
    async def resolve(item: types.CompletionItem) -> types.CompletionItem:
        data = item.data if isinstance(item.data, dict) else {}
        about = asked(server, str(data.get("uri", "")))
        if about is None or not data.get("path"):
            return item
        formats = _documentation_formats(server)
        writer = Writer(types.MarkupKind.Markdown in formats)
        shown = await server.answer(lambda job: _preview(about, data, writer))
        item.documentation = shown if formats or shown is None else shown.value
        return item


def _answer(
    network: LinkNetwork, about: Asked, offset: int, gists: Gists, awake: bool, details: bool
) -> types.CompletionList | None:
    note = about.note
    spot = spot_at(note, offset, tool=network.conventions.tool)
    if spot is None:
        return None
    near: dict[int, float] = {}
    if spot.kind in _ABOUT_NOTES:
        near = gists.near(about.vault.search_context(), note, offset, awake=awake)
    found = complete(network, note, spot, about.vault.names, near, MOST)
    items = [_item(about, spot, proposal, rank, details) for rank, proposal in enumerate(found)]
    return types.CompletionList(is_incomplete=True, items=items)


def _item(about: Asked, spot: Spot, proposal: Proposal, rank: int, details: bool) -> types.CompletionItem:
    insertion = proposal.insertion
    range_ = types.Range(start=about.positions.position(insertion.start), end=about.positions.position(insertion.end))
    data = {"uri": about.uri, "path": proposal.path, "line": proposal.line, "kind": proposal.kind} if proposal.path else None
    return types.CompletionItem(
        label=proposal.label,
        label_details=types.CompletionItemLabelDetails(description=proposal.detail) if details and proposal.detail else None,
        kind=_KINDS[proposal.kind],
        detail=proposal.detail or None,
        sort_text=f"{rank:04}",
        filter_text=insertion.filter,
        text_edit=types.TextEdit(range=range_, new_text=insertion.text),
        insert_text_format=types.InsertTextFormat.PlainText,
        data=data,
    )


def _preview(about: Asked, data: dict[str, Any], writer: Writer) -> types.MarkupContent | None:
    """The first lines of what would be linked."""

    def question(network: LinkNetwork) -> types.MarkupContent | None:
        path, line = str(data["path"]), int(data.get("line") or 0)
        known = file_at(network.connection, path)
        place = None
        if line > 1 or data.get("kind") in ("heading", "block"):
            kind: Any = "heading" if data.get("kind") == "heading" else "block"
            place = Place(kind, "", Span(0, 0, line, line))
        shown = preview_of(network, Destination(path, known[0] if known else None, place), about.opened_note, _PREVIEW_LINES)
        if shown is None:
            return None
        head = " › ".join([writer.strong(shown.title), *map(writer.text, shown.outline)])
        parts = [head, writer.text(path)]
        if shown.lines:
            parts += [writer.rule(), writer.lines((*shown.lines, "…") if shown.more else shown.lines)]
        return writer.hover(parts)

    return about.vault.links(question)


def _read_names(vault: Vault) -> None:
    """Have names that may have changed read again, for the next key."""
    vault.links(lambda network: vault.names.refresh(network.connection))


def _in_background(server: KhojServer, work: Callable[[], None]) -> None:
    if server.thread_pool is not None:
        server.thread_pool.submit(work)


def _has_label_details(server: KhojServer) -> bool:
    text_document = server.client_capabilities.text_document
    item = text_document.completion.completion_item if text_document and text_document.completion else None
    return bool(item and item.label_details_support)


def _documentation_formats(server: KhojServer) -> Sequence[types.MarkupKind]:
    """What the client takes beside plain strings; most know strings only when they do not say."""
    text_document = server.client_capabilities.text_document
    item = text_document.completion.completion_item if text_document and text_document.completion else None
    return [types.MarkupKind(each) for each in (item.documentation_format if item else None) or ()]
