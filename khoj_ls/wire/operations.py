"""What each khoj/* request does: one function per request over the open vaults, the same for LSP, the command line and agents.

Every function blocks and is meant to be run in a thread; it looks at its job's token between steps.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from khoj_ls.core.errors import KhojError, UsageError
from khoj_ls.search.types import RelatedRequest
from khoj_ls.vault import Vault
from khoj_ls.vaults import to_path
from khoj_ls.wire import chat
from khoj_ls.wire import chat_messages as chats
from khoj_ls.wire import messages as wire
from khoj_ls.wire.chat_choices import chat_choices
from khoj_ls.wire.conversation_messages import ConversationsParams, ConversationsResult
from khoj_ls.wire.conversations import conversations
from khoj_ls.wire.convert import failures, merged, vault_status, warnings
from khoj_ls.wire.link_messages import LinksParams, LinksResult, SuggestLinksParams, SuggestLinksResult
from khoj_ls.wire.links import note_links, together, vault_links
from khoj_ls.wire.plugin_messages import PluginsParams, PluginsResult
from khoj_ls.wire.plugins import plugins_result
from khoj_ls.wire.query import completions
from khoj_ls.wire.query_messages import CompleteQueryParams, CompleteQueryResult
from khoj_ls.wire.searching import checked_limit, choices_of, search_request
from khoj_ls.wire.session import Job as Job
from khoj_ls.wire.session import Session as Session
from khoj_ls.wire.session import asked_vaults
from khoj_ls.wire.suggest import suggestions, text_on_disk
from khoj_ls.wire.tuning_messages import ChoicesParams, ChoicesResult

MAX_LINKS = 10_000
_DEFAULT_RELATED = 5
_DEFAULT_SUGGESTED = 5


@dataclass(frozen=True)
class Operation:
    """A request `khoj/<name>`, which is also a command."""

    name: str
    params: type
    result: type
    run: Callable[[Session, Any, Job], Any]
    long: bool = False
    """Whether it reports progress."""

    @property
    def command(self) -> str:
        """Name of the command: `khoj.chat.cancel` for `khoj/chat/cancel`."""
        return f"khoj.{self.name.replace('/', '.')}"

    @property
    def summary(self) -> str:
        """What it does, in one sentence."""
        return (self.run.__doc__ or self.params.__doc__ or "").strip().splitlines()[0]


def search(session: Session, params: wire.SearchParams, job: Job) -> wire.SearchResult:
    """Find passages by words and by meaning."""
    answers = []
    limits = []
    for vault, paths in _searched(session, params):
        request = search_request(session.settings_of(vault).search, params, paths)
        limits.append(request.limit)
        answers.append((vault, vault.search(request, job.token)))
        if session.vaults.telling and not request.prefix:
            session.vaults.telling.searched(vault, request, answers[-1][1])
    return merged(answers, max(limits), units=session.units(), group=params.group)


def related(session: Session, params: wire.RelatedParams, job: Job) -> wire.SearchResult:
    """Find notes like a place, a region, a file or a text."""
    limit = checked_limit(params.limit, _DEFAULT_RELATED)
    if params.textDocument is None:
        if not params.text:
            raise UsageError("khoj/related wants a textDocument or a text")
        request = RelatedRequest(path=None, text=params.text, limit=limit, symmetric=params.symmetric)
        answers = [(vault, vault.related(request, job.token)) for vault in asked_vaults(session, params.vault)]
        return merged(answers, limit, units=session.units())
    path = to_path(params.textDocument.uri)
    vault = session.vaults.open(path)
    first, last = _lines(params)
    request = RelatedRequest(
        path=vault.relative(path), line=first, end_line=last, text=params.text, limit=limit, symmetric=params.symmetric
    )
    return merged([(vault, vault.related(request, job.token))], limit, units=session.units())


def links(session: Session, params: LinksParams, job: Job) -> LinksResult:
    """Tell the links that lead to a note and from it, the places that name it, or what is wrong with the links of a vault."""
    if (params.textDocument is None) == (params.select is None):
        raise UsageError("khoj/links wants either a textDocument or select")
    if not 1 <= params.limit <= MAX_LINKS:
        raise UsageError(f"limit is {params.limit}; it must be between 1 and {MAX_LINKS}")
    if params.select is not None:
        found = [vault_links(vault, params.select, params.limit, job.token) for vault in asked_vaults(session, params.vault)]
        return together(found, params.limit)
    assert params.textDocument is not None
    path = to_path(params.textDocument.uri)
    line = params.position.line + 1 if params.position else None
    return note_links(session.vaults.open(path), path, line, params.direction, params.limit)


def suggest_links(session: Session, params: SuggestLinksParams, job: Job) -> SuggestLinksResult:
    """Suggest notes to link at a place, by its words, its meaning, and what is linked around it."""
    path = to_path(params.textDocument.uri)
    vault = session.vaults.open(path)
    shown = session.open_text(params.textDocument.uri) or text_on_disk(path)
    return suggestions(vault, path, shown, params, checked_limit(params.limit, _DEFAULT_SUGGESTED), job.token)


def status(session: Session, params: wire.StatusParams, job: Job) -> wire.StatusResult:
    """Say how the daemon and the vaults are."""
    vaults = session.vaults
    asked = vaults.open(to_path(params.vault), exact=True) if params.vault else None
    with vaults.all_kept() as open_ones:
        told = [
            vault_status(vault.status(), outdated=vaults.outdated, settings_fault=vaults.settings_fault(vault.root))
            for vault in ([asked] if asked else open_ones)
        ]
    return wire.StatusResult(session.daemon(), told)


def reindex(session: Session, params: wire.ReindexParams, job: Job) -> list[wire.ReindexResult]:
    """Bring the index up to date; waits until words and meaning are complete."""
    results = []
    paths = [to_path(path) for path in params.paths] if params.paths else None
    session.vaults.follow_settings(at_once=True)
    targets = (
        [session.vaults.open(to_path(params.vault), yes=params.yes, exact=True)]
        if params.vault
        else list(dict.fromkeys(session.vaults.open(path) for path in paths))
        if paths
        else asked_vaults(session, None)
    )
    for vault in targets:
        own = [path for path in paths if vault.holds(path)] if paths else None
        report = vault.index(job.progress, job.token, force=params.force, paths=own, wait=params.wait)
        results.append(
            wire.ReindexResult(
                vault=str(vault.root),
                files=report.files,
                entries=report.entries,
                chunks=report.chunks,
                embedded=report.embedded,
                reused=report.reused,
                removed=report.removed,
                failures=failures(vault.root, report.failures),
                seconds=report.seconds,
                warnings=warnings(vault.root, report.warnings),
            )
        )
    return results


def pause(session: Session, params: wire.VaultParams, job: Job) -> wire.PauseResult:
    """Stop indexing until resumed; searching goes on."""
    return _set_paused(session, params, paused=True)


def resume(session: Session, params: wire.VaultParams, job: Job) -> wire.PauseResult:
    """Go on indexing."""
    return _set_paused(session, params, paused=False)


def why(session: Session, params: wire.WhyParams, job: Job) -> wire.WhyResult:
    """Say why a file is or is not indexed, and which rule decided."""
    path = to_path(params.path)
    decision = _where_it_lies(session, path).why(path)
    return wire.WhyResult(str(path), decision.indexed, decision.reason, decision.rule)


def choices(session: Session, params: ChoicesParams, job: Job) -> ChoicesResult:
    """List what a question or chat can choose from - profiles, personas, chat models, commands - and what holds by itself."""
    vault = asked_vaults(session, params.vault)[0] if params.vault is not None or session.roots else None
    profiles = choices_of((session.settings_of(vault) if vault else session.settings).search)
    return chat_choices(session, vault, profiles)


def complete_query(session: Session, params: CompleteQueryParams, job: Job) -> CompleteQueryResult:
    """Tell how a query may go on where it is being typed: names of filters, and the values that the notes have for them."""
    return completions(asked_vaults(session, params.vault), params)


def plugins(session: Session, params: PluginsParams, job: Job) -> PluginsResult:
    """Say which plugins are loaded, what each brings, which processor reads which files, and what was refused and why."""
    return plugins_result(session.vaults.plugin_report())


def perform(operation: Operation, session: Session, params: Any, job: Job) -> Any:
    """Do what a request asks; of an error hear those, too, that the user wants to be told."""
    try:
        with session.vaults.metrics.timed(operation.name):
            return operation.run(session, params, job)
    except Exception as error:
        if session.vaults.telling:
            session.vaults.telling.failed(operation.name, error.code if isinstance(error, KhojError) else KhojError.code)
        raise


OPERATIONS = (
    Operation("search", wire.SearchParams, wire.SearchResult, search),
    Operation("related", wire.RelatedParams, wire.SearchResult, related),
    Operation("links", LinksParams, LinksResult, links),
    Operation("suggestLinks", SuggestLinksParams, SuggestLinksResult, suggest_links),
    Operation("status", wire.StatusParams, wire.StatusResult, status),
    Operation("reindex", wire.ReindexParams, list[wire.ReindexResult], reindex, long=True),
    Operation("pause", wire.VaultParams, wire.PauseResult, pause),
    Operation("resume", wire.VaultParams, wire.PauseResult, resume),
    Operation("why", wire.WhyParams, wire.WhyResult, why),
    Operation("choices", ChoicesParams, ChoicesResult, choices),
    Operation("completeQuery", CompleteQueryParams, CompleteQueryResult, complete_query),
    Operation("chat", chats.ChatParams, chats.ChatStarted, chat.chat),
    Operation("chat/cancel", chats.ChatCancelParams, chats.ChatCancelResult, chat.cancel),
    Operation("ask", chats.ChatParams, chats.AskResult, chat.ask, long=True),
    Operation("allowHost", chats.AllowHostParams, chats.AllowHostResult, chat.allow_host),
    Operation("plugins", PluginsParams, PluginsResult, plugins),
    Operation("conversations", ConversationsParams, ConversationsResult, conversations),
)
"""All requests, in the order of the documentation."""


def _set_paused(session: Session, params: wire.VaultParams, *, paused: bool) -> wire.PauseResult:
    vaults = asked_vaults(session, params.vault)
    for vault in vaults:
        vault.set_paused(paused)
    return wire.PauseResult(paused, [str(vault.root) for vault in vaults])


def _searched(session: Session, params: wire.SearchParams) -> list[tuple[Vault, tuple[str, ...] | None]]:
    """The vaults to search, each with the notes and folders that the search stays within. Raises UsageError."""
    if params.within is None:
        return [(vault, None) for vault in asked_vaults(session, params.vault)]
    paths = [to_path(reference) for reference in params.within]
    vaults = asked_vaults(session, params.vault) if params.vault else [session.vaults.open(path) for path in paths]
    held = [(each, tuple(each.relative(path) for path in paths if each.holds(path))) for each in dict.fromkeys(vaults)]
    if not any(own for _, own in held):
        raise UsageError("`within` names no note or folder of " + (f"the vault {params.vault}" if params.vault else "a vault"))
    return [(vault, own) for vault, own in held if own]


def _where_it_lies(session: Session, path: Path) -> Vault:
    """The vault of a path as it is written: what a link in it leads to may belong to another vault, or to none."""
    real = Path(os.path.realpath(path))
    around = [vault for vault in session.vaults.open_vaults() if vault.root in path.parents]
    written = max(around, key=lambda vault: len(vault.root.parts), default=None)
    if written and written.root not in real.parents:
        return written
    return session.vaults.open(path.parent if path.is_symlink() and not path.is_dir() else path)


def _lines(params: wire.RelatedParams) -> tuple[int | None, int | None]:
    """1-based first and last line that `params` points at, if it points at any."""
    if params.range is not None:
        start, end = params.range.start, params.range.end
        last = end.line if end.character or end.line == start.line else end.line - 1
        return start.line + 1, last + 1
    if params.position is not None:
        return params.position.line + 1, None
    return None, None
