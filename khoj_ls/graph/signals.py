"""What speaks for a link from a place to a note, signal by signal, each as 0..1.

Nothing stored of the note that asks is used but its path: its own links count as they stand in the text, so a link that was
just deleted speaks for nothing.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from khoj_ls.core.types import Vector
from khoj_ls.graph.place import Phrase, terms_of
from khoj_ls.links.text import fold, split_suffix
from khoj_ls.search.bm25 import ENTRIES, Table, affordable, idf, ranked
from khoj_ls.search.context import SearchContext
from khoj_ls.search.dense import match_meaning
from khoj_ls.search.keyterms import key_terms
from khoj_ls.search.statistics import Statistics
from khoj_ls.search.stopwords import content_words
from khoj_ls.search.words import phrase
from khoj_ls.store.entries import standing
from khoj_ls.store.links import string_list

Scores = dict[int, float]
"""0..1 by file id."""

_NAMES = Table("file_fts", (1.0, 2.0, 0.0, 0.0), "file")
_POOL = 60
_PASSAGES = 90
_LIKE = 40
"""So many passages that are like this one are asked what they link to."""
_TELLING = 24
_RARE = 400
"""A phrase of words that more entries hold is no label worth looking up."""
_SURE_MASS = 0.5
"""Names of common words alone prove little: half sure at so much of what a word can tell."""
_LEAST_TOLD = 0.04
_MOST_SOURCES = 60
_OFTEN = 60
_MOST_SIBLINGS = 50
_MOST_FROM_LINKS = 80
_MOST_KIN = 8


@dataclass(frozen=True)
class Known:
    """What is known of the notes that may be linked: path and names, by file id."""

    paths: Mapping[int, str] = field(default_factory=dict)
    titles: Mapping[int, str] = field(default_factory=dict)
    names: Mapping[int, list[frozenset[str]]] = field(default_factory=dict)


def known_notes(connection: sqlite3.Connection, ids: Collection[int]) -> Known:
    """Paths, titles and names (as words) of notes."""
    paths, titles, names = {}, {}, {}
    rows = connection.execute(
        "SELECT id, path, title, aliases FROM file WHERE status = 'indexed' AND id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )
    for file_id, path, title, aliases in rows:
        base = split_suffix(path)[0].rpartition("/")[2]
        paths[file_id] = path
        titles[file_id] = title or base
        said = [title or "", *string_list(aliases), base, base.rpartition(".")[2]]
        if base.lower() in ("index", "readme", "_index"):
            said.append(path.split("/")[-2] if "/" in path else "")
        names[file_id] = list({frozenset(map(_stem, terms_of(name))) for name in set(said) if name})
    return Known(paths, titles, names)


# -- names ---------------------------------------------------------------------------------------------------------------


class Naming:
    """How well the phrases at a place name a note."""

    def __init__(self, connection: sqlite3.Connection, statistics: Statistics, phrases: Sequence[Phrase]) -> None:
        """Look up how much each word of the phrases tells."""
        self._connection = connection
        self.phrases = phrases
        self._total = max(2, statistics.entries)
        words = dict.fromkeys(term for each in phrases for term in each.terms)
        strings = {f"body : {phrase(word)}": word for word in words}
        counts = statistics.holding(connection, list(strings))
        self._held = {strings[string]: rows for string, rows in counts.items()}
        self._weights = {_stem(word): self._tells(rows) for word, rows in self._held.items()}
        self._asked = [(frozenset(map(_stem, content_words(each.terms))), each) for each in phrases]

    def _tells(self, rows: int) -> float:
        """How much a word that so many entries hold tells: 1 where only one holds it, in a small vault as in a large one."""
        return max(_LEAST_TOLD, min(1.0, idf(self._total, max(1, rows)) / idf(self._total, 1)))

    def candidates(self) -> list[int]:
        """Notes with words of the phrases in their names."""
        counts = {phrase(word): rows for word, rows in sorted(self._held.items(), key=lambda item: item[1]) if rows}
        expressions = [f"{{name title}} : ({each})" for each in affordable(counts) if not each.startswith("-")]
        return list(ranked(self._connection, _NAMES, expressions, _POOL))

    def score(self, names: Iterable[frozenset[str]]) -> tuple[float, Phrase | None]:
        """0..1 for the best of a note's names against the best of the phrases, and that phrase."""
        best: tuple[float, Phrase | None] = (0.0, None)
        for name in names:
            if self._weights.keys().isdisjoint(name):
                continue
            for asked, each in self._asked:
                common = asked & name
                if not common:
                    continue
                told = sum(self._weights[word] for word in common)
                # A word of the name that the phrase lacks weighs as much as one of middling rarity.
                missing = _SURE_MASS / 2 * (len(name) - len(common))
                extra = sum(self._weights[word] for word in asked - name)
                score = told / (told + missing + extra) * told / (told + _SURE_MASS)
                if score > best[0]:
                    best = (score, each)
        return best

    def labelled(self, own: int | None) -> Scores:
        """Notes that links elsewhere lead to whose label is one of the phrases: how large their share of such links is.

        What a label leads to where others used it is the strongest sign that is known for linking (Milne & Witten 2008,
        "Learning to link with Wikipedia": commonness).
        """
        weights = {
            " ".join(each.terms): sum(self._weights[_stem(term)] for term in each.terms)
            for each in self.phrases
            if each.terms and min(self._held[term] for term in each.terms) <= _RARE
        }
        if not weights:
            return {}
        expression = " OR ".join(phrase(text) for text in weights)
        rows = self._connection.execute(
            "SELECT l.label, l.id, n.file_id FROM (SELECT rowid AS id FROM entry_fts WHERE entry_fts MATCH ? LIMIT ?) hit "
            "CROSS JOIN entry e ON e.id = hit.id CROSS JOIN link l ON l.file_id = e.file_id AND l.entry = e.ordinal "
            "CROSS JOIN name n ON n.key = l.key WHERE l.label IS NOT NULL AND l.file_id IS NOT ?",
            (f"body : ({expression})", 2 * _RARE, own),
        )
        leads: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        for label, link, file_id in rows:
            if (text := " ".join(terms_of(label))) in weights:
                leads[text][file_id].add(link)
        found: Scores = {}
        for text, notes in leads.items():
            total = sum(len(links) for links in notes.values())
            mass = weights[text] / (weights[text] + _SURE_MASS)
            for file_id, links in notes.items():
                found[file_id] = max(found.get(file_id, 0.0), mass * len(links) / (total + 1))
        return found


