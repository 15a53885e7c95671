"""Counting and cutting in a model's own tokens."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.content.chunk import chunk_file
from khoj_ls.core.text import text_lines
from khoj_ls.core.types import Entry, Span
from khoj_ls.embed.tokenizer import EstimateTokenizer, HfTokenizer, load_tokenizer

TEXTS = ("", "How did I fix the router?", "unbelievable", "修理路由器", "🦉 owl", "café", "word " * 600)
COUNTS = (0, 8, 1, 5, 2, 1, 600)


@pytest.fixture(scope="module")
def tokenizer(encoder):
    return encoder.tokenizer()


def test_counts_without_special_tokens_and_without_limit(tokenizer):
    assert (tokenizer.max_tokens, tokenizer.special_tokens) == (256, 2)
    assert tuple(tokenizer.count(TEXTS)) == COUNTS
    assert [len(tokenizer.offsets(text)) for text in TEXTS] == list(COUNTS)


def test_offsets_are_those_of_the_tokens(tokenizer):
    text = "Fix the 路由器, café!"
    assert [text[start:end] for start, end in tokenizer.offsets(text)] == ["Fix", "the", "路", "由", "器", ",", "café", "!"]


def test_the_id_names_the_content(tokenizer, encoder, tmp_path):
    folder, limit = encoder.tokenizer_source()
    again = load_tokenizer(folder, limit)
    file = load_tokenizer(f"{folder}/tokenizer.json", limit)
    assert again.id == file.id == tokenizer.id
    assert load_tokenizer(folder, 128).id != tokenizer.id
    changed = tmp_path / "tokenizer.json"
    with open(f"{folder}/tokenizer.json", encoding="utf-8") as stream:
        changed.write_text(stream.read().replace('"bread"', '"broth"'))
    assert HfTokenizer(changed, limit).id != tokenizer.id


def test_without_a_model_here_tokens_are_estimated():
    tokenizer = load_tokenizer("", 8191)
    assert isinstance(tokenizer, EstimateTokenizer)
    assert (tokenizer.max_tokens, tokenizer.special_tokens) == (1365, 2)
    assert tokenizer.id != EstimateTokenizer(512).id
    assert tokenizer.id == EstimateTokenizer(8191).id
    text = "I fixed the routers, 2024-05-01: 路由器 🦉\n\n  done"
    assert [text[start:end] for start, end in tokenizer.offsets(text)] == [
        *("I", " fixed", " the", " route", "rs", ",", " 202", "4", "-", "05", "-", "01", ":"),
        *(" 路", "由", "器", " 🦉", "\n\n  ", "done"),
    ]


@given(st.text(), st.integers(16, 9000))
def test_the_estimate_is_never_over_the_limit(text, limit):
    # Byte-level BPE makes at most one token of a byte.
    tokenizer = EstimateTokenizer(limit)
    ranges = tokenizer.offsets(text)
    assert "".join(text[start:end] for start, end in ranges) == text
    assert tokenizer.count([text]) == [len(ranges)]
    fits = "".join(text[start:end] for start, end in ranges[: tokenizer.max_tokens - tokenizer.special_tokens])
    assert len(fits.encode(errors="replace")) + tokenizer.special_tokens <= limit


def test_a_prefix_takes_its_room(tokenizer, encoder):
    folder, limit = encoder.tokenizer_source()
    with_prefix = HfTokenizer(Path(folder) / "tokenizer.json", limit, "search_document: ")
    assert with_prefix.special_tokens == tokenizer.special_tokens + tokenizer.count(["search_document: "])[0]
    assert with_prefix.id != tokenizer.id


@given(st.text(st.sampled_from("路由器字🦉👩\u200d🚀é\u0301а ةa1\n"), min_size=40, max_size=600), st.integers(48, 400))
def test_no_chunk_cut_by_the_estimate_is_over_the_limit(text, limit):
    tokenizer = EstimateTokenizer(limit)
    lines = text_lines(text)
    span = Span(0, len(text.encode()), 1, max(1, len(lines)))
    entry = Entry(span=span, level=0, heading="🦉" * 9, outline=(), parent=None, raw=text, text=text)
    for chunk in chunk_file("标题", [entry], tokenizer):
        assert len(chunk.text.encode()) + tokenizer.special_tokens <= limit
