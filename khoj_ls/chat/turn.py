"""The course of a turn: what is asked of whom, what was found, and the answer, from the model or from the notes themselves."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from khoj_ls.chat.answer.asking import Conclusion, answer_of_model, concluded
from khoj_ls.chat.answer.excerpts import ADD_A_MODEL, NO_MODEL_AT_ALL, excerpts
from khoj_ls.chat.answer.streaming import shown
from khoj_ls.chat.desk import ChatDesk, Persona, Turn
from khoj_ls.chat.kept.saving import Saving
from khoj_ls.chat.prompt.context import Passage, chosen_passages, fitted, in_turns
from khoj_ls.chat.prompt.seen import pictures_for
from khoj_ls.chat.prompt.window import Rooms, passage_room, rooms_of, told_again
from khoj_ls.chat.prompt.wording import Asking
from khoj_ls.chat.question.commands import plan_turn
from khoj_ls.chat.question.finding import Found, Searching, find, first_found, said, searching
from khoj_ls.chat.question.follow_up import leans
from khoj_ls.chat.question.queries import Search, ask_queries, reading, unsearched
from khoj_ls.chat.types import ChatEvent, ChatRequest, Source, Sources, Started, Status
from khoj_ls.config.options import suggestion
from khoj_ls.core.chat import ChatModel, Message, Usage
from khoj_ls.core.errors import UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.slash import Asked, Plan

_FIRST_SHARE = 0.6
"""What the first search may fill of the room for passages, where a second is to follow."""
_DEFAULT = "default"


@dataclass(frozen=True)
class Work:
    """What is known of a turn before anything is searched."""

    desk: ChatDesk
    request: ChatRequest
    plan: Plan
    persona: Persona
    model: ChatModel | None
    search: Search
    by: Searching
    earlier: tuple[Turn, ...]
    """The turns before, oldest first."""
    token: CancelToken
    saving: Saving

    def count(self, text: str) -> int:
        """Tokens of the model; without one, an estimate."""
        return self.model.count(text) if self.model else -(-len(text) // 4)

    @property
    def may_have_private(self) -> bool:
        """Whether private notes may go where the answer is made."""
        return self.model is None or (not self.model.remote and self.desk.settings.private_to_local)


# -- what a turn is made from ------------------------------------------------------------------------------------------


def persona_of(desk: ChatDesk, request: ChatRequest) -> tuple[Persona, str]:
    """Who answers, and a notice where that is not who should. Raises UsageError for a persona that the request names."""
    known = desk.personas()
    kept = desk.conversations.persona(request.conversation) if request.conversation else ""
    name = request.persona or kept or desk.settings.persona or _DEFAULT
    if name in known:
        return known[name], ""
    problem = f"there is no persona {name[:60]!r}{suggestion(name, known)} (known: {', '.join(known)})"
    if request.persona:
        raise UsageError(problem)
    return known.get(_DEFAULT) or next(iter(known.values())), f"{problem}; {_DEFAULT} answers"


def model_name(desk: ChatDesk, request: ChatRequest, persona: Persona) -> str:
    """The model that a turn asks for."""
    return request.model if request.model is not None else persona.model or desk.settings.model


def asked_of(desk: ChatDesk, request: ChatRequest) -> Asked:
    """What a slash command is given, but for its words."""
    notes = dict.fromkeys(item.name for item in request.context if item.kind in ("selection", "note"))
    about = {name: persona.about for name, persona in desk.personas().items()}
    return Asked("", tuple(notes), bool(request.context), desk.neighbours, desk.commands, about)


def _said_now(desk: ChatDesk, request: ChatRequest, started: Started) -> tuple[str, tuple[Turn, ...]]:
    """The message, which a retry takes from the turn that it replaces, and the turns before it."""
    kept = started.conversation if request.keep else request.conversation
    turns = tuple(desk.conversations.turns(kept)) if kept else ()
    at = next((at for at, turn in enumerate(turns) if turn.id in (started.turn, request.replaces)), None)
    if request.message.strip():
        return request.message, turns if at is None else turns[:at]
    if at is None:
        raise UsageError(f"there is no turn {request.replaces} to ask again")
    return turns[at].question, turns[:at]


# -- the course --------------------------------------------------------------------------------------------------------


def turn_events(
    desk: ChatDesk, request: ChatRequest, started: Started, token: CancelToken, saving: Saving
) -> Generator[ChatEvent, None, None]:
    """The events of a turn. Raises KhojErrors: what that means for the turn is the engine's to say."""
    message, earlier = _said_now(desk, request, started)
    persona, no_persona = persona_of(desk, request)
    plan = plan_turn(message, asked_of(desk, request), desk.commands)
    if plan.local_answer is not None:
        yield from _told_locally(desk, plan, saving)
        return
    model = desk.models.choose(model_name(desk, request, persona), request.base_url)
    token.raise_if_cancelled()
    wanted = (request.profile, persona.profile, desk.settings.profile)
    by, no_profile = searching(desk, wanted, token, whole_notes=plan.whole_notes)
    search = reading(plan.message) if plan.search else unsearched(plan.message)
    work = Work(desk, request, plan, persona, model, search, by, earlier, token, saving)
    notices = [notice for notice in (no_persona, no_profile, search.notice) if notice]
    yield from (_without_model(work, notices) if model is None else _with_model(work, model, notices))


