"""From the vault's values to the wire's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from khoj_ls.core.paths import uri_below
from khoj_ls.core.places import spoken
from khoj_ls.search.types import Explanation, SearchHit, Source
from khoj_ls.search.types import SearchResult as Found
from khoj_ls.vault import Status, Vault
from khoj_ls.wire import messages as wire
from khoj_ls.wire.searching import numbers_of
from khoj_ls.wire.tuning_messages import Step

_OUTDATED = (
    "settings of vaults, rerank, daemon, plugins or webhooks have been changed: they hold when the daemon starts anew "
    "(khoj-ls daemon stop)"
)


def hits_to_wire(root: Path, hits: Iterable[SearchHit], units: str) -> list[wire.Hit]:
    """Hits with file URIs and 0-based ranges, in `units` (LSP's PositionEncodingKind) where they are no whole lines."""
    address, vault = root.as_uri(), str(root)
    return [_hit(vault, uri_below(address, hit.path), hit, units) for hit in hits]


def _hit(vault: str, uri: str, hit: SearchHit, units: str) -> wire.Hit:
    return wire.Hit(
        uri=uri,
        range=_range(hit, units),
        title=hit.title,
        outline=list(hit.outline),
        snippet=hit.snippet,
        highlights=[list(pair) for pair in hit.highlights],
        score=round(hit.score, 4),
        type=hit.type,
        vault=vault,
        page=hit.place.page if hit.place else None,
        place=spoken(hit.place) if hit.place else None,
        tags=list(hit.tags),
        date=hit.date,
        sources=_sources(hit.sources),
        linked=hit.linked,
        explanation=explanation_to_wire(hit.explanation) if hit.explanation else None,
    )


def _range(hit: SearchHit, units: str) -> wire.Range:
    """Whole lines, or a piece of a long one; empty in a file that is no text."""
    if hit.place and not hit.place.lined:
        return wire.Range(wire.Position(0), wire.Position(0))
    if hit.place and hit.place.columns:
        start, end = (getattr(column, units.replace("-", "")) for column in hit.place.columns)
        return wire.Range(wire.Position(hit.span.line - 1, start), wire.Position(hit.span.end_line - 1, end))
    return wire.Range(wire.Position(hit.span.line - 1), wire.Position(hit.span.end_line))


def explanation_to_wire(how: Explanation) -> wire.Explanation:
    """How a hit came to stand where it does."""
    steps = [
        Step(
            step.name,
            round(step.before, 4),
            round(step.after, 4),
            step.why,
            {name: round(number, 4) for name, number in step.numbers.items()},
        )
        for step in how.steps
    ]
    return wire.Explanation(
        retrievers=_sources(how.retrievers),
        fused=round(how.fused, 4),
        rank=how.rank,
        steps=steps,
        score=round(how.score, 4),
        profile=how.profile,
        numbers=numbers_of(how.tuning),
        embedded_as=how.embedded_as,
    )


def _sources(sources: Mapping[str, Source]) -> dict[str, wire.Source]:
    return {name: wire.Source(source.rank, round(source.score, 4)) for name, source in sources.items()}


def by_note(hits: Iterable[wire.Hit]) -> list[wire.NoteHits]:
    """Hits, which come best first, by the note they are in: the note with the best hit first."""
    notes: dict[str, list[wire.Hit]] = {}
    for hit in hits:
        notes.setdefault(hit.uri, []).append(hit)
    return [wire.NoteHits(uri, own[0].title, own[0].vault, own[0].score, own) for uri, own in notes.items()]


def merged(
    answers: Sequence[tuple[Vault, Found]], limit: int, *, units: str = "utf-32", group: bool = False
) -> wire.SearchResult:
    """One answer of several vaults': by score, which is absolute and so comparable between vaults.

    Columns are told in `units`, LSP's PositionEncodingKind.
    """
    hits = [hit for vault, found in answers for hit in hits_to_wire(vault.root, found.hits, units)]
    if len(answers) > 1:
        hits.sort(key=lambda hit: -hit.score)
    hits = hits[:limit]
    timings: dict[str, float] = {}
    for _, found in answers:
        for stage, milliseconds in found.timings.items():
            timings[stage] = round(timings.get(stage, 0.0) + milliseconds, 3)
    reasons = dict.fromkeys(found.reason for _, found in answers if found.reason)
    return wire.SearchResult(
        hits=hits,
        degraded=any(found.degraded for _, found in answers),
        coverage=round(min((found.coverage for _, found in answers), default=1.0), 4),
        timings=timings,
        reason="; ".join(reasons) or None,
        notes=by_note(hits) if group else None,
        respelled={word: stem for _, found in answers for word, stem in found.respelled.items()},
    )


def failures(root: Path, items: Iterable[tuple[str, str]]) -> list[wire.Failure]:
    """Failures with absolute paths."""
    return [wire.Failure(str(root / path), reason) for path, reason in items]


def warnings(root: Path, items: Iterable[tuple[str, int, str]]) -> list[wire.FileWarning]:
    """Warnings with absolute paths."""
    return [wire.FileWarning(str(root / path), line, reason) for path, line, reason in items]


def vault_status(status: Status, *, outdated: bool = False, settings_fault: str = "") -> wire.VaultStatus:
    """The status of one vault.

    `outdated`: settings that all vaults have in common have been changed since the start. `settings_fault`: why this vault's
    own are not followed.
    """
    unfollowed = f"changed settings are not followed: {settings_fault}" if settings_fault else ""
    return wire.VaultStatus(
        root=str(status.root),
        files=status.files,
        entries=status.entries,
        chunks=status.chunks,
        embedded=status.embedded,
        queue=status.queue,
        failures=failures(status.root, status.failures),
        model=status.model,
        database_bytes=status.database_bytes,
        coverage=round(status.coverage, 4),
        phase=status.phase,
        message="; ".join(each for each in (status.message, unfollowed, _OUTDATED if outdated else "") if each),
        paused=status.paused,
        vectors=status.vectors,
        eta_seconds=status.eta_seconds,
        warnings=warnings(status.root, status.warnings),
    )
