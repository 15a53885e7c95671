"""Writes retrieval sets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

MakeSet = Callable[..., Path]

CORPUS = [{"_id": "a", "title": "Ants", "text": "They dig."}, {"_id": "b", "title": "", "text": "Bees hum."}]
QUERIES = [{"_id": "q1", "text": "who digs"}, {"_id": "q2", "text": "who hums"}]
QRELS = "query-id\tcorpus-id\tscore\nq1\ta\t1\nq2\tb\t2\n"


def json_lines(rows: Iterable[Mapping[str, object] | str]) -> str:
    """One JSON value per line; what is text already stays as it is."""
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)


@pytest.fixture
def make_set(tmp_path: Path) -> MakeSet:
    """Write a set: files by name; what is not given is a small set that is right, None leaves a file out."""

    def make(name: str = "small", **changes: str | bytes | None) -> Path:
        files: dict[str, str | bytes | None] = {
            "corpus.jsonl": json_lines(CORPUS),
            "queries.jsonl": json_lines(QUERIES),
            "qrels.tsv": QRELS,
        }
        folder = tmp_path / name
        for file, text in {**files, **changes}.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is not None:
                path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return folder

    return make