def _told_locally(desk: ChatDesk, plan: Plan, saving: Saving) -> Iterator[ChatEvent]:
    """The answer of a command that needs no model, with its places as sources."""
    sources = []
    for number, (path, line, end_line) in enumerate(plan.places, 1):
        section = desk.notes.section(path, line)
        if section is None:
            sources.append(Source(number, path, path, (), line, end_line, ""))
        else:
            lines = section.text.splitlines(keepends=True)[line - section.line : end_line - section.line + 1]
            last = min(end_line, section.end_line)
            sources.append(
                Source(number, path, section.title, section.outline, line, last, "".join(lines), None, section.private)
            )
    yield Sources(tuple(sources))
    saving.given(sources, private_history=False)
    yield from concluded(Conclusion(shown(plan.local_answer or "", sources), tuple(sources), claim=""))


def _without_model(work: Work, notices: list[str]) -> Iterator[ChatEvent]:
    found, chosen = _look(work) if work.plan.context else (Found(), [])
    settings = work.desk.settings
    passages = in_turns([*chosen, *found.passages])
    sources = fitted(passages, settings.context_tokens, work.count, work.search.question)[: max(settings.sources, len(chosen))]
    yield Sources(sources, found.degraded)
    work.saving.given(sources, private_history=False)
    if sources:
        text = excerpts(work.search.question, sources)
    elif not (work.plan.search or work.plan.only_notes):
        text = NO_MODEL_AT_ALL
    else:
        text = work.plan.nothing or excerpts(work.search.question, ())
    asked_for_none = work.request.model == "none" and bool(work.persona.model or settings.model)
    told = [*notices] if asked_for_none else [*notices, ADD_A_MODEL]
    if not asked_for_none and sources:
        text = f"{text}\n\n{ADD_A_MODEL}"
    yield from concluded(Conclusion(shown(text, sources), sources, notices=tuple(told), claim=work.search.question))


