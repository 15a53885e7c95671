"""Pictures that go with a question, to a model that sees."""

from __future__ import annotations

from khoj_ls.chat.desk import ChatDesk
from khoj_ls.chat.prompt.wording import IMAGE_TOKENS
from khoj_ls.chat.types import ChatRequest
from khoj_ls.core.chat import ChatModel, Image

MOST_PICTURES = 8
_SHARE = 2
"""Pictures take at most one part in so many of the window."""


def pictures_for(
    desk: ChatDesk, request: ChatRequest, model: ChatModel, *, private: bool
) -> tuple[tuple[Image, ...], list[str]]:
    """The user's pictures and those of chosen notes, as many as there is room for; and notices of those that do not go.

    Private ones go only with `private`. Raises what reading them raises.
    """
    given = list(request.images)
    if not model.card.vision:
        return (), [f"{model.card.id} sees no pictures: {_many(len(given))} left out."] if given else []
    for item in request.context:
        if item.kind in ("note", "selection"):
            given += [image for _, image in desk.notes.images(item.name)]
    allowed = [image for image in dict.fromkeys(given) if private or not image.private]
    fit = allowed[: min(MOST_PICTURES, model.card.window // _SHARE // IMAGE_TOKENS)]
    notices = []
    if len(allowed) < len(set(given)):
        notices.append(f"{_many(len(set(given)) - len(allowed))} of private notes left out.")
    if len(fit) < len(allowed):
        notices.append(f"{_many(len(allowed) - len(fit))} left out: there is no room for more than {len(fit)}.")
    return tuple(fit), notices


def _many(number: int) -> str:
    return "1 picture was" if number == 1 else f"{number} pictures were"
