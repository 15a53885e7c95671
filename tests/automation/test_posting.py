"""One attempt: what it sends, what it makes of answers, and where it does not go."""

from __future__ import annotations

import hashlib
import hmac
import socket
import time
from pathlib import Path

import pytest
from moody_receiver import MoodyReceiver

from khoj_ls.automation.addresses import is_named, is_public
from khoj_ls.automation.posting import post

TLS = Path(__file__).parent / "tls"
BODY = '{"query":"straße"}'.encode()


def test_the_request(receiver, hook_to, secret):
    answer = post(hook_to(receiver), secret, "index.completed", "d1", BODY)
    assert (answer.status, answer.error) == (204, "")
    [got] = receiver.received
    assert got.body == BODY
    stamp = got.headers["X-Khoj-Timestamp"]
    assert abs(int(stamp) - time.time()) < 60
    signed = hmac.new(secret.reveal().encode(), f"{stamp}.d1.".encode() + BODY, hashlib.sha256).hexdigest()
    expected = {"X-Khoj-Event": "index.completed", "X-Khoj-Delivery": "d1", "X-Khoj-Signature": f"v1={signed}"}
    assert {name: got.headers[name] for name in expected} == expected
    assert got.headers["Host"] == receiver.url.split("/")[2]
    assert secret.reveal() not in str(got)


@pytest.mark.parametrize(
    ("mood", "status", "error", "final", "retry_after"),
    [
        ("HTTP/1.1 200 OK\r\n\r\n", 200, "", False, 0),
        ("HTTP/1.0 202\r\n\r\n", 202, "", False, 0),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204, "", False, 0),
        ("error", 500, "HTTP 500", False, 0),
        ("HTTP/1.1 404 Not Found\r\n\r\n", 404, "HTTP 404", False, 0),
        ("HTTP/1.1 410 Gone\r\n\r\n", 410, "HTTP 410", True, 0),
        ("HTTP/1.1 429 Too Many\r\nRetry-After: 17\r\n\r\n", 429, "HTTP 429", False, 17),
        ("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", 302, "it redirects, which is not followed", True, 0),
        ("HTTP/1.1 308 Moved\r\nLocation: /other\r\n\r\n", 308, "it redirects, which is not followed", True, 0),
        ("SSH-2.0-OpenSSH\r\n\r\n", None, "not HTTP", False, 0),
        ("x" * 80_000, None, "not HTTP", False, 0),
        ("HTTP/1.1 200", None, "closed without an answer", False, 0),
        ("cut", None, "closed without an answer", False, 0),
    ],
)
def test_answers(mood, status, error, final, retry_after, receiving, hook_to, secret):
    receiver = receiving(MoodyReceiver(lambda: mood))
    answer = post(hook_to(receiver), secret, "e", "d", BODY)
    assert (answer.status, answer.final, answer.retry_after, answer.arrived) == (status, final, retry_after, not error)
    assert error in answer.error
    assert len(receiver.received) == 1


@pytest.mark.parametrize("mood", ["stall", "drip"])
def test_one_that_does_not_come_to_an_end_is_given_up_in_time(mood, receiving, hook_to, secret):
    answer = post(hook_to(receiving(MoodyReceiver(lambda: mood)), timeout_seconds=0.3), secret, "e", "d", BODY)
    assert answer.error == "no answer within 0.3 s"


def test_nobody_listens(hook_to, secret):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert post(hook_to(f"http://127.0.0.1:{port}/"), secret, "e", "d", BODY).error == "not reached: Connection refused"


def test_what_is_not_https_is_told(receiver, hook_to, secret):
    answer = post(hook_to(receiver.url.replace("http:", "https:")), secret, "e", "d", BODY)
    assert answer.error.startswith("not reached") and not answer.final
    assert receiver.received == []


