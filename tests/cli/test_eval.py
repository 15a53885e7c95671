"""`khoj-ls eval` as people and programs run it: a set and some notes with the real model, figures counted by hand."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"

DOCUMENTS = {
    "kitchen/sourdough": ("Sourdough", "Feed the sourdough starter with rye flour every morning."),
    "kitchen.sourdough": ("Bread", "A loaf rises best in the warm oven, with only the light on."),
    "router": ("", "The wireless network dropped its clients at night; new firmware cured it."),
    "tomatoes": ("Tomatoes", "Plant them in May, after the last frost."),
    "taxes": ("Taxes", "The receipts are in the blue folder, and the return is due in July."),
    "bicycle": ("Bicycle", "Oil the chain after riding in the rain, and pump up the tyres."),
    "violin": ("Violin", "Its strings need replacing before each concert season."),
    "passport": ("Passport", "Renew it before the flights to Japan."),
    "dentist": ("Dentist", "Ask about the crown at the next appointment."),
    "empty": ("", ""),
}
QUERIES = {
    "q1": "sourdough starter",
    "q2": "blue folder receipts",
    "q3": "maintaining my two-wheeler",  # no word of it stands anywhere
    "q4": "violin strings",
    "q5": "renew passport",
    "q6": "nobody judged this",
}
QRELS = "q1\tkitchen/sourdough\t2\nq1\tkitchen.sourdough\t1\nq2\ttaxes\t1\nq3\tbicycle\t1\nq4\tviolin\t1\nq5\tpassport\t1\n"
LEXICAL = {
    # q1 finds the better of its two answers, 2 / (2 + 1/log2(3)) = .760186; q3 finds nothing; the others are right.
    "ndcg@10": (0.760186 + 3) / 5,
    "recall@100": (0.5 + 3) / 5,
    "mrr@10": 4 / 5,
}


@pytest.fixture
def small_set(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    (folder / "qrels").mkdir(parents=True)
    rows = ({"_id": name, "title": title, "text": text} for name, (title, text) in DOCUMENTS.items())
    (folder / "corpus.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    rows = ({"_id": name, "text": text} for name, text in QUERIES.items())
    (folder / "queries.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (folder / "qrels" / "test.tsv").write_text(QRELS)
    return folder


@pytest.fixture
def eval_verb(verb: Callable[..., Any], private_home: Path, prepared_models: Path) -> Callable[..., Any]:
    """`khoj-ls eval`, with the model prepared."""
    (private_home / "data").mkdir()
    (private_home / "data" / "models").symlink_to(prepared_models)
    return lambda *arguments: verb("eval", *map(str, arguments))


def answer(shown: Any) -> Any:
    return json.loads(shown.stdout)


def documented(example: str) -> Any:
    found = re.search(rf"^```json {example}\n(.*?)^```", DOCS.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert found
    return json.loads(found[1])


def shape(value: Any) -> Any:
    """The keys of a JSON value and of what lies in it."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value and isinstance(value[0], dict) else None


@pytest.mark.model
def test_a_set_from_its_files_to_its_figures(eval_verb: Any, small_set: Path, private_home: Path) -> None:
    shown = eval_verb(small_set, "--json", "--names", "opaque", "--baselines", "--misses")
    assert shown.exit_code == 0, shown.stderr
    found = answer(shown)
    assert (found["set"], found["documents"], found["queries"]) == ("small", 10, 5)
    assert "small: 1 query without a judgement above 0 left out" in shown.stderr
    assert "embedding 0/9" in shown.stderr

    modes = found["modes"]
    assert list(modes) == ["lexical", "dense", "hybrid"]
    assert {name: modes["lexical"][name] for name in LEXICAL} == pytest.approx(LEXICAL, abs=1e-5)
    assert (modes["dense"]["recall@100"], modes["dense"]["mrr@10"]) == (1.0, 1.0)
    assert (modes["hybrid"]["recall@100"], modes["hybrid"]["mrr@10"]) == (1.0, 1.0)
    assert all(0 < figures["p50_ms"] <= figures["p95_ms"] for figures in modes.values())
    assert found["baselines"]["fts5"]["mrr@10"] == 0.8
    missed = {"query": QUERIES["q3"], "answers": ["bicycle"], "rank": None}
    assert found["misses"] == {"lexical": [missed], "dense": [], "hybrid": []}
    assert shape(found) == shape(documented("eval")) | {"misses": shape(found["misses"])}

    again = eval_verb(small_set, "--json", "--names", "opaque", "--baselines", "--misses")
    assert "embedding" not in again.stderr
    assert [path.name for path in (private_home / "data" / "evaluation").iterdir()] == ["vectors.db"]
    for figures in (found, repeated := answer(again)):
        for one in figures["modes"].values():
            del one["p50_ms"], one["p95_ms"]
        del figures["baselines"]
    assert repeated == found


