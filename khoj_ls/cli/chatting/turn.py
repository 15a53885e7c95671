"""One turn from question to exit status: its events shown, a yes asked for where one is needed, Ctrl-C heard."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import click

from khoj_ls.cli.chatting.events import Chatting, Event, events_of, stopped
from khoj_ls.cli.chatting.render import View
from khoj_ls.cli.chatting.words import dollars
from khoj_ls.cli.errors import CANCELLED, FAILURE, FOUND, NOTHING, USAGE
from khoj_ls.cli.output import plural, printable
from khoj_ls.core.errors import Cancelled, UsageError


class Talking(Chatting, Protocol):
    """A connection that streams, and answers requests."""

    def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """The result of a request. Raises KhojError."""
        ...


@dataclass(frozen=True)
class Turned:
    """How a turn ended."""

    end: Event
    """`done` or `failed`."""
    sources: tuple[Mapping[str, Any], ...] = ()
    """What was found, as the last event `sources` has it."""
    conversation: str | None = None
    """Id of its conversation; None where it failed before it had one."""
    turn: str | None = None
    """Its own id."""
    commanded: bool = False
    """Whether a slash command was asked, which may answer from nothing that is found: `/help`."""

    @property
    def status(self) -> int:
        """The exit status of the program, where this was all it did."""
        if self.end["kind"] == "failed":
            return {Cancelled.code: CANCELLED, UsageError.code: USAGE}.get(self.end["code"], FAILURE)
        return FOUND if self.end["model"] or self.sources or self.commanded else NOTHING


def take_turn(connection: Talking, params: Mapping[str, Any], new_view: Callable[[], View], *, may_ask: bool = True) -> Turned:
    """Ask `khoj/chat` with `params`, show what comes, and return how it ended.

    Where a service was not allowed yet and there is a person to ask, they are asked, and after a yes the turn goes on.
    """
    may_ask = may_ask and person_present()
    turned = _shown(connection, params, new_view, may_ask=may_ask)
    consent = turned.end.get("consent") if may_ask else None
    if not consent or not _agreed(consent):
        return turned
    connection.call("khoj/allowHost", {"host": consent["host"]})
    again = {**params, "conversation": turned.conversation, "replaces": turned.turn} if turned.turn else params
    return _shown(connection, again, new_view, may_ask=False)


def person_present() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _shown(connection: Talking, params: Mapping[str, Any], new_view: Callable[[], View], *, may_ask: bool) -> Turned:
    seen = Turned(end={}, commanded=str(params["message"]).startswith("/"))
    text = ""
    view = new_view()
    events = events_of(connection, params)
    try:
        for event in events:
            kind = event["kind"]
            if kind == "delta":
                text += event["text"]
            seen = replace(
                seen,
                end=event if kind in ("done", "failed") else {},
                sources=tuple(event["sources"]) if kind == "sources" else seen.sources,
                conversation=event.get("conversation", seen.conversation),
                turn=event.get("turn", seen.turn),
            )
            if not (may_ask and seen.end.get("consent")):
                view.show(event)
    except KeyboardInterrupt:
        seen = replace(seen, end=_stopped(events, text))
        view.show(seen.end)
    finally:
        view.end()
        events.close()
    return seen


def _stopped(events: Generator[Event, None, None], text: str) -> Event:
    """How a turn ends that is called off now: its own last word, else ours."""
    last: Event | None = None
    try:
        for last in itertools.chain([events.throw(KeyboardInterrupt())], events):  # noqa: B007 - the last one counts
            continue
    except (KeyboardInterrupt, StopIteration):  # it struck within, or once more: enough was waited
        last = None
    return last if last and last["kind"] in ("done", "failed") else stopped(text)


def _agreed(consent: Mapping[str, Any]) -> bool:
    cost = f" (about {dollars(consent['cost'])})" if consent["cost"] is not None else ""
    tokens = plural(consent["tokens"], "token")
    question = f"Send about {tokens} of passages from your notes to {printable(consent['host'])}{cost}?"
    try:
        agreed = click.confirm(question, err=True, default=False)
    except click.Abort:
        agreed = False
        click.echo(err=True)
    if not agreed:
        click.echo("khoj-ls: nothing was sent", err=True)
    return agreed
