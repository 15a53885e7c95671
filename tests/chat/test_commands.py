from __future__ import annotations

import pytest

from khoj_ls.chat.question.commands import BUILT_IN, parse_command, plan_turn, with_commands
from khoj_ls.core.errors import KhojError, UsageError
from khoj_ls.core.slash import Asked, Neighbour, Neighbours, Plan, SlashCommand

PARSED = {
    "/notes what did I decide": ("notes", "what did I decide"),
    "  /Notes\twhat": ("notes", "what"),
    "/summarize\nfirst line\nsecond": ("summarize", "first line\nsecond"),
    "/help": ("help", ""),
    "/my-own_2 x": ("my-own_2", "x"),
    "/usr/bin is full": None,
    "/usr/bin": None,
    "/.config is full": None,
    "/ is the root": None,
    "//notes x": None,
    "and/or": None,
    "what does /notes do": None,
    "": None,
}


@pytest.mark.parametrize("message", PARSED)
def test_a_command_stands_at_the_beginning_and_is_no_path(message: str) -> None:
    assert parse_command(message) == PARSED[message]


def flags(plan: Plan) -> str:
    names = ("search", "context", "only_notes", "whole_notes")
    return " ".join(name for name in names if getattr(plan, name))


CHOSEN = Asked("", notes=("a.md",), context=True)
TAG = Asked("", context=True)
NONE = Asked("")
PLANS = [
    ("how are you", NONE, "", "how are you", "search context"),
    ("/default how", NONE, "default", "how", "search context"),
    ("/notes how", NONE, "notes", "how", "search context only_notes"),
    ("/general how", CHOSEN, "general", "how", ""),
    ("/summarize tea", NONE, "summarize", "tea", "search context only_notes whole_notes"),
    ("/summarize in three lines", CHOSEN, "summarize", "in three lines", "context only_notes whole_notes"),
    ("/summarize", TAG, "summarize", "Summarise this.", "context only_notes whole_notes"),
    ("/summarize One.\nTwo.", NONE, "summarize", "One.\nTwo.", ""),
    ("/help", NONE, "help", "", ""),
]


@pytest.mark.parametrize(("message", "asked", "command", "said", "expected"), PLANS)
def test_a_command_says_how_a_turn_is_answered(message: str, asked: Asked, command: str, said: str, expected: str) -> None:
    plan = plan_turn(message, asked)
    assert (plan.command, plan.message, flags(plan)) == (command, said, expected)
    assert bool(plan.instruction) == (command not in ("", "default", "help"))
    assert bool(plan.nothing) == plan.only_notes


REFUSED = {
    "/nots what": "there is no command /nots; did you mean /notes? (known: /default, /notes, ",
    "/tmp is full": "where it is no command, write a word before the slash",
    "/notes": "/notes needs a question",
    "/general": "/general needs a question",
    "/default": "/default needs a question",
    "/summarize": "/summarize what?",
    "/links": "/links cannot be answered here",
    "/help nots": "there is no command /nots",
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_done_is_told(message: str) -> None:
    with pytest.raises(UsageError) as raised:
        plan_turn(message, NONE)
    assert REFUSED[message] in str(raised.value)


def test_help_lists_commands_and_personas() -> None:
    answer = plan_turn("/help", Asked("", personas={"poet": "Rhymes."})).local_answer or ""
    assert all(f"`/{name}" in answer for name in BUILT_IN)
    assert "`poet`: Rhymes." in answer
    assert plan_turn("/help /notes", NONE).local_answer == f"`/notes QUESTION`: {BUILT_IN['notes'].about}"


TEA = Neighbours(
    "Tea",
    "tea.md",
    5,
    incoming=(
        Neighbour("day.md", "Monday", 4, 4, "- drank [[tea]] [3]"),
        Neighbour("week.md", "Week", 9, 9, "[[tea]] [^2] 【1】"),
    ),
    outgoing=(Neighbour("water.md", "Water", 1, 8),),
    broken=("kettle",),
    related=(Neighbour("coffee.md", "Coffee", 2, 6, "Beans,\nroasted"),),
)


def test_links_are_told_without_a_model_and_each_place_is_cited() -> None:
    plan = plan_turn("/links", Asked("", notes=("tea.md",), neighbours={"tea.md": TEA}.__getitem__))
    assert plan.local_answer == (
        "**Tea** [1]\n\n"
        "Linked from:\n\n- Monday [2]: - drank [[tea]] (3)\n- Week [3]: [[tea]] (^2) (1)\n\n"
        "Links to:\n\n- Water [4]\n\n"
        "Near in meaning, not linked:\n\n- Coffee [5]: Beans, roasted\n\n"
        "Links that lead nowhere: `kettle`"
    )
    assert plan.places == (("tea.md", 5, 5), ("day.md", 4, 4), ("week.md", 9, 9), ("water.md", 1, 8), ("coffee.md", 2, 6))
    assert flags(plan) == ""


def test_links_of_the_note_that_is_named() -> None:
    notes = {"tea.md": TEA, "lone.md": Neighbours("Lone", "lone.md")}
    plan = plan_turn("/links lone.md", Asked("", notes=("tea.md",), neighbours=notes.__getitem__))
    assert (
        plan.local_answer == "**Lone** [1]\n\nNothing links to it, it links to nothing, and nothing is near to it in meaning."
    )
    with pytest.raises(UsageError, match="of which note"):
        plan_turn("/links", Asked("", neighbours=notes.__getitem__))


def test_a_long_list_of_links_says_how_many_more() -> None:
    many = Neighbours("Hub", "hub.md", incoming=tuple(Neighbour("a.md", "A", line, line) for line in range(1, 41)))
    plan = plan_turn("/links hub.md", Asked("", neighbours=lambda path: many))
    assert (plan.local_answer or "").endswith("- A [31]\n- and 10 more")
    assert len(plan.places) == 31


def test_plugins_bring_commands_and_a_broken_one_is_told() -> None:
    def fails(asked: Asked) -> Plan:
        raise ValueError("boom")

    def refuses(asked: Asked) -> Plan:
        raise UsageError("say more")

    echo = SlashCommand("echo", "Says it again.", lambda asked: Plan(asked.words, local_answer=asked.words))
    more = [
        ("good", echo),
        ("good", SlashCommand("fails", "Fails.", fails)),
        ("good", SlashCommand("refuses", "Refuses.", refuses)),
        ("good", SlashCommand("odd", "Odd.", lambda asked: "no plan")),  # type: ignore[arg-type, return-value]  # what a wrong plugin does
        ("bad", SlashCommand("notes", "Takes a built-in's place.", echo.plan)),
        ("bad", SlashCommand("Two Words", "No name.", echo.plan)),
        ("bad", "echo"),
    ]
    commands, problems = with_commands(more)
    assert [plugin for plugin, _ in problems] == ["bad", "bad", "bad"]
    assert commands["notes"] is BUILT_IN["notes"]
    assert plan_turn("/echo hello", NONE, commands).local_answer == "hello"
    assert "`/echo`: Says it again." in (plan_turn("/help", NONE, commands).local_answer or "")
    with pytest.raises(KhojError, match=r"the command /fails of the plugin good failed: ValueError: boom"):
        plan_turn("/fails", NONE, commands)
    with pytest.raises(KhojError, match="returned no Plan"):
        plan_turn("/odd", NONE, commands)
    with pytest.raises(UsageError, match="say more"):
        plan_turn("/refuses", NONE, commands)
