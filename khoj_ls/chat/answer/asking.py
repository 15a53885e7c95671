"""The model's answer, piece by piece, and the end of a turn: what was cited, what was not, what it took."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date

from khoj_ls.chat.answer.claims import checked
from khoj_ls.chat.answer.defang import addresses
from khoj_ls.chat.answer.streaming import AnswerFilter
from khoj_ls.chat.desk import ChatDesk
from khoj_ls.chat.prompt.window import Fitting, fitting, halved
from khoj_ls.chat.prompt.wording import Asking, tokens_of
from khoj_ls.chat.question.queries import plus, stream_of
from khoj_ls.chat.types import ChatEvent, Done, Source, Status, TextDelta
from khoj_ls.core.chat import ChatModel, Finished, Price, Sampling, StopReason, Usage
from khoj_ls.core.errors import ContextTooLong, KhojError
from khoj_ls.core.jobs import CancelToken


@dataclass(frozen=True)
class Conclusion:
    """An answer that is complete, and what is told with it."""

    answer: AnswerFilter
    sources: tuple[Source, ...]
    notices: tuple[str, ...] = ()
    usage: Usage | None = None
    model: str = ""
    cost: float | None = None
    reason: StopReason = "stop"
    statements: bool = False
    """Whether what cites nothing is listed."""
    claim: str | None = None
    """What all citations stand for, where the answer is made of the sources themselves."""


def concluded(what: Conclusion, *, told: bool = False) -> Iterator[ChatEvent]:
    """The text, unless it was `told` piece by piece, and `Done`."""
    answer = what.answer
    if answer.text and not told:
        yield TextDelta(answer.text)
    held = checked(answer.text, answer.placed, answer.code, what.sources, statements=what.statements, claim=what.claim)
    yield Done(
        answer.text,
        held.citations,
        tuple(answer.removed),
        held.unsupported,
        what.usage,
        what.cost,
        what.model,
        what.reason,
        what.notices,
    )


def answer_of_model(
    desk: ChatDesk,
    model: ChatModel,
    asking: Asking,
    room: int,
    today: date,
    token: CancelToken,
    notices: list[str],
    before: Usage | None,
) -> Iterator[ChatEvent]:
    """Ask the model and pass its answer on as it comes; `before` is what the turn has taken already.

    A model that says the question is too long is asked once more, with half of the passages. Raises what the model raises.
    """
    fit = fitting(model.card, asking, room, today, model.count)
    notices += _without_room(model.card.id, asking, fit.asking)
    for last in (False, True):
        desk.models.check_consent(model, fit.messages, fit.answer)
        yield Status(f"Asking {model.card.id}")
        answer = filter_of(fit.asking)
        try:
            end = yield from _pieces(desk, model, fit, answer, token)
            break
        except ContextTooLong:
            if last or answer.text:
                raise
            notices.append(f"{model.card.id} could not read all that was found: it was given half of it.")
            fit = fitting(model.card, halved(fit.asking, model.count), max(16, fit.answer // 2), today, model.count)
    if end.reason == "length":
        notices.append(
            f"The answer was cut off: it may have {fit.answer} tokens (chat.max_answer_tokens, the persona's, the model's)."
        )
    if end.reason == "filtered":
        notices.append(f"The answer was cut off by {model.card.id}'s own filter.")
    if not answer.text.strip():
        notices.append(f"{model.card.id} answered nothing.")
    usage = plus(before, end.usage)
    conclusion = Conclusion(
        answer,
        fit.asking.sources,
        tuple(notices),
        usage,
        model.card.id,
        cost_of(usage, model.card.price),
        end.reason,
        statements=asking.searched and asking.persona.citations != "none",
    )
    yield from concluded(conclusion, told=True)


def _pieces(
    desk: ChatDesk, model: ChatModel, fit: Fitting, answer: AnswerFilter, token: CancelToken
) -> Generator[ChatEvent, None, Finished]:
    """What may be shown of the answer, as it comes; returns how it ended."""
    sampling = Sampling(fit.answer, desk.settings.temperature, desk.settings.top_p)
    end: Finished | None = None
    with closing(stream_of(model, fit.messages, sampling, token)) as pieces:
        try:
            for piece in pieces:
                token.raise_if_cancelled()
                if isinstance(piece, Finished):
                    end = piece
                elif text := answer.feed(piece.text):
                    yield TextDelta(text)
        except KhojError:
            # What was held back had arrived, too.
            if text := answer.end():
                yield TextDelta(text)
            raise
    if text := answer.end():
        yield TextDelta(text)
    return end or Finished(Usage(tokens_of(fit.messages, model.count), model.count(answer.text), estimated=True))


def _without_room(model: str, wanted: Asking, given: Asking) -> list[str]:
    """A notice of what had to go because all parts together have more tokens than each by itself."""
    left = {
        "passage": len(wanted.sources) - len(given.sources),
        "older question": (len(wanted.history) - len(given.history)) // 2,
        "picture": len(wanted.images) - len(given.images),
    }
    told = ", ".join(f"{many} {what}{'s' if many > 1 else ''}" for what, many in left.items() if many)
    return [f"The window of {model} is full: {told} left out."] if told else []


def filter_of(asking: Asking) -> AnswerFilter:
    """What the answer goes through: it may cite what was given, and link to what stands there."""
    return AnswerFilter(
        frozenset(source.number for source in asking.sources),
        addresses(asking.question, *(source.text for source in asking.sources)),
    )


def cost_of(usage: Usage | None, price: Price | None) -> float | None:
    """US dollars; None where the price is not known."""
    if usage is None or price is None:
        return None
    return (usage.input_tokens * price.input + usage.output_tokens * price.output) / 1e6
