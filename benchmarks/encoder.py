"""The encoder: chunks per second against sentence-transformers' default, the same neighbours, a query beside the backlog.

    python -m benchmarks.encoder [--texts FILE] [--vault DIR] [--count 200] [--rounds 3]

FILE holds one text a line; without it the chunks of a vault are embedded, examples/vault if none is named. All sides take turns
on the same texts, each with all cores, so that what else the machine does falls on each.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.embed.service import EncoderService
from khoj_ls.evaluation.speed.embedding import chunks_of, embedding_rows
from khoj_ls.evaluation.speed.rows import Row, lines

EXAMPLES = Path(__file__).parents[1] / "examples" / "vault"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, help="one text a line")
    parser.add_argument("--vault", type=Path, default=EXAMPLES)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", type=Path, help="folder of prepared models, to save preparing one")
    wanted = parser.parse_args()
    print("\n".join(lines(rows(wanted.texts, wanted.vault, wanted.count, wanted.rounds, wanted.models))))


def rows(
    file: Path | None = None, vault: Path = EXAMPLES, count: int = 200, rounds: int = 3, models: Path | None = None
) -> Iterator[Row]:
    """Its rows."""
    with tempfile.TemporaryDirectory() as scratch:
        kept = models or Path(scratch)
        if file:
            texts = [line for line in file.read_text().splitlines() if line.strip()][:count]
        else:
            service = EncoderService(EmbeddingSettings(), kept)
            service.prepare()
            texts = chunks_of(vault, service.tokenizer(), count)
        yield from embedding_rows(kept, texts, rounds)


if __name__ == "__main__":
    main()