def _stem(word: str) -> str:
    """A word without the plural's s: names are compared, not searched."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


# -- what the paragraph says -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Likeness:
    """Notes and passages like a paragraph."""

    meaning: Scores
    """Cosine of a note's nearest passage."""
    words: Scores
    """BM25 of a note's best passage, in proportion to the best of all."""
    passages: Mapping[int, float]
    """The passages that are most like it, by entry id."""


def likeness(
    connection: sqlite3.Connection,
    context: SearchContext,
    statistics: Statistics,
    text: str,
    vector: Vector | None,
    own: int | None,
) -> Likeness:
    """What is like `text`, by its vector where there is one, and by its telling words; of that what plugins leave."""
    near: dict[int, tuple[int, float]] = {}
    if vector is not None and context.model is not None and context.index is not None:
        reader = context.chunks.of(connection, context.model)
        matches = match_meaning(connection, context.model, context.index, vector, _PASSAGES, reader=reader)
        near = {each.id: (each.file_id, match.score) for each, match in matches.items() if each.file_id != own}
    terms = key_terms(connection, statistics, text, _TELLING, least=1 if own is None else 2)
    scores = ranked(connection, ENTRIES, affordable({phrase(term): rows for term, rows in terms.items()}), _PASSAGES)
    found = [(entry, file_id) for entry, file_id, _ in standing(connection, scores) if file_id != own]
    best = max((scores[entry] for entry, _ in found), default=1.0)
    shares = {entry: scores[entry] / best for entry, _ in found}
    left = context.left(connection, {**shares, **{passage: score for passage, (_, score) in near.items()}})
    meaning: Scores = {}
    words: Scores = {}
    passages: dict[int, float] = defaultdict(float)
    for passage, (file_id, score) in near.items():
        if passage in left:
            meaning[file_id] = max(score, meaning.get(file_id, 0.0))
            passages[passage] += score
    for entry, file_id in found:
        if entry not in left:
            continue
        words[file_id] = max(shares[entry], words.get(file_id, 0.0))
        passages[entry] += shares[entry]
    nearest = sorted(passages, key=lambda entry: -passages[entry])[:_LIKE]
    return Likeness(meaning, words, {entry: passages[entry] / 2 for entry in nearest})


