"""Retrieval sets in BEIR layout: corpus.jsonl, queries.jsonl, and judgements in qrels.tsv or qrels/test.tsv.

Thakur et al. 2021, "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval Models",
https://arxiv.org/abs/2104.08663. Of a set only ids, queries and judgements are held; documents are read as they are needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from khoj_ls.core.errors import UsageError
from khoj_ls.evaluation.lines import fault, json_objects, numbered_lines, shown, well_formed
from khoj_ls.search.words import words

Half = Literal["even", "odd"]

_CORPUS, _QUERIES = "corpus.jsonl", "queries.jsonl"
_SAME_WORDS = 0.8
"""So much of a query's words stand in the document that it is; ids that are numbers may be equal by chance."""


class Document(NamedTuple):
    """One document of a set."""

    id: str
    title: str
    text: str
    line: int
    """Its line in corpus.jsonl."""


@dataclass(frozen=True)
class RetrievalSet:
    """What is asked of one set, and which answers are right."""

    name: str
    folder: Path
    documents: frozenset[str]
    """Ids of all documents."""
    queries: Mapping[str, str]
    """Texts of the judged queries by id, in the order of their file."""
    relevant: Mapping[str, Mapping[str, int]]
    """Grades above 0 by query and document."""
    own: frozenset[str]
    """Queries that are themselves a document, of the same id, and not their own answer: it leaves their rankings."""
    unjudged: int = 0
    """How many queries are left out, because no document is judged to be an answer."""

    @property
    def all_own(self) -> bool:
        """Whether every query is a document, so that its related notes can be asked for."""
        return len(self.own) == len(self.queries)


def load_set(folder: Path, split: str | None = None) -> RetrievalSet:
    """Read a set, its documents only for their ids. Raises UsageError that names the file and line of what is wrong.

    `split` names BEIR's `qrels/SPLIT.tsv`; without it qrels.tsv is read, else qrels/test.tsv.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is {'not a folder' if folder.exists() else 'not there'}: name a set in BEIR layout")
    judgements = _judgements_file(folder, split)
    queries = _queries(folder / _QUERIES)
    relevant = _judgements(judgements, queries)
    judged = {query: text for query, text in queries.items() if query in relevant}
    if not judged:
        raise UsageError(f"{judgements}: no document is judged to answer any query (scores above 0)")
    documents, own = _documents_and_own(folder, judged, relevant)
    _check_documents(judgements, documents)
    name = folder.name or folder.resolve().name
    return RetrievalSet(name, folder, documents, judged, relevant, own, len(queries) - len(judged))


def read_documents(folder: Path) -> Iterator[Document]:
    """The documents of a set, one at a time. Raises UsageError."""
    path = folder / _CORPUS
    for number, row in json_objects(path):
        title = row.get("title") or ""
        if not isinstance(title, str):
            raise fault(path, number, f"title is {title!r}, and should be a text")
        yield Document(_id(path, number, row), well_formed(title), _text(path, number, row), number)


def part_of(data: RetrievalSet, half: Half | None = None, most: int | None = None) -> RetrievalSet:
    """A set with one half of its queries (every other one), and of these an even sample of at most `most`.

    Raises UsageError where none is left.
    """
    ids = list(data.queries)
    if half:
        ids = ids[half == "odd" :: 2]
    if most is not None and len(ids) > most:
        ids = [ids[at * len(ids) // most] for at in range(most)]
    if not ids:
        raise UsageError(f"{data.name}: no query is left of {len(data.queries)}")
    chosen = frozenset(ids)
    return replace(data, queries={query: data.queries[query] for query in ids}, own=data.own & chosen)


def _judgements_file(folder: Path, split: str | None) -> Path:
    candidates = [folder / "qrels" / f"{split}.tsv"] if split else [folder / "qrels.tsv", folder / "qrels" / "test.tsv"]
    for path in candidates:
        if path.is_file():
            return path
    there = sorted(path.stem for path in (folder / "qrels").glob("*.tsv"))
    hint = f"; there is --split {', '.join(there)}" if there else ""
    raise UsageError(f"{folder} has no judgements: {' or '.join(str(path) for path in candidates)} is missing{hint}")


def _queries(path: Path) -> dict[str, str]:
    queries: dict[str, str] = {}
    for number, row in json_objects(path):
        query = _id(path, number, row)
        if query in queries:
            raise fault(path, number, f"there are two queries with the _id {shown(query)}")
        queries[query] = _text(path, number, row)
    if not queries:
        raise UsageError(f"{path} is empty")
    return queries


def _judgements(path: Path, queries: Mapping[str, str]) -> dict[str, dict[str, int]]:
    relevant: dict[str, dict[str, int]] = {}
    for number, query, document, grade in _grades(path):
        if query not in queries:
            raise fault(path, number, f"there is no query {shown(query)} in {_QUERIES}")
        if relevant.setdefault(query, {}).setdefault(document, grade) != grade:
            raise fault(path, number, f"query {shown(query)} and document {shown(document)} have another score above")
    return relevant


def _grades(path: Path) -> Iterator[tuple[int, str, str, int]]:
    """Line, query, document and grade of the judgements above 0; a first line without a number is the header."""
    first = True
    for number, line in numbered_lines(path):
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) != 3:
            raise fault(path, number, f"{len(fields)} columns, and should be query-id, corpus-id and score between tabs")
        query, document, score = fields
        try:
            grade = float(score)
        except ValueError as error:
            if not first:
                raise fault(path, number, f"the score is {shown(score)}, and should be a whole number") from error
            grade = 0.0
        if not grade.is_integer():
            raise fault(path, number, f"the score is {shown(score)}, and should be a whole number")
        if grade > 0:
            yield number, query, document, int(grade)
        first = False
    if first:
        raise UsageError(f"{path} is empty")


def _documents_and_own(
    folder: Path, queries: Mapping[str, str], relevant: Mapping[str, Mapping[str, int]]
) -> tuple[frozenset[str], frozenset[str]]:
    """Ids of all documents, and the queries that are one of them. Raises UsageError."""
    path = folder / _CORPUS
    documents: set[str] = set()
    own: set[str] = set()
    for document in read_documents(folder):
        if document.id in documents:
            raise fault(path, document.line, f"there are two documents with the _id {shown(document.id)}")
        documents.add(document.id)
        query = queries.get(document.id)
        if query is not None and document.id not in relevant[document.id] and _is_document(query, document):
            own.add(document.id)
    if not documents:
        raise UsageError(f"{path} is empty")
    return frozenset(documents), frozenset(own)


def _check_documents(path: Path, documents: frozenset[str]) -> None:
    """Raise UsageError for the first judgement of a document that there is not."""
    for number, _, document, _ in _grades(path):
        if document not in documents:
            raise fault(path, number, f"there is no document {shown(document)} in {_CORPUS}")


def _is_document(query: str, document: Document) -> bool:
    asked = {word.lower() for word in words(query)}
    said = {word.lower() for word in words(f"{document.title} {document.text}")}
    return len(asked & said) >= _SAME_WORDS * len(asked)


def _id(path: Path, number: int, row: Mapping[str, Any]) -> str:
    value = row.get("_id")
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise fault(path, number, f"_id is {value!r}, and should be a text" if "_id" in row else "_id is missing")
    return well_formed(str(value))


def _text(path: Path, number: int, row: Mapping[str, Any]) -> str:
    value = row.get("text")
    if not isinstance(value, str):
        raise fault(path, number, f"text is {value!r}, and should be a text" if "text" in row else "text is missing")
    return well_formed(value)
