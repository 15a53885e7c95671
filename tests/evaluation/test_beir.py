"""Sets in BEIR layout: what they may look like, and how what is wrong is told."""

from __future__ import annotations

import json

import pytest

from khoj_ls.core.errors import UsageError
from khoj_ls.evaluation.beir import load_set, part_of, read_documents

GRADES = {"q1": {"a": 1}, "q2": {"b": 2}}
HEADLESS = "q1\ta\t1\nq2\tb\t2\n"
HEADED = "query-id\tcorpus-id\tscore\n" + HEADLESS


def lines(*rows):
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def document(name, text="words", **more):
    return {"_id": name, "text": text, **more}


@pytest.mark.parametrize(
    ("files", "split", "grades"),
    [
        ({"qrels.tsv": HEADED}, None, GRADES),
        ({"qrels.tsv": HEADLESS}, None, GRADES),
        ({"qrels.tsv": None, "qrels/test.tsv": HEADED}, None, GRADES),
        ({"qrels.tsv": HEADED, "qrels/test.tsv": "q1\ta\t3\n"}, None, GRADES),
        ({"qrels/dev.tsv": "q1\tb\t1\n"}, "dev", {"q1": {"b": 1}}),
        ({"qrels.tsv": "\ufeff" + HEADED.replace("\n", "\r\n")}, None, GRADES),
        ({"qrels.tsv": HEADED + "\n\nq1\tb\t0\nq2\ta\t-1\nq2\tgone\t0\n"}, None, GRADES),
        ({"qrels.tsv": HEADED.replace("1\n", "1.0\n")}, None, GRADES),
        ({"qrels.tsv": HEADED + "q1\ta\t1\n"}, None, GRADES),
        ({"qrels.tsv": "q2\tb\t1\n"}, None, {"q2": {"b": 1}}),
        ({"corpus.jsonl": lines(document(1), document(2)), "qrels.tsv": "q1\t1\t1\n"}, None, {"q1": {"1": 1}}),
    ],
)
def test_layouts(make_set, files, split, grades):
    found = load_set(make_set(**files), split)
    assert (found.name, found.relevant, list(found.queries)) == ("small", grades, list(grades))
    assert found.unjudged == 2 - len(grades)


def test_documents_come_one_at_a_time(make_set):
    corpus = lines(document("a", "one", title=None), document("b", "half a pair: \ud83d", title="B", more=[1])) + "not read yet"
    documents = read_documents(make_set(**{"corpus.jsonl": corpus}))
    assert [tuple(next(documents)) for _ in range(2)] == [("a", "", "one", 1), ("b", "B", "half a pair: ?", 2)]