def linked_by(connection: sqlite3.Connection, passages: Mapping[int, float]) -> Scores:
    """What passages link to, each with its weight (0..1)."""
    rows = connection.execute(
        "SELECT e.id, l.key, n.file_id FROM json_each(?) wanted CROSS JOIN entry e ON e.id = wanted.value "
        "CROSS JOIN link l ON l.file_id = e.file_id AND l.entry = e.ordinal CROSS JOIN name n ON n.key = l.key "
        "WHERE n.file_id <> l.file_id GROUP BY 1, 2, 3",
        (json.dumps(list(passages)),),
    ).fetchall()
    votes: Scores = defaultdict(float)
    for entry, share in _shared(rows):
        for file_id, part in share:
            votes[file_id] += passages[entry] * part
    return _strongest(votes, 1.0)


def _shared(rows: Iterable[tuple[int, str, int]]) -> list[tuple[int, list[tuple[int, float]]]]:
    """For each source what it links to; a name that several notes have counts for each of them in part."""
    keys: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for source, key, file_id in rows:
        keys[source][key].append(file_id)
    return [
        (source, [(file_id, 1.0 / len(notes)) for notes in named.values() for file_id in notes])
        for source, named in keys.items()
    ]


# -- the network -----------------------------------------------------------------------------------------------------------


def neighbourhood(connection: sqlite3.Connection, own: int | None, near: Mapping[int, float]) -> Scores:
    """Notes two steps away: linked from the notes that this one links, linked together with them elsewhere, or linking here.

    `near` says how near each link stands. A note that links much says little with each link (Adamic & Adar 2003, "Friends
    and neighbors on the web").
    """
    votes: Scores = defaultdict(float)
    ids = json.dumps(list(near))
    onward = connection.execute(
        "SELECT l.file_id, l.key, n.file_id FROM link l JOIN name n ON n.key = l.key "
        "WHERE l.file_id IN (SELECT value FROM json_each(?)) AND n.file_id <> l.file_id GROUP BY 1, 2, 3",
        (ids,),
    ).fetchall()
    for source, shares in _shared(onward):
        for file_id, share in shares:
            votes[file_id] += near[source] * share / math.log(2 + len(shares))
    back = _linking(connection, [*near, own] if own is not None else list(near), own)
    for target, sources in back.items():
        for source in sources:
            votes[source] += near.get(target, 2.0) / math.log(2 + len(sources))
    beside: dict[int, float] = defaultdict(float)
    for target, weight in near.items():
        for source in back.get(target, ()):
            beside[source] += weight / math.log(2 + len(back[target]))
    strongest = sorted(beside, key=lambda source: -beside[source])[:_MOST_SOURCES]
    together = connection.execute(
        "SELECT l.file_id, l.key, n.file_id FROM link l JOIN name n ON n.key = l.key "
        "WHERE l.file_id IN (SELECT value FROM json_each(?)) AND n.file_id <> l.file_id GROUP BY 1, 2, 3",
        (json.dumps(strongest),),
    ).fetchall()
    for source, shares in _shared(together):
        for file_id, share in shares:
            votes[file_id] += beside[source] * share / math.log(2 + len(shares))
    return _strongest(votes, 2.0)


