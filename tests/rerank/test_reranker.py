"""The service and its worker: the scores are the model's own, whatever happens on the way."""

from __future__ import annotations

import os
import random
import shutil
import signal
from pathlib import Path

import psutil
import pytest

from khoj_ls.core.errors import Cancelled, ModelError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.models.client import Ticket, WorkerClient
from khoj_ls.models.messages import Started

pytestmark = pytest.mark.model

ODD = (
    "",
    " ",
    "x",
    "bread",
    "bread " * 500,
    "🦉 修理路由器 Überlegungen",
    "half a pair \ud83e",
    "- [ ] buy flour\n- [x] feed the yeast",
    "router modem\t\tantenna   network",
)


def sigmoid_of(original, query, texts):
    whole = [text.encode(errors="replace").decode() for text in texts]
    return pytest.approx(original.predict([(query, text) for text in whole], show_progress_bar=False).tolist(), abs=2e-4)


def many(asked, count):
    return (asked.texts * (count // len(asked.texts) + 1))[:count]


def works(service):
    """Whether the worker is computing something."""
    worker = service._local._worker
    return worker is not None and worker.alive and any(worker._computing.values())


def test_making_one_starts_nothing(reranker, make_reranker):
    service = make_reranker()
    assert (service.prepared, service.remote, service.status().state) == (True, "", "off")
    assert service.id == reranker.id


def test_what_answers_the_question_comes_first(reranker, asked):
    scores = reranker.score(asked.query, asked.texts)
    assert len(scores) == 60
    assert all(0.0 <= score <= 1.0 for score in scores)
    worst_good = min(score for score, good in zip(scores, asked.good, strict=True) if good)
    best_bad = max(score for score, good in zip(scores, asked.good, strict=True) if not good)
    assert worst_good > 0.7
    assert best_bad < 0.3


def test_scores_are_those_of_sentence_transformers(reranker, original, asked):
    for query in (asked.query, "", "bread flour " * 60):
        texts = [*ODD, *asked.texts]
        assert reranker.score(query, texts) == sigmoid_of(original, query, texts)


def test_a_score_is_of_its_text_whatever_the_batches(reranker, original, asked):
    # More than are planned at once, of all lengths, in disorder.
    texts = many(asked, 300)
    random.Random(3).shuffle(texts)
    texts[::7] = [f"{text} bread soil" for text in texts[::7]]
    assert reranker.score(asked.query, texts) == sigmoid_of(original, asked.query, texts)


def test_no_texts_no_scores(reranker):
    assert reranker.score("bread", []) == []


def test_a_limit_of_tokens_is_kept(make_reranker, cross_encoder, tmp_path, asked):
    from sentence_transformers import CrossEncoder

    short = CrossEncoder(str(cross_encoder), device="cpu", max_length=32, local_files_only=True)
    service = make_reranker(tmp_path, max_tokens=32)
    service.prepare()
    long = " ".join(asked.texts)
    assert service.score(asked.query, [long, "bread"]) == sigmoid_of(short, asked.query, [long, "bread"])


def test_cancelling_stops_within_one_batch(make_reranker, asked, until, monkeypatch):
    service, token, begun = make_reranker(threads=1), CancelToken(), []
    service.score(asked.query, ["the worker is up"])
    pid = service.status().pid
    batches, take = Ticket.batches, WorkerClient._take

    def watched(ticket, *arguments):
        for answer in batches(ticket, *arguments):
            os.kill(pid, signal.SIGSTOP)  # so that it cannot be through before it hears of the end
            token.cancel()
            yield answer

    def listening(worker, reply):
        begun.extend([reply.id] if isinstance(reply, Started) else [])
        take(worker, reply)

    monkeypatch.setattr(Ticket, "batches", watched)
    monkeypatch.setattr(WorkerClient, "_take", listening)
    try:
        with pytest.raises(Cancelled):
            service.score(asked.query, ["bread " * 60] * 1000, token)  # 125 batches
    finally:
        os.kill(pid, signal.SIGCONT)
    monkeypatch.setattr(Ticket, "batches", batches)
    assert len(service.score(asked.query, ["still there"])) == 1
    until(lambda: not works(service))
    assert len(begun) < 60


def test_what_is_called_off_before_it_begins_is_not_begun(make_reranker, asked):
    token = CancelToken()
    token.cancel()
    service = make_reranker()
    with pytest.raises(Cancelled):
        service.score(asked.query, asked.texts, token)
    assert service.status().state == "off"


def test_a_worker_killed_at_work_costs_nothing_but_time(make_reranker, reranker, asked, monkeypatch):
    service, texts, killed = make_reranker(), many(asked, 1000), []
    batches = Ticket.batches

    def deadly(ticket, *arguments):
        for answer in batches(ticket, *arguments):
            if not killed:
                killed.append(service.status().pid)
                os.kill(killed[0], signal.SIGKILL)
            yield answer

    monkeypatch.setattr(Ticket, "batches", deadly)
    assert service.score(asked.query, texts) == pytest.approx(reranker.score(asked.query, texts), abs=1e-5)
    assert service.status().pid not in (None, *killed)


def test_a_worker_that_hangs_is_not_waited_for(make_reranker, asked):
    service = make_reranker()
    service.score(asked.query, ["bread"])
    os.kill(service.status().pid, signal.SIGSTOP)
    try:
        with pytest.raises(ModelError, match="the reranker did not answer in time"):
            service.score(asked.query, asked.texts, timeout=0.2)
    finally:
        os.kill(service.status().pid, signal.SIGCONT)


def test_the_worker_goes_when_idle_and_comes_back(make_reranker, asked, until):
    service = make_reranker(idle_unload_seconds=0.05)
    before = service.score(asked.query, asked.texts[:3])
    until(lambda: service.status().state == "off")
    assert service.score(asked.query, asked.texts[:3]) == before


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux shows what a process has loaded")
def test_the_worker_of_every_day_knows_no_torch(reranker, asked):
    reranker.score(asked.query, ["bread"])
    status = reranker.status()
    loaded = Path(f"/proc/{status.pid}/maps").read_text()
    assert "onnxruntime" in loaded
    assert "torch" not in loaded
    assert status.rss_bytes == pytest.approx(psutil.Process(status.pid).memory_info().rss, rel=0.5)
    assert status.rss_bytes < 300e6


def test_what_is_closed_starts_no_worker(make_reranker, asked):
    service = make_reranker()
    service.score(asked.query, ["bread"])
    pid = service.status().pid
    service.close()
    assert not psutil.pid_exists(pid)
    with pytest.raises(ModelError, match="the reranker is closed"):
        service.score(asked.query, ["bread"])


def test_a_model_that_is_not_prepared_is_while_the_search_goes_on(make_reranker, tmp_path, asked, until):
    service = make_reranker(tmp_path)
    with pytest.raises(ModelError, match="is being prepared"):
        service.score(asked.query, asked.texts)
    until(lambda: service.prepared)
    assert len(service.score(asked.query, asked.texts)) == 60


def test_a_preparation_ends_with_the_service(make_reranker, tmp_path, asked, until):
    service = make_reranker(tmp_path)
    with pytest.raises(ModelError, match="is being prepared"):
        service.score(asked.query, asked.texts)
    service.close()
    assert not service._preparation.is_alive()


def test_one_that_cannot_be_prepared_says_why_and_is_left_alone_for_a_while(
    make_reranker, cross_encoder, tmp_path, asked, until
):
    broken = tmp_path / "broken"
    shutil.copytree(cross_encoder, broken)
    (broken / "model.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0not safetensors")
    service = make_reranker(tmp_path / "models", model=str(broken))
    with pytest.raises(ModelError, match="is being prepared"):
        service.score(asked.query, asked.texts)
    until(lambda: service.status().state == "failed")
    first = service._preparation
    first.join()
    for _ in range(2):
        with pytest.raises(ModelError, match="does not load"):
            service.score(asked.query, asked.texts)
    assert service._preparation is first


SETTINGS = (
    ({"model": "off"}, "no reranker is set up: `khoj-ls config set rerank.model fast`"),
    ({"model": ""}, "no reranker is set up"),
    ({"model": "fats"}, r"no reranker 'fats' \(did you mean fast\?\): use a preset"),
    ({"model": "nobody/nothing"}, "the reranker nobody/nothing is not on this machine: fetch it once with `hf download"),
    ({"model": "package:no_such_package"}, "package that carries it"),
    ({"model": "remote"}, r"rerank\.endpoint https"),
)


@pytest.mark.parametrize(("settings", "message"), SETTINGS)
def test_without_a_model_the_error_says_what_to_do(settings, message, make_reranker, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    service = make_reranker(**settings)
    with pytest.raises(ModelError, match=message):
        service.score("bread", ["flour"])
    assert service.status().pid is None
    service.warm()
    service.close()
