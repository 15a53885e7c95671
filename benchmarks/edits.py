"""Edits: how long after a note was saved a sentence of it is the first answer, by words and by meaning.

    python -m benchmarks.edits [--vault DIR] [--notes 100] [--edits 10] [--seed 1]

A sentence is appended to a note as any program would do it, while the vault is open, completely indexed and watched; then the
sentence is searched verbatim again and again. Without --vault the notes are made up by the seed; a vault that is named is
copied first. A figure is the median of the milliseconds until the note came first with the lines of the sentence.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.indexing import make_vault
from khoj_ls.config.paths import Folders, folders
from khoj_ls.config.settings import EmbeddingSettings, Settings
from khoj_ls.embed.service import EncoderService
from khoj_ls.evaluation.speed.rows import Row, lines, not_measured, p50, row
from khoj_ls.search.types import Mode, SearchRequest
from khoj_ls.vault import Vault

_PATIENCE = 60.0
_LOOK = 0.002
_SENTENCES = (
    "The lighthouse keeper painted the garden gate blue on a rainy Tuesday.",
    "My aunt from Trieste lost a silver compass in the reeds below the mill.",
    "A retired ferryman taught three children to whistle with a blade of grass.",
    "The village baker repaired the church clock with a spoon and some wire.",
    "Our piano tuner sent a postcard of a volcano without a word on it.",
    "Two beekeepers crossed the frozen lake with a sledge full of honey.",
    "The stationmaster grows tomatoes between the rails of platform four.",
    "A one-eyed cat slept in the violin case all through the rehearsal.",
    "Grandfather's accordion was sold to a circus travelling to Lisbon.",
    "The astronomer forgot her umbrella on the roof of the observatory.",
)


def sentence(number: int) -> str:
    """A sentence like no other; later rounds tell them apart by a year."""
    round_ = f" That was in {1900 + number}." if number >= len(_SENTENCES) else ""
    return _SENTENCES[number % len(_SENTENCES)] + round_


def first_after(vault: Vault, path: str, line: int, text: str, mode: Mode, since: float) -> float | None:
    """Milliseconds from `since` until a search for `text` has the line of the note first; None if it never has."""
    while (now := time.perf_counter()) - since < _PATIENCE:
        hits = vault.search(SearchRequest(text, limit=1, mode=mode)).hits
        if hits and hits[0].path == path and hits[0].span.line <= line <= hits[0].span.end_line:
            return (time.perf_counter() - since) * 1000
        time.sleep(max(0.0, _LOOK - (time.perf_counter() - now)))
    return None


def measure(vault: Vault, times: int, seed: int) -> dict[str, list[float | None]]:
    """Edit `times` notes of any size, one after the other: milliseconds until each came first, by words and by meaning."""
    chooser = random.Random(seed)
    notes = sorted(path for path in vault.root.rglob("*") if path.suffix in (".md", ".org"))
    found: dict[str, list[float | None]] = {"words": [], "meaning": []}
    for number in range(times):
        note, text = chooser.choice(notes), sentence(number)
        path, line = note.relative_to(vault.root).as_posix(), note.read_text(encoding="utf-8").count("\n") + 3
        with note.open("a", encoding="utf-8") as stream:
            stream.write(f"\n\n{text}\n")
        since = time.perf_counter()
        found["words"].append(first_after(vault, path, line, text, "lexical", since))
        found["meaning"].append(first_after(vault, path, line, text, "dense", since))
    return found


def rows(folder: Path | None = None, notes: int = 60, edits: int = 10, seed: int = 1) -> Iterator[Row]:
    """Its rows, over a copy of the notes in `folder` or over made-up ones; a figure counts only if every edit came first."""
    service = EncoderService(EmbeddingSettings(), folders().models)
    service.prepare()
    encoder_for: Callable[[EmbeddingSettings, str], EncoderService] = lambda settings, model: service  # noqa: E731
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch).resolve()
        root = home / "vault"
        if folder:
            shutil.copytree(folder, root, symlinks=True)
        else:
            make_vault(root, notes, seed)
        vault = Vault(root, Settings(), Folders(home / "config", home / "data", home / "state", home / "run"), encoder_for)
        try:
            begun = time.perf_counter()
            report = vault.index()
            seconds = time.perf_counter() - begun
            note = f"{report.files:,} notes, {report.chunks:,} passages, {seconds:.1f} s, by {service.status().backend}"
            yield row("notes to meaning, end to end", report.chunks / seconds, note=note)
            for name, each in measure(vault, edits, seed).items():
                times = [value for value in each if value is not None]
                if len(times) < edits:
                    yield not_measured(f"an edit found by {name}", f"{edits - len(times)} of {edits} edits never came first")
                else:
                    yield row(f"an edit found by {name}", p50(times), note=f"at most {max(times):.0f} ms of {edits}")
        finally:
            vault.close()
            service.close()


def main() -> int:
    """Run it; 0 when every edit came first, in time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vault", type=Path, help="notes to measure with; copied, never changed")
    parser.add_argument("--notes", type=int, default=100, help="how many notes to make up without --vault")
    parser.add_argument("--edits", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = list(rows(options.vault, options.notes, options.edits, options.seed))
    print("\n".join(lines(found)))
    return int(any(each.met is False for each in found))


if __name__ == "__main__":
    sys.exit(main())
