"""A turn from its question to its end: events, what is sent, what is kept, and what goes wrong."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from khoj_ls.chat.desk import Persona, Turn
from khoj_ls.chat.engine import answer, begin
from khoj_ls.chat.question.queries import QUERY_TOKENS
from khoj_ls.chat.types import ChatRequest, ContextItem, Done, Failed, Sources, Started, Status, TextDelta
from khoj_ls.core.chat import Finished, Image, Message, Price, Usage
from khoj_ls.core.errors import (
    Cancelled,
    ConsentNeeded,
    ContextTooLong,
    KeyRefused,
    RateLimited,
    StoreError,
    Unreachable,
    UsageError,
)
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.slash import Plan, SlashCommand
from khoj_ls.query.parse import parse
from khoj_ls.search.types import SearchResult

NOTES = {
    "garden.md": "# Greenhouse\nThe roof of the greenhouse costs 400 euros.\nAnna pays for the roof.\n",
    "cat.md": "# Cat\nThe cat of the neighbour likes tuna.\n",
    "diary.md": "# Diary\nThe secret roof party is on Friday.\n",
}


def ask(desk, message="What does the greenhouse roof cost?", token=None, **more):
    request = ChatRequest(message, **more)
    started = begin(desk, request)
    events = list(answer(desk, request, started, token or CancelToken()))
    assert isinstance(events[0], Sources), events
    ends = [event for event in events if isinstance(event, Done | Failed)]
    assert ends == [events[-1]]
    deltas = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert deltas == events[-1].text or isinstance(events[-1], Failed)
    return started, events


def paths(event):
    return [source.path for source in event.sources]


def test_a_turn(scripted, desk_of):
    model = scripted(["It costs ", "400 euros [", "1]. See [9]."])
    desk = desk_of(NOTES, model)
    started, events = ask(desk)
    done = events[-1]
    assert [type(event) for event in events[:2]] == [Sources, Status]
    assert paths(events[0])[0] == "garden.md"
    assert [source.number for source in events[0].sources] == list(range(1, len(events[0].sources) + 1))
    assert done.text == "It costs 400 euros [1]. See."
    assert [(each.path, each.line, each.quote) for each in done.citations] == [
        ("garden.md", 2, "The roof of the greenhouse costs 400 euros.")
    ]
    assert done.removed == ("[9]",) and done.model == "scripted/model" and done.usage is not None
    assert desk.conversations.ended == [(started.turn, done)]
    assert desk.conversations.gave[started.turn] == events[0].sources
    ((messages, sampling),) = model.asked
    assert [message.role for message in messages] == ["system", "user"]
    assert "The roof of the greenhouse costs 400 euros." in messages[-1].text
    assert (sampling.temperature, sampling.top_p) == (0.7, 0.9)


def test_sources_come_before_the_model_is_asked(scripted, desk_of):
    model = scripted(["x"])
    desk = desk_of(NOTES, model)
    request = ChatRequest("greenhouse roof", subqueries=True)
    events = answer(desk, request, begin(desk, request), CancelToken())
    assert isinstance(next(events), Sources) and model.asked == []
    events.close()


def test_a_follow_up_is_searched_and_asked_with_what_was_said(scripted, desk_of):
    model = scripted(["400 euros [1]."], ["Anna [1]."])
    desk = desk_of(NOTES, model, subqueries=False)
    started, _ = ask(desk)
    _, events = ask(desk, "and who pays for it?", conversation=started.conversation)
    assert paths(events[0])[0] == "garden.md"
    assert [message.text for message in model.asked[1][0][1:-1]] == ["What does the greenhouse roof cost?", "400 euros."]


def test_sub_queries_find_more_and_numbers_stay(scripted, desk_of):
    model = scripted(["x [1]."], ['["cat tuna"]'], ["The cat [2]."])
    desk = desk_of(NOTES, model)
    started, _ = ask(desk)
    _, events = ask(desk, "and why does it?", conversation=started.conversation)
    first, second = [event for event in events if isinstance(event, Sources)]
    assert second.sources[: len(first.sources)] == first.sources
    assert paths(second)[-1] == "cat.md" and second.sources[-1].number == len(second.sources)
    assert desk.conversations.gave[desk.conversations.ended[-1][0]] == second.sources
    assert events[-1].usage.output_tokens > 5


def test_where_sub_queries_find_nothing_new_the_first_search_fills_the_room(scripted, desk_of):
    notes = {f"{number}.md": f"# Number {number}\nThe roof of greenhouse {number}.\n" for number in range(20)}
    model = scripted(["[]"], ["x"])
    _, events = ask(desk_of(notes, model, sources=10), "greenhouse roof", subqueries=True)
    first, second = [event for event in events if isinstance(event, Sources)]
    assert (len(first.sources), len(second.sources)) == (6, 10)
    assert second.sources[:6] == first.sources and len(set(paths(second))) == 10


def test_what_a_model_would_search_for_is_words_within_the_filters_of_the_question(scripted, desk_of):
    asked = []

    def search(request, token):
        asked.append(request.query)
        parse(request.query)
        return SearchResult(())

    model = scripted(['["tags:work \\"roof", "date:tomorrow"]'], ["x"])
    _, events = ask(desk_of(NOTES, model, search=search), "the roof tag:home", subqueries=True)
    assert [query.split() for query in asked[1:]] == [["tags", "work", "roof", "tag:home"], ["date", "tomorrow", "tag:home"]]
    assert events[-1].text == "x"


def test_what_was_missing_in_either_search_is_told(scripted, desk_of):
    desk = desk_of(NOTES, scripted(['["cat"]'], ["x"]))
    reasons = iter(["no vectors", "no words"])
    degraded = replace(desk, search=lambda *given: replace(desk.search(*given), degraded=True, reason=next(reasons)))
    _, events = ask(degraded, "greenhouse", subqueries=True)
    assert [event.degraded for event in events if isinstance(event, Sources)] == [
        ("no vectors",),
        ("no vectors", "no words"),
    ]


@pytest.mark.parametrize(
    ("cited", "carried"),
    [("[1].", {"garden.md"}), ("[1-3].", {"garden.md", "cat.md", "diary.md"}), ("`[2]` and [3].", {"diary.md"}), ("", set())],
)
def test_a_follow_up_looks_again_at_what_the_last_answer_cites(scripted, desk_of, cited, carried):
    desk = desk_of(NOTES, scripted(["x"]), subqueries=False)
    sources = tuple((number, path, 1, 3) for number, path in enumerate(("garden.md", "cat.md", "diary.md"), 1))
    desk.conversations.kept["c"] = [Turn("o", "zzzz?", f"It is so {cited}", sources)]
    _, events = ask(desk, "and why is it?", conversation="c")
    assert set(paths(events[0])) == carried


@pytest.mark.parametrize(
    ("settings", "more", "message", "calls"),
    [
        ({}, {}, "Which vegetables grow in the greenhouse beside the red door?", 1),
        ({}, {}, "and who pays for it?", 2),
        ({"subqueries": False}, {}, "and who pays for it?", 1),
        ({}, {"subqueries": False}, "and who pays for it?", 1),
        ({"subqueries": False}, {"subqueries": True}, "Which vegetables grow in the greenhouse beside the red door?", 2),
    ],
)
def test_when_the_model_is_asked_for_searches(scripted, desk_of, settings, more, message, calls):
    model = scripted(["x [1]."], ["[]"] if calls == 2 else ["y"], ["y"])
    desk = desk_of(NOTES, model, **settings)
    started, _ = ask(desk)
    ask(desk, message, conversation=started.conversation, **more)
    assert len(model.asked) == 1 + calls


def test_filters_steer_the_search_and_the_model_does_not_see_them(scripted, desk_of):
    model, asked = scripted(["x"]), []

    def search(request, token):
        asked.append(request.query)
        return SearchResult((), degraded=True, reason="vectors are being made")

    _, events = ask(desk_of(NOTES, model, search=search), "what of tag:work the roof")
    assert asked == ["what of tag:work the roof"]
    assert model.asked[0][0][-1].text == "what of the roof"
    assert events[0].degraded == ("vectors are being made",)


@pytest.mark.parametrize(
    ("command", "text"),
    [("general", "what does tag:work mean"), ("summarize", 'due dt:2024\n-"x" is a line of it')],
)
def test_where_nothing_is_searched_nothing_is_a_filter(scripted, desk_of, command, text):
    model = scripted(["x"])
    ask(desk_of(NOTES, model), f"/{command} {text}")
    assert model.asked[0][0][-1].text == text


def test_retry_edit_and_what_is_not_kept(scripted, desk_of):
    model = scripted(["one [1]."], ["two [1]."], ["three"], ["four"])
    desk = desk_of(NOTES, model, subqueries=False)
    first, _ = ask(desk)
    second, events = ask(desk, "", conversation=first.conversation, replaces=first.turn)
    assert events[-1].text == "two [1]." and model.asked[1][0][-1].text.endswith("What does the greenhouse roof cost?")
    third, _ = ask(desk, "Who pays for the greenhouse roof?", conversation=first.conversation, replaces=second.turn)
    assert [turn.question for turn in desk.conversations.turns(first.conversation)] == ["Who pays for the greenhouse roof?"]
    ended = len(desk.conversations.ended)
    ask(desk, "And the cat of the neighbour?", conversation=first.conversation, keep=False)
    assert len(desk.conversations.ended) == ended and len(desk.conversations.turns(first.conversation)) == 1
    assert third.turn not in (first.turn, second.turn) and "three" in model.asked[3][0][2].text


@pytest.mark.parametrize(
    "request_",
    [
        ChatRequest("  "),
        ChatRequest("x", persona="nobody"),
        ChatRequest("x", profile="nothing"),
        ChatRequest("/nothing x"),
        ChatRequest("/notes"),
        ChatRequest("x", conversation="gone"),
        ChatRequest("x", conversation="c", replaces="gone"),
    ],
)
def test_what_begin_refuses(desk_of, request_):
    desk = desk_of(NOTES)
    desk.conversations.kept["c"] = []
    with pytest.raises(UsageError):
        begin(desk, request_)
    assert desk.conversations.turns("c") == ()


# -- private notes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("remote", "to_local", "given"),
    [(True, False, False), (True, True, False), (False, False, False), (False, True, True), (None, False, True)],
)
def test_private_notes(scripted, desk_of, remote, to_local, given):
    model = None if remote is None else scripted(["x [1]."], remote=remote)
    desk = desk_of(NOTES, model, private=("diary.md",), private_to_local=to_local)
    _, events = ask(desk, "greenhouse roof party", context=(ContextItem("note", "diary.md"),))
    assert ("diary.md" in paths(events[0])) is given
    assert events[0].left_out_private == (0 if given else 1)
    if model:
        assert any("party is on Friday" in message.text for message in model.asked[0][0]) is given


def test_answers_from_private_notes_are_told_to_no_model_that_may_not_have_them(scripted, desk_of):
    desk = desk_of(NOTES, None, private=("diary.md",))
    started, _ = ask(desk, "secret roof party")
    assert desk.conversations.turns(started.conversation)[0].private
    model = scripted(["x"], remote=True)
    desk = replace(desk, models=replace(desk.models, model=model))
    _, events = ask(desk, "What does the greenhouse roof cost now?", conversation=started.conversation)
    assert not any("Friday" in message.text for messages, _ in model.asked for message in messages)
    assert any("private" in notice for notice in events[-1].notices)
    assert desk.conversations.private_history[desk.conversations.ended[-1][0]] is False


def test_private_history_is_said_though_a_later_answer_is_nothing_but_numbers(scripted, desk_of):
    desk = desk_of(NOTES, scripted(["x"]), private_to_local=True, subqueries=False)
    desk.conversations.kept["c"] = [
        Turn("o1", "When is the party?", "On Friday [1].", private=True),
        Turn("o2", "Where?", "[1]"),
    ]
    ask(desk, "What does the cat of the neighbour like?", conversation="c")
    assert "On Friday." in [message.text for message in desk.models.model.asked[0][0]]
    assert desk.conversations.private_history[desk.conversations.ended[-1][0]] is True


def test_private_history_is_said_of_the_turn_that_was_told_it(scripted, desk_of):
    model = scripted(["On Friday [1]."], ["x"])
    desk = desk_of(NOTES, model, private=("diary.md",), private_to_local=True, subqueries=False)
    started, _ = ask(desk, "secret roof party")
    ask(desk, "What does the cat of the neighbour like?", conversation=started.conversation)
    assert desk.conversations.private_history[desk.conversations.ended[-1][0]] is True


# -- commands, personas, pictures --------------------------------------------------------------------------------------


def test_a_place_that_a_command_names_is_quoted_by_the_lines_of_the_index(desk_of):
    desk = desk_of({"a.md": "# A\none\x0c\u2028two\nthree\n"})
    plan = Plan("", local_answer="See [1].", places=(("a.md", 3, 3),))
    command = SlashCommand("see", "See.", lambda asked: plan)
    _, events = ask(replace(desk, commands={"see": command}), "/see")
    assert [source.text for source in events[0].sources] == ["three\n"]


def test_commands(scripted, desk_of):
    model = scripted(["general"], ["notes"])
    desk = desk_of(NOTES, model)
    _, events = ask(desk, "/general what of the greenhouse roof")
    assert events[0].sources == () and events[-1].unsupported == ()
    assert model.asked[0][0][-1].text == "what of the greenhouse roof" and "your own knowledge" in model.asked[0][0][0].text
    _, events = ask(desk, "/notes zzzz")
    assert "hold nothing" in events[-1].text and len(model.asked) == 1
    _, events = ask(desk, "/help")
    assert "/summarize" in events[-1].text and events[-1].model == ""
    ask(desk, "/summarize", context=(ContextItem("note", "garden.md"),))
    assert "Summarise" in model.asked[1][0][0].text and "Anna pays" in model.asked[1][0][-1].text


@pytest.mark.parametrize(
    ("message", "context", "told"),
    [
        ("/summarize", (ContextItem("note", "long.md"),), "of what you chose"),
        ("What is long?", (ContextItem("note", "long.md"), ContextItem("note", "cat.md")), "of what you chose"),
        ("/summarize long notes", (), "of the notes that were found"),
        ("/summarize", (ContextItem("note", "cat.md"),), ""),
        ("What is long?", (), ""),
    ],
)
def test_what_has_no_room_is_told(scripted, desk_of, message, context, told):
    notes = {**NOTES, "long.md": "# Long\n" + "A long line of a long note, of which there are many.\n" * 900}
    _, events = ask(desk_of(notes, scripted(["x"])), message, context=context)
    notice = " ".join(events[-1].notices)
    assert (told in notice and "%" in notice) if told else not notice


def test_no_source_is_said_and_everything_is_unsupported(scripted, desk_of):
    model = scripted(["Whales are large [1]."])
    _, events = ask(desk_of(NOTES, model), "zzzz")
    assert "Nothing in the user's notes" in model.asked[0][0][0].text
    assert events[-1].text == "Whales are large." and [each.text for each in events[-1].unsupported] == ["Whales are large."]


def test_a_persona_answers(scripted, desk_of):
    model = scripted(["a"], ["b"], ["c"])
    short = Persona("short", "", "You are short.", citations="none", max_answer=100, profile="gone")
    desk = desk_of(NOTES, model, personas={"short": short})
    started, events = ask(desk, persona="short")
    assert model.asked[0][0][0].text.startswith("You are short.") and model.asked[0][1].max_tokens == 100
    assert events[-1].unsupported == () and any("gone" in notice for notice in events[-1].notices)
    ask(desk, "What does the cat like?", conversation=started.conversation)
    assert model.asked[-1][0][0].text.startswith("You are short.")
    _, events = ask(replace(desk, settings=replace(desk.settings, persona="gone")))
    assert any("gone" in notice for notice in events[-1].notices)


def test_pictures_go_to_a_model_that_sees(scripted, desk_of):
    own, noted = Image("image/png", b"1"), Image("image/png", b"2")
    secret = Image("image/png", b"3", private=True)
    item = (ContextItem("note", "garden.md"),)
    pictures = {"garden.md": [("a.png", noted), ("b.png", secret)]}
    model = scripted(["x"], vision=True, window=20_000)
    _, events = ask(desk_of(NOTES, model, pictures=pictures), images=(own,), context=item)
    assert model.asked[0][0][-1].images == (own, noted)
    assert any("private" in notice for notice in events[-1].notices)
    blind = scripted(["x"])
    _, events = ask(desk_of(NOTES, blind, pictures=pictures), images=(own,), context=item)
    assert blind.asked[0][0][-1].images == () and any("sees no pictures" in notice for notice in events[-1].notices)


# -- no model ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("message", ["greenhouse roof", "/notes greenhouse roof", "/summarize greenhouse roof"])
def test_without_a_model_the_notes_answer(desk_of, message):
    _, events = ask(desk_of({**NOTES, "x.md": "# X\nroof [7] ![p](https://evil.example/p) <img src=x>\n"}), message)
    done = events[-1]
    assert "> The roof of the greenhouse costs 400 euros." in done.text and "chat.model" in done.text
    assert done.model == "" and done.usage is None and done.unsupported == () and done.removed == ()
    assert [each.number for each in done.citations] == [source.number for source in events[0].sources]
    assert done.citations[0].quote == "The roof of the greenhouse costs 400 euros."
    assert "![" not in done.text and "\\[7]" in done.text and " <img" not in done.text


def test_excerpts_and_citations_quote_no_front_matter(desk_of):
    note = "---\ntitle: greenhouse roof\ntags: [greenhouse, roof]\n---\n\nThe glass came in May, and it was paid for in June.\n"
    _, events = ask(desk_of({"a.md": note}), "greenhouse roof")
    assert "> The glass came in May" in events[-1].text and "title:" not in events[-1].text
    assert (events[-1].citations[0].quote, events[-1].citations[0].line) == (
        "The glass came in May, and it was paid for in June.",
        6,
    )


@pytest.mark.parametrize(("message", "said"), [("zzzz", "no passage was found"), ("/general roof", "nothing to answer from")])
def test_without_a_model_and_without_passages(desk_of, message, said):
    _, events = ask(desk_of(NOTES), message)
    assert said in events[-1].text and events[-1].notices


# -- what goes wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [Unreachable("no answer"), KeyRefused("bad key"), RateLimited("busy"), ContextTooLong("full")]
)
def test_a_failure_keeps_what_had_arrived(scripted, desk_of, error):
    model = scripted(["It costs ", "400", error], ["no"])
    desk = desk_of(NOTES, model)
    started, events = ask(desk)
    assert events[-1] == Failed(str(error), error.code, "It costs 400")
    assert desk.conversations.ended == [(started.turn, events[-1])] and model.closed_streams == 1


def test_a_model_that_says_too_long_gets_half_once(scripted, desk_of):
    model = scripted([ContextTooLong("full")], ["It costs 400 [1]."])
    _, events = ask(desk_of({"a.md": "# A\n" + "The roof of the greenhouse costs 400 euros.\n" * 200}, model))
    first, second = (sum(len(message.text) for message in messages) for messages, _ in model.asked)
    assert events[-1].text == "It costs 400 [1]." and second < first * 0.65
    assert any("half" in notice for notice in events[-1].notices)
    _, events = ask(desk_of(NOTES, scripted([ContextTooLong("full")], [ContextTooLong("full still")])))
    assert events[-1] == Failed("full still", ContextTooLong.code)


def test_what_has_no_room_in_the_whole_is_told(scripted, desk_of):
    model = scripted(["x"])
    count = model.count
    model.count = lambda text: count(text) + 7000 * ("Passages from my notes" in text)
    _, events = ask(desk_of({f"{n}.md": f"# {n}\n" + "The roof is red.\n" * 150 for n in range(3)}, model), "the roof")
    assert events[-1].notices == ("The window of scripted/model is full: 3 passages left out.",)


def test_consent_is_asked_before_anything_is_sent(scripted, desk_of):
    model = scripted(["x"], remote=True)
    desk = desk_of(NOTES, model)
    desk = replace(
        desk, models=replace(desk.models, refused=ConsentNeeded("may I", host="https://far.example", tokens=9, cost=0.1))
    )
    _, events = ask(desk, subqueries=True)
    assert events[-1].code == "khoj.consent" and events[-1].consent.host == "https://far.example" and model.asked == []


def test_a_yes_is_asked_for_as_long_an_answer_as_is_wanted(scripted, desk_of):
    desk = desk_of(NOTES, scripted(["[]"], ["x"], remote=True), max_answer_tokens=1000)
    ask(desk, subqueries=True)
    # Before the first question, which is what to search for, and before the answer.
    assert desk.models.consented == [1000 + QUERY_TOKENS, 1000]


def test_a_model_that_cannot_be_used_ends_the_turn(desk_of):
    desk = desk_of(NOTES)
    _, events = ask(replace(desk, models=replace(desk.models, error=UsageError("no such model"))))
    assert events == [Sources(()), Failed("no such model", "khoj.usage")]


def test_a_client_that_goes_away_before_it_hears_of_a_failure_leaves_no_turn_under_way(desk_of):
    desk = desk_of(NOTES)
    desk = replace(desk, models=replace(desk.models, error=UsageError("no such model")))
    request = ChatRequest("greenhouse roof")
    started = begin(desk, request)
    events = answer(desk, request, started, CancelToken())
    next(events)
    events.close()
    assert desk.conversations.ended == [(started.turn, Failed("no such model", "khoj.usage"))]


def test_cancelling(scripted, desk_of):
    token = CancelToken()

    def cancelled(messages, given):
        yield "It costs "
        token.cancel()
        yield "400"

    desk = desk_of(NOTES, scripted(cancelled))
    started, events = ask(desk, token=token)
    assert events[-1].code == Cancelled.code and events[-1].text == "It costs "
    assert desk.conversations.ended == [(started.turn, events[-1])]


def test_a_client_that_goes_away_ends_the_stream_and_what_came_is_kept(scripted, desk_of):
    model = scripted(["It ", "costs ", "400"])
    desk = desk_of(NOTES, model)
    request = ChatRequest("greenhouse roof")
    started = begin(desk, request)
    events = answer(desk, request, started, CancelToken())
    while not isinstance(next(events), TextDelta):
        pass
    events.close()
    assert model.closed_streams == 1
    ((turn, end),) = desk.conversations.ended
    assert turn == started.turn and end.code == Cancelled.code and end.text == "It"


def test_a_mistake_of_ours_is_told_and_logged_without_words_of_notes(scripted, desk_of, caplog):
    def broken(messages, token):
        yield "x"
        raise RuntimeError(messages[-1].text)

    with caplog.at_level(logging.DEBUG):
        _, events = ask(desk_of(NOTES, scripted(broken)))
    assert events[-1].code == "khoj.error" and "RuntimeError" in caplog.text
    assert "400 euros" not in caplog.text and "400 euros" not in events[-1].message


def test_a_turn_that_cannot_be_kept_is_answered_all_the_same(scripted, desk_of):
    desk = desk_of(NOTES, scripted(["It costs 400 [1]."]))

    def full(*_, **__):
        raise StoreError("the disk is full")

    desk.conversations.given = desk.conversations.finish = full
    _, events = ask(desk)
    assert events[-1].text == "It costs 400 [1]." and any("disk is full" in notice for notice in events[-1].notices)


def test_a_question_that_cannot_be_kept_is_answered_all_the_same(scripted, desk_of):
    desk = desk_of(NOTES, scripted(["It costs 400 [1]."]))

    def full(*_, **__):
        raise StoreError("the disk is full")

    desk.conversations.begin = full
    _, events = ask(desk)
    assert (events[-1].text, events[-1].notices) == ("It costs 400 [1].", ("this turn could not be kept: the disk is full",))
    assert desk.conversations.ended == []  # it is not there to be ended, should the disk have room again
    with pytest.raises(StoreError):
        begin(desk, ChatRequest("", replaces="t1"))


def test_cost_length_and_silence(scripted, desk_of):
    model = scripted(["It ", Finished(Usage(1000, 500), "length")], [])
    model.card = replace(model.card, price=Price(2.0, 10.0))
    desk = desk_of(NOTES, model)
    _, events = ask(desk)
    assert events[-1].cost == pytest.approx(0.007) and events[-1].reason == "length"
    assert any("cut off" in notice for notice in events[-1].notices)
    _, events = ask(desk)
    assert events[-1].text == "" and any("answered nothing" in notice for notice in events[-1].notices)


def test_an_answer_that_is_told_in_part_is_said(scripted, desk_of):
    model = scripted(["x"], window=2048)
    desk = desk_of(NOTES, model, subqueries=False)
    desk.conversations.kept["c"] = [Turn("o", "question?", "answer. " * 2000)]
    _, events = ask(desk, "What does the greenhouse roof cost?", conversation="c")
    assert model.asked[0][0][2].text.startswith("… ") and any("only the end" in notice for notice in events[-1].notices)


def test_a_long_talk_leaves_the_passages_their_room(scripted, desk_of):
    model = scripted(["x"], window=64_000)
    desk = desk_of(NOTES, model, subqueries=False, context_tokens=1000)
    desk.conversations.kept["c"] = [Turn(f"o{at}", f"question {at}?", f"answer {at}. " * 400) for at in range(9)]
    _, events = ask(desk, "What does the greenhouse roof cost?", conversation="c")
    assert len(model.asked[0][0]) > 9 and paths(events[0])[0] == "garden.md"


def test_a_long_talk_is_told_from_its_end(scripted, desk_of):
    model = scripted(["x"], window=2048)
    desk = desk_of(NOTES, model, subqueries=False)
    desk.conversations.kept["c"] = [Turn(f"o{at}", f"question {at}?", f"answer {at} [1]. " * 40) for at in range(9)]
    _, events = ask(desk, "What does the greenhouse roof cost?", conversation="c")
    told = model.asked[0][0][1:-1]
    assert told and told[-1].text.startswith("answer 8.") and told[0].role == "user" and isinstance(told[0], Message)
    assert any("left out" in notice for notice in events[-1].notices)
    assert begin(desk, ChatRequest("x", keep=False)) != Started("c", "")
