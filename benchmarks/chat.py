"""What a turn of a chat takes beside its model: from the question to the passages found, and to the end of the answer.

    python -m benchmarks.chat [--chunks 10000] [--questions 100] [--seed 1]

The made-up index of benchmarks.latency, searched and read through the real rooms: search, sections, the file of conversations.
The model answers at once, so that all of the time is the engine's; the encoder's share is measured by benchmarks.encoder.
Every second question goes on with a conversation and leans on what was said, which is searched for twice.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.latency import DIMENSIONS, fill, merge_words
from benchmarks.made_up import MadeUpPlaces
from khoj_ls.chat.desk import ChatDesk, Persona
from khoj_ls.chat.engine import answer, begin
from khoj_ls.chat.kept.conversations import KeptConversations
from khoj_ls.chat.notes.indexed import IndexedNotes
from khoj_ls.chat.types import ChatRequest, Done, Failed, Sources
from khoj_ls.config.settings import ChatSettings, IndexSettings, SearchSettings
from khoj_ls.content.registry import default_registry
from khoj_ls.core.chat import ChatModel, Delta, Finished, Message, ModelCard, Sampling, Usage
from khoj_ls.core.jobs import CancelToken
from khoj_ls.evaluation.speed.rows import Row, p50, p95, row
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.open_note import NoteReader
from khoj_ls.indexing.ignore import IgnoreRules
from khoj_ls.search.context import SearchContext
from khoj_ls.search.matching import WordFinder
from khoj_ls.search.pipeline import search
from khoj_ls.search.statistics import StatisticsCache
from khoj_ls.search.types import SearchRequest, SearchResult
from khoj_ls.search.word_states import WordStates
from khoj_ls.store.database import Database
from khoj_ls.store.vectors import VectorIndex

GOAL_MS = 150.0
"""From the question to the passages, at 10,000 chunks."""
_PIECES = 400


class Ready:
    """A model that answers at once, as long as models do, with citations."""

    card = ModelCard("made-up", "model", 32_000, 2048)
    host = ""
    remote = False

    def choose(self, name: str, base_url: str | None = None) -> ChatModel:
        """Itself."""
        return self

    def check_consent(self, model: ChatModel, messages: Sequence[Message], answer: int = 0) -> None:
        """Nothing is sent."""

    def count(self, text: str) -> int:
        """An estimate."""
        return -(-len(text) // 4)

    def stream(self, messages: Sequence[Message], sampling: Sampling, token: CancelToken) -> Iterator[Delta | Finished]:
        """Sentences with citations, in small pieces."""
        for number in range(_PIECES):
            yield Delta(f" word{number}" if number % 12 else f" [{number % 9 + 1}].")
        yield Finished(Usage(1, 1))

    def close(self) -> None:
        """Nothing to give back."""


def main() -> int:
    """Measure and print; 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=10_000)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    first, processor, whole, searched = measure(options.chunks, options.questions, options.seed)
    rest = [all_of_it - before for before, all_of_it in zip(first, whole, strict=True)]
    own = [before - inside for before, inside in zip(first, searched, strict=True)]
    sys.stdout.write(
        f"{options.chunks} chunks, {options.questions} questions: passages found after p50 / p95 {_figures(first)} ms "
        f"(goal {GOAL_MS:g}; of processor time {_figures(processor)}), of these search {_figures(searched)}, "
        f"the engine {_figures(own)};\n"
        f"the rest of an answer of {_PIECES} pieces {_figures(rest)} ms, {statistics.median(rest) / _PIECES * 1000:.0f} us\n"
    )
    return 0 if statistics.quantiles(first, n=20)[-1] <= GOAL_MS else 1


def rows(chunks: int = 10_000, questions: int = 100, seed: int = 1) -> Iterator[Row]:
    """Its rows."""
    first, _, whole, searched = measure(chunks, questions, seed)
    rest = [all_of_it - before for before, all_of_it in zip(first, whole, strict=True)]
    note = (
        f"p50 {p50(first):.1f}, of it search {p50(searched):.1f}; the rest of an answer of {_PIECES} pieces {p50(rest):.0f} ms"
    )
    yield row("chat: passages found, p95", p95(first), note=note)


