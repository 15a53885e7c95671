"""The events of a turn as the command line has them: those of the wire, with lines that people count and no URIs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any, Protocol, TypeVar

from khoj_ls.core.errors import Cancelled, KhojError

Told = TypeVar("Told")
Made = TypeVar("Made")

Event = Mapping[str, Any]
"""One event: its `kind` is sources, status, delta, done or failed (see docs/cli.md)."""


FOR_FILES = ("shown", "below")
"""What only a client has that writes chats into files; the command line asks for none of it."""


class Chatting(Protocol):
    """A connection that streams."""

    def stream(self, method: str, params: Mapping[str, Any]) -> Generator[Mapping[str, Any], None, None]:
        """The events of `khoj/chat` as the wire has them. Raises KhojError.

        Closing it, and Ctrl-C while it waits, call the turn off; after Ctrl-C what the turn still says is yielded.
        """
        ...


def events_of(connection: Chatting, params: Mapping[str, Any]) -> Generator[Event, None, None]:
    """The events of one turn; never raises KhojError: what goes wrong is the event `failed`, like all other ends.

    A KeyboardInterrupt that is thrown in is passed on, as one that strikes while the next event is waited for.
    """
    try:
        yield from changed(connection.stream("khoj/chat", params), _event)
    except KhojError as error:
        yield failed(str(error), error.code)


def changed(stream: Generator[Told, None, None], change: Callable[[Told], Made]) -> Generator[Made, None, None]:
    """What `stream` yields, changed; what is thrown in is thrown on to it, and it is closed at the end."""
    try:
        told = next(stream)
        while True:
            try:
                yield change(told)
            except KeyboardInterrupt as interrupt:
                told = stream.throw(interrupt)
            else:
                told = next(stream)
    except StopIteration:
        return
    finally:
        stream.close()


def failed(message: str, code: str, text: str = "") -> dict[str, Any]:
    """The event of a turn that ended before the engine could say so."""
    return {"kind": "failed", "message": message, "code": code, "text": text, "consent": None}


def stopped(text: str) -> dict[str, Any]:
    """The event of a turn that the person stopped, of which `text` had arrived."""
    return failed("stopped", Cancelled.code, text)


def placed(place: Mapping[str, Any]) -> dict[str, Any]:
    """A source or citation as JSON has it: the path in the vault, lines from 1, and the last line belongs to it."""
    lines = place["range"]
    first = lines["start"]["line"] + 1
    told = {"number": place["number"], "path": place["path"], "line": first, "end_line": max(first, lines["end"]["line"])}
    return told | {name: value for name, value in place.items() if name not in ("uri", "range", *told)}


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in event.items() if name not in ("seq", *FOR_FILES)}
    for name in ("sources", "citations"):
        if name in plain:
            plain[name] = [placed(place) for place in plain[name]]
    # The kind comes first: that is what a person who looks at the lines wants to see first.
    return {"kind": plain.pop("kind"), **plain}
