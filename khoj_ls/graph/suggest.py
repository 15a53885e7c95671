"""Which notes belong linked at a place: what the words there name, what the paragraph is about, and what is linked around it.

    suggest(network, context, note, offset)

Candidates come from every signal of `signals`; each gets all of them, and they are added up. The weights are the same for
every vault.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.types import Vector
from khoj_ls.graph import signals
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.graph.place import Paragraph, Phrase, paragraph_at
from khoj_ls.search.context import QueryVector, SearchContext
from khoj_ls.store.chunks import chunks_of_file
from khoj_ls.store.links import file_at

_WEIGHTS = MappingProxyType(
    {
        "name": 6.0,  # words at the place that are its name
        "label": 3.0,  # words at the place that other links to it are made of
        "passages": 2.0,  # passages like this one link to it
        "neighbours": 1.5,  # it is linked with what is linked here
        "meaning": 1.0,  # a passage of it is near in meaning
        "words": 1.0,  # a passage of it has the same telling words
        "kinship": 1.0,  # it lies near in folders or dotted names
        "popular": 0.25,  # it is linked often
    }
)
"""What each signal counts: fitted to links in one half of the notes of four vaults (Dendron, Foam, Logseq, Org), and rounded.

benchmarks/suggestion.py tells the figures of both halves."""
_NAMED = 0.15
"""From here on words at the place are taken to be the note's name."""
_NEAR_LINKS = 24
"""Links around the place that are followed, the nearest first."""
_NEAR_BYTES = 1500
"""At this distance a link around the place counts half."""
_PATIENCE_SECONDS = 1.0
_ASKED = 60
"""So many of the best are shown to plugins, which may take some out."""


@dataclass(frozen=True)
class Suggestion:
    """A note that belongs linked at a place."""

    path: str
    """Relative to the vault, posix."""
    file_id: int
    title: str
    score: float
    """0..1."""
    linked: bool
    """Whether the note links it already, elsewhere."""
    phrase: tuple[int, int] | None
    """Bytes of the words at the place that name the note: what a link may be made of; None when it is told by meaning alone."""
    signals: Mapping[str, float]
    """What speaks for it, each 0..1."""


def suggest(
    network: LinkNetwork,
    context: SearchContext,
    note: OpenNote,
    offset: int,
    selection: tuple[int, int] | None = None,
    limit: int = 5,
    token: CancelToken | None = None,
) -> list[Suggestion]:
    """The notes that belong linked at byte `offset` of a text, or at the selected bytes, best first. Raises Cancelled.

    The vector of the paragraph is the stored one of its passage where the index has the text as it is; only else the model is
    asked, and it is done without when it does not answer soon.
    """
    place = paragraph_at(note, offset, selection)
    if place is None:
        return []
    connection = network.connection
    statistics = context.statistics.of(connection, context.model)
    known = file_at(connection, note.path)
    own = known[0] if known else None
    vector, pending = _vector(network, context, place, own), None
    if vector is None and place.text.strip():
        title = note.parsed.title or ""
        text = "\n".join(part for part in (title, *place.entry.outline, place.entry.heading, place.text) if part)
        pending = QueryVector(replace(context, patience_seconds=_PATIENCE_SECONDS), text)
    naming = signals.Naming(connection, statistics, place.phrases)
    labelled = naming.labelled(own)
    near = _near_links(network, note, place, offset)
    around = signals.neighbourhood(connection, own, near)
    if pending:
        vector, _ = pending.wait(token)
    if token:
        token.raise_if_cancelled()
    like = signals.likeness(connection, context, statistics, place.text, vector, own)
    passages = signals.linked_by(connection, like.passages)
    near_paths = {path: near[each] for each, path in signals.known_notes(connection, near).paths.items()}
    kin = signals.lying_near(connection, [note.path, *list(near_paths)[:3]])
    candidates = {*naming.candidates(), *labelled, *around, *like.meaning, *like.words, *passages, *kin} - {own}
    notes = signals.known_notes(connection, candidates)
    popular = signals.popularity(connection, notes.paths, own)
    kinship = signals.Kinship(note.path, near_paths)
    found = []
    for file_id, path in notes.paths.items():
        name, phrase = naming.score(notes.names[file_id])
        told = {
            "name": name,
            "label": labelled.get(file_id, 0.0),
            "meaning": like.meaning.get(file_id, 0.0),
            "words": like.words.get(file_id, 0.0),
            "passages": passages.get(file_id, 0.0),
            "neighbours": around.get(file_id, 0.0),
            "kinship": kinship.of(path),
            "popular": popular.get(file_id, 0.0),
        }
        found.append(_suggestion(file_id, path, notes.titles[file_id], file_id in near, phrase, told))
    best = sorted(found, key=lambda each: (-each.score, each.path))
    return _left(connection, context, best[:_ASKED])[:limit] if context.plugins_leave else best[:limit]


