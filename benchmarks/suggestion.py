"""Link suggestion: links are taken out of a vault one at a time, and the suggestions asked for at the place where each stood.

    python -m benchmarks.suggestion VAULT... [--links 400] [--cache DIR] [--seed 1]

A sample of the links that lead to another note, each in three ways: its label left as plain text and the caret in it; the
label selected; and the whole link deleted. Links without a label of their own are only deleted: what would be left is
the answer. The link counts for nothing else either: suggestions ignore what the index holds of the note that asks.

Printed are hit@1, hit@5 and MRR@10 of the suggestions, of what plain parts of them would do (the label compared with titles and
file names; words of the paragraph by BM25 over notes; the embedding model on the paragraph), and the time of a suggestion
once its text is embedded. Links are halved by note into two groups, so that what was chosen with one can be seen on the other.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, quantiles

from benchmarks.links import fill
from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.content.chunk import chunk_file, chunker_id
from khoj_ls.content.registry import default_registry, parse_file
from khoj_ls.core.types import Vector
from khoj_ls.embed.service import EncoderService
from khoj_ls.evaluation.vectors import VectorCache
from khoj_ls.graph.files import VaultFiles, read_vault_conventions
from khoj_ls.graph.network import LinkNetwork, ResolvedLink
from khoj_ls.graph.open_note import NoteReader, OpenNote
from khoj_ls.graph.place import terms_of
from khoj_ls.graph.suggest import suggest
from khoj_ls.links.conventions import Conventions
from khoj_ls.search.bm25 import NOTES, affordable, counted, ranked
from khoj_ls.search.context import SearchContext
from khoj_ls.search.dense import match_meaning
from khoj_ls.search.words import phrase, query_terms
from khoj_ls.store.chunks import chunk_hash, store_chunks, store_vectors, use_model
from khoj_ls.store.database import Database
from khoj_ls.store.vectors import VectorIndex

_DEPTH = 10


@dataclass(frozen=True)
class Removed:
    """A link taken out of its note."""

    path: str
    target: int
    start: int
    end: int
    label: str | None


@dataclass
class Bench:
    """One vault, indexed, and a way to embed."""

    root: Path
    database: Database
    context: SearchContext
    reader: NoteReader
    conventions: Conventions
    files: VaultFiles

    def network(self, connection: sqlite3.Connection) -> LinkNetwork:
        """The links of the vault."""
        return LinkNetwork(connection, self.conventions, self.files)


def open_vault(root: Path, folder: Path, vectors: VectorCache, encoder: EncoderService) -> Bench:
    """Parse, store and embed the notes below `root`."""
    registry = default_registry(third_party=False)
    tokenizer = encoder.tokenizer()
    database = Database(folder / "index.db")
    fill(database, root)
    texts: dict[bytes, str] = {}
    with database.write() as connection:
        model = use_model(connection, encoder.id, "benchmark", encoder.dimensions, chunker_id(tokenizer))
        for file_id, path in connection.execute("SELECT id, path FROM file").fetchall():
            parsed = parse_file(registry, (root / path).read_bytes(), path)
            chunks = chunk_file(parsed.title, parsed.entries, tokenizer)
            store_chunks(connection, model, file_id, chunks, 0.0)
            texts.update((chunk_hash(chunk.text), chunk.text) for chunk in chunks)
    made = vectors.embed(list(texts.values()))
    with database.write() as connection:
        store_vectors(connection, model, zip(texts, made, strict=True))
    index = VectorIndex(database, model, folder / "index.hnsw", exact_below=30_000)
    known: dict[str, Vector] = {}

    def embed(text: str) -> Vector:
        if text not in known:
            known[text] = vectors.embed([text], "query")[0]
        return known[text]

    context = SearchContext(database, model, index, embed)
    return Bench(root, database, context, NoteReader(registry), read_vault_conventions(root)[0], VaultFiles(root))


def links_to_remove(bench: Bench, most: int, seed: int) -> list[Removed]:
    """A sample of the links to other notes, tags aside."""
    found: list[Removed] = []
    with bench.database.read() as connection:
        for link in bench.network(connection).all_links():
            if (target := _target(link)) is not None:
                label = link.link.label
                if label and terms_of(label) == terms_of(link.link.target):
                    label = None
                found.append(Removed(link.path, target, link.link.span.start, link.link.span.end, label))
    found.sort(key=lambda each: (each.path, each.start))
    return random.Random(seed).sample(found, min(most, len(found)))


def _target(link: ResolvedLink) -> int | None:
    if link.link.kind in ("tag", "url", "footnote") or link.resolution.state not in ("resolved", "broken_anchor"):
        return None
    target = link.resolution.target
    return target.file_id if target and target.file_id != link.file_id else None


def without(bench: Bench, removed: Removed, left: str) -> tuple[OpenNote, int, tuple[int, int]]:
    """The note with `left` in place of the link; the caret in its middle, and its bytes."""
    source = (bench.root / removed.path).read_bytes()
    text = left.encode()
    changed = source[: removed.start] + text + source[removed.end :]
    note = bench.reader.read(removed.path, changed.decode(errors="replace"))
    middle = removed.start + len(left[: len(left) // 2].encode())
    return note, middle, (removed.start, removed.start + len(text))


class Asker:
    """The ways to ask for the note that a link led to: each gives notes, best first, or None where it cannot be asked."""

    def __init__(self, bench: Bench) -> None:
        """Ask about `bench`."""
        self._bench = bench
        self._names = _names(bench)
        self.times: list[float] = []
        """Milliseconds of each suggestion whose text was embedded before."""

    def caret(self, removed: Removed) -> list[int] | None:
        """The label is left, and the caret in it."""
        return self._suggested(removed, removed.label)

    def selected(self, removed: Removed) -> list[int] | None:
        """The label is left and selected."""
        return self._suggested(removed, removed.label, selected=True)

    def deleted(self, removed: Removed) -> list[int] | None:
        """Nothing is left."""
        return self._suggested(removed, "")

    def _suggested(self, removed: Removed, left: str | None, *, selected: bool = False) -> list[int] | None:
        if left is None:
            return None
        note, caret, span = without(self._bench, removed, left)
        with self._bench.database.read() as connection:
            for _ in range(2):  # the second time the model has answered
                begun = time.perf_counter()
                network = self._bench.network(connection)
                found = suggest(network, self._bench.context, note, caret, span if selected else None, _DEPTH)
                took = (time.perf_counter() - begun) * 1000
        self.times.append(took)
        return [each.file_id for each in found]

    def by_label(self, removed: Removed) -> list[int] | None:
        """The label compared with titles and file names."""
        if removed.label is None:
            return None
        asked = set(terms_of(removed.label))
        scored = {
            file_id: max((len(asked & name) / (len(asked | name) or 1) for name in names), default=0.0)
            for file_id, names in self._names.items()
        }
        return sorted(scored, key=lambda file_id: -scored[file_id])[:_DEPTH]

    def by_words(self, removed: Removed) -> list[int]:
        """The paragraph's words, by BM25 over notes."""
        text = _paragraph(self._bench, removed)
        with self._bench.database.read() as connection:
            (notes,) = connection.execute("SELECT count(*) FROM file WHERE status = 'indexed'").fetchone()
            counts = counted(connection, NOTES, [phrase(term) for term in dict.fromkeys(query_terms(text))], notes)
            scores = ranked(connection, NOTES, affordable(dict(sorted(counts.items(), key=lambda item: item[1]))), 30)
            own = connection.execute("SELECT id FROM file WHERE path = ?", (removed.path,)).fetchone()[0]
        return [file_id for file_id in sorted(scores, key=lambda each: -scores[each]) if file_id != own][:_DEPTH]

    def by_meaning(self, removed: Removed) -> list[int]:
        """The model on the paragraph: notes by their nearest passage."""
        context = self._bench.context
        assert context.model is not None and context.index is not None and context.embed_query is not None
        vector = context.embed_query(_paragraph(self._bench, removed))
        with self._bench.database.read() as connection:
            own = connection.execute("SELECT id FROM file WHERE path = ?", (removed.path,)).fetchone()[0]
            found = match_meaning(connection, context.model, context.index, vector, 100)
        best = sorted(found.items(), key=lambda item: -item[1].score)
        return list(dict.fromkeys(entry.file_id for entry, _ in best if entry.file_id != own))[:_DEPTH]


