"""Formats whose source is not what people read are found by what they say, and shown as that: never by their markup."""

from __future__ import annotations

import json
from base64 import encodebytes

import pytest

from khoj_ls.config.settings import IndexSettings, Settings
from khoj_ls.content.registry import default_registry
from khoj_ls.core.types import CODED_TYPES
from khoj_ls.indexing.indexer import Indexer
from khoj_ls.search.context import SearchContext
from khoj_ls.search.pipeline import search
from khoj_ls.search.types import SearchRequest
from khoj_ls.store.database import Database

PAGE = """<html><head><style>.zebra { color: red }</style><title>Cheese</title></head>
<body class="giraffe"><h1>Cheese</h1>
<p>A caf&eacute; in T&#252;bingen</p></body></html>
"""
MAIL = (
    "Subject: =?utf-8?b?S8Okc2U=?=\nContent-Transfer-Encoding: base64\nContent-Type: text/plain; charset=utf-8\n\n"
    + encodebytes("The badger drinks Gewürztraminer".encode()).decode()
)
CELLS = [
    {"cell_type": "markdown", "metadata": {}, "source": ["# Quinces"]},
    {"cell_type": "code", "metadata": {}, "outputs": [], "source": "first = 1\nsecond = 2  # Größe\nthird = 3"},
    {"cell_type": "markdown", "metadata": {}, "source": ["## Medlars\n", "\n", "Bletted"]},
]
FILES = {
    "page.html": PAGE,
    "letter.eml": MAIL,
    "trees.ipynb": json.dumps({"cells": CELLS, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1),
    "proof.tex": '\\section{Graphs}\nPaul Erd\\H{o}s wrote to G\\"odel.\n% walrus\n',
    "finches.json": '{\n "kind": "\\u00c4rger mit\\nZebrafinken"\n}\n',
}


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    folder = tmp_path_factory.mktemp("coded")
    vault = folder / "vault"
    vault.mkdir()
    for name, text in FILES.items():
        (vault / name).write_text(text, encoding="utf-8")
    database = Database(folder / "index.db")
    settings = Settings(index=IndexSettings(parser_timeout_seconds=600.0))  # beside much else
    indexer = Indexer(vault, database, default_registry(third_party=False), None, settings, lambda event: None)
    indexer.start(watch=False)
    assert indexer.index().failures == ()
    indexer.close()
    yield database
    database.close()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("café Tübingen", [("page.html", 3, "A café in Tübingen")]),
        ("zebra", []),
        ("giraffe", []),
        ("Käse", [("letter.eml", 1, "Subject: Käse")]),
        ("badger Gewürztraminer", [("letter.eml", 5, "The badger drinks Gewürztraminer")]),
        ("S8Okc2U", []),
        ("Quinces", [("trees.ipynb", 3, "Quinces")]),
        ("second Größe", [("trees.ipynb", 14, "first = 1 second = 2 # Größe third = 3")]),
        ("Bletted", [("trees.ipynb", 22, "Bletted")]),
        ("cell_type", []),
        ("Erdős Gödel", [("proof.tex", 2, "Paul Erdős wrote to Gödel.")]),
        ("walrus", []),
        ("Ärger Zebrafinken", [("finches.json", 2, "kind: Ärger mit Zebrafinken")]),
    ],
)
def test_words_are_those_that_people_read(database, query, found):
    hits = search(SearchContext(database, None, None, None), SearchRequest(query, mode="lexical")).hits
    # One note is found as often as its title says the words.
    assert [(hit.path, hit.span.line, hit.snippet) for hit in hits][:1] == found


def test_the_types_are_those_of_content_processors():
    assert set(default_registry(third_party=False).types()) >= CODED_TYPES
