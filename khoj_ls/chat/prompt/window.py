"""How the window of a model is shared between the answer, what was said before, the passages and the question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from khoj_ls.chat.desk import Turn
from khoj_ls.chat.prompt.context import recut
from khoj_ls.chat.prompt.history import History, history
from khoj_ls.chat.prompt.wording import MESSAGE_TOKENS, Asking, messages_of, tokens_of
from khoj_ls.config.settings import ChatSettings
from khoj_ls.core.chat import Message, ModelCard
from khoj_ls.core.errors import ContextTooLong

LEAST_ANSWER = 64
"""A shorter answer is none."""
_ANSWER_SHARE = 3
"""An answer takes at most one part in so many of a small window."""
_HISTORY_SHARE = 3
"""What was said before takes at most one part in so many of what is left, where passages are wanted too."""
_TRIES = 6


@dataclass(frozen=True)
class Rooms:
    """Tokens there are for each part of what a model is told, and for its answer."""

    answer: int
    history: int
    """What was said before may take so much of `left`."""
    left: int
    """For what was said before and the passages, together."""


@dataclass(frozen=True)
class Fitting:
    """Messages that fit into the model's window, with the answer."""

    messages: tuple[Message, ...]
    asking: Asking
    answer: int
    """Most tokens of the answer."""


def rooms_of(card: ModelCard, settings: ChatSettings, asking: Asking, today: date, count: Callable[[str], int]) -> Rooms:
    """What the window has for each part. Raises ContextTooLong where question and answer alone do not fit.

    `asking` has neither history nor sources yet.
    """
    wanted = min(settings.max_answer_tokens, asking.persona.max_answer, card.max_answer)
    # The rules for passages are part of the prompt only with passages: they are counted in any case.
    bare = max(tokens_of(messages_of(replace(asking, searched=searched), today), count) for searched in (True, False))
    least = min(wanted, LEAST_ANSWER)
    if bare + least > card.window:
        raise ContextTooLong(
            f"the question has about {count(asking.question)} tokens, and with its persona about {bare}; {card.id} takes "
            f"{card.window} together with its answer: ask in fewer words, or choose a model with a larger window"
        )
    answer = max(least, min(wanted, card.window // _ANSWER_SHARE, card.window - bare))
    left = max(0, card.window - bare - answer)
    return Rooms(answer, left // _HISTORY_SHARE if asking.searched else left, left)


def told_again(turns: Sequence[Turn], room: int, count: Callable[[str], int], worded: Callable[[Turn], Turn]) -> History:
    """The newest turns of at most `room` tokens, as they are `worded`, with what the model's template adds to each message."""
    return history(turns, room, lambda text: count(text) + MESSAGE_TOKENS, worded)


def passage_room(rooms: Rooms, settings: ChatSettings, told: Sequence[Message], count: Callable[[str], int]) -> int:
    """Tokens for the passages beside what is `told` again: as many as the settings say, or as the window still has."""
    return min(settings.context_tokens, rooms.left - sum(count(message.text) + MESSAGE_TOKENS for message in told))


def fitting(card: ModelCard, asking: Asking, answer: int, today: date, count: Callable[[str], int]) -> Fitting:
    """The messages, with less of the passages and then of what was said before as long as they do not fit with the answer.

    Tokens of parts are not those of the whole: this looks at the whole. Raises ContextTooLong where nothing more can go.
    """
    for _ in range(_TRIES):
        messages = messages_of(asking, today)
        over = tokens_of(messages, count) + answer - card.window
        if over <= 0:
            return Fitting(messages, asking, answer)
        if asking.sources:
            size = sum(count(source.text) for source in asking.sources)
            asking = replace(asking, sources=recut(asking.sources, int((size - over) * 0.9), count, asking.question))
        elif asking.history:
            asking = replace(asking, history=asking.history[2:])
        elif asking.images:
            asking = replace(asking, images=())
        else:
            break
    asking = replace(asking, sources=(), history=(), images=())
    messages = messages_of(asking, today)
    left = card.window - tokens_of(messages, count)
    if left < min(answer, LEAST_ANSWER):
        raise ContextTooLong(
            f"the question does not fit into the {card.window} tokens of {card.id}: ask in fewer words, or choose a model with "
            "a larger window"
        )
    return Fitting(messages, asking, min(answer, left))


def halved(asking: Asking, count: Callable[[str], int]) -> Asking:
    """With half of the passages and of what was said before: for a model whose tokens are more than was thought."""
    size = sum(count(source.text) for source in asking.sources)
    keep = len(asking.history) // 4 * 2
    return replace(
        asking,
        sources=recut(asking.sources, size // 2, count, asking.question),
        history=asking.history[len(asking.history) - keep :] if keep else (),
    )
