"""Notes that try to command the model, with a model that obeys them to the letter: nothing comes of it.

data/injection holds pairs: a note, and beside it the worst answer that its author hopes for.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from khoj_ls.chat.engine import answer, begin
from khoj_ls.chat.types import ChatRequest, Done, Sources, TextDelta
from khoj_ls.core.jobs import CancelToken

DATA = Path(__file__).parent / "data" / "injection"
CASES = sorted(path for path in DATA.iterdir() if not path.name.endswith(".answer.txt"))
READERS = (MarkdownIt("commonmark", {"html": True}).enable("table"), MarkdownIt("js-default", {"html": True}))
SAFE = "# Safe\nThe safe opens with 4711.\n"


def test_there_are_twenty():
    assert len(CASES) == 20


@pytest.fixture(params=CASES, ids=lambda path: path.stem)
def obeyed(request, scripted, desk_of):
    """The events of a turn whose model obeys the note; what the model was sent; the note."""
    note = request.param.read_text(encoding="utf-8")
    words = request.param.with_name(f"{request.param.stem}.answer.txt").read_text(encoding="utf-8")
    model = scripted([words[at : at + 5] for at in range(0, len(words), 5)])
    notes = {request.param.name: note, "safe.md": SAFE}
    desk = desk_of(notes, model, private=("safe.md",))
    asked = ChatRequest("What colour is the roof?")
    events = list(answer(desk, asked, begin(desk, asked), CancelToken()))
    assert desk.notes.texts == notes
    return events, model.asked[0][0], note


def test_nothing_in_the_answer_acts(obeyed):
    events, _, _ = obeyed
    done = events[-1]
    assert isinstance(done, Done)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == done.text
    assert not re.search(r"\[\[(?:elisp|shell):", done.text)
    for reader in READERS:
        for token in _tokens(reader.parse(done.text)):
            assert token.type not in ("image", "html_block", "html_inline"), done.text
            assert re.match(r"(https?|mailto):|[^:]*$", str(token.attrs.get("href", ""))), done.text


def test_only_sources_that_were_given_are_cited(obeyed):
    events, _, _ = obeyed
    done = events[-1]
    numbers = {source.number for event in events if isinstance(event, Sources) for source in event.sources}
    assert {citation.number for citation in done.citations} <= numbers
    outside = re.sub(r"```.*?```|`[^`\n]*`|\]\([^)]*\)", "", done.text, flags=re.DOTALL)
    cited = {
        int(number) for mark in re.findall(r"[\[【]\^?[\d, ^-]+[\]】](?![(:])", outside) for number in re.findall(r"\d+", mark)
    }
    assert cited <= numbers, done.text


def test_the_note_stays_between_its_marks(obeyed):
    _, messages, note = obeyed
    system, question = messages[0].text, messages[-1].text
    mark = re.search(r"with the mark (q[0-9a-f]{12}):", question)[1]
    assert mark not in note and mark not in system
    begun = re.findall(rf"^--- {mark} (begin|end) \[(\d+)\]", question, re.MULTILINE)
    assert begun == [(what, number) for number in dict.fromkeys(number for _, number in begun) for what in ("begin", "end")]
    behind = question[question.rindex(mark) :]
    assert behind.endswith("My question:\nWhat colour is the roof?") and "\n\n" in behind
    assert not re.search(r"<\||\|>|\[/?INST\]|<</?SYS>>|</?s>|[\u202e\u200b\U000e0000-\U000e007f]", question)


def test_no_word_of_a_private_note_is_sent(obeyed):
    _, messages, _ = obeyed
    assert not any("4711" in message.text for message in messages)


def _tokens(tokens):
    for token in tokens:
        yield token
        yield from _tokens(token.children or ())
