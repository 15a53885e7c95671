"""A retrieval set as a vault: every document a Markdown note that is parsed, chunked, embedded and indexed as notes are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from khoj_ls.content.chunk import chunk_file, chunker_id
from khoj_ls.content.registry import ProcessorRegistry, default_registry, parse_file
from khoj_ls.core.jobs import Progress, ProgressCallback
from khoj_ls.core.protocols import Tokenizer
from khoj_ls.embed.service import EncoderService
from khoj_ls.evaluation.beir import Document, RetrievalSet, read_documents
from khoj_ls.evaluation.vectors import VectorCache
from khoj_ls.search.context import SearchContext
from khoj_ls.store.chunks import ActiveModel, next_pending, pending_count, store_chunks, store_vectors, use_model
from khoj_ls.store.database import Database
from khoj_ls.store.files import FileStat, content_hash, replace_file
from khoj_ls.store.vectors import VectorIndex

Names = Literal["opaque", "id"]
"""What the notes' files are called: the documents' ids, as notes have names that are searched, or numbers: no name helps."""

_DOCUMENTS_AT_ONCE = 500
_TEXTS_AT_ONCE = 4096
_PATIENCE_SECONDS = 600.0
"""A model that is only starting must not turn a measured search into one of words alone."""


@dataclass(frozen=True)
class IndexedSet:
    """A set that can be searched."""

    context: SearchContext
    ids: Mapping[str, str]
    """Documents by path."""
    paths: Mapping[str, str]
    """Paths by document."""
    unread: int
    """How many documents the parser could make nothing of."""


def index_set(
    data: RetrievalSet,
    encoder: EncoderService,
    vectors: VectorCache,
    database: Database,
    names: Names,
    *,
    exact_below: int,
    progress: ProgressCallback,
) -> IndexedSet:
    """Index the documents of a set in an empty `database`, all embedded; a few at a time. Raises UsageError, ModelError."""
    registry, tokenizer = default_registry(third_party=False), encoder.tokenizer()
    with database.write() as connection:
        model = use_model(connection, encoder.id, "evaluation", encoder.dimensions, chunker_id(tokenizer))
    paths: dict[str, str] = {}
    unread = 0
    documents = enumerate(_named(data, names))
    while some := list(islice(documents, _DOCUMENTS_AT_ONCE)):
        progress(Progress("words", len(paths), len(data.documents)))
        unread += _store(database, model, registry, tokenizer, some)
        paths.update((document.id, path) for _, (document, path) in some)
    _embed(database, model, vectors, progress)
    index = VectorIndex(database, model, database.path.with_suffix(".hnsw"), exact_below=exact_below)
    context = SearchContext(
        database,
        model,
        index,
        lambda text: vectors.embed([text], "query")[0],
        lambda text: vectors.embed([text], "document")[0],
        patience_seconds=_PATIENCE_SECONDS,
    )
    context.words.renew(database)  # as an open vault does with its first searches
    return IndexedSet(context, {path: document for document, path in paths.items()}, paths, unread)


def note(title: str, text: str) -> bytes:
    """A document as a Markdown note; the title goes where notes have it, into the front matter."""
    head = f"---\ntitle: {json.dumps(title)}\n---\n\n" if title else ""
    return f"{head}{text}\n".encode()


def _named(data: RetrievalSet, names: Names) -> Iterator[tuple[Document, str]]:
    taken: set[str] = set()
    for number, document in enumerate(read_documents(data.folder)):
        name = document.id.replace("/", ".") if names == "id" else f"{number:06}"
        # Two ids may differ only by a slash.
        path = f"{name}.md" if f"{name}.md" not in taken else f"{name}.{number:06}.md"
        taken.add(path)
        yield document, path


def _store(
    database: Database,
    model: ActiveModel,
    registry: ProcessorRegistry,
    tokenizer: Tokenizer,
    documents: Iterable[tuple[int, tuple[Document, str]]],
) -> int:
    """Parse and cut some documents, in one transaction; returns how many could not be read."""
    unread = 0
    with database.write() as connection:
        for number, (document, path) in documents:
            parsed = parse_file(registry, source := note(document.title, document.text), path)
            unread += any(problem.severity == "error" for problem in parsed.problems)
            stat = FileStat(path, len(source), 1, 1, number)
            file_id = replace_file(connection, stat, content_hash(source), parsed)
            store_chunks(connection, model, file_id, chunk_file(parsed.title, parsed.entries, tokenizer), 0.0)
    return unread


def _embed(database: Database, model: ActiveModel, vectors: VectorCache, progress: ProgressCallback) -> None:
    """Give every text that waits its vector."""
    with database.read() as connection:
        total = pending_count(connection, model)
    done = 0
    while True:
        with database.read() as connection:
            some = next_pending(connection, model, _TEXTS_AT_ONCE)
        if not some:
            return
        made = vectors.embed([text.text for text in some], progress=progress, done=done, total=total)
        done += len(some)
        with database.write() as connection:
            store_vectors(connection, model, zip((text.hash for text in some), made, strict=True))