def _with_model(work: Work, model: ChatModel, notices: list[str]) -> Iterator[ChatEvent]:
    today = date.today()
    plan, settings = work.plan, work.desk.settings
    images, blind = pictures_for(work.desk, work.request, model, private=work.may_have_private)
    asking = Asking(work.persona, work.search.question, instruction=plan.instruction, searched=plan.context, images=images)
    rooms = rooms_of(model.card, settings, asking, today, model.count)
    again, dropped, private_history = _told_again(work, rooms)
    room = passage_room(rooms, settings, again, model.count)
    # An answer may tell what a private picture shows.
    private_history = private_history or any(image.private for image in images)
    asking = replace(asking, history=again)
    notices += [*blind, *dropped]

    asks = plan.search and _asks_for_queries(work, again)
    found, chosen = _look(work, room) if plan.context else (Found(), [])
    allowed = [
        passage for passage in in_turns([*chosen, *found.passages]) if work.may_have_private or not passage.section.private
    ]
    left_out = {passage.place for passage in in_turns([*chosen, *found.passages])} - {passage.place for passage in allowed}
    most = max(settings.sources, len(chosen))
    share = _FIRST_SHARE if asks else 1.0
    first = allowed[: max(1, int(most * share))]
    sources = fitted(first, int(room * share), model.count, work.search.question)
    yield Sources(sources, found.degraded, len(left_out))
    work.saving.given(sources, private_history=private_history)

    usage: Usage | None = None
    if asks and len(sources) < most:
        work.desk.models.check_consent(model, _sent(asking, sources))
        yield Status(f"Asking {model.card.id} what to search for")
        queries, usage = ask_queries(model, again[-4:], work.search.question, work.token)
        found, secret = _more(work, queries, allowed)
        left = room - sum(model.count(source.text) for source in sources)
        more = fitted(found.passages, left, model.count, work.search.question, first=len(sources) + 1, taken=sources)
        more = more[: most - len(sources)]
        if more:
            sources = (*sources, *more)
            yield Sources(sources, found.degraded, len(left_out | secret))
            work.saving.given(sources, private_history=private_history)
    if plan.only_notes and not sources:
        yield from concluded(Conclusion(shown(plan.nothing, ()), (), notices=tuple(notices), usage=usage))
        return
    asking = replace(asking, sources=sources)
    yield from answer_of_model(work.desk, model, asking, rooms.answer, today, work.token, notices, usage)


def _sent(asking: Asking, sources: Sequence[Source]) -> list[Message]:
    """About what will be sent, for the question whether it may be."""
    return [*asking.history, *(Message("user", source.text) for source in sources), Message("user", asking.question)]


def _look(work: Work, budget: int | None = None) -> tuple[Found, list[Passage]]:
    """What the message finds, and what was chosen."""
    room = work.desk.settings.context_tokens if budget is None else budget
    chosen = chosen_passages(work.desk.notes, work.request.context, work.search.question, room, work.count)
    return first_found(work.by, work.search, work.earlier) if work.plan.search else Found(), chosen


def _more(work: Work, queries: Sequence[str], known: Sequence[Passage]) -> tuple[Found, set[tuple[str, int]]]:
    """What further queries find that is not known yet and may be given; and the places that may not."""
    if not queries:
        return Found(), set()
    found = find(work.by, [f"{query} {work.search.filters}".strip() for query in queries])
    places = {passage.place for passage in known}
    new = [passage for passage in found.passages if passage.place not in places]
    secret = {passage.place for passage in new if passage.section.private and not work.may_have_private}
    return Found([passage for passage in new if passage.place not in secret], found.degraded), secret


def _asks_for_queries(work: Work, again: Sequence[Message]) -> bool:
    """Whether the model is asked first what to search for: where that is wished, or a question leans on what was said."""
    if work.request.subqueries is not None:
        return work.request.subqueries
    return work.desk.settings.subqueries and bool(again) and leans(work.search.question)


def _told_again(work: Work, rooms: Rooms) -> tuple[tuple[Message, ...], list[str], bool]:
    """What was said before and may be told to the model: messages, notices about what is left out, whether any is private."""
    answered = [turn for turn in work.earlier if turn.answer]
    allowed = [turn for turn in answered if work.may_have_private or not turn.private]
    told = told_again(allowed, rooms.history, work.count, _worded)
    notices = []
    if len(allowed) < len(answered):
        notices.append("Earlier answers that drew on private notes were not told to this model.")
    if told.dropped:
        questions = "question was" if told.dropped == 1 else "questions were"
        notices.append(f"{told.dropped} older {questions} left out: the model's window is full.")
    return told.messages, notices, any(turn.private for turn in told.turns)


def _worded(turn: Turn) -> Turn:
    """A turn as it is told again: numbers of its answer mean sources of its own."""
    return replace(turn, question=reading(said(turn.question)).question, answer=shown(turn.answer, ()).text)
