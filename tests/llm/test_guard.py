"""Where requests may go: to the one address of the settings, through the proxy of the environment that was handed in."""

from __future__ import annotations

import asyncio
import ssl

import httpx2
import pytest
from chat_server import ChatServer

from khoj_ls.core.errors import KeyRefused, ModelError
from khoj_ls.llm.connection import Connection, Service


def connection(folders, url, environment=None):
    return Connection(
        Service("svc", url, "SVC_KEY", "chat.providers.svc.base_url"), {} if environment is None else environment, folders
    )


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "write an address"),
        ("api.example.org", "write an address"),
        ("ftp://api.example.org", "write an address"),
        ("http://[", "write an address"),
        ("http://host:port/", "write an address"),
        ("https://user:secret@api.example.org/v1", "holds a name or a password"),
    ],
)
def test_an_address_that_cannot_be_used(folders, url, says):
    with pytest.raises(ModelError, match=says) as raised:
        connection(folders, url)
    assert "secret" not in str(raised.value) and "chat.providers.svc.base_url" in str(raised.value)


@pytest.mark.parametrize(
    "elsewhere",
    [
        "http://198.51.100.7/v1",
        "http://localhost:1/v1",
        "https://127.0.0.1/v1",
        "http://127.0.0.1:9/v1",
        "http://127.0.0.1.example.org/v1",
    ],
)
def test_a_client_reaches_one_origin(folders, elsewhere):
    async def ask(client):
        async with client:
            await client.post(elsewhere, json={})

    with ChatServer() as server:
        client = connection(folders, server.url).client("", 5)
        with pytest.raises(ModelError, match="was stopped"):
            asyncio.run(ask(client))
        assert server.requests == []


def test_a_redirect_is_not_followed(folders):
    async def ask(client, url):
        async with client:
            return await client.get(url)

    with ChatServer() as server, ChatServer() as other:
        here = connection(folders, server.url)
        # even a library that asks for redirects to be followed is stopped at the door
        client = here.client("", 5)
        client.follow_redirects = True
        redirecting = httpx2.MockTransport(lambda request: httpx2.Response(302, headers={"Location": other.url}))
        inner = client._transport

        class First(httpx2.AsyncBaseTransport):
            asked = 0

            async def handle_async_request(self, request):
                First.asked += 1
                return await (redirecting if First.asked == 1 else inner).handle_async_request(request)

        client._transport = First()
        with pytest.raises(ModelError, match="was stopped"):
            asyncio.run(ask(client, server.url))
        assert other.asked == []


@pytest.mark.parametrize(
    ("url", "environment", "through"),
    [
        ("https://api.example.org/v1", {"HTTPS_PROXY": "http://127.0.0.1:3128"}, True),
        ("https://api.example.org/v1", {"HTTPS_PROXY": "http://127.0.0.1:3128", "NO_PROXY": "example.org"}, False),
        ("http://127.0.0.1:1234/v1", {"HTTP_PROXY": "http://127.0.0.1:3128"}, False),
        ("https://api.example.org/v1", {}, False),
    ],
)
def test_the_proxy_is_that_of_the_environment_handed_in(folders, monkeypatch, url, environment, through):
    monkeypatch.setenv("HTTPS_PROXY", "http://198.51.100.9:1")
    client = connection(folders, url, environment).client("", 5)
    pool = client._transport._pool
    assert (type(pool).__name__ == "AsyncHTTPProxy") == through


def test_a_proxy_that_is_none(folders):
    with pytest.raises(ModelError, match="proxy"):
        connection(folders, "https://api.example.org/v1", {"HTTPS_PROXY": "nonsense://x"}).client("", 5)


def test_a_proxy_that_wants_a_package(folders, monkeypatch):
    monkeypatch.setattr("khoj_ls.llm.guard.find_spec", lambda name: None)
    with pytest.raises(ModelError, match="pip install socksio"):
        connection(folders, "https://api.example.org/v1", {"ALL_PROXY": "socks5://127.0.0.1:1080"}).client("", 5)


@pytest.mark.parametrize("key", ["sk-“quoted”", "sk-two\nlines", "sk-\x00"])
def test_a_key_that_cannot_be_sent(folders, key):
    with pytest.raises(KeyRefused, match=r"the key SVC_KEY for https://api\.example\.org holds what no key does") as raised:
        connection(folders, "https://api.example.org/v1", {"SVC_KEY": key}).key()
    assert key not in str(raised.value)


def test_the_key_is_looked_for_when_it_is_needed(folders):
    environment = {}
    here = connection(folders, "https://api.example.org/v1", environment)
    assert here.key() == ""
    environment["SVC_KEY"] = "sk-later"
    assert here.key() == "sk-later"
    assert "sk-later" not in repr(here)


@pytest.mark.parametrize("answer", [b"", b"not json", b"\xff\xfe{}", b"[" * 100_000, b"1" * 5000])
def test_a_short_question_that_nobody_answers_well(folders, answer):
    with ChatServer(short=answer) as server:
        assert connection(folders, server.url).ask("/v1/models") is None
    assert [request.path for request in server.asked] == ["/v1/models"]
    assert connection(folders, server.url).ask("/v1/models") is None  # nothing listens


@pytest.mark.parametrize(
    ("url", "root", "version"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434", ""),
        ("http://127.0.0.1:1234/v1/", "http://127.0.0.1:1234", "/v1"),
        ("https://example.org/llm/v1", "https://example.org/llm", "/v1"),
        ("https://example.org/v1beta/openai", "https://example.org/v1beta/openai", ""),
    ],
)
def test_the_root_of_an_address(folders, url, root, version):
    here = connection(folders, url)
    assert (here.root, here.version) == (root, version)


def test_a_short_question_goes_below_the_root(folders):
    with ChatServer(models={"m": 1}) as server:
        for url in (server.root, server.url, f"{server.url}/"):
            assert connection(folders, url).ask("/v1/models")["data"][0]["id"] == "m"


def test_certificates_are_read_once_and_none_is_trusted_without_encryption(folders):
    for url, trusts in (("https://example.org", True), ("https://127.0.0.1:9", True), ("http://127.0.0.1:9", False)):
        here = connection(folders, url)
        trusted = here._way()["verify"]
        assert trusted is here._way()["verify"]
        assert (trusted.verify_mode, trusted.cert_store_stats()["x509_ca"] > 0) == (ssl.CERT_REQUIRED, trusts)
