"""Embedding models that plugins bring: notes are found by them, and one that breaks takes nothing with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from waiting import wait_until

from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.core.errors import ModelError
from khoj_ls.embed.plugged import plugged_backend, prepare_plugged
from khoj_ls.embed.presets import resolve_model
from khoj_ls.indexing.models import active_model
from khoj_ls.models.messages import Load
from khoj_ls.plugins.found import find_plugins
from khoj_ls.plugins.manager import Order
from khoj_ls.search.types import SearchRequest, SearchResult

NOTES = {
    "car.md": "# Motor\nThe automobile is in the garage.\n",
    "boat.md": "# Sail\nThe vessel is in the harbour.\n",
    "secret.md": "---\nprivate: true\n---\n# Shed\nA second automobile.\n",
}
TOPICS = "TOPICS = (('car', 'automobile', 'garage'), ('boat', 'vessel', 'harbour'))\n"


def toy(documents: str = "return [self.embed_query(text) for text in texts]", identity: str = "toy 1", remote: str = "") -> str:
    """A plugin with a model of three dimensions, two of which stand for a topic."""
    return f"""
from khoj_ls.plugins.kinds import EmbeddingChoice
{TOPICS}
class Toy:
    id, dimensions, max_tokens, remote = {identity!r}, 3, 600, {remote!r}

    def embed_documents(self, texts):
        {documents}

    def embed_query(self, text):
        return [0.1, *(float(sum(word in text.lower() for word in topic)) for topic in TOPICS)]

@hookimpl
def khoj_embedding_models():
    return [EmbeddingChoice("toy", "Knows two topics.", Toy)]
