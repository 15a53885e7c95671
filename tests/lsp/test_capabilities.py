"""What the server advertises is what it handles, and what it sends is what the client said it takes: in every profile."""

from __future__ import annotations

import pytest
from lsp_driver import until
from lsprotocol import types

from khoj_ls.config.paths import folders
from khoj_ls.config.settings import Settings
from khoj_ls.lsp.build import create_server
from khoj_ls.vaults import OpenVaults

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")

METHODS = {
    "completion_provider": types.TEXT_DOCUMENT_COMPLETION,
    "hover_provider": types.TEXT_DOCUMENT_HOVER,
    "signature_help_provider": types.TEXT_DOCUMENT_SIGNATURE_HELP,
    "declaration_provider": types.TEXT_DOCUMENT_DECLARATION,
    "definition_provider": types.TEXT_DOCUMENT_DEFINITION,
    "type_definition_provider": types.TEXT_DOCUMENT_TYPE_DEFINITION,
    "implementation_provider": types.TEXT_DOCUMENT_IMPLEMENTATION,
    "references_provider": types.TEXT_DOCUMENT_REFERENCES,
    "document_highlight_provider": types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT,
    "document_symbol_provider": types.TEXT_DOCUMENT_DOCUMENT_SYMBOL,
    "code_action_provider": types.TEXT_DOCUMENT_CODE_ACTION,
    "code_lens_provider": types.TEXT_DOCUMENT_CODE_LENS,
    "document_link_provider": types.TEXT_DOCUMENT_DOCUMENT_LINK,
    "color_provider": types.TEXT_DOCUMENT_DOCUMENT_COLOR,
    "document_formatting_provider": types.TEXT_DOCUMENT_FORMATTING,
    "document_range_formatting_provider": types.TEXT_DOCUMENT_RANGE_FORMATTING,
    "document_on_type_formatting_provider": types.TEXT_DOCUMENT_ON_TYPE_FORMATTING,
    "rename_provider": types.TEXT_DOCUMENT_RENAME,
    "folding_range_provider": types.TEXT_DOCUMENT_FOLDING_RANGE,
    "selection_range_provider": types.TEXT_DOCUMENT_SELECTION_RANGE,
    "call_hierarchy_provider": types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY,
    "type_hierarchy_provider": types.TEXT_DOCUMENT_PREPARE_TYPE_HIERARCHY,
    "linked_editing_range_provider": types.TEXT_DOCUMENT_LINKED_EDITING_RANGE,
    "moniker_provider": types.TEXT_DOCUMENT_MONIKER,
    "inlay_hint_provider": types.TEXT_DOCUMENT_INLAY_HINT,
    "inline_value_provider": types.TEXT_DOCUMENT_INLINE_VALUE,
    "diagnostic_provider": types.TEXT_DOCUMENT_DIAGNOSTIC,
    "workspace_symbol_provider": types.WORKSPACE_SYMBOL,
}
RESOLVERS = {
    "completion_provider": types.COMPLETION_ITEM_RESOLVE,
    "code_lens_provider": types.CODE_LENS_RESOLVE,
    "document_link_provider": types.DOCUMENT_LINK_RESOLVE,
    "inlay_hint_provider": types.INLAY_HINT_RESOLVE,
    "workspace_symbol_provider": types.WORKSPACE_SYMBOL_RESOLVE,
    "code_action_provider": types.CODE_ACTION_RESOLVE,
}
ONLY_WHERE_SUPPORTED = {
    # A client that cannot be asked to pull again would miss what other notes do to this one: it is pushed to.
    "diagnostic_provider": lambda client: bool(
        client.text_document.diagnostic and client.workspace.diagnostics and client.workspace.diagnostics.refresh_support
    ),
}
"""Capabilities that a client without them is spared."""


