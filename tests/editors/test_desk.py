"""The desk that the tests in editors stand on: its notes are found, and its chat service answers with what they say."""

from __future__ import annotations

import json

from editor_desk import ANSWER


def test_notes_are_found_and_a_question_is_answered(desk):
    found = json.loads(desk.khoj("search", "--json", "how did I fix the router"))["hits"]
    assert found[0]["path"] == str(desk.notes / "homelab" / "evenings-without-wifi.md")
    events = [json.loads(line) for line in desk.khoj("chat", "--json", "What did I change at the router?").splitlines()]
    assert (events[0]["kind"], events[-1]["kind"], events[-1]["text"]) == ("sources", "done", "".join(ANSWER))
    assert [each["number"] for each in events[-1]["citations"]] == [1, 2]
