"""A small vault in a database, and an embedder that knows a few words by meaning and all others by their letters."""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass, field

import pytest

from khoj_ls.core.types import Anchor, Chunk, Entry, EntryDate, Link, ParsedFile, Span
from khoj_ls.search.context import SearchContext
from khoj_ls.search.pipeline import search
from khoj_ls.search.related import related
from khoj_ls.search.types import RelatedRequest, SearchRequest
from khoj_ls.store.chunks import chunk_hash, store_chunks, store_vectors, use_model
from khoj_ls.store.database import Database
from khoj_ls.store.files import FileStat, content_hash, replace_file
from khoj_ls.store.vectors import VectorIndex

DIMENSIONS = 64
MEANS = {
    "automobile": "car",
    "vehicle": "car",
    "bicycle": "bike",
    "feline": "cat",
    "kitten": "cat",
    "router": "network",
    "wifi": "network",
}


def embed(text: str) -> bytes:
    """A unit vector: words are letters' hashes, except those that mean the same."""
    values = [1e-6] * DIMENSIONS
    for word in re.findall(r"\w+", text.lower()):
        digest = hashlib.blake2b(MEANS.get(word, word).encode(), digest_size=4).digest()
        values[digest[0] % DIMENSIONS] += 1.0 if digest[1] % 2 else -1.0
    length = sum(value * value for value in values) ** 0.5
    return struct.pack(f"<{DIMENSIONS}f", *(value / length for value in values))


def sections(text: str) -> list[Entry]:
    """Entries at lines that begin with `#`; links as `[text](target)` are reduced to their text."""
    lines = text.splitlines(keepends=True)
    starts = [0] if not lines or not lines[0].startswith("#") else []
    starts += [number for number, line in enumerate(lines) if line.startswith("#")]
    entries: list[Entry] = []
    path: list[tuple[int, str, int]] = []
    offset = 0
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        raw = "".join(lines[start:end])
        marker = re.match(r"(#+) ?(.*)", raw)
        level, heading = (len(marker[1]), marker[2].strip()) if marker else (0, "")
        path = [step for step in path if step[0] < level]
        body = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", raw)
        if marker:
            body = "\n" + body.partition("\n")[2]
        written = body.splitlines()
        blocks = [
            i for i, line in enumerate(written) if line.strip() and (line[0] == "-" or i == 0 or not written[i - 1].strip())
        ]
        links = tuple(
            Link("markdown", match[2], match[1], Span(0, 0, start + 1, end))
            for match in re.finditer(r"\[([^\]]*)\]\(([^)]*)\)", raw)
        )
        entries.append(
            Entry(
                span=Span(offset, offset + len(raw.encode()), start + 1, max(end, start + 1)),
                level=level,
                heading=heading,
                outline=tuple(step[1] for step in path),
                parent=path[-1][2] if path else None,
                raw=raw,
                text=body,
                blocks=tuple(blocks),
                links=links,
                anchors=(Anchor("heading", heading, Span(0, 0, start + 1, start + 1)),) if heading else (),
            )
        )
        if level:
            path.append((level, heading, len(entries) - 1))
        offset += len(raw.encode())
    return entries


@dataclass
class Vault:
    """Notes in a database, and the two questions that can be asked of them."""

    database: Database
    model: object
    index: VectorIndex
    embed_query: object = embed
    files: dict[str, int] = field(default_factory=dict)

    def put(self, path: str, text: str, *, title=None, tags=(), aliases=(), date=None, embedded=True, whole=False) -> None:
        """Store a note; a chunk per entry, or one for the `whole` note."""
        entries = sections(text)
        dates = (EntryDate("note", date),) if date else ()
        parsed = ParsedFile("markdown", title, tuple(entries), tags=tags, aliases=aliases, dates=dates)
        last = len(entries) - 1
        if whole:
            span = Span(0, entries[-1].span.end, 1, entries[-1].span.end_line)
            chunks = [Chunk(0, last, 0, span, f"{title or ''}\n{text}", 1)]
        else:
            texts = [f"{title or ''}\n{entry.heading}\n{entry.text}" for entry in entries]
            chunks = [Chunk(i, i, i, entries[i].span, text, len(text.split())) for i, text in enumerate(texts)]
        with self.database.write() as connection:
            stat = FileStat(path, len(text), 1, 1, 1)
            self.files[path] = replace_file(connection, stat, content_hash(text.encode()), parsed)
            store_chunks(connection, self.model, self.files[path], chunks, 0.0)
            if embedded:
                store_vectors(connection, self.model, [(chunk_hash(chunk.text), embed(chunk.text)) for chunk in chunks])

    @property
    def context(self) -> SearchContext:
        return SearchContext(self.database, self.model, self.index, self.embed_query, patience_seconds=30.0)

    def search(self, query: str, **options):
        return search(self.context, SearchRequest(query, **options))

    def found(self, query: str, **options) -> list[str]:
        """`path:first-last` of each hit."""
        return [f"{hit.path}:{hit.span.line}-{hit.span.end_line}" for hit in self.search(query, **options).hits]

    def related(self, path=None, **options):
        return related(self.context, RelatedRequest(path, **options))


def make_vault(folder) -> Vault:
    database = Database(folder / "index.db")
    with database.write() as connection:
        model = use_model(connection, "letters", "letters", DIMENSIONS, "sections")
    return Vault(database, model, VectorIndex(database, model, folder / "vectors.hnsw", exact_below=10**6))


@pytest.fixture(scope="session")
def empty_vault():
    """Makes an empty vault in a folder: for property tests, which need a new one for each example."""
    return make_vault


@pytest.fixture
def vault(tmp_path):
    vault = make_vault(tmp_path)
    yield vault
    vault.database.close()
