"""What a client sends, judged before anything is done with it: pure, from bytes to a message or to what is answered instead.

JSON-RPC 2.0, section 5.1; LSP 3.17, Base Protocol and Lifecycle: pygls answers none of this.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
NOT_INITIALIZED = -32002

Kind = Literal["request", "notification", "response"]


@dataclass(frozen=True)
class Refusal:
    """An error that is answered at once."""

    code: int
    message: str
    id: int | str | None = None
    """Null where the message does not tell it."""


@dataclass(frozen=True)
class Incoming:
    """A message of the right form."""

    kind: Kind
    data: dict[str, Any] = field(repr=False)
    method: str = ""
    id: int | str = ""


def judged(body: bytes) -> Incoming | Refusal:
    """What a message's bytes say."""
    try:
        data = json.loads(body.decode("utf-8"), parse_constant=_not_json)
    except RecursionError:
        return Refusal(PARSE_ERROR, "this is nested too deeply")
    except ValueError:  # of no use to repeat: it may quote a note
        return Refusal(PARSE_ERROR, "this is not JSON in UTF-8")
    if not isinstance(data, dict):
        return Refusal(INVALID_REQUEST, "a message is one object (batches are not part of LSP)")
    number = data.get("id")
    known = number if isinstance(number, (int, str)) and not isinstance(number, bool) else None
    if data.get("jsonrpc") != "2.0":
        return Refusal(INVALID_REQUEST, 'a message says "jsonrpc": "2.0"', known)
    if "method" not in data:
        return _response(data, known)
    method = data["method"]
    if not isinstance(method, str):
        return Refusal(INVALID_REQUEST, "a method is a text", known)
    if "id" not in data:
        return Incoming("notification", data, method)
    if known is None:
        return Refusal(INVALID_REQUEST, "the id of a request is a whole number or a text")
    if not isinstance(data.get("params"), (dict, list, type(None))):
        return Refusal(INVALID_REQUEST, "params are an object or an array", known)
    return Incoming("request", data, method, known)


def _response(data: dict[str, Any], known: int | str | None) -> Incoming | Refusal:
    if ("result" in data) == ("error" in data):
        return Refusal(INVALID_REQUEST, "a message has a method, a result or an error", known)
    # An error about what the client could not read has no id; there is nothing to do about it.
    return Incoming("response", data, id="" if known is None else known)


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