"""


def chosen(**more: Any) -> EmbeddingSettings:
    return EmbeddingSettings(model="toy", **more)


def by_meaning(book: Any, query: str) -> SearchResult:
    return book.vault.search(SearchRequest(query, mode="dense"))


def until_embedded(book: Any) -> None:
    wait_until(lambda: not book.vault.busy, "the notes were embedded")


def key_of(book: Any) -> str:
    model = book.vault.links(lambda network: active_model(network.connection))
    return model.key


def test_notes_are_found_by_the_model_of_a_plugin(notebook: Any) -> None:
    book = notebook(NOTES, embedding=chosen(), toys=toy())
    until_embedded(book)
    assert [hit.path for hit in by_meaning(book, "boat").hits][:1] == ["boat.md"]
    assert {hit.path for hit in by_meaning(book, "car").hits[:2]} == {"car.md", "secret.md"}
    [toys] = book.vaults.plugin_report().plugins
    assert (toys.brings, book.vault.status().model, book.vault.status().coverage) == (("embedding model toy",), "toy", 1.0)


def test_another_id_is_another_model_and_other_code_with_the_same_id_is_none(notebook: Any) -> None:
    keys = []
    for text in (toy(), toy("raise OSError") + "# other code\n", toy(identity="toy 2")):
        book = notebook(NOTES, embedding=chosen(), toys=text)
        until_embedded(book)
        keys.append(key_of(book))
        assert book.vault.status().coverage == 1.0
        book.vaults.close()
    assert (keys[0] == keys[1], keys[1] == keys[2]) == (True, False)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("import os; os._exit(3)", "the encoder ended twice while embedding"),
        ("import time; time.sleep(3600)", "it took longer than 1 s"),  # hangs: nobody waits for it
    ],
)
def test_a_model_that_dies_or_hangs_costs_its_vectors_and_nothing_else(notebook: Any, body: str, told: str) -> None:
    book = notebook({"car.md": NOTES["car.md"]}, {"model_seconds": 1.0}, embedding=chosen(), toys=toy(body))
    wait_until(lambda: told in book.vault.status().message, f"the status told: {told}")
    assert book.vault.search(SearchRequest("automobile")).degraded
    assert book.found("automobile") == ["car.md"]


@pytest.fixture
def ordered(tmp_path: Path) -> Callable[[str], str]:
    """What loads a plugin of this text in the encoder's process, which the test stands in for."""

    def order(text: str) -> str:
        home = Folders(*(tmp_path / name for name in ("config", "data", "state", "run")))
        (home.config / "plugins").mkdir(parents=True)
        (home.config / "plugins" / "toys.py").write_text(f"from khoj_ls.plugins.hookspecs import hookimpl\n{text}")
        return msgspec.json.encode(Order(tuple(find_plugins(home)[0]))).decode()

    return order


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("raise OSError('no such weights')", "OSError: no such weights"),
        ("return [[1.0, 2.0]] * len(texts)", "it returned vectors of shape (2, 2) where (2, 3) was wanted"),
        ("return [[float('nan')] * 3] * len(texts)", "it returned vectors that hold no numbers"),
        ("return 'nonsense'", "ValueError"),
    ],
)
def test_vectors_that_are_none_are_told(ordered: Callable[[str], str], tmp_path: Path, body: str, told: str) -> None:
    order = ordered(toy(body))
    known = prepare_plugged("toy", order, tmp_path / "toy")
    backend = plugged_backend(Load(folder="", threads=1, batch_tokens=99, batch_inputs=9, nice=0, plugin=order), known)
    batches = backend.plan([("query", "a car"), ("document", "a boat"), ("document", "a ship")])
    assert [batch.places for batch in batches] == [[0], [1, 2]]
    assert [len(vector) for vector in backend.run(batches[0])] == [12]
    with pytest.raises(ModelError, match=re.escape(f"the embedding model toy of the plugin toys failed: {told}")):
        backend.run(batches[1])
    with pytest.raises(ModelError, match="is another one than it was"):
        plugged_backend(
            Load(folder="", threads=1, batch_tokens=99, batch_inputs=9, nice=0, plugin=order),
            msgspec.structs.replace(known, revision="toy 0"),
        )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (toy().replace('"toy", "Knows', '"other", "Knows'), "it brings none of that name"),
        (toy().replace("3, 600", "0, 600"), "its dimensions are a whole number"),
        (toy().replace("3, 600", "3, 'many'"), "its max_tokens are a whole number"),
        (toy(identity=""), "the id names it"),
        (toy().replace(", Toy)]", ", object)]"), "a object is no EmbeddingModel"),
        (toy().replace("class Toy:", "class Toy:\n    tokenizer = '/none.json'\n"), "/none.json does not load"),
        (toy().replace(", Toy)]", ", lambda: 1 / 0)]"), "ZeroDivisionError"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_what_is_no_model_is_told(ordered: Callable[[str], str], tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ModelError, match=told):
        prepare_plugged("toy", ordered(text), tmp_path / "toy")


def test_no_name_of_a_built_in_model_is_taken_and_a_wrong_name_is_told_with_those_of_plugins(notebook: Any) -> None:
    both = toy().replace("[EmbeddingChoice", '[EmbeddingChoice("fast", "Is taken.", Toy), EmbeddingChoice')
    book = notebook({}, toys=both)
    assert [(each.plugin, each.error) for each in book.vaults.plugin_report().problems] == [
        ("toys", "khoj_embedding_models: there is a fast already; that one is kept")
    ]
    with pytest.raises(ModelError, match=r"no embedding model 'tos' \(did you mean toy\?\): use a preset \(fast, .*, toy\)"):
        resolve_model(EmbeddingSettings(model="tos"), book.vaults.plugins)


def test_where_a_model_sends_texts_private_ones_never_go_and_none_without_a_yes(notebook: Any, tmp_path: Path) -> None:
    log = tmp_path / "sent.txt"
    keeps = f"open({str(log)!r}, 'a').write(''.join(texts)); return [self.embed_query(text) for text in texts]"
    away = toy(keeps, remote="https://vectors.example.org")
    book = notebook(NOTES, embedding=chosen(), toys=away)
    wait_until(lambda: "https://vectors.example.org" in book.vault.status().message, "a yes was asked for")
    assert (log.exists(), by_meaning(book, "boat").degraded) == (False, True)
    book.vaults.close()
    book = notebook(NOTES, embedding=chosen(allow_remote=True), toys=away)
    until_embedded(book)
    assert [hit.path for hit in by_meaning(book, "boat").hits][:1] == ["boat.md"]
    assert ("automobile is in the garage" in log.read_text(), "second" in log.read_text()) == (True, False)