FAULTS = {
    "no corpus": ({"corpus.jsonl": None}, r"corpus\.jsonl cannot be read: No such file"),
    "no queries": ({"queries.jsonl": None}, r"queries\.jsonl cannot be read: No such file"),
    "no judgements": ({"qrels.tsv": None}, r"small has no judgements: .*qrels\.tsv or .*test\.tsv is missing$"),
    "another split": ({"qrels.tsv": None, "qrels/dev.tsv": HEADED}, r"is missing; there is --split dev"),
    "empty corpus": ({"corpus.jsonl": ""}, r"corpus\.jsonl is empty"),
    "empty queries": ({"queries.jsonl": "\n\n"}, r"queries\.jsonl is empty"),
    "empty judgements": ({"qrels.tsv": ""}, r"qrels\.tsv is empty"),
    "nothing relevant": ({"qrels.tsv": "q1\ta\t0\n"}, r"qrels\.tsv: no document is judged to answer any query"),
    "not JSON": ({"corpus.jsonl": lines(document("a")) + "{'_id': 1}\n"}, r"corpus\.jsonl:2: this is not JSON"),
    "cut off": ({"queries.jsonl": lines(document("q1")) + '\n{"_id": "q'}, r"queries\.jsonl:3: this is not JSON"),
    "no object": ({"corpus.jsonl": '["a"]\n'}, r"corpus\.jsonl:1: this is '\[\"a\"\]', and should be a JSON object"),
    "no UTF-8": ({"corpus.jsonl": lines(document("a")).encode() + b'{"_id": "\xff"}'}, r"corpus\.jsonl:2: this is not UTF-8"),
    "no id": ({"corpus.jsonl": lines({"text": "x"})}, r"corpus\.jsonl:1: _id is missing"),
    "odd id": ({"corpus.jsonl": lines({"_id": ["a"], "text": "x"})}, r"corpus\.jsonl:1: _id is \['a'\], and should be a text"),
    "no text": ({"queries.jsonl": lines({"_id": "q1"})}, r"queries\.jsonl:1: text is missing"),
    "odd text": ({"queries.jsonl": lines({"_id": "q1", "text": 5})}, r"queries\.jsonl:1: text is 5, and should be a text"),
    "odd title": ({"corpus.jsonl": lines(document("a", title=5))}, r"corpus\.jsonl:1: title is 5"),
    "twice": ({"corpus.jsonl": lines(document("a"), document("b"), document("a"))}, r"corpus\.jsonl:3: .* the _id 'a'"),
    "query twice": ({"queries.jsonl": lines(document("q1"), document("q1"))}, r"queries\.jsonl:2: .* the _id 'q1'"),
    "unknown query": ({"qrels.tsv": HEADED + "q3\ta\t1\n"}, r"qrels\.tsv:4: there is no query 'q3' in queries\.jsonl"),
    "unknown document": ({"qrels.tsv": HEADED + "q1\tz\t1\n"}, r"qrels\.tsv:4: there is no document 'z' in corpus\.jsonl"),
    "columns": ({"qrels.tsv": HEADED + "q1 a 1\n"}, r"qrels\.tsv:4: 1 columns, and should be query-id, corpus-id and score"),
    "odd score": ({"qrels.tsv": HEADED + "q1\ta\tyes\n"}, r"qrels\.tsv:4: the score is 'yes', and should be a whole number"),
    "half a score": ({"qrels.tsv": HEADED + "q1\ta\t0.5\n"}, r"qrels\.tsv:4: the score is '0\.5'"),
    "two scores": ({"qrels.tsv": HEADED + "q1\ta\t2\n"}, r"qrels\.tsv:4: query 'q1' and document 'a' have another score"),
}


@pytest.mark.parametrize(("files", "message"), FAULTS.values(), ids=FAULTS)
def test_faults_name_the_file_and_the_line(make_set, files, message):
    with pytest.raises(UsageError, match=message):
        load_set(make_set(**files))


def test_a_set_is_a_folder(tmp_path):
    with pytest.raises(UsageError, match="missing is not there: name a set in BEIR layout"):
        load_set(tmp_path / "missing")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="file is not a folder"):
        load_set(tmp_path / "file")


@pytest.mark.parametrize(
    ("query", "text", "answer", "own"),
    [
        ("bees hum in june", "In June bees hum.", "b", True),
        ("bees hum in june", "In June bees hum.", "a", False),  # it answers itself
        ("how long do ants live", "In June bees hum.", "b", False),  # the same id by chance
    ],
)
def test_a_query_that_is_a_document(make_set, query, text, answer, own):
    corpus = lines(document("a", text), document("b"))
    files = {"corpus.jsonl": corpus, "queries.jsonl": lines(document("a", query)), "qrels.tsv": f"a\t{answer}\t1\n"}
    found = load_set(make_set(**files))
    assert found.own == ({"a"} if own else set())
    assert found.all_own is own


@pytest.mark.parametrize(
    ("half", "most", "left"),
    [
        (None, None, [0, 1, 2, 3, 4, 5, 6]),
        ("even", None, [0, 2, 4, 6]),
        ("odd", None, [1, 3, 5]),
        (None, 3, [0, 2, 4]),
        ("even", 2, [0, 4]),
        (None, 100, [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_parts(make_set, half, most, left):
    queries = lines(*(document(str(number)) for number in range(7)))
    qrels = "".join(f"{number}\ta\t1\n" for number in range(7))
    found = part_of(load_set(make_set(**{"queries.jsonl": queries, "qrels.tsv": qrels})), half, most)
    assert list(found.queries) == [str(number) for number in left]


def test_nothing_left(make_set):
    with pytest.raises(UsageError, match="small: no query is left of 1"):
        part_of(load_set(make_set(**{"qrels.tsv": "q1\ta\t1\n"})), "odd")
