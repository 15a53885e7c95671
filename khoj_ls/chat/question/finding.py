"""What a turn is about: the passages that were chosen, those that its words find, and those that a model would look for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from khoj_ls.chat.answer.streaming import AnswerFilter
from khoj_ls.chat.desk import ChatDesk, Turn
from khoj_ls.chat.prompt.context import Passage, found_passages, in_turns, lies_in
from khoj_ls.chat.question.commands import parse_command
from khoj_ls.chat.question.follow_up import leans, subject
from khoj_ls.chat.question.queries import Search, as_words, reading, with_words
from khoj_ls.config.profiles import chosen_profile
from khoj_ls.config.settings import Tuning
from khoj_ls.core.errors import SettingsError, UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.search.types import SearchRequest

_MOST_CARRIED = 3
"""So many sources of the answer before are looked at again where a question leans on it."""


@dataclass(frozen=True)
class Searching:
    """How the notes are searched in one turn."""

    desk: ChatDesk
    tuning: Tuning
    profile: str
    token: CancelToken
    whole_notes: bool = False


@dataclass
class Found:
    """Passages, best first, and what was missing."""

    passages: list[Passage] = field(default_factory=list)
    degraded: tuple[str, ...] = ()


def searching(desk: ChatDesk, wanted: Sequence[str | None], token: CancelToken, *, whole_notes: bool) -> tuple[Searching, str]:
    """The search with the first profile of `wanted` that is named, and a notice where that is none there is."""
    name = next((each for each in wanted if each), None)
    try:
        profile, notice = chosen_profile(desk.search_settings, name), ""
    except (UsageError, SettingsError) as error:
        profile, notice = chosen_profile(desk.search_settings, None), f"{error}; {desk.search_settings.profile} is used"
    return Searching(desk, profile.tuning, profile.name, token, whole_notes), notice


def find(by: Searching, queries: Iterable[str]) -> Found:
    """What each query finds, in turns."""
    lists: list[list[Passage]] = []
    degraded: dict[str, None] = {}
    for query in queries:
        by.token.raise_if_cancelled()
        settings = by.desk.search_settings
        mode: Any = settings.mode  # SearchRequest checks it
        request = SearchRequest(query, min(100, by.desk.settings.sources), mode, by.tuning, profile=by.profile)
        result = by.desk.search(request, by.token)
        if result.degraded:
            degraded[result.reason or "the search is not complete"] = None
        lists.append(found_passages(by.desk.notes, result.hits, whole_notes=by.whole_notes))
    return Found(in_turns(*lists), tuple(degraded))


def first_found(by: Searching, search: Search, earlier: Sequence[Turn]) -> Found:
    """What the message finds: by its own words, and where it leans on what was said before, with that in mind."""
    if not (earlier and leans(search.question)):
        return find(by, [search.query])
    before = [reading(said(turn.question), by.desk.filters) for turn in earlier]
    more = as_words(subject(search.question, [each.question for each in before]))
    last_filters = before[-1].filters
    queries = dict.fromkeys([with_words(search, more, last_filters), with_words(search, "", last_filters)])
    found = find(by, queries)
    carried = _cited_before(by.desk, earlier)
    if by.whole_notes:
        carried = [each for each in carried if not any(lies_in(each.section, whole.section) for whole in found.passages)]
    return replace(found, passages=in_turns(found.passages, carried))


def said(question: str) -> str:
    """A kept question without its command."""
    command = parse_command(question)
    return command[1] if command and command[1] else question


def _cited_before(desk: ChatDesk, earlier: Sequence[Turn]) -> list[Passage]:
    """The sources that the last answer cites, as they are now."""
    last = next((turn for turn in reversed(earlier) if turn.answer and turn.sources), None)
    if last is None:
        return []
    answer = AnswerFilter(frozenset(number for number, *_ in last.sources))
    answer.feed(last.answer)
    answer.end()
    cited = {number for mark in answer.placed for number in mark.numbers}
    passages = []
    for number, path, line, end_line in last.sources:
        section = desk.notes.section(path, line) if number in cited else None
        if section is not None:
            passages.append(Passage(section, (line, min(end_line, section.end_line)), 0.0))
    return passages[:_MOST_CARRIED]
