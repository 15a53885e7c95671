"""What plugins may do with a question and with an answer, and what they may not."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from waiting import wait_until

from khoj_ls.chat.desk import Persona
from khoj_ls.chat.engine import answer, begin
from khoj_ls.chat.types import ChatRequest, Done, Failed, Sources, Started, TextDelta
from khoj_ls.config.settings import PluginSettings
from khoj_ls.core.errors import Unreachable
from khoj_ls.core.jobs import CancelToken
from khoj_ls.plugins.events import OnError
from khoj_ls.plugins.hooks import ON_ERROR, POST_CHAT, PRE_CHAT, Hooks, Implementation

NOTES = {"a.md": "# Apple\nApples are red.\n", "b.md": "# Banana\nBananas are yellow.\n"}


def hooked(desk, seconds: float = 5.0, **calls):
    names = {"pre": PRE_CHAT, "post": POST_CHAT, "error": ON_ERROR}
    own = [Implementation("one", names[name], call) for name, call in calls.items()]
    return replace(desk, hooks=Hooks(own, PluginSettings(hook_seconds=seconds)), root=Path("/notes"))


def events_of(desk, message: str, **more):
    request = ChatRequest(message, model="scripted/model", **more)
    return list(answer(desk, request, begin(desk, request), CancelToken()))


@pytest.mark.parametrize(
    ("change", "question", "sources", "persona"),
    [
        ({}, "what of apples?", ["a.md"], "default"),
        ({"message": "what of bananas?"}, "what of bananas?", ["b.md"], "default"),
        ({"message": "/general what of bananas?"}, "what of bananas?", [], "default"),
        ({"persona": "poet"}, "what of apples?", ["a.md"], "poet"),
        # What cannot be used is passed over.
        ({"persona": "nobody"}, "what of apples?", ["a.md"], "default"),
        ({"message": "/nocommand x"}, "what of apples?", ["a.md"], "default"),
        ({"message": " "}, "what of apples?", ["a.md"], "default"),
        ({"profile": "nowhere"}, "what of apples?", ["a.md"], "default"),
        ({"model": 3}, "what of apples?", ["a.md"], "default"),
    ],
)
def test_pre_chat_may_replace_the_question(scripted, desk_of, change, question, sources, persona) -> None:
    model = scripted(["So it is."])
    poet = Persona("poet", "", "You answer in verse.")
    desk = hooked(desk_of(NOTES, model, personas={"poet": poet}), pre=lambda event: replace(event, **change))
    events = events_of(desk, "what of apples?")
    [(messages, _)] = model.asked
    assert question in messages[-1].text
    assert [source.path for source in events[0].sources] == sources
    assert ("verse" in messages[0].text) is (persona == "poet")
    [turn] = desk.conversations.turns("c0")
    assert turn.question == "what of apples?"  # what is kept is what was said


def test_post_chat_holds_the_answer_until_it_has_agreed(scripted, desk_of) -> None:
    model = scripted(["Apples are red [1]. ", "The code is 1234. ", "![x](http://far.example/y)"])
    desk = hooked(desk_of(NOTES, model), post=lambda event: replace(event, text=event.text.replace("The code is 1234. ", "")))
    events = events_of(desk, "what of apples?")
    assert isinstance(events[0], Sources)
    deltas, done = [event.text for event in events if isinstance(event, TextDelta)], events[-1]
    assert (len(deltas), deltas[0] == done.text, "1234" in done.text) == (1, True, False)
    [citation] = done.citations
    assert (citation.path, done.text[citation.start : citation.end]) == ("a.md", "[1]")


def test_what_a_plugin_makes_of_an_answer_can_do_as_little_as_the_answer(scripted, desk_of) -> None:
    desk = hooked(
        desk_of(NOTES, scripted(["Red [1]."])),
        post=lambda event: replace(event, text="![x](http://far.example/y) [7] Red [1]."),
    )
    done = events_of(desk, "what of apples?")[-1]
    assert ("![x](" in done.text, "[7]" in done.text, done.removed, len(done.citations)) == (False, False, ("[7]",), 1)


@pytest.mark.parametrize("call", [lambda event: 3, lambda event: replace(event, text=None), lambda event: 1 / 0])
def test_a_post_chat_that_fails_leaves_the_answer(scripted, desk_of, call) -> None:
    done = events_of(hooked(desk_of(NOTES, scripted(["Red ", "[1]."])), post=call), "what of apples?")[-1]
    assert (done.text, len(done.citations)) == ("Red [1].", 1)


def test_what_had_arrived_of_an_answer_that_fails_is_shown_to_plugins_too(scripted, desk_of) -> None:
    told: list[OnError] = []
    model = scripted(["The code is 1234.", Unreachable("it is gone")])
    desk = hooked(
        desk_of(NOTES, model), post=lambda event: replace(event, text=event.text.replace("1234", "....")), error=told.append
    )
    failed = events_of(desk, "what of apples?")[-1]
    assert isinstance(failed, Failed)
    assert (failed.text, failed.code) == ("The code is .....", Unreachable.code)
    wait_until(lambda: bool(told))
    assert [(each.where, each.message, each.code, each.vault) for each in told] == [
        ("chat", "it is gone", Unreachable.code, Path("/notes"))
    ]


def test_an_answer_is_called_off_while_a_plugin_looks_at_it(scripted, desk_of) -> None:
    token, ends = CancelToken(), threading.Event()
    desk = hooked(desk_of(NOTES, scripted(["Red."])), seconds=60.0, post=lambda event: (token.cancel(), ends.wait(), None)[2])
    request = ChatRequest("what of apples?", model="scripted/model", keep=False)
    last = list(answer(desk, request, Started("c", "t"), token))[-1]
    ends.set()
    assert (isinstance(last, Failed), isinstance(last, Done)) == (True, False)
