"""What a turn's events say, as chat files write it down: the wire's values back to those of chat."""

from __future__ import annotations

from dataclasses import replace

from khoj_ls.chat.kept.records import KeptTurn
from khoj_ls.chat.types import Citation, Done, Failed, Source, Statement
from khoj_ls.core.chat import StopReason, Usage
from khoj_ls.core.errors import Cancelled
from khoj_ls.core.places import Place
from khoj_ls.wire import chat_messages as wire


def source_of(event: wire.ChatSource) -> Source:
    """A passage that the model was given."""
    first, last = _lines(event.range.start.line, event.range.end.line, event.range.end.character)
    return Source(
        event.number,
        event.path,
        event.title,
        tuple(event.outline),
        first,
        last,
        event.text,
        event.score,
        event.private,
        _place(event),
    )


def done_of(event: wire.ChatDoneEvent) -> Done:
    """The end of a turn that went well."""
    usage = event.usage
    return Done(
        event.text,
        tuple(_citation(each) for each in event.citations),
        tuple(event.removed),
        tuple(Statement(each.text, each.start, each.end) for each in event.unsupported),
        Usage(usage.input_tokens, usage.output_tokens, usage.estimated) if usage else None,
        event.cost,
        event.model,
        event.reason,
        tuple(event.notices),
    )


def failed_of(event: wire.ChatFailedEvent) -> Failed:
    """The end of a turn that went wrong."""
    return Failed(event.message, event.code, event.text)


def end_of(turn: KeptTurn) -> Done | Failed | None:
    """How a kept turn ended; None while it is under way."""
    outcome = turn.outcome
    if turn.state == "running":
        return None
    if turn.state != "done":
        return Failed(outcome.message or "called off", outcome.code or Cancelled.code, turn.answer)
    reason: StopReason = "length" if outcome.reason == "length" else "filtered" if outcome.reason == "filtered" else "stop"
    return Done(
        turn.answer,
        outcome.citations,
        outcome.removed,
        outcome.unsupported,
        outcome.usage,
        outcome.cost,
        turn.model,
        reason,
        outcome.notices,
    )


def shifted(citation: Citation, by: int) -> Citation:
    """A citation of a piece of the text."""
    return replace(citation, start=citation.start + by, end=citation.end + by)


def _citation(each: wire.ChatCitation) -> Citation:
    first, last = _lines(each.range.start.line, each.range.end.line, each.range.end.character)
    return Citation(each.number, each.path, tuple(each.outline), first, last, each.quote, each.start, each.end, _place(each))


def _place(each: wire.ChatSource | wire.ChatCitation) -> Place | None:
    """What is known of the place of a passage: enough to lead there and to tell it."""
    if each.place is None:
        return None
    lined = each.range.end.line > 0
    return Place("page" if each.page else "part", each.page or 1, each.page or 1, "" if each.page else each.place, lined)


def _lines(first: int, last: int, character: int) -> tuple[int, int]:
    """Lines from 1, inclusive, of a range of whole lines."""
    return first + 1, max(first + 1, last if character == 0 else last + 1)
