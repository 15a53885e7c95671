"""The page of figures that `python -m benchmarks.quality` writes."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from khoj_ls.evaluation.beir import RetrievalSet
from khoj_ls.evaluation.evaluate import Evaluation
from khoj_ls.evaluation.measures import Run

ROOT = Path(__file__).parents[2]


@pytest.fixture
def page(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.quality import page

    yield page
    for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
        del sys.modules[name]


def test_figures_by_set_and_by_half_of_the_queries(page):
    data = RetrievalSet(
        "small", Path("/somewhere/else/small"), frozenset("ab"), {"1": "", "2": ""}, {"1": {"a": 1}, "2": {"b": 1}}, frozenset()
    )
    right, wrong = Run({"1": ["a"], "2": ["b"]}, [1.0, 3.0]), Run({"1": ["b", "a"], "2": []})
    runs = {"lexical": wrong, "dense": wrong, "hybrid": right}
    numbered = Evaluation(data, {"hybrid": wrong}, {}, 0, {})
    text = page([Evaluation(data, runs, {"own rrf": wrong}, 0, {})], [numbered])
    assert "| small | 2 | 2 | 0.315 | 0.315 | 0.315 | **1.000** | +0.685 | +0.685 |  | 0.315 |  |" in text
    assert "| baseline own rrf | 0.315 | 0.631 | 0.000 | 0.500 | 0.250 |  |  |" in text
    assert "| hybrid | 1.000 | 1.000 | 1.000 | 1.000 | 1.000 | 2.0 ms | 2.9 ms |" in text
    assert "somewhere" not in text


def test_the_page_that_is_kept_names_no_place_of_a_machine():
    page = ROOT / "benchmarks" / "quality.md"
    assert re.findall(r"(?<![\w.])/(?:\w+/)+|[A-Z]:\\", page.read_text(encoding="utf-8")) == []
    assert len(re.findall(r"^## ", page.read_text(encoding="utf-8"), re.MULTILINE)) > 1
