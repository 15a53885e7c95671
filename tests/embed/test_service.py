"""The service and its worker: who goes first, what a crash costs, when the worker goes."""

from __future__ import annotations

import math
import os
import shutil
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest

from khoj_ls.core.errors import Cancelled, ModelError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.models.client import WorkerClient
from khoj_ls.workers.processors import usable

pytestmark = pytest.mark.model

LONG = [f"Note {number}: " + "the long winter evenings are for reading by the stove. " * 30 for number in range(64)]


def embeds(service):
    """Whether the worker is computing something."""
    worker = service._local._worker
    return worker is not None and worker.alive and any(worker._computing.values())


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
        with pytest.raises(ModelError, match="did not answer in time"):
            service.embed_query("other words", timeout=0.1)
    finally:
        os.kill(service.status().pid, signal.SIGCONT)


def test_a_query_is_begun_where_the_worker_is_ready(make_encoder, until):
    service = make_encoder()
    assert service.begin_query("a plum tree", False) is None
    asked = service.embed_query("a plum tree")
    for passage, text in ((False, "a plum tree"), (True, "a plum tree"), (False, "a pear tree")):
        coming = service.begin_query(text, passage)
        vector = coming(20)
        assert close_to([vector], [(service.embed_passage if passage else service.embed_query)(text)])
        assert (vector == asked) == (text == "a plum tree")
    os.kill(service.status().pid, signal.SIGSTOP)  # what is known needs no worker
    try:
        assert service.begin_query("a pear tree", False)(0) == vector
        late = service.begin_query("a quince", False)
        assert late(0.01) is None
    finally:
        os.kill(service.status().pid, signal.SIGCONT)
    assert close_to([late(20)], [service.embed_query("a quince")])


def test_of_a_query_that_was_begun_hears_who_wants_to(make_encoder, until):
    service = make_encoder()
    service.embed_query("start")
    heard = []
    vector = service.begin_query("a plum tree", False, heard.append)(20)
    until(lambda: heard == [vector])
    assert service.begin_query("a plum tree", False, heard.append)(0) == vector  # it was there
    other = service.begin_query("a pear tree", False, heard.append)(20)
    until(lambda: heard == [vector, other])


@pytest.mark.skipif(len(usable()) < 2, reason="there is one processor, or the system does not tell")
def test_what_computes_a_query_that_was_begun_is_bound_to_no_processor(make_encoder):
    service = make_encoder()
    service.embed_query("start")
    for number in range(4):
        assert service.begin_query(f"plum tree {number}", False)(20)
        bound = [os.sched_getaffinity(thread.id) for thread in psutil.Process(service.status().pid).threads()]
        # The one that computed roams again; the other, which reads on, was to wake elsewhere too.
        assert sum(each != usable() for each in bound) == 1


def test_no_query_is_begun_that_nobody_reads(make_encoder):
    service = make_encoder()
    service.embed_query("start")
    worker = service._local._worker
    os.kill(worker.pid, signal.SIGSTOP)
    try:
        begun = 0
        while service.begin_query(f"{begun} " + "the long winter evenings " * 10, False) is not None:
            begun += 1
            assert begun < 1000
        assert begun > 1
        assert len(worker._tickets) == begun == len(worker._computing)
    finally:
        os.kill(worker.pid, signal.SIGCONT)


def test_a_query_that_was_begun_and_is_not_waited_for_keeps_no_worker(make_encoder, until):
    service = make_encoder(idle_unload_seconds=0.05)
    worker = service._local._running(CancelToken(), math.inf)
    assert service.begin_query("never mind", False) is not None
    until(lambda: not psutil.pid_exists(worker.pid))


def test_a_query_that_was_begun_ends_with_its_worker(make_encoder):
    service = make_encoder()
    service.embed_query("start")
    pid = service.status().pid
    os.kill(pid, signal.SIGSTOP)
    coming = service.begin_query("other words", False)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ModelError, match="gone"):
        coming(20)
    assert len(service.embed_query("other words")) == 4 * 384


def test_cancelling_stops_between_two_batches(encoder, until):
    token, done = CancelToken(), []

    def on_vectors(places, vectors):
        done.extend(places)
        token.cancel()

    with pytest.raises(Cancelled):
        encoder.embed_documents(LONG * 16, token, on_vectors)
    assert len(done) <= 2  # two notes of that length fill a batch
    until(lambda: not embeds(encoder), 15)  # all of them would take much longer
    assert len(encoder.embed_query("still there")) == 4 * 384


def test_what_is_called_off_before_it_begins_is_not_begun(make_encoder):
    token = CancelToken()
    token.cancel()
    service = make_encoder()
    for work in (lambda: service.embed_documents(LONG, token), lambda: service.embed_query("text", token=token)):
        with pytest.raises(Cancelled):
            work()
    assert service.status().state == "off"


def test_vectors_are_told_as_they_come(encoder):
    told = {}
    vectors = encoder.embed_documents(LONG[:9], on_vectors=lambda places, found: told.update(zip(places, found, strict=True)))
    assert [told[place] for place in range(9)] == vectors


