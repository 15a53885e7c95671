"""Past turns are found by their words and by what they mean; private ones are shown to no encoder elsewhere."""

from __future__ import annotations

import hashlib
import struct
import threading
import time
from dataclasses import dataclass, field

import pytest

from khoj_ls.chat.kept.conversations import KeptConversations
from khoj_ls.chat.kept.recall import passages_of
from khoj_ls.chat.types import Done, Failed, Source
from khoj_ls.core.errors import Cancelled, ModelError, UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.search.words import words
from khoj_ls.store.conversations_search import Unread

DIMENSIONS = 1024
MEANS = {"automobile": "car", "vehicle": "car", "kitten": "cat", "feline": "cat", "loaf": "bread", "sourdough": "bread"}
NOTE = Source(1, "a.md", "A", (), 1, 1, "text")
SECRET = Source(1, "b.md", "B", (), 1, 1, "text", private=True)


@dataclass
class HashEncoder:
    """Knows a few words by meaning and all others by their letters."""

    id: str = "hash"
    remote: str = ""
    prepared: bool = True
    broken: str = ""
    read: list[str] = field(default_factory=list)

    def prepare(self):
        if self.broken:
            raise ModelError(self.broken)

    def embed_documents(self, texts):
        self.read += texts
        return [vector(text, self.id) for text in texts]

    def embed_query(self, text, timeout=None, token=None):
        return vector(text, self.id)


def vector(text, salt):
    values = [0.0] * DIMENSIONS
    for word in words(text.lower()):
        digest = hashlib.blake2b((salt + MEANS.get(word, word)).encode(), digest_size=4).digest()
        values[int.from_bytes(digest, "big") % DIMENSIONS] += 1.0
    length = sum(value * value for value in values) ** 0.5 or 1.0
    return struct.pack(f"<{DIMENSIONS}f", *(value / length for value in values))


@pytest.fixture
def encoder():
    return HashEncoder()


@pytest.fixture
def kept(tmp_path, encoder):
    kept = KeptConversations(tmp_path, lambda: encoder)
    yield kept
    kept.close()


def ask(kept, question, answer, *, sources=(NOTE,), conversation=None, replaces=None, private_history=None):
    key, turn = kept.begin(conversation, question, persona="", model="", replaces=replaces)
    kept.given(turn, sources, private_history=private_history)
    kept.finish(turn, Done(answer))
    return key, turn


def fill(kept):
    ask(kept, "how did I fix the router", "Unbound was restarted and the cache emptied.")
    ask(kept, "why does my bread stay flat", "The oven was too cold for it.")
    ask(kept, "which automobile did we rent", "A small one, in green.")
    ask(kept, "カレーの作り方", "玉ねぎを炒めてから肉を入れる。")


@pytest.mark.parametrize(
    ("query", "question"),
    [
        ("restarting unbound", "how did I fix the router"),
        ("routers", "how did I fix the router"),
        ("vehicle", "which automobile did we rent"),  # by meaning alone
        ("sourdough loaf", "why does my bread stay flat"),
        ("玉ねぎ", "カレーの作り方"),
        ("カレー", "カレーの作り方"),
        ("what was the oven like", "why does my bread stay flat"),
    ],
)
def test_found_by_words_and_by_meaning(kept, query, question):
    fill(kept)
    found = kept.search(query)
    assert found.degraded == ""
    assert found.turns[0].question == question
    assert 0 < found.turns[0].score <= 1


@pytest.mark.parametrize("query", ["zebra", "???", '"', "AND OR NOT", "a* NEAR(", "-"])
def test_what_is_nowhere_is_not_found_and_no_query_is_an_error(kept, query):
    fill(kept)
    assert [turn for turn in kept.search(query).turns if turn.score > 0.5] == []
    with pytest.raises(UsageError, match="say what to search"):
        kept.search("  ")


def test_where_words_stand_is_shown(kept):
    ask(kept, "q", "word " * 200 + "\n\nThe zebra\ncrossed. " + "word " * 200)
    [hit] = kept.search("zebras crossing").turns
    assert len(hit.snippet) < 260
    assert [hit.snippet[start:end] for start, end in hit.highlights] == ["zebra", "crossed"]
    assert hit.snippet.startswith("…") and hit.snippet.endswith("…")


def test_the_passage_that_is_meant_is_shown(kept):
    ask(kept, "animals", "bird " * 300 + "kitten " * 100 + "bird " * 300)
    [hit] = kept.search("feline").turns
    assert (hit.highlights, "kitten" in hit.snippet) == ((), True)


def test_of_one_conversation_three_turns_are_shown_and_titles_count(kept):
    conversation, _ = ask(kept, "plum one", "x")
    for number in range(5):
        ask(kept, f"plum {number}", "x", conversation=conversation)
    other, first = ask(kept, "nothing of it", "x")
    kept.rename(other, "About plums")
    found = kept.search("plum", limit=10).turns
    assert sorted(turn.conversation for turn in found) == sorted([conversation] * 3 + [other])
    assert next(turn for turn in found if turn.conversation == other).turn == first
    assert len(kept.search("plum", limit=2).turns) == 2


def test_what_was_asked_anew_deleted_or_has_just_ended(kept):
    conversation, turn = ask(kept, "the automobile", "x")
    assert len(kept.search("vehicle").turns) == 1
    ask(kept, "the kitten", "x", replaces=turn)
    assert [hit.question for hit in kept.search("vehicle feline automobile kitten").turns] == ["the kitten"]
    kept.delete(conversation)
    assert kept.search("feline").turns == ()
    _, under_way = kept.begin(None, "loaf of something", persona="", model="", replaces=None)
    assert [hit.turn for hit in kept.search("loaf").turns] == [under_way]  # its question can be found at once
    kept.finish(under_way, Failed("no", "khoj.model", "half a kitten"))
    assert [hit.turn for hit in kept.search("feline").turns] == [under_way]


