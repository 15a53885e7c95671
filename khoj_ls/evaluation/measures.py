"""The figures of a run: nDCG@10, recall@100 and MRR@10 by ir-measures, and how long the answers took.

nDCG: Järvelin & Kekäläinen 2002, with the gain and the discount of trec_eval. ir-measures: MacAvaney, Macdonald & Ounis 2022,
"Streamlining Evaluation with ir-measures", https://doi.org/10.1007/978-3-030-99739-7_38.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from khoj_ls.core.errors import KhojError

DEPTH = 100
"""So much of a ranking is looked at."""
TOP = 10
"""And so much by the measures of its head."""

Judgements = Mapping[str, Mapping[str, int]]
"""Grades above 0 by query and answer."""


@dataclass(frozen=True)
class Run:
    """Rankings by query, best first without repeats, and how long each took; no times where none were taken."""

    rankings: Mapping[str, Sequence[str]]
    milliseconds: Sequence[float] = ()


@dataclass(frozen=True)
class Figures:
    """What a run comes to: means over all judged queries, 0..1, and times in milliseconds."""

    ndcg: float
    recall: float
    mrr: float
    p50_ms: float | None = None
    p95_ms: float | None = None

    def json(self) -> dict[str, float]:
        """The figures by the names that programs know; times only where there are some."""
        figures = {f"ndcg@{TOP}": self.ndcg, f"recall@{DEPTH}": self.recall, f"mrr@{TOP}": self.mrr}
        times = {"p50_ms": self.p50_ms, "p95_ms": self.p95_ms}
        return {
            **{name: round(value, 6) for name, value in figures.items()},
            **{name: round(value, 2) for name, value in times.items() if value is not None},
        }


def figures(relevant: Judgements, run: Run) -> Figures:
    """Measure a run over the queries of its rankings. Raises KhojError where ir-measures is not installed."""
    measures = _ir_measures()
    ndcg, recall, mrr = measures.nDCG @ TOP, measures.R @ DEPTH, measures.RR @ TOP
    judged, scored = {}, {}
    for number, (query, ranking) in enumerate(run.rankings.items()):
        # Numbers for names: trec_eval takes a name for what stands before its first NUL.
        places = {answer: str(place) for place, answer in enumerate(ranking[:DEPTH])}
        lost = (f"-{place}" for place in range(1, len(relevant[query]) + 1))
        judged[str(number)] = {places.get(answer) or next(lost): grade for answer, grade in relevant[query].items()}
        scored[str(number)] = {name: -float(name) for name in places.values()}
    means = measures.calc_aggregate([ndcg, recall, mrr], judged, scored)
    return Figures(float(means[ndcg]), float(means[recall]), float(means[mrr]), *_percentiles(run.milliseconds))


def misses(
    relevant: Judgements, runs: Mapping[str, Run], texts: Mapping[str, str] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """By run, the queries none of whose answers is among the first 10: their text, their answers, and the place of the best.

    The place counts from 1, and is None where no answer is among the first 100; `texts` are those of queries known by an id.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for name, run in runs.items():
        places = {
            query: next((place for place, answer in enumerate(ranking[:DEPTH], 1) if answer in relevant[query]), None)
            for query, ranking in run.rankings.items()
        }
        found[name] = [
            {"query": texts[query] if texts else query, "answers": list(relevant[query]), "rank": place}
            for query, place in places.items()
            if place is None or place > TOP
        ]
    return found


def check_installed() -> None:
    """Raise KhojError, with what to type, where ir-measures is not installed: before hours of embedding."""
    _ir_measures()


def _ir_measures() -> Any:
    try:
        import ir_measures
    except ImportError as error:
        raise KhojError("measuring needs the package ir-measures: pip install 'khoj-ls[eval]'") from error
    return ir_measures


def _percentiles(times: Sequence[float]) -> tuple[float, float] | tuple[None, None]:
    if not times:
        return None, None
    cuts = quantiles(times, n=20, method="inclusive") if len(times) > 1 else [times[0]] * 19
    return cuts[9], cuts[18]
