"""From the events of a turn to the wire's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from khoj_ls.chat import types as chat
from khoj_ls.chat.file.answer import answer_text, notes_below
from khoj_ls.core.places import spoken
from khoj_ls.wire import chat_messages as wire
from khoj_ls.wire.messages import Position, Range


class _Ids(TypedDict):
    conversation: str
    turn: str
    seq: int


def event_to_wire(
    root: Path,
    started: wire.ChatStarted,
    seq: int,
    event: chat.ChatEvent,
    format: wire.ShownFormat | None = None,
    sources: Sequence[chat.Source] = (),
) -> wire.AnyChatEvent:
    """An event of a turn in the vault at `root`, with file URIs and 0-based lines.

    With a `format` the last event also holds the answer as a file shows it, with those of `sources` that it names.
    """
    ids: _Ids = {"conversation": started.conversation, "turn": started.turn, "seq": seq}
    if isinstance(event, chat.Sources):
        return wire.ChatSourcesEvent(
            **ids,
            sources=sources_to_wire(root, event.sources),
            degraded=list(event.degraded),
            left_out_private=event.left_out_private,
        )
    if isinstance(event, chat.Status):
        return wire.ChatStatusEvent(**ids, message=event.message)
    if isinstance(event, chat.TextDelta):
        return wire.ChatDeltaEvent(**ids, text=event.text)
    if isinstance(event, chat.Failed):
        consent = event.consent
        asked = wire.ChatConsent(consent.host, consent.tokens, consent.cost) if consent else None
        shown = answer_text(format, root, event.text, ()) if format else None
        return wire.ChatFailedEvent(**ids, message=event.message, code=event.code, text=event.text, shown=shown, consent=asked)
    usage = event.usage
    return wire.ChatDoneEvent(
        **ids,
        text=event.text,
        citations=[_citation(root, each) for each in event.citations],
        removed=list(event.removed),
        unsupported=[wire.ChatStatement(each.text, each.start, each.end) for each in event.unsupported],
        usage=wire.ChatUsage(usage.input_tokens, usage.output_tokens, usage.estimated) if usage else None,
        cost=event.cost,
        model=event.model,
        reason=event.reason,
        notices=list(event.notices),
        shown=answer_text(format, root, event.text, event.citations) if format else None,
        below=notes_below(format, root, event, sources) if format else None,
    )


def sources_to_wire(root: Path, sources: Sequence[chat.Source]) -> list[wire.ChatSource]:
    """What a model was given."""
    return [
        wire.ChatSource(
            number=each.number,
            uri=(root / each.path).as_uri(),
            path=each.path,
            range=_lines(each),
            title=each.title,
            outline=list(each.outline),
            text=each.text,
            score=round(each.score, 4) if each.score is not None else None,
            private=each.private,
            page=each.place.page if each.place else None,
            place=spoken(each.place) if each.place else None,
        )
        for each in sources
    ]


def _citation(root: Path, each: chat.Citation) -> wire.ChatCitation:
    return wire.ChatCitation(
        number=each.number,
        uri=(root / each.path).as_uri(),
        path=each.path,
        range=_lines(each),
        outline=list(each.outline),
        quote=each.quote,
        start=each.start,
        end=each.end,
        page=each.place.page if each.place else None,
        place=spoken(each.place) if each.place else None,
    )


def _lines(each: chat.Source | chat.Citation) -> Range:
    """Whole lines, as the ranges of hits are; an empty range in a file that is no text."""
    if each.place and not each.place.lined:
        return Range(Position(0), Position(0))
    return Range(Position(each.line - 1), Position(each.end_line))
