"""What goes wrong with a service, in words that say what to do, and whether another try may go better."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from khoj_ls.core.errors import ContextTooLong, KeyRefused, KhojError, ModelError, RateLimited, Unreachable
from khoj_ls.llm.connection import Connection

_AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504, 529))
_SHOWN = 300
"""Characters of a service's own message that are passed on."""

_TOO_LONG = re.compile(
    r"context[_ ](length|window|size)|maximum context|too (long|many tokens)|exceeds? the (available|maximum|model)|"
    r"input (is|tokens?) (too|exceed)|reduce the length|token limit|exceed_context",
    re.IGNORECASE,
)
_PAY = re.compile(r"quota|billing|credit|balance|payment|insufficient_funds", re.IGNORECASE)
_STATUS_OF: Mapping[str, int] = MappingProxyType(
    {
        "overloaded_error": 529,
        "rate_limit_error": 429,
        "rate_limit_exceeded": 429,
        "insufficient_quota": 429,
        "authentication_error": 401,
        "permission_error": 403,
        "not_found_error": 404,
        "invalid_request_error": 400,
        "context_length_exceeded": 400,
        "exceed_context_size_error": 400,
        "billing_error": 402,
        "timeout_error": 504,
    }
)
"""Status that an error inside a stream, which has none of its own, would have had."""


class Trouble(Exception):
    """One try at an answer failed."""

    def __init__(self, error: ModelError, *, again: bool = False, asked: str = "") -> None:
        """Fail with `error`; `again`: another try may go better, after what `asked` (a Retry-After) says."""
        super().__init__(str(error))
        self.error = error
        self.again = again
        self.asked = asked


def of_status(connection: Connection, model: str, status: int, body: Any, *, key: str = "", asked: str = "") -> Trouble:
    """The trouble that an answer with a status other than 200 means; `body` is its decoded JSON, or text."""
    host, service = connection.host, connection.service
    code, said = said_by(body, key)
    why = f": {said}" if said else ""
    if status in (401, 403):
        return Trouble(KeyRefused(key_message(connection, key, why)))
    if 300 <= status < 400:
        return Trouble(ModelError(f"{host} redirects elsewhere, which is not followed: correct {service.setting}"))
    if status == 402 or (status == 429 and _PAY.search(f"{code} {said}")):
        return Trouble(RateLimited(f"{host} wants to be paid first{why}"))
    if status == 429:
        error = RateLimited(f"{host} is asked too often: wait a while, or choose another model{why}")
        return Trouble(error, again=True, asked=asked)
    if status == 413 or (status in (400, 422, 500) and _TOO_LONG.search(f"{code} {said}")):
        return Trouble(
            ContextTooLong(
                f"the question with its passages is too long for {service.provider}/{model}: lower chat.context_tokens{why}"
            )
        )
    if status == 404:
        return Trouble(ModelError(f"{host} has no model {model!r}, or {service.setting} is wrong{why}"))
    if status in _AGAIN:
        return Trouble(Unreachable(f"{host} cannot answer now (status {status}): try later{why}"), again=True, asked=asked)
    return Trouble(ModelError(f"{host} does not take the question (status {status}){why or ': see the log of the service'}"))


def of_event(connection: Connection, model: str, body: Any, *, key: str = "") -> Trouble:
    """The trouble that an error inside a stream means."""
    code, said = said_by(body, key)
    status = _STATUS_OF.get(code, 400 if _TOO_LONG.search(said) else 500)
    return of_status(connection, model, status, body, key=key)


def of_connection(connection: Connection, error: BaseException) -> Trouble:
    """The trouble that no answer, or half of one, means."""
    import httpx2

    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    for own in chain:
        if isinstance(own, ModelError):
            return Trouble(own)
        if isinstance(own, KhojError):
            return Trouble(ModelError(str(own)))
    if any(isinstance(each, (httpx2.ConnectError, httpx2.ConnectTimeout)) for each in chain):
        return _not_connected(connection, chain)
    if any(isinstance(each, httpx2.TimeoutException) for each in chain):
        return silent(connection)
    if any(isinstance(each, httpx2.TransportError) for each in chain):
        return broken(connection)
    return unreadable(connection)


def _not_connected(connection: Connection, chain: Iterable[BaseException]) -> Trouble:
    host, service = connection.host, connection.service
    for each in chain:
        if isinstance(each, ssl.SSLError) and not isinstance(each, ssl.SSLEOFError):
            why = getattr(each, "verify_message", "") or each.reason or type(each).__name__
            return Trouble(
                Unreachable(
                    f"no encrypted connection to {host} can be made ({why}): correct {service.setting}, or name the file with "
                    "the certificates that you trust as SSL_CERT_FILE in the environment"
                )
            )
    if connection.remote:
        return Trouble(Unreachable(f"{host} is not reached: is there a connection to the network?"), again=True)
    # What is not running will not start by being asked again.
    if service.start:
        return Trouble(Unreachable(f"{service.start} ({host})"))
    return Trouble(Unreachable(f"nothing answers at {host}: start the service, or correct {service.setting}"))


def silent(connection: Connection) -> Trouble:
    """Nothing was said for too long."""
    return Trouble(Unreachable(f"{connection.host} has said nothing for too long: chat.timeout_seconds allows more"))


def broken(connection: Connection) -> Trouble:
    """The connection ended before the answer did."""
    return Trouble(Unreachable(f"{connection.host} broke off before the end of the answer: ask again"), again=True)


def unreadable(connection: Connection) -> Trouble:
    """What was sent is no answer."""
    host, setting = connection.host, connection.service.setting
    return Trouble(Unreachable(f"{host} sends what is no answer of a chat model: is {setting} right?"))


def said_by(body: Any, key: str) -> tuple[str, str]:
    """Code and message in the body of an error, without the key."""
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        body = body["error"]
    code, said = "", body
    if isinstance(body, dict):
        code = next((value for value in (body.get("code"), body.get("type")) if isinstance(value, str)), "")
        said = body.get("message", body.get("error", body.get("detail", "")))
    elif not isinstance(body, str):
        said = ""
    text = "".join(char if char.isprintable() else " " for char in str(said))
    text = " ".join(text.split())
    if text.startswith("<"):  # a page for a browser
        text = ""
    return code, (text.replace(key, "***") if key else text)[:_SHOWN]


def key_message(connection: Connection, key: str, why: str) -> str:
    """What to do about a `key` that a service refuses, or that is not there (empty); `why` is what the service says."""
    name, host = connection.service.key_variable, connection.host
    if not name and not connection.service.setting.startswith("chat."):
        return f"{host} wants a key: make a table [chat.providers.NAME] with its base_url and api_key_variable{why}"
    if not name:
        return (
            f"{host} wants a key: name the variable that holds it, "
            f"`khoj-ls config set chat.providers.{connection.service.provider}.api_key_variable NAME`{why}"
        )
    do = f"set the environment variable {name}, or run `khoj-ls config key {name}`"
    return f"{host} refuses the key {name}: {do}{why}" if key else f"{host} wants a key: {do}{why}"