@pytest.mark.parametrize(
    ("trusted", "host", "status", "error"),
    [
        (True, "hooks.example.org", 204, ""),
        (False, "hooks.example.org", None, "the certificate is not trusted: "),
        (True, "other.example.org", None, "the certificate is not trusted: Hostname mismatch"),
    ],
)
def test_over_tls_who_is_trusted_and_is_who_was_meant_is_told(
    trusted, host, status, error, receiving, hook_to, secret, monkeypatch
):
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "authority.pem"))
    receiver = receiving(MoodyReceiver(certificate=TLS / "receiver.pem"))
    url = receiver.url.replace("127.0.0.1", host)
    answer = post(hook_to(url), secret, "e", "d", BODY, resolve=found("127.0.0.1"))
    assert (answer.status, answer.error[: len(error)], answer.final) == (status, error, False)
    assert [(each.body, each.headers["Host"]) for each in receiver.received] == ([(BODY, url.split("/")[2])] if status else [])


def found(*addresses):
    """A resolver that says so of any name."""
    return lambda host, port: [
        (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 0, "", (each, port)) for each in addresses
    ]


@pytest.mark.parametrize(
    ("url", "allowed", "addresses", "error"),
    [
        ("https://evil.example.org/", (), ["127.0.0.1"], "evil.example.org is 127.0.0.1, which is not public"),
        ("https://evil.example.org/", (), ["::ffff:127.0.0.1"], "which is not public"),
        ("https://evil.example.org/", ("192.168.1.0/24",), ["192.168.2.7"], "which is not public"),
        ("https://evil.example.org/", (), ["169.254.169.254"], "which is not public"),
        ("http://evil.example.org/", ("10.0.0.1",), ["93.184.215.14"], "over http nothing is sent elsewhere"),
        ("https://evil.example.org/", (), [], "not public"),
    ],
)
def test_addresses_that_may_not_be_reached_are_not(url, allowed, addresses, error, hook_to, secret):
    answer = post(hook_to(url, allow_private=allowed), secret, "e", "d", BODY, resolve=found(*addresses))
    assert error in answer.error and answer.final


def test_a_name_is_resolved_once_and_what_was_checked_is_connected_to(receiver, hook_to, secret):
    asked = []

    def rebinding(host, port):
        asked.append(host)
        return found("127.0.0.1" if len(asked) == 1 else "10.0.0.1")(host, port)

    url = receiver.url.replace("127.0.0.1", "hooks.example.org")
    assert post(hook_to(url), secret, "e", "d", BODY, resolve=rebinding).status == 204
    assert asked == ["hooks.example.org"]
    assert receiver.received[0].headers["Host"].startswith("hooks.example.org:")


def test_of_several_addresses_only_those_that_may_be_are_tried(receiver, hook_to, secret):
    # 127.0.0.2 answers nobody here, and is not named; it would be tried first.
    answer = post(hook_to(receiver), secret, "e", "d", BODY, resolve=found("10.1.2.3", "127.0.0.1"))
    assert answer.status == 204


def test_no_such_host(hook_to, secret):
    def unknown(host, port):
        raise socket.gaierror(-2, "Name or service not known")

    answer = post(hook_to("https://nowhere.example.org/"), secret, "e", "d", BODY, resolve=unknown)
    assert (answer.error, answer.final) == ("there is no host nowhere.example.org, or no network", False)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
    ],
)
def test_public_addresses(address, public):
    assert is_public(address) is public


@pytest.mark.parametrize(
    ("address", "allowed", "named"),
    [
        ("127.0.0.1", ("127.0.0.1",), True),
        ("127.0.0.2", ("127.0.0.1",), False),
        ("192.168.1.7", ("10.0.0.0/8", "192.168.1.0/24"), True),
        ("::ffff:192.168.1.7", ("192.168.1.0/24",), True),
        ("::1", ("127.0.0.1",), False),
        ("::1", ("::1",), True),
        ("93.184.215.14", (), False),
    ],
)
def test_named_addresses(address, allowed, named):
    assert is_named(address, allowed) is named
