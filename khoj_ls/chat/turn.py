"""The course of a turn: what is asked of whom, what was found, and the answer, from the model or from the notes themselves."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from khoj_ls.chat.answer.asking import Conclusion, answer_of_model, concluded, cost_of
from khoj_ls.chat.answer.excerpts import ADD_A_MODEL, NO_MODEL_AT_ALL, excerpts
from khoj_ls.chat.answer.streaming import shown
from khoj_ls.chat.desk import ChatDesk, Persona, Turn
from khoj_ls.chat.hooked import as_plugins_let_through, as_plugins_want
from khoj_ls.chat.kept.saving import Saving
from khoj_ls.chat.prompt.context import (
    MOST_CHOSEN,
    Passage,
    apart,
    chosen_passages,
    fitted,
    frame_tokens,
    in_turns,
    not_given,
    share_given,
)
from khoj_ls.chat.prompt.seen import pictures_for
from khoj_ls.chat.prompt.window import Rooms, passage_room, rooms_of, told_again
from khoj_ls.chat.prompt.wording import Asking
from khoj_ls.chat.question.commands import plan_turn
from khoj_ls.chat.question.finding import Found, Searching, find, first_found, said, searching
from khoj_ls.chat.question.follow_up import leans
from khoj_ls.chat.question.queries import (
    QUERY_TOKENS,
    TOLD_FOR_QUERIES,
    Search,
    as_words,
    ask_queries,
    reading,
    unsearched,
)
from khoj_ls.chat.types import ChatEvent, ChatRequest, Source, Sources, Started, Status
from khoj_ls.config.options import suggestion
from khoj_ls.core.chat import ChatModel, Message, Usage
from khoj_ls.core.errors import UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.slash import Asked, Plan
from khoj_ls.core.text import text_lines

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
    said, earlier = _said_now(desk, request, started)
    persona, no_persona = persona_of(desk, request)
    asked = asked_of(desk, request)
    wanted, message = as_plugins_want(desk, request, said, persona.name, model_name(desk, request, persona), asked, token)
    if wanted.persona not in (None, persona.name):
        persona, no_persona = persona_of(desk, wanted)
    plan = plan_turn(message, asked, desk.commands)
    course = _course(desk, wanted, plan, persona, no_persona, earlier, token, saving)
    yield from as_plugins_let_through(desk, said, course, token)


def _course(
    desk: ChatDesk,
    request: ChatRequest,
    plan: Plan,
    persona: Persona,
    no_persona: str,
    earlier: tuple[Turn, ...],
    token: CancelToken,
    saving: Saving,
) -> Generator[ChatEvent, None, None]:
    if plan.local_answer is not None:
        yield from _told_locally(desk, plan, saving)
        return
    model = desk.models.choose(model_name(desk, request, persona), request.base_url)
    token.raise_if_cancelled()
    wanted = (request.profile, persona.profile, desk.settings.profile)
    by, no_profile = searching(desk, wanted, token, whole_notes=plan.whole_notes)
    search = reading(plan.message, desk.filters) if plan.search else unsearched(plan.message)
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
            lines = text_lines(section.text)[line - section.line : end_line - section.line + 1]
            last = min(end_line, section.end_line)
            sources.append(
                Source(
                    number,
                    path,
                    section.title,
                    section.outline,
                    line,
                    last,
                    "".join(lines),
                    None,
                    section.private,
                    section.place,
                )
            )
    yield Sources(tuple(sources))
    saving.given(sources, private_history=False)
    yield from concluded(Conclusion(shown(plan.local_answer or "", sources), tuple(sources), claim=""))


def _without_model(work: Work, notices: list[str]) -> Iterator[ChatEvent]:
    found, chosen = _look(work) if work.plan.context else (Found(), [])
    settings = work.desk.settings
    chosen = chosen[:MOST_CHOSEN]
    passages = apart([*chosen, *found.passages])
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
    left_out = _secret(work, [*chosen, *found.passages])
    chosen, unchosen = ([each for each in some if each.place not in left_out] for some in (chosen, found.passages))
    allowed = apart([*chosen[:MOST_CHOSEN], *unchosen])
    most = max(settings.sources, len(chosen[:MOST_CHOSEN]))
    share = _FIRST_SHARE if asks else 1.0
    first = allowed[: max(1, int(most * share))]
    sources = fitted(first, int(room * share), model.count, work.search.question)
    yield Sources(sources, found.degraded, len(left_out))
    work.saving.given(sources, private_history=private_history)

    usage: Usage | None = None
    if asks and len(sources) < most:
        work.desk.models.check_consent(model, _sent(asking, sources), rooms.answer + QUERY_TOKENS)
        yield Status(f"Asking {model.card.id} what to search for")
        queries, usage = ask_queries(model, again[-TOLD_FOR_QUERIES:], work.search.question, work.token)
        further = find(work.by, [f"{as_words(query)} {work.search.filters}".strip() for query in queries])
        left_out |= _secret(work, further.passages)
        known = {passage.place for passage in allowed} | left_out
        new = [passage for passage in further.passages if passage.place not in known]
        if more := _added(work, sources, in_turns(new, not_given(allowed, sources)), room)[: most - len(sources)]:
            sources = (*sources, *more)
            yield Sources(sources, tuple(dict.fromkeys([*found.degraded, *further.degraded])), len(left_out))
            work.saving.given(sources, private_history=private_history)
    if chosen:
        notices += _shortened(model, "what you chose", share_given(chosen, sources))
    elif plan.whole_notes:
        notices += _shortened(model, "the notes that were found", share_given(allowed, sources))
    if plan.only_notes and not sources:
        cost = cost_of(usage, model.card.price)
        yield from concluded(Conclusion(shown(plan.nothing, ()), (), notices=tuple(notices), usage=usage, cost=cost))
        return
    asking = replace(asking, sources=sources)
    yield from answer_of_model(work.desk, model, asking, rooms.answer, today, work.token, notices, usage)


def _sent(asking: Asking, sources: Sequence[Source]) -> list[Message]:
    """About what will be sent, for the question whether it may be: first for what to search for, then for the answer."""
    question = Message("user", asking.question)
    passages = (Message("user", source.text) for source in sources)
    return [*asking.history[-TOLD_FOR_QUERIES:], question, *asking.history, *passages, question]


def _look(work: Work, budget: int | None = None) -> tuple[Found, list[Passage]]:
    """What the message finds, and what was chosen."""
    room = work.desk.settings.context_tokens if budget is None else budget
    chosen = chosen_passages(work.desk.notes, work.request.context, work.search.question, room, work.count)
    return first_found(work.by, work.search, work.earlier) if work.plan.search else Found(), chosen


def _added(work: Work, sources: Sequence[Source], passages: Sequence[Passage], room: int) -> tuple[Source, ...]:
    """Further sources behind `sources`, in what these leave of the room."""
    taken = sum(work.count(source.text) + frame_tokens(source.path, source.outline, work.count) for source in sources)
    question = work.search.question
    return fitted(apart(passages), room - taken, work.count, question, first=len(sources) + 1, taken=sources)


def _shortened(model: ChatModel, what: str, share: float) -> list[str]:
    """A notice where the model was not given all of something."""
    if share >= 1:
        return []
    percent = max(int(share * 100), bool(share))
    return [f"{model.card.id} was given about {percent}% of {what}: the rest has no room (chat.context_tokens, its window)."]


def _secret(work: Work, passages: Sequence[Passage]) -> set[tuple[str, int, int]]:
    """The places that may not be given."""
    return set() if work.may_have_private else {passage.place for passage in passages if passage.section.private}


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
    if told.cut:
        notices.append("Of the answer before only the end was told to the model: its window is full.")
    return told.messages, notices, any(turn.private for turn in told.turns)


def _worded(turn: Turn) -> Turn:
    """A turn as it is told again: numbers of its answer mean sources of its own."""
    return replace(turn, question=reading(said(turn.question)).question, answer=shown(turn.answer, ()).text)
