"""From the parameters of khoj/chat to what the engine is asked: the vault that is meant, and texts as the client shows them."""

from __future__ import annotations

from khoj_ls.chat.question.commands import parse_command
from khoj_ls.chat.types import ChatRequest, ContextItem
from khoj_ls.core.errors import UsageError
from khoj_ls.vault import Vault
from khoj_ls.vaults import to_path
from khoj_ls.wire import chat_messages as wire
from khoj_ls.wire.session import Session, asked_vaults
from khoj_ls.wire.suggest import text_on_disk

_ABOUT_THIS_NOTE = frozenset({"links", "summarize"})
"""Commands that are about the note that the user is in where nothing else is named."""


def chat_vault(session: Session, params: wire.ChatParams) -> Vault:
    """The vault that a turn is about. Raises UsageError when there is none."""
    named = [params.textDocument, *(item.textDocument for item in params.context)]
    document = next((each for each in named if each is not None), None)
    if params.vault is None and document is not None:
        return session.vaults.open(to_path(document.uri))
    vaults = asked_vaults(session, params.vault)
    if params.conversation and len(vaults) > 1:
        return next((vault for vault in vaults if vault.conversations.persona(params.conversation)), vaults[0])
    return vaults[0]


def chat_request(session: Session, vault: Vault, params: wire.ChatParams) -> ChatRequest:
    """What the engine is asked in `vault`. Raises UsageError for what does not lie in it, or is no picture."""
    context = tuple(_item(session, vault, item) for item in params.context)
    command = parse_command(params.message)
    if not context and command is not None and command[0] in _ABOUT_THIS_NOTE and params.textDocument is not None:
        context = (ContextItem("note", vault.relative(to_path(params.textDocument.uri))),)
    return ChatRequest(
        message=params.message,
        conversation=params.conversation,
        replaces=params.replaces,
        persona=params.persona,
        model=params.model,
        base_url=params.baseUrl,
        profile=params.profile,
        context=context,
        images=tuple(vault.picture(reference) for reference in params.images),
        subqueries=params.subqueries,
        keep=params.keep,
    )


def _item(session: Session, vault: Vault, item: wire.ChatContext) -> ContextItem:
    if item.kind == "tag":
        if not item.name:
            raise UsageError("context: a tag wants a name")
        return ContextItem("tag", item.name.lstrip("#"))
    if item.textDocument is None:
        if item.kind == "selection" or item.name is None:
            raise UsageError(f"context: a {item.kind} wants a textDocument")
        return ContextItem(item.kind, item.name)
    path = to_path(item.textDocument.uri)
    name = vault.relative(path)
    if item.kind != "selection":
        return ContextItem(item.kind, name)
    if item.range is None:
        raise UsageError("context: a selection wants a range")
    shown = session.open_text(item.textDocument.uri) or text_on_disk(path)
    start, end = sorted((shown.offset(item.range.start), shown.offset(item.range.end)))
    text = shown.text.encode(errors="replace")[start:end].decode(errors="ignore")
    if not text.strip():
        raise UsageError("context: nothing but blanks is selected")
    last = max(start, end - 1)
    return ContextItem("selection", name, shown.position(start).line + 1, shown.position(last).line + 1, text)
