"""A rerank service as Cohere and Jina have it, played by a real HTTP server on loopback."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from json_endpoint import serving

from khoj_ls.config.settings import RerankSettings
from khoj_ls.core.errors import Cancelled, ModelError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.models.endpoint import url_of
from khoj_ls.rerank.remote import address_of
from khoj_ls.rerank.scores import between_0_and_1

KEY = "co-very-secret-1234"


def results(texts, *, scale=0.01):
    """An answer whose items stand in another order than the texts; longer ones are worth more."""
    items = [{"index": i, "relevance_score": len(text) * scale, "document": {"text": text}} for i, text in enumerate(texts)]
    return {"id": "1", "results": sorted(items, key=lambda item: -item["relevance_score"]), "meta": {}}


@pytest.fixture
def endpoint():
    with serving(lambda body: results(body["documents"])) as made:
        yield made


@pytest.fixture
def remote(endpoint, make_reranker, tmp_path):
    return make_reranker(tmp_path, {"COHERE_API_KEY": f"{KEY}\n"}, model="remote", endpoint=endpoint.url)


def test_scores_come_in_the_order_of_the_texts(endpoint, remote):
    texts = ["x" * (number % 50 + 1) for number in range(130)]
    assert remote.score("question", texts) == pytest.approx([len(text) * 0.01 for text in texts])
    assert sorted(len(body["documents"]) for _, _, body in endpoint.requests) == [30, 100]
    path, headers, body = endpoint.requests[0]
    assert (path, body["model"], body["query"]) == ("/v1/rerank", "rerank-v3.5", "question")
    assert body["top_n"] == len(body["documents"])
    assert headers["Authorization"] == f"Bearer {KEY}"


def test_nothing_is_prepared_and_no_process_started(remote):
    remote.prepare()
    remote.warm()
    assert (remote.prepared, remote.remote, remote.status().state) == (True, "", "off")
    assert remote.score("question", []) == []


def test_an_empty_text_is_sent_as_a_blank(endpoint, remote):
    remote.score("", ["", "a"])
    assert (endpoint.requests[0][2]["query"], endpoint.requests[0][2]["documents"]) == (" ", [" ", "a"])


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_service_that_is_busy_is_asked_again(status, endpoint, remote):
    endpoint.answers = [(status, {"Retry-After": "0"}, {"message": "busy"})] * 2
    assert remote.score("question", ["abc"]) == pytest.approx([0.03])
    assert len(endpoint.requests) == 3


def test_it_is_not_asked_for_ever(endpoint, remote):
    endpoint.answers = [(429, {"Retry-After": "0"}, {"message": "busy"})] * 9
    with pytest.raises(ModelError, match="status 429: busy"):
        remote.score("question", ["abc"])
    assert len(endpoint.requests) == 5


def test_there_is_no_time_for_a_long_pause(endpoint, remote):
    endpoint.answers = [(503, {"Retry-After": "50"}, {})]
    with pytest.raises(ModelError, match="status 503"):
        remote.score("question", ["abc"], timeout=5)


def test_one_that_does_not_answer_is_not_waited_for(endpoint, remote):
    endpoint.may_answer.clear()
    with pytest.raises(ModelError, match=r"does not answer \(ReadTimeout\)"):
        remote.score("question", ["abc"], timeout=0.2)


def test_nobody_listens(endpoint, make_reranker, tmp_path):
    endpoint.server.server_close()
    service = make_reranker(tmp_path, model="remote", endpoint=endpoint.url)
    with pytest.raises(ModelError, match="is the service running"):
        service.score("question", ["abc"], timeout=0.3)


def test_waiting_can_be_called_off(endpoint, remote, until):
    endpoint.may_answer.clear()
    token = CancelToken()
    with ThreadPoolExecutor() as pool:
        work = pool.submit(remote.score, "question", ["abc"], token)
        until(lambda: endpoint.requests)
        token.cancel()
        with pytest.raises(Cancelled):
            work.result(10)


def item(index, score=0.5):
    return {"index": index, "relevance_score": score}


BAD = (
    ((401, {}, {"message": f"bad key {KEY}"}), "refuses the key COHERE_API_KEY"),
    ((403, {}, {}), "khoj-ls config key COHERE_API_KEY"),
    ((404, {}, {"message": f"no model for {KEY}"}), r"status 404: no model for \*\*\*$"),
    ((422, {}, {"error": {"message": "too many documents"}}), "status 422: too many documents"),
    ((302, {"Location": "http://example.org/v1"}, {}), r"redirects elsewhere.*rerank\.endpoint"),
    ((200, {}, {"results": [item(0)]}), "1 scores that do not fit the 2 passages"),
    ((200, {}, {"results": [item(0), item(0)]}), "1 scores"),
    ((200, {}, {"results": [item(0), item(2)]}), "2 scores that do not fit"),
    ((200, {}, {"results": [item(0), item(1, float("nan"))]}), "do not fit"),
    ((200, {}, {"results": [item(0), {"index": 1, "score": 0.1}]}), "as a Cohere- or Jina-style"),
    ((200, {}, {"results": 7}), "as a Cohere- or Jina-style"),
    ((200, {}, ["unexpected"]), "as a Cohere- or Jina-style"),
)


@pytest.mark.parametrize(("answer", "message"), BAD)
def test_a_bad_answer_is_said_once_without_the_key(answer, message, endpoint, remote):
    endpoint.answers = [answer]
    with pytest.raises(ModelError, match=message) as caught:
        remote.score("question", ["a", "b"])
    assert KEY not in str(caught.value)
    assert len(endpoint.requests) == 1


def test_a_service_that_calls_its_results_data(endpoint, remote):
    endpoint.answers = [(200, {}, {"data": [item(1, 0.2), item(0, 0.7)]})]
    assert remote.score("question", ["a", "b"]) == [0.7, 0.2]


def test_the_bare_output_of_a_model_is_brought_between_0_and_1(endpoint, remote):
    endpoint.answers = [(200, {}, {"results": [item(1, 0.5), item(0, -3.0), item(2, 8.0)]})]
    assert remote.score("question", ["a", "b", "c"]) == pytest.approx([0.0474, 0.6225, 0.9997], abs=1e-4)


@given(st.lists(st.floats(-1000, 1000), max_size=20))
def test_any_scores_end_between_0_and_1_in_the_same_order(scores):
    shown = between_0_and_1(scores)
    assert all(0.0 <= score <= 1.0 for score in shown)
    order = sorted(range(len(scores)), key=lambda index: scores[index])
    assert [shown[index] for index in order] == sorted(shown)


@pytest.mark.parametrize("url", ["https://api.cohere.com/v2", "http://192.168.1.5/v1"])
def test_nothing_leaves_the_machine_without_a_yes(url, make_reranker, tmp_path):
    service = make_reranker(tmp_path, model="remote", endpoint=url)
    assert service.remote == url
    with pytest.raises(ModelError, match=r"rerank\.allow_remote true` allows sending .* up to 50 passages"):
        service.score("private words", ["more of them"])


URLS = (
    ("https://api.cohere.com/v2", "https://api.cohere.com/v2/rerank"),
    ("https://api.jina.ai/v1/", "https://api.jina.ai/v1/rerank"),
    ("http://localhost:8080", "http://localhost:8080/v1/rerank"),
    ("http://localhost:8080/rerank", "http://localhost:8080/rerank"),
)


@pytest.mark.parametrize(("endpoint_setting", "url"), URLS)
def test_where_to_post(endpoint_setting, url):
    assert url_of(address_of(RerankSettings(endpoint=endpoint_setting))) == url