def _figures(times: Sequence[float]) -> str:
    return f"{statistics.median(times):.1f} / {statistics.quantiles(times, n=20)[-1]:.1f}"


def measure(chunks: int, questions: int, seed: int) -> tuple[list[float], ...]:
    """Milliseconds to the passages, of processor time to them, to the end, and within the search, of each question."""
    numbers, places = random.Random(seed), MadeUpPlaces(np.random.default_rng(seed), DIMENSIONS)
    vocabulary = [f"{numbers.choice('bcdfglmnprst')}{numbers.choice('aeiou')}w{i:x}" for i in range(50_000)]
    weights = [1.0 / (rank + 3) for rank in range(len(vocabulary))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = Database(folder / "index.db")
        model = fill(database, chunks, numbers, vocabulary, weights, places)
        merge_words(database)
        index = VectorIndex(database, model, folder / "v.hnsw", exact_below=30_000)
        index.catch_up()
        shared, finder, inside = StatisticsCache(), WordFinder(), [0.0]
        words = WordStates(folder / "words.postings")
        words.renew(database)

        def find(request: SearchRequest, token: CancelToken) -> SearchResult:
            [vector] = places.of_queries(1)
            context = SearchContext(
                database, model, index, lambda _: vector.tobytes(), statistics=shared, finder=finder, words=words
            )
            begun = time.perf_counter()
            found = search(context, request, token)
            inside[0] += (time.perf_counter() - begun) * 1000
            return found

        desk = desk_of(folder, database, find)
        times: list[tuple[float, ...]] = []
        conversation: str | None = None
        for number in range(questions + 5):
            words = " ".join(numbers.choices(vocabulary, weights, k=numbers.randint(3, 9)))
            inside[0] = 0.0
            *taken, conversation = one(desk, f"and why is it {words}" if number % 2 else words, conversation)
            times.append((*taken, inside[0]))
            conversation = conversation if number % 6 < 5 else None
        del times[:5]  # the first ones fill caches
        database.close()
    return tuple(list(column) for column in zip(*times, strict=True))


def desk_of(folder: Path, database: Database, find: object) -> ChatDesk:
    """The desk of a made-up vault."""
    registry = default_registry()

    def ask(question):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  # any answer of any question
        with database.read() as connection:
            return question(LinkNetwork(connection))

    rules = IgnoreRules(folder, IndexSettings(), registry.extensions())
    ready = Ready()
    return ChatDesk(
        settings=ChatSettings(model="made-up/model", subqueries=False),
        search_settings=SearchSettings(),
        search=find,  # type: ignore[arg-type]  # as made above
        notes=IndexedNotes(rules, ask, NoteReader(registry), lambda request: SearchResult(())),
        conversations=KeptConversations(folder),
        models=ready,
        personas=lambda: {"default": Persona("default", "", "You answer questions about notes.")},
    )


def one(desk: ChatDesk, message: str, conversation: str | None) -> tuple[float, float, float, str]:
    """Milliseconds to the passages, of processor time to them, and to the end of one turn; and its conversation."""
    begun, busy = time.perf_counter(), time.thread_time()
    request = ChatRequest(message, conversation)
    started = begin(desk, request)
    first = processor = 0.0
    for event in answer(desk, request, started, CancelToken()):
        if isinstance(event, Sources):
            first, processor = (time.perf_counter() - begun) * 1000, (time.thread_time() - busy) * 1000
        if isinstance(event, Failed):
            raise RuntimeError(event.message)
        if isinstance(event, Done) and not event.citations:
            raise RuntimeError("nothing was found and cited")
    return first, processor, (time.perf_counter() - begun) * 1000, started.conversation


if __name__ == "__main__":
    sys.exit(main())
