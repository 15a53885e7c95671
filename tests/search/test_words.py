"""Words as the word index cuts them, and expressions that FTS5 always understands."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khoj_ls.core.text import spaced
from khoj_ls.search.matching import TOKENIZER, WordFinder
from khoj_ls.search.stopwords import STOP_WORDS, content_words
from khoj_ls.search.words import adjacent_terms, any_of, flexible, phrase, query_terms, same_words, words
from khoj_ls.store import migrations


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How do I fix the router?", ["fix", "router"]),
        ("What's Emacs' config, don't say", ["emacs", "config", "say"]),
        ("the who", ["the", "who"]),  # nothing else would be left
        ("snake_case and kebab-case", ["snake", "case", "kebab", "case"]),
        ("war and peace", ["war", "peace"]),
        ("Das war der Krieg", ["krieg"]),
        ("comment est-ce que je répare le routeur", ["répare", "routeur"]),
        ("¿cómo se arregla el router?", ["arregla", "router"]),
        ("路由", ["路由"]),
        ("修复路由器", ["修复", "复路", "路由", "由器"]),
        ("iPhone手机壳", ["iphone", "手机", "机壳"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("C D", ["c", "d"]),
        ("!? --", []),
    ],
)
def test_what_is_looked_for(text, expected):
    assert query_terms(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fix the wifi router", ["wifi router"]),
        ("new york new york", ["new york", "york new"]),
        ("修复路由器", ["修复路", "复路由", "路由器"]),
        ("one", []),
    ],
)
def test_what_stands_side_by_side(text, expected):
    assert adjacent_terms(text) == expected


def test_one_foreign_function_word_is_no_language():
    assert content_words(["red", "hat", "linux"]) == ["red", "hat", "linux"]
    assert content_words(["er", "hat", "linux"]) == ["linux"]


@pytest.mark.parametrize("language", STOP_WORDS)
def test_function_words_are_words(language):
    assert all(words(word) == [word] and word == word.lower() for word in STOP_WORDS[language])


@given(st.text(), st.booleans())
def test_no_text_makes_a_wrong_expression(text, prefix):
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE VIRTUAL TABLE t USING fts5(title, body, tokenize = '{TOKENIZER}')")
    terms = query_terms(text)
    for expression in (phrase(text, prefix=prefix), any_of(terms), any_of(adjacent_terms(text)), f"title : ^ {phrase(text)}"):
        if expression:
            connection.execute("SELECT count(*) FROM t WHERE t MATCH ?", (expression,)).fetchone()
    connection.close()


@given(st.text(alphabet=st.characters(categories=("L", "N", "Z", "P", "S")), min_size=1))
def test_a_text_holds_all_its_words(text):
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE VIRTUAL TABLE t USING fts5(body, tokenize = '{TOKENIZER}')")
    connection.execute("INSERT INTO t VALUES (?)", (spaced(text),))
    connection.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, 'row')")
    if connection.execute("SELECT count(*) FROM v").fetchone()[0] and words(text):
        assert connection.execute("SELECT count(*) FROM t WHERE t MATCH ?", (phrase(text),)).fetchone() == (1,)
    connection.close()


def test_the_tokenizer_is_the_databases_own():
    assert f"tokenize = '{TOKENIZER}'" in Path(migrations.__file__).read_text()


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("Publishing what was published", "publish", ["Publishing", "published"]),
        ("Café über naïve", "cafe naive", ["Café", "naïve"]),
        ("如何修复 路由器吗", "修复路由器", ["修复 路由器"]),
        ("nothing here", "absent", []),
        ("marks \x01inside\x02 the text", "inside text", ["inside", "text"]),
        ("手机 and phone", "phone 手机", ["手机", "phone"]),
        ("a MergeScheduler, scheduled", "scheduler", ["Scheduler", "scheduled"]),
        ("a MergeScheduler", "MergeScheduler merge", ["MergeScheduler"]),
        ("手机AppStore 手机", "store 手机", ["手机", "Store", "手机"]),
    ],
)
def test_matches_are_marked_in_the_text(text, query, expected):
    [ranges] = WordFinder().find([text], any_of(query_terms(query)))
    assert [text[start:end] for start, end in ranges] == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["a quick", "fox", "quick fox", ""], [[], [], ["quick fox"], []]),
        (
            ["quick fox", "如何 quick fox", "QuickFox", "é quick, fox"],
            [["quick fox"], ["quick fox"], ["QuickFox"], ["quick, fox"]],
        ),
        (["quick \ue000 fox", "quick fox"], [[], ["quick fox"]]),
        (["quick\0", "quick\0fox", "quick fox"], [[], ["quick\0fox"], ["quick fox"]]),
    ],
)
def test_each_text_is_looked_through_by_itself(texts, expected):
    found = WordFinder().find(texts, phrase("quick fox"))
    assert [[text[start:end] for start, end in ranges] for text, ranges in zip(texts, found, strict=True)] == expected


@settings(max_examples=50)
@given(st.lists(st.text(), max_size=4), st.text(min_size=1))
def test_marks_lie_in_the_text_in_order(texts, query):
    for text, ranges in zip(texts, WordFinder().find(texts, phrase(query)), strict=True):
        flat = [position for pair in ranges for position in pair]
        assert flat == sorted(set(flat))
        assert all(0 <= position <= len(text) for position in flat)


@pytest.mark.parametrize(
    ("sentence", "text", "expected"),
    [
        ("the quick fox", "The\n  *quick* fox", True),
        ("the quick fox", "the quick foxes", False),
        ("the quick fox", "the quick brown fox", False),
        ("修复路由器", "修复\n路由器", True),
        ("a (b) c", "a b c", True),
    ],
)
def test_a_sentence_is_found_past_markup(sentence, text, expected):
    assert bool(flexible(words(sentence)).search(text)) is expected


def test_same_words():
    assert same_words("The  Router!", ["the", "router"])
    assert not same_words("The Routers", ["the", "router"])
    assert re.fullmatch(r'"the router"', phrase("The Router").lower())
