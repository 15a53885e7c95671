"""A tiny cross-encoder, trained on the spot until it orders passages, and rerankers that serve it from their real worker."""

from __future__ import annotations

import contextlib
import random
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from waiting import wait_until

from khoj_ls.config.settings import RerankSettings
from khoj_ls.rerank.service import RerankerService

TOPICS = (
    ("router", "modem", "antenna", "network"),
    ("bread", "flour", "oven", "yeast"),
    ("tomato", "garden", "seed", "soil"),
    ("guitar", "chord", "song", "string"),
)
FILLER = ("the", "of", "and", "is")
"""What the model learns: a question about one topic is answered by a passage on the next, and never the other way round, so
that nothing but the right two texts in the right order with the right segments gives the right answer."""

RECIPE = "1"
"""Changes with what the model is made of."""


def sentence(chance, topic, count, length):
    words = [chance.choice(TOPICS[topic]) for _ in range(count)] + [chance.choice(FILLER) for _ in range(length - count)]
    chance.shuffle(words)
    return " ".join(words)


def question(chance, topic):
    return sentence(chance, topic, 2, 2)


def passage(chance, topic, length=5):
    return sentence(chance, topic, 3, length)


def answers(asked, told):
    return told == (asked + 1) % len(TOPICS)


@pytest.fixture
def until():
    """Wait until a condition holds."""
    return wait_until


@pytest.fixture(scope="session")
def cross_encoder(request):
    """Folder of the trained model, as CrossEncoder saves it; made once and kept between runs."""
    kept = request.config.cache.mkdir("khoj-cross-encoder")
    folder = kept / RECIPE
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=kept) as scratch:
            made = train(Path(scratch))
            with contextlib.suppress(OSError):  # another process of this run was quicker
                made.rename(folder)
    return folder


@pytest.fixture(scope="session")
def original(cross_encoder):
    """The same model in sentence-transformers: what it says is right."""
    from sentence_transformers import CrossEncoder

    return CrossEncoder(str(cross_encoder), device="cpu", local_files_only=True)


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Where prepared rerankers are kept."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def reranker(cross_encoder, models):
    """The model, prepared and served by a worker that the tests which do it no harm share."""
    service = RerankerService(RerankSettings(model=str(cross_encoder)), models)
    service.prepare()
    assert service._local.known().backend == "onnx"
    yield service
    service.close()


@pytest.fixture
def make_reranker(cross_encoder, models):
    """Make rerankers with settings of one's own; they end with the test."""
    made = []

    def make(folder=models, environment=None, **settings):
        settings = {"model": str(cross_encoder), **settings}
        made.append(RerankerService(RerankSettings(**settings), folder, nice=0, environment=environment))
        return made[-1]

    yield make
    for service in made:
        service.close()


@pytest.fixture(scope="session")
def asked():
    """Sixty passages in disorder for one question, and which of them answer it."""
    chance = random.Random(7)
    topics = [chance.randrange(len(TOPICS)) for _ in range(60)]
    texts = [passage(chance, topic, chance.choice((3, 5, 8, 12))) for topic in topics]
    return SimpleNamespace(query=question(chance, 2), texts=texts, good=[answers(2, topic) for topic in topics])


def train(folder):
    """Teach a BERT of two layers which passage answers which question, until it makes no mistake."""
    import torch
    from sentence_transformers import CrossEncoder
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *FILLER, *(word for topic in TOPICS for word in topic)]
    letters = "abcdefghijklmnopqrstuvwxyz"
    words += [*letters, *(f"##{letter}" for letter in letters)]
    (folder / "vocab.txt").write_text("\n".join(words))
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=64)
    torch.manual_seed(1)
    chance = random.Random(1)
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=len(words),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
            num_labels=1,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            initializer_range=0.1,
        )
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(3000):
        topics = [(chance.randrange(len(TOPICS)), chance.randrange(len(TOPICS))) for _ in range(128)]
        topics = [(a, (a + 1) % len(TOPICS) if chance.random() < 0.4 else b) for a, b in topics]
        pairs = [(question(chance, a), passage(chance, b, chance.choice((3, 5, 8, 12)))) for a, b in topics]
        wanted = torch.tensor([float(answers(a, b)) for a, b in topics])
        tokens = tokenizer([a for a, _ in pairs], [b for _, b in pairs], padding=True, truncation=True, return_tensors="pt")
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(**tokens).logits[:, 0], wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss.item() < 0.01:
            break
    assert loss.item() < 0.01, "the model has not learned"
    model.eval()
    model.save_pretrained(folder / "bert")
    tokenizer.save_pretrained(folder / "bert")
    CrossEncoder(str(folder / "bert"), device="cpu").save_pretrained(str(folder / "model"))
    return folder / "model"