def measure(bench: Bench, links: Sequence[Removed]) -> None:
    """Ask everything, print the table."""
    asker = Asker(bench)
    print(f"{'':20}{'n':>5}   hit@1   hit@5  MRR@10   hit@5 of each half")
    for name, ask in (
        ("caret in the label", asker.caret),
        ("label selected", asker.selected),
        ("link deleted", asker.deleted),
        ("plain: label", asker.by_label),
        ("plain: words", asker.by_words),
        ("plain: model", asker.by_meaning),
    ):
        ranks: tuple[list[int], list[int]] = ([], [])
        for removed in links:
            if (found := ask(removed)) is not None:
                place = found.index(removed.target) + 1 if removed.target in found else 0
                ranks[zlib.crc32(removed.path.encode()) % 2].append(place)
        if every := ranks[0] + ranks[1]:
            reciprocal = fmean(1 / rank if rank else 0.0 for rank in every)
            figures = f"{_hit(every, 1):8.3f}{_hit(every, 5):8.3f}{reciprocal:8.3f}"
            print(f"{name:20}{len(every):5}{figures}   {_hit(ranks[0], 5):.3f} / {_hit(ranks[1], 5):.3f}", flush=True)
    cuts = quantiles(asker.times, n=20)
    print(f"a suggestion once its text is embedded: p50 {cuts[9]:.1f} ms, p95 {cuts[18]:.1f} ms")


def _hit(ranks: Sequence[int], k: int) -> float:
    return fmean(0 < rank <= k for rank in ranks) if ranks else 0.0


def _names(bench: Bench) -> dict[int, list[set[str]]]:
    with bench.database.read() as connection:
        rows = connection.execute("SELECT id, title, path FROM file").fetchall()
    return {row[0]: [set(terms_of(row[1] or "")), set(terms_of(Path(row[2]).stem))] for row in rows}


def _paragraph(bench: Bench, removed: Removed) -> str:
    lines = without(bench, removed, "")[0].text.encode()
    first = lines.rfind(b"\n\n", 0, removed.start) + 1
    last = lines.find(b"\n\n", removed.start)
    return lines[max(0, first) : last if last >= 0 else len(lines)].decode(errors="replace")


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vaults", type=Path, nargs="+")
    parser.add_argument("--links", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "khoj-ls-bench")
    options = parser.parse_args()
    encoder = EncoderService(EmbeddingSettings(), options.cache / "models")
    try:
        encoder.prepare()
        vectors = VectorCache(options.cache / "vectors.db", encoder)
        for root in options.vaults:
            with tempfile.TemporaryDirectory() as scratch:
                bench = open_vault(root.resolve(), Path(scratch), vectors, encoder)
                links = links_to_remove(bench, options.links, options.seed)
                print(f"\n{root.name}: {len(links)} links")
                measure(bench, links)
                bench.database.close()
    finally:
        encoder.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
