"""Words that stand nowhere: which word of the index is meant, and that none is overlooked."""

from __future__ import annotations

import sqlite3
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from khoj_ls.search.matching import TOKENIZER
from khoj_ls.search.spelling import respelled
from khoj_ls.search.vocabulary import Vocabulary

ENTRIES = [
    "the interface of the configuration",
    "an interface and a channel",
    "a mouse in the house, a mousse on the table",
    "information information",
    "kubernetes clusters receive kubelets",
    "straße übung naïve",
    "東京 の 天気 天氣予報",
    "2024 20240501 ipv6",
    "received form from farm farm",
    "farm",
]


class Words:
    """A word index as the database has it."""

    def __init__(self, entries: list[str]) -> None:
        self.connection = sqlite3.connect(":memory:")
        self.connection.execute(f"CREATE VIRTUAL TABLE entry_fts USING fts5(body, content = '', tokenize = '{TOKENIZER}')")
        self.connection.execute("CREATE VIRTUAL TABLE entry_vocab USING fts5vocab(entry_fts, 'row')")
        self.connection.execute("CREATE TABLE meta (key, value)")
        self.connection.execute("INSERT INTO meta VALUES ('notes_revision', 0)")
        self.vocabulary = Vocabulary()
        self.add(*entries)

    def add(self, *entries: str) -> None:
        self.connection.executemany("INSERT INTO entry_fts (body) VALUES (?)", [(each,) for each in entries])
        self.connection.execute("UPDATE meta SET value = value + 1")

    def stems(self) -> set[str]:
        return {stem for (stem,) in self.connection.execute("SELECT term FROM entry_vocab")}

    def meant(self, text: str) -> dict[str, str]:
        return respelled(self.connection, text.split(), self.vocabulary)


@pytest.fixture(scope="module")
def words() -> Words:
    return Words(ENTRIES)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("jnterface", {"jnterface": "interfac"}),
        ("ibterface", {"ibterface": "interfac"}),
        ("nterface", {"nterface": "interfac"}),
        ("niterfaces", {"niterfaces": "interfac"}),
        ("iterfcae", {"iterfcae": "interfac"}),  # two mistakes in a long word
        ("chanel", {"chanel": "channel"}),
        ("cannle", {}),  # and not in a short one
        ("recieve", {"recieve": "receiv"}),
        ("kubernets", {"kubernets": "kubernet"}),
        # the mistake is in the ending, which the stem of the right word lacks
        ("configuratoin", {"configuratoin": "configur"}),
        ("configurationn", {"configurationn": "configur"}),
        ("informtaion", {"informtaion": "inform"}),
        # of words as near, one that begins alike, then the more common
        ("frm", {}),
        ("forn", {"forn": "form"}),
        ("frmm", {"frmm": "from"}),
        ("faim", {"faim": "farm"}),
        ("fxrm", {"fxrm": "farm"}),
        # in a short word the first letter is right
        ("nouse", {}),
        ("moise", {"moise": "mous"}),
        # other scripts and numbers
        ("ubugn", {"ubugn": "ubung"}),
        ("strasse", {}),
        ("天氣予测", {}),
        ("2025", {}),
        ("20240502", {}),
        # each word for itself
        ("jnterface xyzzyx chanel", {"jnterface": "interfac", "chanel": "channel"}),
        ("", {}),
    ],
)
def test_what_was_meant(words, text, meant):
    assert words.meant(text) == meant


def test_of_a_whole_text_in_another_language_only_some_words_are_looked_at(words):
    assert len(words.meant(" ".join(f"chann{letter}l" for letter in "abcdfghijklmnop"))) == 8


LETTERS = st.text(alphabet=string.ascii_lowercase[:6] + "é", min_size=1, max_size=9)


@settings(max_examples=200, deadline=None)
@given(st.lists(LETTERS, min_size=1, max_size=40), LETTERS, st.integers(1, 2))
def test_no_word_that_is_near_is_overlooked(entries, stem, most):
    words = Words([" ".join(entries)])
    if len(stem) + 1 <= 3 * most:
        return  # so short that nothing need be shared
    near = {found.stem: found.edits for found in words.vocabulary.near(words.connection, stem, most)}
    expected = {
        known: distance for known in words.stems() if 3 <= len(known) <= 32 and (distance := OSA.distance(stem, known)) <= most
    }
    assert near == expected


def test_words_that_come_are_known(words):
    fresh = Words(["plum"])
    assert fresh.meant("damsen") == {}
    fresh.add("damson")
    for _ in range(10_000):  # reading took so little that the time until it is read again is over at once
        if fresh.meant("damsen"):
            break
    assert fresh.meant("damsen") == {"damsen": "damson"}


def test_words_are_not_read_again_while_nothing_changes(words):
    words.meant("jnterface")
    statements: list[str] = []
    words.connection.set_trace_callback(statements.append)
    words.meant("jnterface")
    words.connection.set_trace_callback(None)
    assert not any("group_concat" in each for each in statements)


def test_an_index_without_words():
    assert Words([]).meant("jnterface configuratoin") == {}
