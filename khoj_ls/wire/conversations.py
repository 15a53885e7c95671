"""What khoj/conversations answers: the kept conversations of one vault or of several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType

from khoj_ls.chat.export.formats import export
from khoj_ls.chat.kept.records import KeptTurn, Summary
from khoj_ls.chat.types import Done
from khoj_ls.core.chat import StopReason
from khoj_ls.core.errors import UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.vault import Vault
from khoj_ls.wire.chat_events import event_to_wire, sources_to_wire
from khoj_ls.wire.chat_messages import ChatDoneEvent, ChatStarted, ShownFormat
from khoj_ls.wire.conversation_messages import (
    Action,
    ConversationHit,
    ConversationInfo,
    ConversationsParams,
    ConversationsResult,
    ConversationTurn,
)
from khoj_ls.wire.searching import checked_limit
from khoj_ls.wire.session import Job, Session, asked_vaults

_DEFAULT_LISTED = 50
_DEFAULT_FOUND = 10
_REASONS: Mapping[str, StopReason] = MappingProxyType({"length": "length", "filtered": "filtered"})


def conversations(session: Session, params: ConversationsParams, job: Job) -> ConversationsResult:
    """List, show, search, rename, delete and export the kept conversations."""
    return _ACTIONS[params.action](asked_vaults(session, params.vault), params, job.token)


def _list(vaults: Sequence[Vault], params: ConversationsParams, token: CancelToken) -> ConversationsResult:
    limit = checked_limit(params.limit, _DEFAULT_LISTED)
    if params.offset < 0:
        raise UsageError(f"offset is {params.offset}; it must not be below 0")
    # Of several vaults each may hold all of the page.
    pages = [(vault, *vault.conversations.latest(limit + params.offset)) for vault in vaults]
    found = sorted(((each, vault) for vault, page, _ in pages for each in page), key=lambda pair: -pair[0].updated)
    return ConversationsResult(
        conversations=[_info(vault, each) for each, vault in found[params.offset : params.offset + limit]],
        total=sum(total for *_, total in pages),
        messages=_messages(vaults),
    )


def _search(vaults: Sequence[Vault], params: ConversationsParams, token: CancelToken) -> ConversationsResult:
    limit = checked_limit(params.limit, _DEFAULT_FOUND)
    query = _wanted(params, "query")
    answers = [(vault, vault.conversations.search(query, limit, token)) for vault in vaults]
    hits = [
        ConversationHit(
            conversation=turn.conversation,
            title=turn.title,
            turn=turn.turn,
            question=turn.question,
            asked=_iso(turn.asked),
            snippet=turn.snippet,
            highlights=[list(pair) for pair in turn.highlights],
            score=turn.score,
            vault=str(vault.root),
        )
        for vault, found in answers
        for turn in found.turns
    ]
    reasons = dict.fromkeys(found.degraded for _, found in answers if found.degraded)
    return ConversationsResult(
        hits=sorted(hits, key=lambda hit: -hit.score)[:limit],
        degraded=bool(reasons),
        reason="; ".join(reasons) or None,
        messages=_messages(vaults),
    )


def _get(vaults: Sequence[Vault], params: ConversationsParams, token: CancelToken) -> ConversationsResult:
    vault, summary = _meant(vaults, _wanted(params, "conversation"))
    found = vault.conversations.get(summary.id)
    shown_in = None if params.format == "json" else params.format
    return ConversationsResult(
        conversation=_info(vault, summary),
        turns=[_turn(vault.root, found.id, turn, shown_in) for turn in found.turns],
        superseded=[_turn(vault.root, found.id, turn, shown_in) for turn in found.superseded],
        messages=_messages(vaults),
    )


def _rename(vaults: Sequence[Vault], params: ConversationsParams, token: CancelToken) -> ConversationsResult:
    title = _wanted(params, "title")
    vault, summary = _meant(vaults, _wanted(params, "conversation"))
    renamed = vault.conversations.rename(summary.id, title)
    return ConversationsResult(conversation=_info(vault, renamed), messages=_messages(vaults))


def _delete(vaults: Sequence[Vault], params: ConversationsParams, token: CancelToken) -> ConversationsResult:
    vault, summary = _meant(vaults, _wanted(params, "conversation"))
    vault.conversations.delete(summary.id)
    return ConversationsResult(conversation=_info(vault, summary), messages=_messages(vaults))


def _export(vaults: Sequence[Vault], params: ConversationsParams, token: CancelToken) -> ConversationsResult:
    vault, summary = _meant(vaults, _wanted(params, "conversation"))
    text = export(vault.conversations.get(summary.id), params.format or "markdown", vault.root)
    return ConversationsResult(conversation=_info(vault, summary), text=text, messages=_messages(vaults))


_ACTIONS: Mapping[Action, Callable[[Sequence[Vault], ConversationsParams, CancelToken], ConversationsResult]] = (
    MappingProxyType({"list": _list, "get": _get, "rename": _rename, "delete": _delete, "export": _export, "search": _search})
)


def _wanted(params: ConversationsParams, name: str) -> str:
    """A parameter that the action cannot do without. Raises UsageError."""
    value = getattr(params, name)
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"khoj/conversations with the action {params.action} wants `{name}`")
    return value


def _meant(vaults: Sequence[Vault], beginning: str) -> tuple[Vault, Summary]:
    """The one conversation whose id begins so, and its vault. Raises UsageError."""
    found = [(vault, each) for vault in vaults for each in vault.conversations.find(beginning)]
    exact = [pair for pair in found if pair[1].id == beginning]
    if not found:
        raise UsageError(f"there is no conversation {beginning}: `khoj-ls conversations list` tells those there are")
    if len(exact or found) > 1:
        raise UsageError(f"several conversations begin with {beginning}: write more of the id")
    return (exact or found)[0]


def _info(vault: Vault, summary: Summary) -> ConversationInfo:
    return ConversationInfo(
        summary.id,
        summary.title,
        summary.persona,
        _iso(summary.created),
        _iso(summary.updated),
        summary.turns,
        str(vault.root),
    )


def _turn(root: Path, conversation: str, turn: KeptTurn, format: ShownFormat | None) -> ConversationTurn:
    kept = turn.outcome
    done = event_to_wire(
        root,
        ChatStarted(conversation, turn.id),
        0,
        Done(
            turn.answer,
            kept.citations,
            kept.removed,
            kept.unsupported,
            kept.usage,
            kept.cost,
            turn.model,
            _REASONS.get(kept.reason, "stop"),
            kept.notices,
        ),
        format,
        turn.sources,
    )
    assert isinstance(done, ChatDoneEvent)
    return ConversationTurn(
        id=turn.id,
        question=turn.question,
        answer=turn.answer,
        state=turn.state,
        persona=turn.persona,
        model=turn.model,
        asked=_iso(turn.asked),
        ended=None if turn.ended is None else _iso(turn.ended),
        private=turn.private,
        sources=sources_to_wire(root, turn.sources),
        citations=done.citations,
        removed=list(kept.removed),
        unsupported=done.unsupported,
        usage=done.usage,
        cost=kept.cost,
        reason=kept.reason,
        notices=list(kept.notices),
        message=kept.message,
        code=kept.code,
        replaces=turn.replaces,
        superseded_by=turn.superseded_by,
        shown=done.shown,
        below=done.below if turn.state == "done" else None,
    )


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")


def _messages(vaults: Sequence[Vault]) -> list[str]:
    return list(dict.fromkeys(vault.conversations.message for vault in vaults if vault.conversations.message))
