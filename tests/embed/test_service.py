"""The service and its worker: who goes first, what a crash costs, when the worker goes."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest

from khoj_ls.core.errors import Cancelled, ModelError

pytestmark = pytest.mark.model

LONG = [f"Note {number}: " + "the long winter evenings are for reading by the stove. " * 30 for number in range(64)]
PIECE = 64


def embeds(service):
    """Whether the worker is at work on a message."""
    worker = service._worker
    return worker is not None and worker.ready.is_set() and bool(worker._waiting)


def close_to(vectors, others):
    pairs = zip(vectors, others, strict=True)
    return all(np.allclose(np.frombuffer(a, "<f4"), np.frombuffer(b, "<f4"), atol=1e-5) for a, b in pairs)


def test_making_one_starts_nothing(make_encoder):
    service = make_encoder()
    assert (service.prepared, service.dimensions, service.max_tokens, service.remote) == (True, 384, 256, "")
    assert service.status().state == "off"


def test_a_query_does_not_wait_for_the_backlog(encoder, until):
    encoder.embed_query("start")
    with ThreadPoolExecutor() as pool:
        backlog = pool.submit(encoder.embed_documents, LONG[:32])
        until(lambda: embeds(encoder))
        encoder.embed_query("asked while the backlog runs")
        assert not backlog.done()
        assert len(backlog.result()) == 32


def test_a_query_asked_again_comes_from_memory(make_encoder):
    service = make_encoder()
    first = service.embed_query("the same words")
    os.kill(service.status().pid, signal.SIGSTOP)  # nobody is there to answer
    try:
        assert service.embed_query("the same words", timeout=5) == first
        with pytest.raises(ModelError, match=r"did not answer within 0\.1 s"):
            service.embed_query("other words", timeout=0.1)
    finally:
        os.kill(service.status().pid, signal.SIGCONT)


def test_cancelling_stops_between_two_pieces(encoder, looked_at):
    token = looked_at({3: lambda: token.cancel()})
    with pytest.raises(Cancelled):
        encoder.embed_documents(["short"] * PIECE * 9, token)
    assert token.looks == 3
    assert len(encoder.embed_query("still there")) == 4 * 384


def test_a_worker_killed_at_work_costs_nothing_but_time(make_encoder, encoder, until):
    service = make_encoder()
    with ThreadPoolExecutor() as pool:
        work = pool.submit(service.embed_documents, LONG[:8])
        until(lambda: embeds(service))
        killed = service.status().pid
        os.kill(killed, signal.SIGKILL)
        assert close_to(work.result(), encoder.embed_documents(LONG[:8]))
    assert service.status().pid != killed


def test_a_worker_that_is_gone_between_two_pieces_is_started_again(make_encoder, encoder, looked_at):
    service = make_encoder()
    texts = [f"text {number}" for number in range(3 * PIECE)]
    token = looked_at({3: lambda: os.kill(service.status().pid, signal.SIGKILL)})
    assert close_to(service.embed_documents(texts, token), encoder.embed_documents(texts))


def test_a_worker_that_ends_twice_is_an_error_that_names_the_text(make_encoder, until):
    service = make_encoder()
    with ThreadPoolExecutor() as pool:
        work = pool.submit(service.embed_documents, LONG)
        for _ in range(2):
            until(lambda: embeds(service))
            worker = service._worker
            os.kill(worker.pid, signal.SIGKILL)
            until(lambda worker=worker: service._worker is not worker or work.done())
        with pytest.raises(ModelError, match="ended twice while embedding a text that begins with 'Note"):
            work.result()
    assert len(service.embed_query("and the next one is served")) == 4 * 384


def test_the_worker_goes_when_idle_and_comes_back(make_encoder, until):
    # Loading takes longer than it may be idle: that is not idleness.
    service = make_encoder(idle_unload_seconds=0.3)
    before = service.embed_query("first")
    pid = service._worker.pid
    until(lambda: service.status().state == "off")
    assert not psutil.pid_exists(pid)
    assert service.embed_query("first") == before
    assert service.status().state == "off"
    assert service.embed_documents(["first"]) == [before]


def test_warming_starts_the_worker(make_encoder, until):
    service = make_encoder()
    service.warm()
    until(lambda: service.status().state == "ready")
    status = service.status()
    assert (status.backend, status.model, status.error) == ("onnx", "fast", None)
    assert status.rss_bytes == pytest.approx(psutil.Process(status.pid).memory_info().rss, rel=0.5)
    assert status.rss_bytes < 300e6


def test_what_is_closed_starts_no_worker(make_encoder):
    service = make_encoder()
    service.embed_query("start")
    pid = service.status().pid
    service.close()
    assert not psutil.pid_exists(pid)
    with pytest.raises(ModelError, match="closed"):
        service.embed_documents(["text"])


def test_before_the_model_is_prepared(make_encoder, tmp_path):
    service = make_encoder(tmp_path)
    assert not service.prepared
    for ask in (lambda: service.embed_query("text"), lambda: service.id, lambda: service.dimensions, service.tokenizer):
        with pytest.raises(ModelError, match="being prepared"):
            ask()


def test_a_damaged_prepared_model_is_an_error_that_is_over_when_it_is_repaired(make_encoder, prepared_models, tmp_path):
    [folder] = [path for path in prepared_models.iterdir() if path.name.startswith("fast-")]
    copy = tmp_path / folder.name
    copy.mkdir()
    for name in ("model.json", "tokenizer.json"):
        (copy / name).symlink_to(folder / name)
    (copy / "model.onnx").write_bytes(b"torn")
    service = make_encoder(tmp_path)
    with pytest.raises(ModelError, match="cannot be loaded"):
        service.embed_query("text")
    status = service.status()
    assert (status.state, status.error is None) == ("failed", False)
    (copy / "model.onnx").unlink()
    (copy / "model.onnx").symlink_to(folder / "model.onnx")
    assert len(service.embed_query("text")) == 4 * 384
    assert service.status().error is None
