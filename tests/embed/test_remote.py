"""An OpenAI-compatible endpoint, played by a real HTTP server on loopback."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from json_endpoint import serving

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.core.errors import Cancelled, ModelError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.embed.remote import RemoteEncoder, address_of
from khoj_ls.models.endpoint import is_loopback, proxy_for, url_of

KEY = "sk-very-secret-1234"
WIDTH = 4


def vectors(texts, width=WIDTH, *, as_text=False):
    """An answer whose items stand in another order than the texts."""
    rows = [[float(len(text)), 1.0] + [0.0] * (width - 2) for text in texts]
    if as_text:
        rows = [base64.b64encode(np.array(row, "<f4").tobytes()).decode() for row in rows]
    return {"object": "list", "data": [{"index": i, "embedding": row} for i, row in enumerate(rows)][::-1]}


@pytest.fixture
def endpoint():
    """It answers with vectors that tell the texts apart."""
    with serving(lambda body: vectors(body["input"], as_text=body["encoding_format"] == "base64")) as made:
        yield made


@pytest.fixture
def remote(endpoint, make_encoder, tmp_path):
    return make_encoder(
        tmp_path, {"OPENAI_API_KEY": f"{KEY}\n"}, model="remote", endpoint=endpoint.url, remote_dimensions=WIDTH
    )


def lengths(found):
    """The lengths of the texts, read back from their vectors."""
    rows = [np.frombuffer(vector, "<f4") for vector in found]
    assert all(abs(np.linalg.norm(row) - 1) < 1e-6 for row in rows)
    return [round(float(row[0] / row[1])) for row in rows]


def test_vectors_come_in_the_order_of_the_texts(endpoint, remote):
    texts = ["x" * (number % 50 + 1) for number in range(130)]
    assert lengths(remote.embed_documents(texts)) == [len(text) for text in texts]
    assert sorted(len(body["input"]) for _, _, body in endpoint.requests) == [30, 100]
    path, headers, body = endpoint.requests[0]
    assert (path, body["model"], body["encoding_format"]) == ("/v1/embeddings", "text-embedding-3-small", "base64")
    assert body["dimensions"] == WIDTH
    assert headers["Authorization"] == f"Bearer {KEY}"


def test_nothing_is_prepared_and_no_process_started(endpoint, remote):
    remote.prepare()
    assert (remote.prepared, remote.dimensions, remote.max_tokens, remote.remote) == (True, WIDTH, 8191, "")
    assert remote.tokenizer().count(["a text"]) == [2]
    assert KEY not in remote.id
    assert lengths([remote.embed_query("query"), remote.embed_query("query")]) == [5, 5]
    assert (len(endpoint.requests), remote.status().pid) == (1, None)


def test_an_empty_text_is_sent_as_a_blank(endpoint, remote):
    remote.embed_documents(["", "a"])
    assert endpoint.requests[0][2]["input"] == [" ", "a"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_endpoint_is_asked_again_when_it_says(status, endpoint, remote):
    endpoint.answers = [(status, {"Retry-After": "0"}, {}), (status, {"Retry-After": "0.01"}, {})]
    assert lengths(remote.embed_documents(["abc"])) == [3]
    assert len(endpoint.requests) == 3


def test_it_is_not_asked_for_ever(endpoint, remote):
    endpoint.answers = [(429, {"Retry-After": "0"}, {})] * 9
    with pytest.raises(ModelError, match="status 429"):
        remote.embed_documents(["abc"])
    assert len(endpoint.requests) == 5


def test_a_query_has_no_time_for_a_long_pause(endpoint, remote):
    endpoint.answers = [(503, {"Retry-After": "50"}, {})]
    with pytest.raises(ModelError, match="status 503"):
        remote.embed_query("abc", timeout=5)


@pytest.mark.parametrize("retry_after", ["120", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_one_that_wants_to_be_left_alone_for_long_is(retry_after, endpoint, remote):
    endpoint.answers = [(429, {"Retry-After": retry_after}, {})]
    with pytest.raises(ModelError, match="status 429"):
        remote.embed_documents(["abc"])
    assert len(endpoint.requests) == 1


def test_a_moment_that_has_passed_is_no_pause(endpoint, remote):
    endpoint.answers = [(503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, {})]
    assert lengths(remote.embed_documents(["abc"])) == [3]


@pytest.mark.parametrize(
    "asking",
    [
        lambda remote, token: remote.embed_documents(["abc"] * 450, token),
        lambda remote, token: remote.embed_query("abc", token=token),
    ],
    ids=["documents", "a query"],
)
@pytest.mark.parametrize("answer", [(429, {"Retry-After": "50"}, {}), None])
def test_waiting_can_be_called_off(asking, answer, endpoint, remote, until):
    """Between two tries, and while the endpoint takes its time."""
    endpoint.answers = [answer] if answer else []
    if answer is None:
        endpoint.may_answer.clear()
    token = CancelToken()
    with ThreadPoolExecutor() as pool:
        work = pool.submit(asking, remote, token)
        until(lambda: endpoint.requests)
        token.cancel()
        with pytest.raises(Cancelled):
            work.result(10)


def test_a_query_goes_beside_documents_that_wait(endpoint, remote, until):
    endpoint.may_answer.clear()
    token = CancelToken()
    with ThreadPoolExecutor() as pool:
        work = pool.submit(remote.embed_documents, ["abc"] * 900, token)
        until(lambda: len(endpoint.requests) == 4)
        query = pool.submit(remote.embed_query, "query")
        until(lambda: len(endpoint.requests) == 5)
        endpoint.may_answer.set()
        assert lengths([query.result()]) == [5]
        assert len(work.result()) == 900


def test_a_service_that_knows_no_base64_is_asked_for_numbers(endpoint, remote):
    endpoint.answers = [(400, {}, {"error": "unknown encoding_format"})]
    assert lengths(remote.embed_documents(["abc"])) == [3]
    assert lengths(remote.embed_documents(["abcd"])) == [4]
    assert [body["encoding_format"] for _, _, body in endpoint.requests] == ["base64", "float", "float"]


def test_a_key_that_comes_later_is_used(endpoint, make_encoder, tmp_path, monkeypatch):
    monkeypatch.setenv("KHOJ_LS_HOME", str(tmp_path / "home"))
    environment = {}
    service = make_encoder(tmp_path, environment, model="remote", endpoint=endpoint.url, remote_dimensions=WIDTH)
    endpoint.answers = [(401, {}, {})]
    with pytest.raises(ModelError, match=r"wants a key: set the environment variable OPENAI_API_KEY"):
        service.embed_query("a")
    environment["OPENAI_API_KEY"] = KEY
    service.embed_query("a")
    assert [headers["Authorization"] for _, headers, _ in endpoint.requests] == [None, f"Bearer {KEY}"]


def test_documents_are_told_as_they_come(endpoint, remote):
    told = {}
    texts = ["x" * (number % 50 + 1) for number in range(130)]
    found = remote.embed_documents(texts, on_vectors=lambda places, new: told.update(zip(places, new, strict=True)))
    assert [told[place] for place in range(130)] == found


def test_prefixes_of_a_model_that_wants_them(endpoint, make_encoder, tmp_path):
    service = make_encoder(
        tmp_path, model="remote", endpoint=endpoint.url, remote_dimensions=WIDTH, remote_model="nomic-embed-text"
    )
    service.embed_documents(["a"])
    service.embed_query("b")
    bodies = [body for _, _, body in endpoint.requests]
    assert [body["input"] for body in bodies] == [["search_document: a"], ["search_query: b"]]
    assert "dimensions" not in bodies[0]
    assert service.tokenizer_source() == ("", 8191 - len("search_document: "))


@pytest.mark.parametrize(
    ("model", "query", "passage"),
    [
        ("nomic-embed-text", "search_query: same", "search_document: same"),
        ("intfloat/e5-base-v2", "query: same", "passage: same"),
        ("BAAI/bge-small-en-v1.5", "Represent this sentence for searching relevant passages: same", "same"),
        ("text-embedding-3-small", "same", "same"),
    ],
)
def test_one_text_as_a_question_and_as_a_passage(endpoint, make_encoder, tmp_path, model, query, passage):
    service = make_encoder(tmp_path, model="remote", endpoint=endpoint.url, remote_dimensions=WIDTH, remote_model=model)
    asked = [service.embed_query("same"), service.embed_passage("same")]
    assert [body["input"] for _, _, body in endpoint.requests] == [[query], [passage]]
    assert lengths(asked) == [len(query), len(passage)]
    # Both are remembered, each as itself.
    assert [service.embed_query("same"), service.embed_passage("same")] == asked
    assert len(endpoint.requests) == 2


URLS = (
    ("https://api.example.org", "https://api.example.org/v1/embeddings"),
    ("https://api.example.org/", "https://api.example.org/v1/embeddings"),
    ("https://api.example.org/v1/", "https://api.example.org/v1/embeddings"),
    ("https://api.example.org/openai/v1/embeddings", "https://api.example.org/openai/v1/embeddings"),
)


@pytest.mark.parametrize("endpoint_setting", ["http://[", "api.example.org/v1", "file:///etc", "http://"])
def test_what_is_no_address(endpoint_setting, make_encoder, tmp_path):
    service = make_encoder(tmp_path, model="remote", endpoint=endpoint_setting, allow_remote=True)
    with pytest.raises(ModelError, match="write an address"):
        service.embed_query("a")


@pytest.mark.parametrize(("endpoint_setting", "url"), URLS)
def test_where_to_post(endpoint_setting, url):
    assert url_of(address_of(EmbeddingSettings(endpoint=endpoint_setting))) == url


BAD = (
    ((401, {}, {"error": f"bad key {KEY}"}), "OPENAI_API_KEY"),
    ((403, {}, {"error": f"bad key {KEY}"}), "OPENAI_API_KEY"),
    ((404, {}, {"error": {"message": f"no model\n for {KEY}"}}), r"status 404: no model for \*\*\*$"),
    ((413, {}, {"message": "too long"}), "status 413: too long"),
    ((418, {}, ["tea"]), "status 418: see the service's own log"),
    ((307, {"Location": "/elsewhere"}, {}), "redirects"),
    ((302, {"Location": "http://example.org/v1"}, {}), "redirects"),
    ((200, {}, vectors(["a"], 7)), r"1 vectors of length \[7\].*remote_dimensions is 4"),
    ((200, {}, vectors(["a", "b"])), "2 vectors"),
    ((200, {}, {"data": []}), "0 vectors"),
    ((200, {}, {"data": [{"embedding": [1, 2, 3, 4]}]}), "OpenAI-compatible"),
    ((200, {}, {"data": [{"index": 1, "embedding": [1, 2, 3, 4]}]}), "1 vectors"),
    ((200, {}, {"data": [{"index": 0, "embedding": "no base64!"}]}), "OpenAI-compatible"),
    ((200, {}, {"data": [{"index": 0, "embedding": [1, 2, None, 4]}]}), "OpenAI-compatible"),
    ((200, {}, ["unexpected"]), "OpenAI-compatible"),
)


@pytest.mark.parametrize(("answer", "message"), BAD)
def test_a_bad_answer_is_said_once_without_the_key(answer, message, endpoint, remote):
    endpoint.answers = [answer]
    with pytest.raises(ModelError, match=message) as caught:
        remote.embed_documents(["a"])
    assert KEY not in str(caught.value)
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("row", [[0.0] * 4, [float("nan"), 0.0, 0.0, 0.0], [float("inf"), 1.0, 0.0, 0.0]])
def test_a_vector_without_direction_can_still_be_compared(row, endpoint, remote):
    endpoint.answers = [(200, {}, {"data": [{"index": 0, "embedding": row}]})]
    [vector] = remote.embed_documents(["a"])
    assert np.frombuffer(vector, "<f4").tolist() == [1.0, 0.0, 0.0, 0.0]


def test_no_key_no_header(endpoint):
    settings = EmbeddingSettings(endpoint=endpoint.url, remote_dimensions=WIDTH, api_key_variable="")
    RemoteEncoder(settings, {"": KEY}).embed_query("a")
    assert "Authorization" not in endpoint.requests[0][1]


def test_nobody_listens(endpoint, make_encoder, tmp_path):
    endpoint.server.server_close()
    service = make_encoder(tmp_path, model="remote", endpoint=endpoint.url, remote_dimensions=WIDTH)
    with pytest.raises(ModelError, match="is the service running"):
        service.embed_query("a", timeout=0.3)


@pytest.mark.parametrize(
    "url", ["https://api.example.org/v1", "http://192.168.1.5/v1", "http://127.0.0.1.example.org/v1", "http://["]
)
def test_nothing_leaves_the_machine_without_a_yes(url, make_encoder, tmp_path):
    service = make_encoder(tmp_path, model="remote", endpoint=url)
    assert service.remote == url
    with pytest.raises(ModelError, match="allow_remote"):
        service.embed_query("private words")


@pytest.mark.parametrize(
    "url", ["http://localhost:11434/v1", "http://127.0.0.1/v1", "http://127.8.9.1/", "http://[::1]:8080/v1"]
)
def test_what_is_on_this_machine(url):
    assert is_loopback(url)


PROXIES = (
    ({}, None),
    ({"HTTPS_PROXY": "http://proxy:1"}, "http://proxy:1"),
    ({"all_proxy": "http://proxy:2", "http_proxy": "http://proxy:1"}, "http://proxy:2"),
    ({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "localhost, .example.org"}, None),
    ({"HTTPS_PROXY": "http://proxy:1", "no_proxy": "api.example.org"}, None),
    ({"HTTPS_PROXY": "http://proxy:1", "no_proxy": "*"}, None),
    ({"HTTPS_PROXY": "http://proxy:1", "no_proxy": "ample.org"}, "http://proxy:1"),
)


@pytest.mark.parametrize(("environment", "proxy"), PROXIES)
def test_the_proxy_is_the_one_handed_in(environment, proxy):
    assert proxy_for("https://api.example.org/v1", environment) == proxy


def test_a_name_and_password_in_the_address_are_not_shown(make_encoder, tmp_path):
    service = make_encoder(tmp_path, model="remote", endpoint=f"https://me:{KEY}@api.example.org/v1")
    with pytest.raises(ModelError, match=r"https://api\.example\.org,") as caught:
        service.embed_query("a")
    assert KEY not in str(caught.value)


def test_no_proxy_comes_between_this_machine_and_itself(endpoint, remote, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert lengths(remote.embed_documents(["abcd"])) == [4]