@pytest.fixture
def handlers(home):
    """Methods and commands that have a handler."""
    protocol = create_server(OpenVaults(Settings(), folders())).protocol
    return {*protocol.fm.features, *protocol.fm.builtin_features}, set(protocol.fm.commands)


@pytest.mark.asyncio
async def test_capabilities_are_handlers(any_client, handlers):
    methods, commands = handlers
    advertised = any_client.advertised
    for name, method in METHODS.items():
        supported = ONLY_WHERE_SUPPORTED.get(name, lambda client: True)(any_client.capabilities)
        assert (getattr(advertised, name) not in (None, False)) == (method in methods and supported), name
    for name, method in RESOLVERS.items():
        provider = getattr(advertised, name)
        assert bool(getattr(provider, "resolve_provider", None)) == (method in methods), name
    if advertised.call_hierarchy_provider:
        assert {types.CALL_HIERARCHY_INCOMING_CALLS, types.CALL_HIERARCHY_OUTGOING_CALLS} <= methods
    assert set(advertised.execute_command_provider.commands) == commands
    sync = advertised.text_document_sync
    assert (sync.change, sync.open_close) == (types.TextDocumentSyncKind.Incremental, True)


@pytest.mark.asyncio
async def test_every_answer_keeps_to_what_the_client_takes(any_client, vault):
    """The spec checks of the client are errors here."""
    path = vault / "walk.md"
    text = "# Walk\n\n中 [[router#Fix]] and [bread](bread.org) #tag\n"
    path.write_text(text)
    item = types.TextDocumentItem(uri=path.as_uri(), language_id="markdown", version=1, text=text)
    any_client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
    document = types.TextDocumentIdentifier(uri=path.as_uri())
    here = {"text_document": document, "position": types.Position(line=2, character=6)}
    router = (vault / "router.md").as_uri()

    definition = await any_client.text_document_definition_async(types.DefinitionParams(**here))
    [found] = definition
    target = (found.target_uri, found.target_selection_range) if hasattr(found, "target_uri") else (found.uri, found.range)
    assert (target[0], target[1].start.line) == (router, 4)

    context = types.ReferenceContext(include_declaration=False)
    references = await any_client.text_document_references_async(types.ReferenceParams(**here, context=context))
    assert [each.uri for each in references] == [path.as_uri()]

    hover = await any_client.text_document_hover_async(types.HoverParams(**here))
    assert "channel 36" in hover.contents.value

    highlights = await any_client.text_document_document_highlight_async(types.DocumentHighlightParams(**here))
    assert len(highlights) == 1
    links = await any_client.text_document_document_link_async(types.DocumentLinkParams(text_document=document))
    assert [link.target for link in links] == [f"{router}#L5", (vault / "bread.org").as_uri()]
    folds = await any_client.text_document_folding_range_async(types.FoldingRangeParams(text_document=document))
    assert [(fold.start_line, fold.end_line) for fold in folds] == [(0, 2)]
    lenses = await any_client.text_document_code_lens_async(
        types.CodeLensParams(text_document=types.TextDocumentIdentifier(uri=router))
    )
    assert lenses is None or all(lens.command.title for lens in lenses)
    near = await any_client.text_document_implementation_async(types.ImplementationParams(**here))
    assert router not in [each.uri for each in near or ()]
    [item] = await any_client.text_document_prepare_call_hierarchy_async(types.CallHierarchyPrepareParams(**here))

    async def calls():  # the buffer reaches the index a moment after it is opened
        return await any_client.call_hierarchy_incoming_calls_async(types.CallHierarchyIncomingCallsParams(item=item))

    assert [call.from_.uri for call in await until(calls)] == [path.as_uri()]
    outgoing = await any_client.call_hierarchy_outgoing_calls_async(types.CallHierarchyOutgoingCallsParams(item=item))
    assert not outgoing
    symbols = await any_client.workspace_symbol_async(types.WorkspaceSymbolParams(query="Fix"))
    assert (symbols[0].name, symbols[0].location.uri) == ("Fix", router)
