"""Retrieval quality over sets in BEIR layout, beside baselines of the same run: what benchmarks/quality.md shows.

    python -m benchmarks.quality DIR... [--cache DIR] [--queries N] [--half even|odd] [--write]

The work is done by `khoj_ls.evaluation`, as in `khoj-ls eval`; always with the default model. Prints the page, and with --write
puts it into benchmarks/quality.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.core.jobs import Progress, ProgressCallback
from khoj_ls.embed.service import EncoderService
from khoj_ls.evaluation.beir import load_set, part_of
from khoj_ls.evaluation.evaluate import Evaluation, Wish, evaluate
from khoj_ls.evaluation.measures import Run, figures
from khoj_ls.evaluation.vectors import VectorCache

_BEST = ("hybrid", "related")
PAGE = Path(__file__).with_name("quality.md")

HEAD = """# Retrieval quality

Made by `python -m benchmarks.quality DIR... --write`; please do not edit by hand. `khoj-ls eval DIR --baselines` prints the
figures of one set.

Each document of a set becomes a note, called by its id, that is parsed, cut, embedded with the default model and indexed as
in a vault; under *numbered* the notes are called by numbers instead, so that no name helps. Each query goes through the real
search, for 100 results. Where a query is itself a note, that note leaves every ranking, and the mode `related` asks for its
related notes. *even* and *odd* are nDCG@10 over every other query: what is tuned is tuned on the even ones. Times are those of
a search whose query has its vector already, on {cores} cores.

Baselines of the same run: **fts5** is SQLite's FTS5 with the porter stemmer over whole documents, all words OR-ed; **model** is
the embedding model on whole documents, exact cosine; **rrf** is the rank fusion of the two, **own rrf** that of the modes
lexical and dense.
"""


def page(evaluations: list[Evaluation], numbered: list[Evaluation]) -> str:
    """The whole page; `numbered` are the evaluations of the same sets without names."""
    parts = [HEAD.format(cores=os.cpu_count()), "\n".join(_summary(evaluations, numbered))]
    return "\n".join([*parts, *("\n".join(_details(found)) for found in evaluations)])


def _summary(evaluations: list[Evaluation], numbered: list[Evaluation]) -> Iterator[str]:
    """Of each set what hybrid, or related, is beside the better single retriever and rank fusion."""
    yield "## nDCG@10\n"
    heads = (
        "set",
        "documents",
        "queries",
        "lexical",
        "dense",
        "own rrf",
        "hybrid",
        "vs better single",
        "vs own rrf",
        "related",
        "hybrid, numbered",
        "related, numbered",
    )
    yield f"| {' | '.join(heads)} |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for found, nameless in zip(evaluations, numbered, strict=True):
        ndcg = {name: one.ndcg for name, one in found.figures({**found.baselines, **found.runs}).items()}
        single = max(ndcg["lexical"], ndcg["dense"])
        cells = [
            f"{len(found.data.documents):,}",
            f"{len(found.data.queries):,}",
            *(f"{ndcg[name]:.3f}" for name in ("lexical", "dense", "own rrf")),
            f"**{ndcg['hybrid']:.3f}**",
            *(f"{ndcg['hybrid'] - other:+.3f}" for other in (single, ndcg["own rrf"])),
            f"**{ndcg['related']:.3f}**" if "related" in ndcg else "",
            *(f"{one[mode].ndcg:.3f}" if mode in one else "" for one in [nameless.figures(nameless.runs)] for mode in _BEST),
        ]
        yield f"| {found.data.name} | {' | '.join(cells)} |"
    yield ""


def _details(found: Evaluation) -> Iterator[str]:
    """All figures of one set."""
    yield f"## {found.data.name}\n"
    yield "| | nDCG@10 | even | odd | recall@100 | MRR@10 | p50 | p95 |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for name, run in {**{f"baseline {name}": run for name, run in found.baselines.items()}, **found.runs}.items():
        whole = figures(found.data.relevant, run)
        halves = [figures(found.data.relevant, half).ndcg for half in _halves(run)]
        times = [f"{ms:.1f} ms" if ms is not None and name in found.runs else "" for ms in (whole.p50_ms, whole.p95_ms)]
        numbers = [f"{number:.3f}" for number in (whole.ndcg, *halves, whole.recall, whole.mrr)]
        yield f"| {name} | {' | '.join([*numbers, *times])} |"
    yield ""


def _halves(run: Run) -> list[Run]:
    """A run over the even, and over the odd queries, as `khoj-ls eval --half` counts them."""
    items = list(run.rankings.items())
    return [replace(run, rankings=dict(items[start::2])) for start in (0, 1)]


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="+", metavar="DIR")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "khoj-ls-bench")
    parser.add_argument("--queries", type=int, help="ask at most this many of each set's queries")
    parser.add_argument("--half", choices=("even", "odd"), help="ask every other query")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    sets = [part_of(load_set(folder), options.half, options.queries) for folder in options.sets]
    wish = Wish(baselines=True)
    with closing(EncoderService(EmbeddingSettings(), options.cache / "models")) as encoder:
        encoder.prepare()
        with closing(VectorCache(options.cache / "vectors.db", encoder)) as vectors:
            made, numbered = (
                [evaluate(data, encoder, vectors, each, options.cache, _report(data.name)) for data in sets]
                for each in (wish, Wish(names="opaque"))
            )
    text = page(made, numbered)
    sys.stdout.write(text)
    if options.write:
        PAGE.write_text(text, encoding="utf-8")
    return 0


def _report(name: str) -> ProgressCallback:
    def report(progress: Progress) -> None:
        sys.stderr.write(f"\r{name}: {progress.phase} {progress.message} {progress.done}/{progress.total}".ljust(79))

    return report


if __name__ == "__main__":
    sys.exit(main())