def test_one_note_does_not_wait_for_the_vault(encoder):
    first, vault = threading.Event(), CancelToken()
    with ThreadPoolExecutor() as pool:
        backlog = pool.submit(encoder.embed_documents, LONG * 9, vault, lambda *_: first.set())
        assert first.wait(60)
        assert len(encoder.embed_documents(["the note that was just saved"])) == 1
        assert not backlog.done()
        vault.cancel()
        with pytest.raises(Cancelled):
            backlog.result()


def test_a_worker_killed_at_work_costs_nothing_but_time(make_encoder, encoder, until):
    service = make_encoder()
    with ThreadPoolExecutor() as pool:
        work = pool.submit(service.embed_documents, LONG[:8])
        until(lambda: embeds(service))
        killed = service.status().pid
        os.kill(killed, signal.SIGKILL)
        assert close_to(work.result(), encoder.embed_documents(LONG[:8]))
    assert service.status().pid != killed


def test_what_was_there_before_the_worker_ended_is_not_asked_again(make_encoder, encoder):
    service = make_encoder()
    told = []

    def on_vectors(places, vectors):
        told.extend(places)
        if len(told) == len(places):
            os.kill(service.status().pid, signal.SIGKILL)

    texts = [f"text {number}" for number in range(300)]
    assert close_to(service.embed_documents(texts, on_vectors=on_vectors), encoder.embed_documents(texts))
    assert sorted(told) == list(range(300))


def test_a_text_that_ends_the_worker_twice_is_named_and_the_rest_is_served(make_encoder, until):
    service = make_encoder()
    [deadly, *rest] = LONG

    def computed():
        """What the worker has in work, as one who looks over its shoulder would see it."""
        worker = service._local._worker
        with worker._changed:
            return {texts[number][place] for number, places in worker._computing.items() for place in places}

    texts = {}
    ask = WorkerClient.ask

    def remember(worker, sent, **options):
        ticket = ask(worker, sent, **options)
        texts[ticket.number] = sent
        return ticket

    with ThreadPoolExecutor() as pool, pytest.MonkeyPatch.context() as patch:
        patch.setattr(WorkerClient, "ask", remember)
        work = pool.submit(service.embed_documents, [deadly, *rest[:3]])
        for _ in range(2):
            until(lambda: service._local._worker is not None and service._local._worker.alive and deadly in computed())
            worker = service._local._worker
            os.kill(worker.pid, signal.SIGKILL)
            until(lambda worker=worker: not worker.alive)
        with pytest.raises(ModelError, match="ended twice while embedding the text that begins with 'Note 0: the long"):
            work.result()
    assert len(service.embed_documents(rest[:3])) == 3


def test_the_worker_goes_when_idle_and_comes_back(make_encoder, until):
    # Loading and work take longer than it may be idle: that is not idleness.
    service = make_encoder(idle_unload_seconds=0.05)
    assert len(service.embed_documents(LONG[:8])) == 8
    before = service.embed_query("first"), service.embed_documents(["first"])
    pid = service._local._worker.pid
    until(lambda: service.status().state == "off" and not psutil.pid_exists(pid))
    assert service.embed_query("first") == before[0]
    assert service.status().state == "off"
    assert service.embed_documents(["first"]) == before[1]


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


def test_a_prepared_model_of_another_size_is_none(make_encoder, prepared_models, tmp_path):
    folder = prepared_models / make_encoder().spec.slug
    copy = tmp_path / folder.name
    copy.mkdir()
    for name in ("model.json", "tokenizer.json"):
        (copy / name).symlink_to(folder / name)
    (copy / "model.onnx").write_bytes(b"torn")
    service = make_encoder(tmp_path)
    assert not service.prepared
    with pytest.raises(ModelError, match="being prepared"):
        service.embed_query("text")


def test_a_model_that_is_deleted_is_one_to_be_prepared(make_encoder, prepared_models, tmp_path):
    folder = prepared_models / make_encoder().spec.slug
    copy = tmp_path / folder.name
    shutil.copytree(folder, copy)
    service = make_encoder(tmp_path)
    assert service.tokenizer_source() == (str(copy), 256)
    shutil.rmtree(copy)
    assert not service.prepared
    with pytest.raises(ModelError, match="being prepared"):
        service.tokenizer_source()


def test_a_damage_that_shows_only_when_loading_is_repaired_by_preparing(make_encoder, prepared_models, tmp_path):
    folder = prepared_models / make_encoder().spec.slug
    copy = tmp_path / folder.name
    shutil.copytree(folder, copy)
    graph = copy / "model.onnx"
    graph.write_bytes(b"\0" * graph.stat().st_size)
    service = make_encoder(tmp_path)
    with pytest.raises(ModelError, match="cannot be loaded"):
        service.embed_query("text")
    status = service.status()
    assert (status.state, status.error is None) == ("failed", False)
    assert not service.prepared
    assert len(service.embed_documents(["text"])[0]) == 4 * 384
    assert service.status().error is None