def test_private_turns_are_not_shown_to_an_encoder_elsewhere(kept, encoder):
    encoder.remote = "https://api.example.com"
    conversation, _ = ask(kept, "open question", "about an automobile")
    ask(kept, "secret question", "a secret automobile", sources=[NOTE, SECRET], conversation=conversation)
    ask(kept, "question behind it", "also of the automobile", conversation=conversation)
    ask(kept, "apart from it", "the automobile again", conversation=conversation, private_history=False)
    found = kept.search("vehicle")
    assert sorted(hit.question for hit in found.turns) == ["apart from it", "open question"]
    assert found.degraded == "2 with private notes for words alone, as the encoder is on another machine"
    assert not any("secret" in text or "behind" in text for text in encoder.read)
    assert "secret question" in [hit.question for hit in kept.search("secret").turns]
    encoder.remote = ""
    assert len(kept.search("vehicle").turns) == 3  # at most three of a conversation
    assert any("secret" in text for text in encoder.read)


def test_another_model_reads_all_anew(kept, encoder, tmp_path):
    fill(kept)
    assert kept.search("vehicle").turns
    encoder.id = "other"
    assert kept.search("vehicle").turns[0].question == "which automobile did we rent"
    assert len([text for text in encoder.read if "router" in text]) == 2
    models = kept._file.read(lambda c: c.execute("SELECT DISTINCT model FROM passage").fetchall())
    assert models == [("other",)]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"broken": "the model is gone: choose another"}, "the model is gone: choose another"),
        ({"prepared": False}, "the embedding model is being prepared: words alone were looked for"),
    ],
)
def test_without_an_encoder_words_answer_and_it_is_said(kept, encoder, change, told):
    for name, value in change.items():
        setattr(encoder, name, value)
    fill(kept)
    found = kept.search("router")
    assert [hit.question for hit in found.turns] == ["how did I fix the router"]
    assert told in found.degraded
    encoder.broken, encoder.prepared = "", True
    assert kept.search("vehicle").degraded == ""  # it is tried again by itself


def test_no_encoder_at_all(tmp_path):
    kept = KeptConversations(tmp_path)
    fill(kept)
    assert kept.search("router").turns[0].score > 0.9
    assert "there is no embedding model" in kept.search("vehicle").degraded
    kept.close()


def test_a_slow_encoder_is_not_waited_for(kept, encoder):
    hold = threading.Event()
    wait_for = encoder.embed_documents
    encoder.embed_documents = lambda texts: hold.wait(30) and wait_for(texts)
    fill(kept)
    begun = time.monotonic()
    found = kept._recall.search("router", 5, CancelToken(), patience=0.05)
    assert time.monotonic() - begun < 15
    assert found.turns[0].question == "how did I fix the router"
    assert found.degraded == "4 turns were looked through for words alone so far"
    hold.set()
    assert kept.search("vehicle").degraded == ""


def test_a_search_that_is_called_off(kept):
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        kept.search("x", token=token)


def test_a_search_that_is_called_off_while_it_waits_for_the_encoder(kept, encoder):
    reading, hold, token = threading.Event(), threading.Event(), CancelToken()
    encoder.embed_documents = lambda texts: (reading.set(), hold.wait(60), [])[2]
    fill(kept)
    assert reading.wait(30)
    threading.Timer(0.1, token.cancel).start()
    with pytest.raises(Cancelled):
        kept._recall.search("router", 5, token, patience=600)
    assert not hold.is_set()
    hold.set()


def test_a_conversation_may_be_deleted_while_its_turns_are_shown(tmp_path, monkeypatch):
    kept = KeptConversations(tmp_path)
    conversation, _ = ask(kept, "about the router", "x")
    read = kept._file.read

    def deleting_read(question):
        answer = read(question)
        if "about the router" in repr(answer):
            kept.delete(conversation)
        return answer

    monkeypatch.setattr(kept._file, "read", deleting_read)
    assert [hit.title for hit in kept.search("router").turns] == ["about the router"]
    assert kept.latest() == ([], 0)
    kept.close()


def test_a_turn_of_a_rescued_file_that_has_no_end_is_read_once(kept, encoder):
    conversation, _ = ask(kept, "which automobile", "a green one")
    assert kept.search("vehicle").degraded == ""
    kept._file.write(lambda c: c.execute("UPDATE turn SET ended = NULL") and c.execute("DELETE FROM passage"))
    assert [hit.conversation for hit in kept.search("vehicle").turns] == [conversation]
    assert len(encoder.read) == 2


@pytest.mark.parametrize("answer", ["", "short", "word " * 1000, "長" * 5000, "x" * 799 + " " + "y" * 10])
def test_passages_cover_the_answer_in_order(answer):
    question = "question " * 100
    alone = [(0, 0, question)] if len(answer) > 200 else []
    found = list(passages_of(Unread(1, 0.0, question, answer)))
    assert found[: len(alone)] == alone
    found = found[len(alone) :]
    assert found[0][0] == 0
    assert [end for _, end, _ in found[:-1]] == [start for start, *_ in found[1:]]
    assert len(found) == 12 or found[-1][1] == len(answer)
    assert all(text.startswith("question") and end - start <= 800 for start, end, text in found)