def _strongest(votes: Mapping[int, float], half: float) -> Scores:
    """The most voted for, as 0..1: `half` votes are worth half."""
    most = sorted(votes, key=lambda file_id: -votes[file_id])[:_MOST_FROM_LINKS]
    return {file_id: votes[file_id] / (votes[file_id] + half) for file_id in most}


def _linking(connection: sqlite3.Connection, targets: Sequence[int], own: int | None) -> dict[int, set[int]]:
    """The notes that link to each target, but `own`."""
    rows = connection.execute(
        "SELECT DISTINCT n.file_id, l.file_id FROM name n JOIN link l ON l.key = n.key "
        "WHERE n.file_id IN (SELECT value FROM json_each(?)) AND l.file_id IS NOT ? AND l.file_id <> n.file_id LIMIT 2000",
        (json.dumps(list(targets)), own),
    )
    found: dict[int, set[int]] = defaultdict(set)
    for target, source in rows:
        found[target].add(source)
    return found


def popularity(connection: sqlite3.Connection, ids: Collection[int], own: int | None) -> Scores:
    """How often notes are linked, tempered: 0 for never, 1 for often."""
    rows = connection.execute(
        "SELECT wanted.value, (SELECT count(*) FROM (SELECT 1 FROM name n JOIN link l ON l.key = n.key "
        "WHERE n.file_id = wanted.value AND l.file_id IS NOT ? LIMIT ?)) FROM json_each(?) wanted",
        (own, _OFTEN, json.dumps(list(ids))),
    )
    return {file_id: math.log1p(links) / math.log1p(_OFTEN) for file_id, links in rows}


# -- where notes lie -------------------------------------------------------------------------------------------------------


def steps(path: str) -> tuple[str, ...]:
    """A path as steps down a tree: folders, and the parts of a dotted name."""
    folder, _, base = fold(split_suffix(path)[0]).rpartition("/")
    return (*(part for part in folder.split("/") if part), *(part for part in base.split(".") if part))


def lying_near(connection: sqlite3.Connection, paths: Iterable[str]) -> list[int]:
    """Notes that lie beside or under some notes."""
    found: dict[int, None] = {}
    for path in paths:
        stem, _ = split_suffix(path)
        folder, _, base = stem.rpartition("/")
        parent = base.rpartition(".")[0]
        beginnings = {f"{stem}.", f"{stem}/"}
        if parent or folder:
            beginnings.add(f"{folder}/{parent}." if folder and parent else f"{parent}." if parent else f"{folder}/")
        for beginning in beginnings:
            rows = connection.execute(
                "SELECT id FROM file WHERE path >= ? AND path < ? LIMIT ?",
                (beginning, beginning + "\U0010ffff", _MOST_SIBLINGS),
            )
            found.update((row[0], None) for row in rows)
    return list(found)


class Kinship:
    """How near notes lie to the one that asks, or to one that is linked near the place."""

    def __init__(self, path: str, near: Mapping[str, float]) -> None:
        """Measure from `path`, and from the paths `near`, each with how near its link stands."""
        strongest = sorted(near, key=lambda each: -near[each])[:_MOST_KIN]
        self._from = [(steps(path), 1.0), *((steps(each), near[each]) for each in strongest)]

    def of(self, path: str) -> float:
        """0..1: the share of steps down the tree that both have in common, at best."""
        there = steps(path)
        return max(weight * _kin(here, there) for here, weight in self._from)


def _kin(one: Sequence[str], other: Sequence[str]) -> float:
    common = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        common += 1
    return 2 * common / (len(one) + len(other)) if one and other else 0.0
