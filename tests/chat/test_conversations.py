"""Conversations are the user's own: what was kept is there again, whatever happened, and what was deleted is not."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from waiting import wait_until

from khoj_ls.chat.kept.arriving import Arriving
from khoj_ls.chat.kept.conversations import KeptConversations, title_of
from khoj_ls.chat.kept.owners import is_alive, this_process
from khoj_ls.chat.types import Citation, Done, Failed, Source, Statement
from khoj_ls.core.chat import Usage
from khoj_ls.core.errors import UsageError

CHILD = Path(__file__).with_name("conversations_child.py")
NOTE = Source(1, "home/net.md", "Network", ("Wi-Fi",), 3, 5, "Channel 36 it is.", 0.7)
SECRET = Source(2, "diary\udcff.md", "Diary", (), 1, 2, "Nobody knows.", None, True)
DONE = Done(
    "Channel 36 [1]. So it is.",
    (Citation(1, "home/net.md", ("Wi-Fi",), 4, 4, "Channel 36 it is.", 11, 14),),
    ("[7]",),
    (Statement("So it is.", 16, 25),),
    Usage(100, 20, True),
    0.002,
    "openai/small",
    "length",
    ("older messages were left out",),
)


@pytest.fixture
def kept(tmp_path):
    kept = KeptConversations(tmp_path)
    yield kept
    kept.close()


def ask(kept, question, answer="", conversation=None, *, replaces=None, sources=(), persona="default"):
    """Ids of a conversation and a turn that was asked and answered."""
    key, turn = kept.begin(conversation, question, persona=persona, model="m/x", replaces=replaces)
    kept.given(turn, sources)
    kept.finish(turn, Done(answer or f"answer to {question}"))
    return key, turn


def held(kept, conversation):
    return [turn.question for turn in kept.get(conversation).turns]


# -- what is kept ----------------------------------------------------------------------------------------------------------


def test_a_turn_comes_back_as_it_was_after_a_restart(tmp_path):
    first = KeptConversations(tmp_path)
    conversation, turn = first.begin(None, "Which  channel?\n", persona="writer", model="m/x", replaces=None)
    first.given(turn, [NOTE, SECRET])
    first.finish(turn, DONE)
    first.close()
    kept = KeptConversations(tmp_path)
    found = kept.get(conversation)
    [told] = found.turns
    assert (found.title, found.persona, found.superseded) == ("Which channel?", "writer", ())
    assert (told.question, told.answer, told.state, told.model) == ("Which  channel?\n", DONE.text, "done", "openai/small")
    assert told.sources == (NOTE, SECRET)
    outcome = told.outcome
    assert (outcome.citations, outcome.removed, outcome.unsupported) == (DONE.citations, DONE.removed, DONE.unsupported)
    assert (outcome.usage, outcome.cost, outcome.reason, outcome.notices) == (DONE.usage, DONE.cost, "length", DONE.notices)
    assert told.asked <= told.ended == found.updated
    [given] = kept.turns(conversation)
    assert (given.id, given.answer, given.private) == (turn, DONE.text, True)
    assert given.sources == ((1, "home/net.md", 3, 5), (2, "diary\udcff.md", 1, 2))
    assert kept.persona(conversation) == "writer"
    assert kept.persona("nobody") == ""
    kept.close()


@pytest.mark.parametrize(
    ("arrived", "event", "state", "answer"),
    [
        ("", Failed("no network: try again", "khoj.model.unreachable", "as far as"), "failed", "as far as"),
        ("", Failed("cancelled", "khoj.cancelled", "half"), "cancelled", "half"),
        ("what came", Failed("it broke", "khoj.model"), "failed", "what came"),
        ("draft [7]", Done("draft"), "done", "draft"),
        ("something", Done(""), "done", ""),
    ],
)
def test_how_a_turn_ends(kept, arrived, event, state, answer):
    conversation, turn = kept.begin(None, "?", persona="", model="", replaces=None)
    assert kept.turns(conversation)[0].answer == ""
    if arrived:
        kept.arrived(turn, arrived)
        wait_until(lambda: kept.get(conversation).turns[0].answer == arrived)
        assert kept.turns(conversation)[0].answer == ""  # the model is told nothing of what is under way
    kept.finish(turn, event)
    [told] = kept.get(conversation).turns
    assert (told.state, told.answer) == (state, answer)
    assert (told.outcome.message, told.outcome.code) == ((event.message, event.code) if isinstance(event, Failed) else ("", ""))


def test_only_an_end_ends_a_turn(kept):
    with pytest.raises(TypeError, match="not with str"):
        kept.finish("turn", "done")


def test_text_that_cannot_be_stored_as_it_is(kept):
    conversation, _ = ask(kept, "half \ud83d a sign, a whole \ud83d\ude00 one, \0 and ’", "\udcff")
    [told] = kept.get(conversation).turns
    assert (told.question, told.answer) == ("half \ufffd a sign, a whole \U0001f600 one, \0 and ’", "\ufffd")


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("  Why\n so? ", "Why so?"),
        ("", "Untitled"),
        (
            "how did I fix the router that dropped the wireless network every night",
            "how did I fix the router that dropped the wireless network…",
        ),
        ("长" * 100, "长" * 60 + "…"),
    ],
)
def test_a_title_is_the_first_question_shortened(question, title):
    assert title_of(question) == title


def test_lists_come_in_pages_the_last_used_first(kept):
    ids = [ask(kept, f"question {number}")[0] for number in range(5)]
    ask(kept, "more", conversation=ids[1])
    found, total = kept.latest(limit=2)
    assert ([each.id for each in found], [each.turns for each in found], total) == ([ids[1], ids[4]], [2, 1], 5)
    assert [each.title for each in kept.latest(limit=2, offset=3)[0]] == ["question 2", "question 0"]


def test_an_id_may_be_shortened_while_one_begins_so(kept):
    ids = [ask(kept, "q")[0] for _ in range(20)]
    assert kept.get(ids[0][:12]).id == ids[0]
    assert kept.begin(ids[0][:12], "more", persona="", model="", replaces=None)[0] == ids[0]
    assert kept.find("zz") == []
    with pytest.raises(UsageError, match="there is no conversation zz"):
        kept.get("zz")
    with pytest.raises(UsageError, match="several conversations begin with"):
        next(kept.get(each[0]) for each in ids if sum(other[0] == each[0] for other in ids) > 1)
    with pytest.raises(UsageError, match="there is no conversation"):
        kept.get("")


# -- asked anew ------------------------------------------------------------------------------------------------------------


def test_a_turn_asked_anew_supersedes_itself_and_all_after_it(kept):
    conversation, first = ask(kept, "one")
    _, second = ask(kept, "two", conversation=conversation)
    ask(kept, "three", conversation=conversation)
    _, edited = ask(kept, "two, edited", replaces=second)
    found = kept.get(conversation)
    assert [turn.question for turn in found.turns] == ["one", "two, edited"]
    assert [(turn.question, turn.superseded_by) for turn in found.superseded] == [("two", edited), ("three", edited)]
    assert [turn.id for turn in kept.turns(conversation)] == [first, edited]
    _, again = ask(kept, "", replaces=edited, conversation=conversation)
    found = kept.get(conversation)
    assert [turn.question for turn in found.turns] == ["one", "two, edited"]
    assert [turn.id for turn in found.versions(found.turns[1])] == [second, edited]
    assert found.turns[1].id == again
    assert found.versions(found.turns[0]) == []


def test_the_title_follows_the_first_question_until_it_is_renamed(kept):
    conversation, first = ask(kept, "one")
    _, again = ask(kept, "other one", replaces=first)
    assert kept.get(conversation).title == "other one"
    assert kept.rename(conversation, " My\nown ").title == "My own"
    ask(kept, "third one", replaces=again)
    assert kept.get(conversation).title == "My own"
    with pytest.raises(UsageError, match="at least one word"):
        kept.rename(conversation, " \n")


def test_what_is_not_there_cannot_be_asked_anew(kept):
    conversation, turn = ask(kept, "one")
    other, _ = ask(kept, "other")
    with pytest.raises(UsageError, match="there is no turn nobody"):
        ask(kept, "x", replaces="nobody")
    with pytest.raises(UsageError, match=f"there is no turn {turn} in the conversation {other}"):
        ask(kept, "x", conversation=other, replaces=turn)
    ask(kept, "two", replaces=turn)
    with pytest.raises(UsageError, match="asked anew already"):
        ask(kept, "three", replaces=turn)
    with pytest.raises(UsageError, match="there is no conversation"):
        ask(kept, "x", conversation="nobody")
    assert held(kept, conversation) == ["two"]


# -- private ---------------------------------------------------------------------------------------------------------------


def test_what_follows_private_words_is_private_unless_they_were_not_told(kept):
    conversation, _ = ask(kept, "plain", sources=[NOTE])
    _, secret = ask(kept, "secret", conversation=conversation, sources=[SECRET])
    ask(kept, "after", conversation=conversation, sources=[NOTE])
    _, apart = kept.begin(conversation, "apart", persona="", model="", replaces=None)
    kept.given(apart, [NOTE], private_history=False)
    assert [turn.private for turn in kept.turns(conversation)] == [False, True, True, False]
    ask(kept, "anew", replaces=secret, sources=[NOTE])
    assert [turn.private for turn in kept.turns(conversation)] == [False, False]


def test_a_turn_is_private_until_it_is_known_what_it_was_given(kept):
    """Where that could not be written, the answer must not go elsewhere for it."""
    conversation, turn = kept.begin(None, "plain", persona="", model="", replaces=None)
    kept.finish(turn, Done("after all"))
    assert [turn.private for turn in kept.turns(conversation)] == [True]


# -- deleted ---------------------------------------------------------------------------------------------------------------


def test_nothing_is_left_of_what_was_deleted(kept, tmp_path):
    words = [f"xylophone{number}quartz" for number in range(400)]
    conversation, turn = ask(
        kept, "xylophone question", " ".join(words), sources=[Source(1, "p.md", "zither", (), 1, 1, "zither")]
    )
    ask(kept, "xylophone again", "marimba", conversation=conversation, replaces=turn)
    kept.rename(conversation, "glockenspiel")
    other, _ = ask(kept, "something else", "that stays")
    secrets = (b"xylophone", b"quartz", b"zither", b"marimba", b"glockenspiel")
    # Its log holds them while they are there: the look below sees what there is to see.
    assert any(b"xylophone" in path.read_bytes() for path in tmp_path.iterdir())
    assert kept.delete(conversation).title == "glockenspiel"
    left = {(path.name, word) for path in tmp_path.iterdir() for word in secrets if word in path.read_bytes()}
    assert left == set()
    assert [each.id for each in kept.latest()[0]] == [other]
    assert [turn.conversation for turn in kept.search("stays xylophone").turns] == [other]
    with pytest.raises(UsageError):
        kept.get(conversation)


def test_the_end_of_a_turn_that_was_deleted_meanwhile_is_nothing(kept):
    conversation, turn = kept.begin(None, "q", persona="", model="", replaces=None)
    kept.delete(conversation)
    kept.given(turn, [NOTE])
    kept.arrived(turn, "x")
    kept.finish(turn, Done("y"))
    assert kept.latest() == ([], 0)


# -- several at once, and deaths -------------------------------------------------------------------------------------------


def test_two_processes_and_two_threads_at_one_conversation(kept, tmp_path):
    conversation, _ = ask(kept, "first")
    command = [sys.executable, str(CHILD), str(tmp_path), "ask", conversation, "25"]
    with subprocess.Popen(command) as child:
        threads = [
            threading.Thread(target=lambda: [ask(kept, "mine", conversation=conversation) for _ in range(25)]) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert child.wait() == 0
    questions = held(kept, conversation)
    assert sorted(questions) == sorted(["first", *["mine"] * 50, *(f"question {number}" for number in range(25))])
    assert [each for each in questions if each.startswith("question")] == [f"question {number}" for number in range(25)]
    assert len(kept.search("mine").turns) == 3


def test_a_killed_process_loses_a_second_of_its_answer_at_most(kept, tmp_path):
    with subprocess.Popen([sys.executable, str(CHILD), str(tmp_path), "answer"], stdout=subprocess.PIPE, text=True) as child:
        conversation, turn = child.stdout.readline().split()
        said = [0.0]  # when each word was said
        while len(said) < 120:
            child.stdout.readline()
            said.append(time.monotonic())
        child.kill()
        killed = time.monotonic()
        child.stdout.read()
    [told] = kept.get(conversation).turns
    words = told.answer.split()
    assert (told.id, told.state, told.outcome.code) == (turn, "failed", "khoj.interrupted")
    assert words == [f"w{number}" for number in range(len(words))]
    assert words
    # What was said a second before the end (and some for a slow disk) is there.
    lost = [at for at in said[len(words) + 1 :] if at < killed - 2.0]
    assert lost == []
    assert [source.path for source in told.sources] == ["numbers.md"]
    assert kept.search("w3").turns[0].turn == turn
    # The conversation goes on.
    ask(kept, "again", conversation=conversation)
    assert held(kept, conversation) == ["count for me", "again"]


def test_a_turn_of_a_process_that_lives_is_left_alone(kept, tmp_path):
    with subprocess.Popen([sys.executable, str(CHILD), str(tmp_path), "answer"], stdout=subprocess.PIPE, text=True) as child:
        conversation, _ = child.stdout.readline().split()
        assert kept.get(conversation).turns[0].state == "running"
        child.kill()
    assert kept.get(conversation).turns[0].state == "failed"


def test_turns_under_way_when_the_vault_is_closed_have_failed(tmp_path):
    kept = KeptConversations(tmp_path)
    conversation, turn = kept.begin(None, "q", persona="", model="", replaces=None)
    kept.arrived(turn, "so far")
    kept.close()
    assert [(each.state, each.answer) for each in kept.get(conversation).turns] == [("failed", "so far")]
    kept.finish(turn, Done("after all"))  # the engine's thread was still at it
    assert [(each.state, each.answer) for each in kept.get(conversation).turns] == [("done", "after all")]
    kept.close()


@pytest.mark.parametrize(
    "owner",
    ["", "nobody", "1 x", "999999999 5.0", "-5 1", f"{2**80} 1", pytest.param(this_process().split()[0] + " 5.0", id="other")],
)
def test_an_owner_that_is_gone_or_none(owner):
    assert not is_alive(owner)


def test_a_process_that_was_killed_is_gone_before_its_parent_looks():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = f"{child.pid} {psutil.Process(child.pid).create_time():.2f}"
    assert is_alive(owner)
    child.kill()
    deadline = time.monotonic() + 30
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
    assert not is_alive(owner)
    child.wait()
    assert child.stdin is not None
    child.stdin.close()


def test_this_process_is_alive():
    assert is_alive(this_process())


def test_what_arrives_is_written_in_time_but_not_piece_by_piece():
    written, enough = [], threading.Event()

    def write(latest):
        written.append(dict(latest))
        if latest.get("a") == "x" * 50 and latest.get("b", "") != "gone":
            enough.set()

    arriving = Arriving(write, seconds=0.05)
    arriving.put("b", "gone")
    arriving.drop("b")
    for number in range(50):
        arriving.put("a", "x" * (number + 1))
    assert enough.wait(10)
    assert len(written) < 50
    arriving.put("c", "later")
    wait_until(lambda: {"c": "later"} in written)