@pytest.mark.model
@pytest.mark.parametrize(
    ("arguments", "queries", "mrr"),
    [
        (["--half", "even"], 3, 2 / 3),
        (["--half", "odd"], 2, 1.0),
        (["--queries", "1"], 1, 1.0),
        (["--half", "even", "--queries", "2"], 2, 0.5),
        (["--names", "id"], 5, 0.8),
        (["--split", "test"], 5, 0.8),
    ],
)
def test_parts_of_a_set(eval_verb: Any, small_set: Path, arguments: list[str], queries: int, mrr: float) -> None:
    found = answer(eval_verb(small_set, "--json", "--mode", "lexical", *arguments))
    assert (found["queries"], list(found["modes"])) == (queries, ["lexical"])
    assert found["modes"]["lexical"]["mrr@10"] == pytest.approx(mrr, abs=1e-5)


@pytest.mark.model
def test_what_a_killed_run_left_is_removed(eval_verb: Any, small_set: Path, tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left, in_use = (tmp_path / "cache" / f"index-{pid}-abc" for pid in (ended.pid, os.getpid()))
    for folder in (left, in_use):
        folder.mkdir(parents=True)
        (folder / "index.db").touch()
    assert eval_verb(small_set, "--mode", "lexical", "--cache", tmp_path / "cache").exit_code == 0
    assert (left.exists(), in_use.exists()) == (False, True)


@pytest.mark.model
def test_profiles_beside_each_other(eval_verb: Any, small_set: Path, private_home: Path) -> None:
    (private_home / "config").mkdir()
    (private_home / "config" / "config.toml").write_text("[search.profiles.choosy]\nscore_threshold = 0.99\n")
    asked = ["--mode", "dense", "--mode", "lexical", "--profile", "choosy", "--profile", "broad"]
    found = answer(eval_verb(small_set, "--json", *asked))["modes"]
    assert list(found) == ["dense choosy", "dense broad", "lexical choosy", "lexical broad"]
    # Nothing is as near as that to a question; words are not asked how near they are.
    assert (found["dense choosy"]["mrr@10"], found["dense broad"]["mrr@10"]) == (0.0, 1.0)
    assert found["lexical choosy"]["mrr@10"] == pytest.approx(0.8)


@pytest.mark.model
def test_queries_that_are_documents_are_asked_for_what_is_related(eval_verb: Any, small_set: Path) -> None:
    texts = {name: text for name, (_, text) in DOCUMENTS.items()}
    queries = ({"_id": name, "text": texts[name]} for name in ("kitchen/sourdough", "router"))
    (small_set / "queries.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in queries))
    (small_set / "qrels.tsv").write_text("kitchen/sourdough\tkitchen.sourdough\t1\nrouter\ttaxes\t1\n")
    found = answer(eval_verb(small_set, "--json", "--misses"))["modes"]
    assert list(found) == ["lexical", "dense", "hybrid", "related"]
    # The note itself, which every search would put first, is in nobody's way.
    assert found["related"]["mrr@10"] >= 0.5


@pytest.mark.model
def test_sets_are_shown_one_after_the_other(eval_verb: Any, small_set: Path, tmp_path: Path) -> None:
    shown = eval_verb(small_set, small_set, "--names", "opaque", "--baselines", "--misses", "--cache", tmp_path / "cache")
    assert shown.exit_code == 0
    assert shown.stdout.count("small: 10 documents, 5 queries\n") == 2
    assert re.search(r"^  mode +nDCG@10 +recall@100 +MRR@10 +p50 +p95$", shown.stdout, re.MULTILINE)
    assert re.search(r"^  baseline fts5 +0\.\d{3} +\d\.\d{3} +0\.800 ", shown.stdout, re.MULTILINE)
    assert re.search(r"^  lexical +0\.752 +0\.700 +0\.800 +[\d.]+ ms +[\d.]+ ms$", shown.stdout, re.MULTILINE)
    assert "    maintaining my two-wheeler (not found: bicycle)\n" in shown.stdout
    assert (tmp_path / "cache" / "vectors.db").exists()
    lines = eval_verb(small_set, small_set, "--json", "--mode", "lexical", "--cache", tmp_path / "cache").stdout.splitlines()
    assert [json.loads(line)["set"] for line in lines] == ["small", "small"]


@pytest.mark.model
def test_own_notes(eval_verb: Any, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / ".khoj.toml").touch()
    (notes / "router.md").write_text("# Router\n\nIt dropped its clients.\n\n## Fix\n\nNew firmware, and channel 36.\n")
    (notes / "bread.org").write_text("* Starter\nFeed it with rye flour.\n* Baking\nForty minutes in the oven.\n")
    questions = tmp_path / "questions.csv"
    questions.write_text(
        "query,path,heading\nfirmware channel,router.md,Fix\nrye flour,bread.org,\nclients dropped,bread.org,Baking\n"
    )
    shown = eval_verb("--vault", notes, "--queries", questions, "--in-process", "--json", "--misses", "--mode", "lexical")
    assert shown.exit_code == 0, shown.stderr
    found = answer(shown)
    assert (found["vault"], found["documents"], found["queries"]) == (str(notes), 2, 3)
    assert found["modes"]["lexical"]["mrr@10"] == pytest.approx(2 / 3, abs=1e-5)
    assert found["misses"] == {"lexical": [{"query": "clients dropped", "answers": ["bread.org#Baking"], "rank": None}]}
    example = documented("eval-vault")
    assert list(found) == list(example)
    assert shape(found["misses"]["lexical"]) == shape(example["misses"]["hybrid"])
    text = eval_verb("--vault", notes, "--queries", questions, "--in-process", "--misses")
    assert text.stdout.startswith(f"{notes}: 2 notes, 3 queries\n")
    assert re.search(r"^  hybrid +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+ ms +[\d.]+ ms$", text.stdout, re.MULTILINE)
    assert "  lexical: 1 of 3 queries without an answer among the first 10\n" in text.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "khoj-ls: name either sets (folders in BEIR layout), or --vault with --queries FILE"),
        (["small", "--vault", "notes"], "khoj-ls: name either sets (folders in BEIR layout), or --vault with --queries FILE"),
        (["gone"], "khoj-ls: gone is not there: name a set in BEIR layout"),
        (
            ["small", "--split", "dev"],
            "khoj-ls: small has no judgements: small/qrels/dev.tsv is missing; there is --split test",
        ),
        (["small", "--queries", "q.csv"], "khoj-ls: --queries q.csv: beside sets it takes a number"),
        (["small", "--queries", "0"], "khoj-ls: --queries 0: beside sets it takes a number"),
        (["small", "--profile", "brod"], "khoj-ls: there is no profile 'brod'; did you mean broad?"),
        (["small", "--mode", "magic"], "khoj-ls: Invalid value for '--mode': 'magic' is not one of"),
        (["--vault", "notes"], "khoj-ls: --vault wants --queries FILE"),
        (["--vault", "notes", "--queries", "gone.csv"], "khoj-ls: gone.csv cannot be read: No such file"),
        (["--vault", "notes", "--queries", "q.csv"], "khoj-ls: q.csv:2: there is no note gone.md in "),
        (["--vault", "notes", "--queries", "q.csv", "--half", "odd"], "khoj-ls: --half is for sets, not for --vault"),
        (["--vault", "notes", "--queries", "q.csv", "--mode", "related"], "khoj-ls: --mode related is for sets"),
    ],
)
def test_wrong_usage(verb: Any, small_set: Path, tmp_path: Path, arguments: list[str], line: str) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "q.csv").write_text("query,path\nx,gone.md\n")
    shown = verb("eval", *arguments)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr.startswith(line)
    assert shown.stderr.count("\n") == 1


def test_the_second_set_is_checked_before_the_first_is_measured(verb: Any, small_set: Path, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "qrels.tsv").write_text("q1\ta\t1\n")
    shown = verb("eval", "small", "bad", "--json")
    assert shown.exit_code == 2
    assert answer(shown)["error"]["message"] == "bad/queries.jsonl cannot be read: No such file or directory"


def test_without_the_extra(verb: Any, small_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    shown = verb("eval", "small")
    assert (shown.exit_code, shown.stdout) == (3, "")
    assert shown.stderr == "khoj-ls: measuring needs the package ir-measures: pip install 'khoj-ls[eval]'\n"


def test_texts_go_to_no_other_machine_unasked(verb: Any, small_set: Path) -> None:
    remote = ["--set", "embedding.model=remote", "--set", "embedding.endpoint=https://models.example/v1"]
    shown = verb("eval", "small", *remote, "--set", "embedding.remote_model=m", "--set", "embedding.remote_dimensions=8")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "the texts of the sets would be sent to https://models.example/v1: allow it with --set" in shown.stderr
