"""Files made to hurt, a part of their full size (`make hostile` reads them whole): what is read, what is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile_files import FILES, OTHER, PLANTED, SECRET
from told_entries import read

from khoj_ls.config.settings import IndexSettings, Settings
from khoj_ls.content.registry import default_registry, places_fault
from khoj_ls.core.types import ParsedFile
from khoj_ls.indexing.indexer import Indexer
from khoj_ls.search.context import SearchContext
from khoj_ls.search.pipeline import search
from khoj_ls.search.types import SearchRequest
from khoj_ls.store.database import Database

SCALE = 0.003

CODES = {
    "a PDF that ends in the middle": "damaged",
    "an encrypted PDF": "encrypted",
    "groups in groups": "too-large",
    "closed groups": "too-large",
    "a giant \\bin": "no-text",
    "a \\bin beyond all numbers": "no-text",
    "names that climb, in a document": "damaged",
    "names that climb, in a workbook": "no-text",
    "names that climb, in a book": "damaged",
    "laughs in a document": "xml-entities",
    "laughs in an ODT": "xml-entities",
    "laughs in a package": "no-text",
    "an entity of another file": "xml-entities",
    "a bomb of a document": "damaged",
    "a bomb of a workbook": "no-text",
    "a bomb of an ODT": "damaged",
    "a bomb of a book": "no-text",
}
"""Of files that nothing is read of: the problem. At full size bombs are refused as such: `office/test_hostile.py`."""


@pytest.fixture(scope="module")
def parsed() -> dict[str, ParsedFile]:
    return {name: read(build(SCALE), file) for name, (file, build) in FILES.items()}


@pytest.mark.parametrize("name", FILES)
def test_a_file_made_to_hurt_is_read_or_refused_with_a_reason(parsed, name):
    found = parsed[name]
    errors = [problem.code for problem in found.problems if problem.severity == "error"]
    assert (errors, bool(found.entries)) == (([CODES[name]], False) if name in CODES else ([], bool(found.entries)))
    assert found.entries or found.problems
    assert places_fault(found.entries) is None


def test_what_can_be_read_is_read(parsed):
    said = {
        name: any(PLANTED in " ".join([entry.heading, entry.text]) for entry in found.entries) for name, found in parsed.items()
    }
    full = {name: PLANTED.encode() in build(SCALE) for name, (_, build) in FILES.items()}
    assert [name for name in FILES if full[name] and name not in CODES and not said[name]] == []


def test_nothing_is_read_of_other_files(parsed):
    assert SECRET in Path(OTHER).read_text(encoding="utf-8")
    said = {name: "".join(f"{entry.heading} {entry.text}" for entry in found.entries) for name, found in parsed.items()}
    assert [name for name, text in said.items() if SECRET in text] == []


def test_the_rest_of_the_vault_is_indexed(tmp_path):
    vault = tmp_path / "vault"
    vault.mkdir()
    for number, (file, build) in enumerate(FILES.values()):
        (vault / f"{number}-{file}").write_bytes(build(SCALE))
        (vault / f"{number}.md").write_text("# Good\n\nThe heron waits.\n", encoding="utf-8")
    database = Database(tmp_path / "index.db")
    settings = Settings(index=IndexSettings(parser_timeout_seconds=600.0))  # beside much else
    indexer = Indexer(vault, database, default_registry(third_party=False), None, settings, lambda event: None)
    indexer.start(watch=False)
    report = indexer.index()
    indexer.close()
    hits = search(SearchContext(database, None, None, None), SearchRequest("heron waits", mode="lexical", limit=100)).hits
    database.close()
    assert {hit.path for hit in hits} == {f"{number}.md" for number in range(len(FILES))}
    refused = {Path(path).name for path, _ in report.failures}
    assert refused == {f"{number}-{file}" for number, (name, (file, _)) in enumerate(FILES.items()) if name in CODES}