def _left(connection: sqlite3.Connection, context: SearchContext, best: Sequence[Suggestion]) -> list[Suggestion]:
    """The notes that plugins leave, each shown to them by its first passage: that is where its title stands."""
    rows = connection.execute(
        "SELECT file_id, id FROM entry WHERE ordinal = 0 AND file_id IN (SELECT value FROM json_each(?))",
        (json.dumps([each.file_id for each in best]),),
    )
    first = dict(rows.fetchall())
    scores = {first[each.file_id]: each.score for each in best if each.file_id in first}
    left = context.left(connection, scores)
    return [each for each in best if first.get(each.file_id) is None or first[each.file_id] in left]


def _suggestion(
    file_id: int, path: str, title: str, linked: bool, phrase: Phrase | None, told: Mapping[str, float]
) -> Suggestion:
    score = sum(_WEIGHTS[name] * value for name, value in told.items()) / sum(_WEIGHTS.values())
    words = (phrase.start, phrase.end) if phrase and told["name"] >= _NAMED else None
    return Suggestion(path, file_id, title, score, linked, words, told)


def _vector(network: LinkNetwork, context: SearchContext, place: Paragraph, own: int | None) -> Vector | None:
    """The stored vector of the passage that holds the paragraph; None where the text is newer than the index."""
    if own is None or context.model is None or context.index is None:
        return None
    stored = network.connection.execute(
        "SELECT line, raw FROM entry WHERE file_id = ? AND ordinal = ?", (own, place.ordinal)
    ).fetchone()
    if stored is None or stored[1] != place.entry.raw:
        return None
    first = place.first - place.entry.span.line + stored[0]
    last = first + place.last - place.first
    chunks = [
        chunk
        for chunk in chunks_of_file(network.connection, context.model, own)
        if chunk.span.line <= last and chunk.span.end_line >= first
    ]
    if not chunks:
        return None
    middle = (first + last) / 2
    nearest = min(chunks, key=lambda chunk: abs((chunk.span.line + chunk.span.end_line) / 2 - middle))
    return context.index.vectors([nearest.hash]).get(nearest.hash)


def _near_links(network: LinkNetwork, note: OpenNote, place: Paragraph, offset: int) -> dict[int, float]:
    """The notes that the text links to around the place, with how near the link stands: 1 beside it, falling with distance."""
    links = sorted(note.links, key=lambda link: abs(link.span.start - offset))
    chosen = {link.span for link in links if link.kind not in ("url", "tag", "footnote")}
    nearest = {link.span for link in [link for link in links if link.span in chosen][:_NEAR_LINKS]}
    # Only these are resolved: a change log may have a thousand.
    entries = tuple(replace(e, links=tuple(link for link in e.links if link.span in nearest)) for e in note.parsed.entries)
    near: dict[int, float] = {}
    for link in network.links_in(note.path, replace(note.parsed, entries=entries)):
        target = link.resolution.target
        if target is not None and target.file_id is not None and target.file_id != link.file_id:
            weight = _NEAR_BYTES / (_NEAR_BYTES + abs(link.link.span.start - offset))
            near[target.file_id] = max(weight, near.get(target.file_id, 0.0))
    return near
